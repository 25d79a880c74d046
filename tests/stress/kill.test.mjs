// Kills, in short; and stores and workers that lose or repeat something, which must be found out.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { newKey } from "./lib/stack.mjs";
import { run, short } from "./subjects/kill.mjs";

/** The challenge object, as it takes a challenge out. */
const TAKES = "storage.kv.delete(CHALLENGE);\n      await storage.deleteAll();";

describe("workerd killed under load", () => {
  test("uses no challenge twice, and loses no challenge, session, revocation or token that was acknowledged", async () => {
    const { kills, usedTwice, sessions, counts } = await run(short);
    assert.deepEqual([kills, usedTwice], [short.rounds, 0]);
    assert.ok(sessions > 0 && counts["in flight at a kill"] > kills, JSON.stringify(counts));
  });

  test("the same with the simulator's files for sessions, killed with it", async () => {
    const { usedTwice } = await run({ ...short, rounds: 4, store: "miniflare" });
    assert.equal(usedTwice, 0);
  });
});

describe("the twins: found out is", () => {
  const twin = { rounds: 6, seed: 1 };

  test("a challenge that is taken in memory and not on disk", () =>
    assert.rejects(run({ ...twin, worker: { changes: [[TAKES, "if (this.taken) return undefined; this.taken = true;"]] } }), /another session|gave \d sessions/));

  test("a store of sessions that forgets them with its process", () => assert.rejects(run({ ...twin, store: "memory" }), /acknowledged is lost/));

  test("a worker that hands out a token before its session is stored", () =>
    assert.rejects(run({ ...twin, worker: { wrapper: ["hasty.mjs"] } }), /acknowledged is lost|mint: 401/));

  test("a key that is not the one of the life before", async () => {
    const keys = await Promise.all(Array.from({ length: 7 }, async () => ({ A: await newKey() })));
    await assert.rejects(run({ ...twin, keys: (life) => keys[life] }), { code: "ERR_JWKS_NO_MATCHING_KEY" });
  });
});
