// Upstreams that fail: what the caller is told, when to come back, and that the broker goes on answering.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";

import { assertError, assertNotALiveSession } from "./support/answers.mjs";
import { DISCOVERY, JWKS, SESSION, startBroker } from "./support/broker.mjs";
import { guard } from "./support/canaries.mjs";
import { ecKey, secrets } from "./support/keys.mjs";
import { WALLET, indexKey, recordKey } from "./support/sessions.mjs";

let broker;
let token;

before(async () => {
  broker = await startBroker({ entry: "instrumented", secrets: secrets({ A: await ecKey() }) });
  token = await broker.session();
});
beforeEach(() => broker.instruments({ faults: {}, canary }));
after(() => broker.close());

const bearer = () => ({ authorization: `Bearer ${token}` });
/** What upstreams say when they fail. */
const canary = guard("an upstream's words", "canary-of-the-words-of-an-upstream");
const REQUESTS = {
  mint: () => broker.mint(token),
  session: () => broker.request(SESSION, { headers: bearer() }),
  revoke: () => broker.request(SESSION, { method: "DELETE", headers: bearer() }),
};

const assertWorks = async () => assert.equal((await broker.mint(token)).status, 200);

for (const [kv, name] of [
  ["reject", "answers with an error"],
  ["throw", "throws"],
  ["hang", "never answers"],
  ["slow", "answers after the deadline"],
  ["slow to fail", "fails after the deadline"],
]) {
  describe(`a namespace that ${name}`, () => {
    test("makes every route that reads a session 503 with Retry-After, in less than two seconds, and is logged", async () => {
      await broker.instruments({ faults: { kv } });
      const started = performance.now();
      const events = await broker.eventsOf(async () => {
        for (const answer of await Promise.all(Object.values(REQUESTS).map((request) => request()))) assertError(answer, "unavailable", /try again/i);
      }, 3);
      assert.ok(performance.now() - started < 2_400, "the deadline of 1.5 s and some");
      const seen = events.map(({ event, outcome, reason }) => [event, outcome, reason]).sort();
      assert.deepEqual(seen, ["mint", "revoke", "session"].map((event) => [event, "failed", "store"]));
    });

    test("leaves public documents and the refusal of malformed tokens as they are", async () => {
      await broker.instruments({ faults: { kv } });
      for (const path of [DISCOVERY, JWKS]) assert.equal((await broker.request(path)).status, 200);
      assertNotALiveSession(await broker.mint("aks_short"));
    });

    test("and is forgotten once it answers again", assertWorks);
  });
}

describe("answers that come after the deadline", () => {
  test("disturb nobody", async () => {
    const events = await broker.eventsOf(async () => {
      await broker.instruments({ faults: { kv: "slow" } });
      const slow = Promise.all([broker.mint(token), broker.mint(token), broker.mint(token)]);
      for (const answer of await slow) assertError(answer, "unavailable");
      await broker.instruments({ faults: {} });
      // The late answers arrive while these are under way.
      const until = performance.now() + 1_300;
      while (performance.now() < until) await assertWorks();
    });
    assert.ok(events.every(({ event }) => event === "mint"), "nothing but mints was logged");
  });
});

describe("a namespace that reads and does not delete", () => {
  test("makes a revocation 503, and the session goes on", async () => {
    await broker.instruments({ faults: { deletion: "session/" } });
    assertError(await REQUESTS.revoke(), "unavailable");
    await assertWorks();
  });

  test("makes it 503 where the index entry stays, and the session has ended all the same", async () => {
    const ended = await broker.session();
    await (await broker.sessions()).put(indexKey(WALLET, ended), "");
    await broker.instruments({ faults: { deletion: "wallet/" } });
    const revoke = () => broker.request(SESSION, { method: "DELETE", headers: { authorization: `Bearer ${ended}` } });
    assertError(await revoke(), "unavailable");
    assert.equal(await (await broker.sessions()).get(recordKey(ended)), null);
    for (const request of [broker.mint(ended), revoke()]) assertNotALiveSession(await request);
  });
});

describe("a signer that fails", () => {
  test("makes a mint 503 with Retry-After", async () => {
    await broker.instruments({ faults: { sign: "reject" } });
    const events = await broker.eventsOf(async () => assertError(await broker.mint(token), "unavailable"));
    assert.deepEqual(events.map(({ outcome, reason }) => [outcome, reason]), [["failed", "signing"]]);
    await broker.instruments({ faults: {} });
    await assertWorks();
  });
});

describe("no randomness for a jti", () => {
  test("makes a mint 500 internal: no token without one", async () => {
    await broker.instruments({ faults: { random: "throw" } });
    const events = await broker.eventsOf(async () => assertError(await broker.mint(token), "internal"));
    assert.deepEqual(events.map(({ outcome, reason }) => [outcome, reason]), [["failed", "internal"]]);
    await broker.instruments({ faults: {} });
    await assertWorks();
  });
});

describe("a deadline that cannot be set", () => {
  test("makes a mint 503 with Retry-After, as a namespace that does not answer", async () => {
    await broker.instruments({ faults: { timer: "throw" } });
    assertError(await broker.mint(token), "unavailable");
    await broker.instruments({ faults: {} });
    await assertWorks();
  });
});

describe("a trap", () => {
  test("is 500 in the error form, a log line without its message, and the end of nothing but its instance", async () => {
    await assertWorks();
    const { instances } = await broker.instruments({ faults: { clock: "trap" } });
    const logged = await broker.eventsOf(async () => assertError(await broker.mint(token), "internal"));
    assert.deepEqual(logged, [{ event: "panic", outcome: "failed", reason: "internal" }]);
    await broker.instruments({ faults: {} });
    await assertWorks();
    assert.equal((await broker.instruments()).instances, instances + 1);
  });

  test("ends the requests beside it with the same answer, instead of leaving them to hang", async () => {
    await broker.instruments({ faults: { kv: "hang" } });
    const beside = [broker.mint(token), broker.mint(token)];
    await new Promise((resolve) => setTimeout(resolve, 200));
    await broker.instruments({ faults: { clock: "trap" } });
    for (const answer of await Promise.all([broker.mint(token), ...beside])) assertError(answer, "internal");
    await broker.instruments({ faults: {} });
    await assertWorks();
  });

  test("takes no other request for one of those beside it", async () => {
    await broker.instruments({ faults: { kv: "slow" } });
    const beside = broker.mint(token);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await broker.instruments({ faults: { clock: "trap" } });
    assertError(await broker.mint(token), "internal");
    // Hundreds of requests begin in the fresh instance while the promise of the old one is still to come.
    await broker.instruments({ faults: {} });
    let answered;
    beside.then((answer) => (answered = answer));
    while (answered === undefined) await Promise.all([assertWorks(), assertWorks(), assertWorks()]);
    assertError(answered, "internal");
    await assertWorks();
  });

  test("a hundred times over costs a hundred answers and no more", async () => {
    for (let times = 0; times < 100; times += 1) {
      await broker.instruments({ faults: { clock: "trap" } });
      assertError(await broker.mint(token), "internal");
      await broker.instruments({ faults: {} });
      await assertWorks();
    }
  });
});

describe("an instance whose memory is garbage", () => {
  test("answers 500 in the error form, and the next request has a fresh one", async () => {
    await assertWorks();
    const { instances } = await broker.instruments({ memory: "broken" });
    assertError(await broker.mint(token), "internal");
    await assertWorks();
    assert.equal((await broker.instruments()).instances, instances + 1);
  });
});
