// Failures of the wasm, in short; and workers without recovery or single use, which must be found out.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { panicSites } from "../edge/support/panic-sites.mjs";
import { run, short } from "./subjects/poison.mjs";

describe("wasm that fails in the middle of requests under load", () => {
  test("costs those beside it one answer, gives no challenge back, and leaks nothing", async () => {
    const { placesOfPanics, instances } = await run(short);
    assert.ok(instances > 10);
    // What the log says of a real panic is a place that the wasm has.
    const known = new Set(panicSites().map(({ file, line, column }) => `${file}:${line}:${column}`));
    for (const place of placesOfPanics) assert.ok(known.has(place), place);
  });
});

describe("the twins: found out is", () => {
  const twin = { rounds: 30, seed: 1 };

  test("a worker that goes on with the instance that failed", () =>
    assert.rejects(run({ ...twin, worker: { changes: [["__wbg_reset_state();", ""]] } }), /no poison beside it|the instance after the last failure|: 500/));

  test("a challenge that is given back when its verify fails", () =>
    assert.rejects(run({ ...twin, worker: { changes: [["storage.kv.delete(CHALLENGE);\n      await storage.deleteAll();", ""]] } }), /^AssertionError.*: 200 and a token/));

  test("a log that has the words of the failure", () =>
    assert.rejects(run({ ...twin, worker: { changes: [["  } catch {\n      return panicked();", "  } catch (error) {\n      console.error(error.stack);\n      return panicked();"]] } }), /wasm-function|:\\d/));
});
