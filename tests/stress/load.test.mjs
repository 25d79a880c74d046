// Load, in short; and workers that fail now and then or keep what they should let go, which must be found out.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { wrkVersion } from "../../bench/lib/load.mjs";
import { run, short } from "./subjects/load.mjs";

let wrk = true;
try {
  wrkVersion();
} catch {
  wrk = false;
}

describe("saturation with five per cent bad requests", { skip: wrk ? false : "wrk is not installed: apt-get install -y wrk" }, () => {
  test("gives every request its own status, no 5xx, and no growth of the wasm's memory", async () => {
    const { soak, mints } = await run(short);
    assert.ok(soak.statuses[200] > 0 && mints.mints >= short.rounds);
    assert.ok(soak.signins.count > 0);
  });

  describe("the twins: found out is", () => {
    // A busy machine answers few requests, and little is kept of few: what may grow is less here.
    const twin = (vars) => run({ ...short, minutes: 0.1, rounds: 1, growth: 64, worker: { wrapper: ["leak.mjs", "gauge.mjs", "instances.mjs"], vars } });

    test("one answer in two hundred that is a 500", () => assert.rejects(twin({ FAIL: "1" }), /5xx/));

    test("a text that is kept of every request", () => assert.rejects(twin({ LITTER: "1" }), /the live heap has grown/));

    test("memory outside the heap that is kept", () => assert.rejects(twin({ LEAK: "1" }), /resident memory has grown/));
  });
});
