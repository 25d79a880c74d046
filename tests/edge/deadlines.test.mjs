// Services that are late one after the other: the answer comes within two seconds all the same.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";

import { assertError, assertNotSignedIn } from "./support/answers.mjs";
import { startBroker } from "./support/broker.mjs";
import { ecKey, secrets } from "./support/keys.mjs";
import { newWallet, signed, verify } from "./support/wallets.mjs";

/** The two seconds, and what a busy machine may need besides. */
const ANSWER_MS = 2_400;
let broker;

before(async () => {
  broker = await startBroker({ entry: "instrumented", secrets: secrets({ A: await ecKey() }) });
});
beforeEach(() => broker.instruments({ faults: {} }));
after(() => broker.close());

describe("a challenge that takes a second, and then sessions that are not stored at all", () => {
  test("are 503 within two seconds: one deadline is for all stores together", async () => {
    const one = await signed(broker, newWallet());
    await broker.instruments({ faults: { challenges: "a second", kv: "hang" } });
    const begun = performance.now();
    assertError(await verify(broker, one, one.signature), "unavailable", /Start again/);
    assert.ok(performance.now() - begun < ANSWER_MS, `${performance.now() - begun} ms`);
    await broker.instruments({ faults: {} });
    assertNotSignedIn(await verify(broker, one, one.signature));
  });

  test("the twin: what is late and in time is a session", async () => {
    const one = await signed(broker, newWallet());
    await broker.instruments({ faults: { challenges: "a second" } });
    assert.equal((await verify(broker, one, one.signature)).status, 200);
  });
});

describe("readiness", () => {
  test("judges each store by itself: one that hangs does not use up the other's time", async () => {
    for (const [faults, failing, working] of [
      [{ kv: "hang" }, "sessions", "challenges"],
      [{ challenges: "hang" }, "challenges", "sessions"],
    ]) {
      await broker.instruments({ faults, instance: "new" });
      const { ready, checks } = (await broker.request("/readyz")).json();
      const ok = (name) => checks.find(({ check }) => check === name).ok;
      assert.deepEqual([ready, ok(failing), ok(working)], [false, false, true]);
    }
    await broker.instruments({ faults: {}, instance: "new" });
  });
});
