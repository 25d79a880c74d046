// Regions, in short; and workers that are wrong in one way each, which must be found out.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { lagging, run, short } from "./subjects/regions.mjs";

describe("KV that lags, remembers and fails under three regions", () => {
  test("a sign-in is seen and a revocation holds within the bound; nothing is minted on doubt", async () => {
    const { bounds, schedule } = await run(short);
    const [none, ninety] = bounds;
    assert.deepEqual([none.signedInAfter, none.revokedAfter], [0, 60], "without lag only what was looked up is remembered");
    assert.ok(ninety.signedInAfter >= 90 && ninety.revokedAfter >= 90, "the lag was there");
    assert.ok(schedule.counts["mint 200"] > 0 && schedule.counts["sign-in 200"] > 0);
  });
});

describe("the twins: found out is", () => {
  test("a worker that remembers sessions, and so does not see a revocation", () =>
    assert.rejects(lagging(0, 10, { worker: { wrapper: ["remember.mjs"] } }), /still 200 after 60 s/));

  test("a worker that takes the last answer for the truth while the store fails", () =>
    assert.rejects(run({ ...short, rounds: 60, seed: 1, worker: { wrapper: ["stale.mjs"] } }), /where the store did not answer|a session of a store|after the revocation/));
});
