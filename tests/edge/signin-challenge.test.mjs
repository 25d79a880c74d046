// A challenge is used once, and not for long: races, replays, the clock, its storage, and services that fail on the way.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";

import { assertError, assertNotSignedIn } from "./support/answers.mjs";
import { START, VERIFY, startBroker } from "./support/broker.mjs";
import { guard } from "./support/canaries.mjs";
import { ecKey, secrets } from "./support/keys.mjs";
import { hashOf } from "./support/sessions.mjs";
import { lower, newWallet, signIn, signed, start, verify } from "./support/wallets.mjs";

let broker;
const canary = guard("an upstream's words", "canary-of-the-words-of-an-upstream");

before(async () => {
  broker = await startBroker({ entry: "instrumented", secrets: secrets({ A: await ecKey() }) });
});
beforeEach(() => broker.instruments({ faults: {}, ahead: 0, canary }));
after(() => broker.close());

const sessionsOf = async (wallet) => (await (await broker.sessions()).list({ prefix: `wallet/v1/${lower(wallet)}/` })).keys;

describe("single use", () => {
  test("fifty verifies at once of one challenge give exactly one session", async () => {
    const wallet = newWallet();
    for (let times = 0; times < 3; times += 1) {
      const one = await signed(broker, wallet);
      const answers = await Promise.all(Array.from({ length: 50 }, () => verify(broker, one, one.signature)));
      const [got, not] = [answers.filter(({ status }) => status === 200), answers.filter(({ status }) => status !== 200)];
      assert.equal(got.length, 1);
      for (const answer of not) assertNotSignedIn(answer);
      assert.equal((await sessionsOf(wallet)).length, times + 1);
    }
  });

  test("a wrong signature and the right one at once: whichever is first, no more than one session", async () => {
    const [wallet, other] = [newWallet(), newWallet()];
    const one = await signed(broker, wallet);
    const wrong = await other.signMessage({ message: one.siwe_message });
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => verify(broker, one, n % 2 ? one.signature : wrong)));
    assert.ok(answers.filter(({ status }) => status === 200).length <= 1);
    assert.ok(answers.every(({ status }) => status === 200 || status === 401));
  });

  test("a replay is answered as an unknown challenge is", async () => {
    const one = await signed(broker, newWallet());
    assert.equal((await verify(broker, one, one.signature)).status, 200);
    const replay = await verify(broker, one, one.signature);
    const unknown = await verify(broker, { request_id: `siwe-${"1".repeat(32)}` }, one.signature);
    for (const answer of [replay, unknown]) assertNotSignedIn(answer);
    assert.equal(replay.text, unknown.text);
    assert.deepEqual([...replay.headers.keys()], [...unknown.headers.keys()]);
  });

  test("challenges of other wallets, and of the same, stand beside each other", async () => {
    const wallet = newWallet();
    const several = await Promise.all(Array.from({ length: 5 }, () => signed(broker, wallet)));
    await Promise.all(Array.from({ length: 100 }, () => start(broker, newWallet())));
    const [first, second] = several;
    assertNotSignedIn(await verify(broker, first, second.signature));
    for (const one of several.slice(1)) assert.equal((await verify(broker, one, one.signature)).status, 200);
  });
});

describe("the clock", () => {
  test("a challenge is good in its last second, and from then on answered as an unknown one", async () => {
    for (const [ahead, status] of [[598, 200], [600, 401], [601, 401], [86_400, 401]]) {
      const one = await signed(broker, newWallet());
      const events = await broker.eventsOf(async () => {
        await broker.instruments({ ahead });
        assert.equal((await verify(broker, one, one.signature)).status, status, `${ahead} s later`);
        await broker.instruments({ ahead: 0 });
      });
      if (status === 401) assert.equal(events.at(-1).reason, "expired_challenge");
    }
  });
});

describe("storage", () => {
  test("a start keeps one challenge under its name, and a verify takes it", async () => {
    const wallet = newWallet();
    let one;
    const started = await broker.counted(async () => (one = await signed(broker, wallet)));
    assert.deepEqual(started.challenges, [`put ${one.request_id}`]);
    assert.deepEqual([started.reads, started.writes, started.keys], [0, 0, []]);
    let session;
    const verified = await broker.counted(async () => (session = (await verify(broker, one, one.signature)).json()));
    const [index, record] = [`wallet/v1/${lower(wallet)}/${hashOf(session.session_token)}`, `session/v1/${hashOf(session.session_token)}`];
    assert.deepEqual(verified.challenges, [`take ${one.request_id}`]);
    assert.deepEqual(verified.keys, [index, record, `wallet/v1/${lower(wallet)}/`], "the entry before the record, then the list");
    assert.deepEqual([verified.signatures, verified.deletes], [0, 0]);
  });

  test("an object gives what it keeps once, and keeps it no longer than it was told to", async () => {
    const now = () => Date.now() / 1000;
    await broker.challenge("kept", "put", "a text", now() + 60);
    await broker.challenge("forgotten", "put", "a text", now() + 1);
    // The object itself holds nothing against a clock: what is gone was deleted by its alarm.
    const until = Date.now() + 10_000;
    let left = "a text";
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    while (left !== null && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      left = await broker.challenge("forgotten", "take");
      if (left !== null) await broker.challenge("forgotten", "put", left, now());
    }
    assert.equal(left, null);
    assert.equal(await broker.challenge("kept", "take"), "a text");
    assert.equal(await broker.challenge("kept", "take"), null);
  });

  test("a malformed verify asks the store of challenges nothing", async () => {
    const one = await signed(broker, newWallet());
    const cost = await broker.counted(() => broker.post(VERIFY, { request_id: one.request_id, signature: "0x" }));
    assert.deepEqual(cost.challenges, []);
  });
});

