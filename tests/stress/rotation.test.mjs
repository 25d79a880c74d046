// Rotations, in short; and the twin without notice.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { rotate, run, short } from "./subjects/rotation.mjs";

describe("keys rotated under load, with a notice of the key set's max-age", () => {
  test("make no token fail with relying parties that keep the key set for as long", async () => {
    const { verified, keySets } = await run(short);
    assert.ok(verified >= 40, `${verified} tokens`);
    assert.ok(keySets["fetched: 304"] > 0, "key sets were revalidated");
  });
});

describe("the twin: a key that signs at once", () => {
  test("makes tokens fail until relying parties fetch the key set again", async () => {
    // As many as above: after one, relying parties may all happen to fetch the key set before they see the new key.
    const { failed, failures } = await rotate({ ...short, notice: 0 });
    assert.ok(failed > 0);
    assert.deepEqual(Object.keys(failures), ["ERR_JWKS_NO_MATCHING_KEY"]);
  });
});
