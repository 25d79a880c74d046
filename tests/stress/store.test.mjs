// The means of the subjects do what they say: the store lags, remembers and fails; figures are right; a run can be had again.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { kvDelete, kvPut } from "../../bench/lib/kv.mjs";
import { budget } from "./lib/budget.mjs";
import { percentile, slope } from "./lib/figures.mjs";
import { random } from "./lib/random.mjs";
import { FAULTS, startStore } from "./lib/store.mjs";

const get = async (origin, key, timeout = 3_000) => {
  const response = await fetch(`${origin}/${encodeURIComponent(key)}?urlencoded=true`, { signal: AbortSignal.timeout(timeout) });
  return response.status === 200 ? response.text() : response.status;
};

describe("the store", () => {
  let store;
  let here;
  let there;
  before(async () => {
    store = await startStore({ regions: ["here", "there"], lag: (region) => (region === "there" ? 40 : 0), cacheSeconds: 60 });
    [here, there] = ["here", "there"].map((region) => `http://${store.address(region)}`);
  });
  after(() => store.close());

  test("shows a write where it lags only when it has got there, and remembers until then that there was nothing", async () => {
    await kvPut(here, "a", "1");
    assert.equal(await get(here, "a"), "1");
    assert.equal(await get(there, "a"), 404);
    store.forward(59);
    assert.equal(await get(there, "a"), 404, "it has got there, and the look-up is remembered");
    store.forward(1);
    assert.equal(await get(there, "a"), "1");
  });

  test("goes on showing what was deleted, likewise", async () => {
    await kvDelete(here, "a");
    assert.equal(await get(there, "a"), "1");
    store.forward(59);
    assert.equal(await get(there, "a"), "1");
    store.forward(1);
    assert.equal(await get(there, "a"), 404);
  });

  test("lists what a region sees, with metadata and expiration", async () => {
    await fetch(`${here}/${encodeURIComponent("list/é")}?urlencoded=true&expiration=9`, { method: "PUT", body: "x", headers: { "cf-kv-metadata": '{"b":1}' } });
    const list = async (origin) => (await (await fetch(`${origin}/?prefix=list/`)).json()).keys;
    assert.deepEqual(await list(here), [{ name: "list/é", expiration: 9, metadata: '{"b":1}' }]);
    assert.deepEqual(await list(there), []);
    store.forward(40);
    assert.equal((await list(there)).length, 1);
  });

  for (const [kind, { acts, about }] of Object.entries(FAULTS)) {
    test(`${kind}: ${about}, and a write ${acts ? "takes effect" : "does not"}`, async () => {
      await kvPut(here, `${kind}/r`, "read");
      store.fail("here", kind);
      const began = performance.now();
      const seen = await get(here, `${kind}/r`).catch(() => "none");
      const took = performance.now() - began;
      const expected = { error: 500, busy: 429, "error after all": 500, hang: "none", slow: "read", late: "read", reset: "none", torn: "none" };
      assert.equal(seen, expected[kind]);
      if (kind === "hang") assert.ok(took > 2_900);
      if (kind === "late") assert.ok(took > 2_400);
      if (kind === "slow") assert.ok(took > 500 && took < 2_400);
      const write = fetch(`${here}/${encodeURIComponent(`${kind}/w`)}?urlencoded=true`, { method: "PUT", body: "written", signal: AbortSignal.timeout(1_000) });
      await write.catch(() => {});
      store.fail("here", undefined);
      assert.equal(store.keys().includes(`${kind}/w`), acts);
    });
  }

  test("fails in the methods that it is told to, and in no other region", async () => {
    await kvPut(here, "m", "1");
    store.forward(40);
    store.fail("here", "error", ["PUT"]);
    assert.equal(await get(here, "m"), "1");
    await assert.rejects(kvPut(here, "m", "2"));
    await kvPut(there, "m", "3");
    store.fail("here", undefined);
  });
});

describe("figures", () => {
  test("a percentile is a value that was there", () => {
    assert.equal(percentile([5, 1, 4, 2, 3], 50), 3);
    assert.equal(percentile([5, 1, 4, 2, 3], 99), 5);
    assert.equal(percentile([], 99), 0);
  });
  test("a slope is that of the line", () => {
    assert.equal(slope([[0, 1], [1, 3], [2, 5]]), 2);
    assert.throws(() => slope([[1, 1], [1, 2]]));
  });
});

describe("a run", () => {
  test("makes the same choices from the same seed, and others from another", () => {
    const choices = (seed) => Array.from({ length: 20 }, random(seed).next);
    assert.deepEqual(choices(7), choices(7));
    assert.notDeepEqual(choices(7), choices(8));
    assert.ok(Array.from({ length: 1_000 }, () => random(3).whole(2, 4)).every((number) => number >= 2 && number <= 4));
  });
  test("goes on for so many rounds, or so long", async () => {
    const more = budget({ rounds: 2 });
    assert.deepEqual([more(), more(), more()], [true, true, false]);
    const soon = budget({ minutes: 0.0005 });
    assert.ok(soon());
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.ok(!soon());
    assert.throws(() => budget({}));
  });
});