describe("too many sessions", () => {
  test("the oldest end, and the newest stay", async () => {
    await broker.redeploy({ ISSUER: "https://issuer.test", SESSIONS_PER_WALLET: 3, ...secrets({ A: await ecKey() }) });
    const wallet = newWallet();
    const tokens = [];
    const ended = [];
    for (let n = 0; n < 5; n += 1) {
      await broker.instruments({ ahead: n });
      const [event] = (await broker.eventsOf(async () => tokens.push((await signIn(broker, wallet)).session_token), 2)).filter(({ event }) => event === "signin");
      ended.push(event.ended);
    }
    assert.deepEqual(ended, [undefined, undefined, undefined, 1, 1]);
    const statuses = [];
    for (const token of tokens) statuses.push((await broker.mint(token)).status);
    assert.deepEqual(statuses, [401, 401, 200, 200, 200]);
    assert.equal((await sessionsOf(wallet)).length, 3);
    await broker.instruments({ environment: undefined, instance: "new" });
  });
});

describe("services that fail on the way", () => {
  for (const fault of ["reject", "throw", "hang", "slow", "slow to fail", "unbound"]) {
    test(`a store of challenges that fails (${fault}): 503 with Retry-After and what to do, within two seconds`, async () => {
      const one = await signed(broker, newWallet());
      await broker.instruments({ faults: { challenges: fault }, ...(fault === "unbound" ? { instance: "new" } : {}) });
      const begun = performance.now();
      const events = await broker.eventsOf(async () => {
        const answers = [broker.post(START, { address: newWallet().address, chain_id: 1 }), verify(broker, one, one.signature)];
        for (const answer of await Promise.all(answers)) assertError(answer, "unavailable", /Start again/);
      }, 2);
      assert.ok(performance.now() - begun < 2_400);
      assert.deepEqual(events.map(({ event, outcome, reason }) => [event, outcome, reason]).sort(), [["signin", "failed", "challenges"], ["signin_start", "failed", "challenges"]]);
      await broker.instruments({ faults: {}, ...(fault === "unbound" ? { instance: "new" } : {}) });
      await signIn(broker);
    });
  }

  test("a challenge whose store answered too late is used up, and no session is there", async () => {
    const wallet = newWallet();
    const one = await signed(broker, wallet);
    await broker.instruments({ faults: { challenges: "slow" } });
    assertError(await verify(broker, one, one.signature), "unavailable", /Start again/);
    await broker.instruments({ faults: {} });
    assertNotSignedIn(await verify(broker, one, one.signature));
    assert.deepEqual(await sessionsOf(wallet), []);
  });

  for (const [name, faults] of [
    ["takes no entry in the index", { write: "wallet/" }],
    ["takes no record", { write: "session/" }],
    ["hangs", { kv: "hang" }],
    ["throws", { kv: "throw" }],
  ]) {
    test(`a namespace that ${name}: 503, no token, the challenge is used up`, async () => {
      const one = await signed(broker, newWallet());
      await broker.instruments({ faults });
      const begun = performance.now();
      const answer = await verify(broker, one, one.signature);
      assertError(answer, "unavailable", /Start again/);
      assert.ok(!answer.text.includes("aks_"));
      assert.ok(performance.now() - begun < 2_400);
      await broker.instruments({ faults: {} });
      assertNotSignedIn(await verify(broker, one, one.signature));
    });
  }

  for (const faults of [{ list: "wallet/" }, { deletion: "session/" }]) {
    test(`a namespace that cannot make room (${Object.keys(faults)}): the session is there all the same, and the log says so`, async () => {
      await broker.redeploy({ ISSUER: "https://issuer.test", SESSIONS_PER_WALLET: 1, ...secrets({ A: await ecKey() }) });
      const wallet = newWallet();
      const first = await signIn(broker, wallet);
      await broker.instruments({ faults });
      let second;
      const events = await broker.eventsOf(async () => (second = await signIn(broker, wallet)), 2);
      assert.deepEqual(events.at(-1).degraded, "surplus");
      await broker.instruments({ faults: {} });
      for (const { session_token } of [first, second]) assert.equal((await broker.mint(session_token)).status, 200);
      await broker.instruments({ environment: undefined, instance: "new" });
    });
  }

  test("each step a little late: the deadline is of all of them together", async () => {
    const one = await signed(broker, newWallet());
    await broker.instruments({ faults: { kv: "half a second" } });
    const begun = performance.now();
    const answer = await verify(broker, one, one.signature);
    const lasted = performance.now() - begun;
    // The entry and the record are stored within a second; for the list half a second is left, which may just do.
    assert.equal(answer.status, 200);
    assert.ok(lasted < 2_000, `${lasted} ms`);
  });

  test("no randomness: 500, and nothing is kept", async () => {
    await broker.instruments({ faults: { random: "throw" } });
    const cost = await broker.counted(async () => assertError(await broker.post(START, { address: newWallet().address, chain_id: 1 }), "internal"));
    assert.deepEqual(cost.challenges, []);
  });

  test("a trap between taking the challenge and answering: 500, and the challenge stays used up", async () => {
    const wallet = newWallet();
    const one = await signed(broker, wallet);
    await broker.instruments({ faults: { kv: "half a second" } });
    const pending = verify(broker, one, one.signature);
    await new Promise((resolve) => setTimeout(resolve, 250));
    await broker.instruments({ memory: "broken", faults: {} });
    assertError(await pending, "internal");
    assertNotSignedIn(await verify(broker, one, one.signature));
    await signIn(broker, wallet);
  });
});
