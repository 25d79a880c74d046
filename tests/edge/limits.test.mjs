// The rate limits: what is counted for whom, what is answered beyond, and what happens where a limit does not answer.
// Miniflare's limits stand in for Cloudflare's: they count the same calls, and more exactly.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";

import { assertError, assertNotALiveSession, assertNotSignedIn, assertOAuthError } from "./support/answers.mjs";
import { DISCOVERY, JWKS, SESSION, START, startBroker } from "./support/broker.mjs";
import { guard } from "./support/canaries.mjs";
import { ecKey, secrets } from "./support/keys.mjs";
import { hashOf, sessionToken } from "./support/sessions.mjs";
import { lower, newWallet, signIn, signed, start, verify } from "./support/wallets.mjs";

const key = secrets({ A: await ecKey() });

/** Waits for the next minute where this one is nearly over: miniflare counts by the minute of the clock. */
async function inOneMinute() {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 10_000) await new Promise((resolve) => setTimeout(resolve, left + 50));
}

describe("low limits", () => {
  let broker;
  before(async () => {
    broker = await startBroker({ entry: "limited", secrets: key });
    await inOneMinute();
  });
  after(() => broker.close());

  /** The statuses of so many requests, one after the other. */
  async function statuses(times, request) {
    const seen = [];
    for (let n = 0; n < times; n += 1) seen.push((await request()).status);
    return seen;
  }

  test("a session mints five tokens a minute, by either route; another one is not held up by it", async () => {
    const [one, other] = [await broker.session(), await broker.session()];
    assert.deepEqual(await statuses(3, () => broker.mint(one)), [200, 200, 200]);
    assert.deepEqual(await statuses(2, () => broker.exchange(one)), [200, 200]);
    assertError(await broker.mint(one), "rate_limited", /^This session asks for tokens too often\..* in a minute\.$/);
    const answer = await broker.exchange(one);
    assertOAuthError(answer, 429, "temporarily_unavailable");
    assert.equal(answer.headers.get("retry-after"), "60");
    assert.equal((await broker.request(SESSION, { headers: { authorization: `Bearer ${one}` } })).status, 200);
    assert.equal((await broker.mint(other)).status, 200);
  });

  test("a client is refused four times a minute and then sent away; live sessions behind the same address go on", async () => {
    const live = await broker.session();
    const refuse = [
      () => broker.mint(sessionToken()),
      () => broker.mint("malformed"),
      () => broker.request(SESSION, { headers: { authorization: `Bearer ${sessionToken()}` } }),
      () => broker.request(SESSION, { method: "DELETE", headers: { authorization: `Bearer ${sessionToken()}` } }),
    ];
    for (const request of refuse) assertNotALiveSession(await request());
    for (const request of refuse) assertError(await request(), "rate_limited", /^Too many session tokens from here are not live\./);
    assertOAuthError(await broker.exchange(sessionToken()), 429, "temporarily_unavailable");
    assert.equal((await broker.mint(live)).status, 200);
  });

  test("public documents, health and readiness are never limited", async () => {
    for (const path of [DISCOVERY, JWKS, "/healthz", "/readyz"]) {
      const answers = await Promise.all(Array.from({ length: 200 }, () => broker.request(path)));
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200], path);
    }
  });

  test("a wallet is started three times a minute, and a client six; what was started can be finished", async () => {
    const [wallet, other] = [newWallet(), newWallet()];
    const one = await signed(broker, wallet);
    await start(broker, wallet);
    await start(broker, wallet);
    const begin = ({ address }) => broker.post(START, { address, chain_id: 1 });
    assertError(await begin(wallet), "rate_limited", /^Too many sign-ins of this wallet\./);
    await start(broker, other);
    await start(broker, other);
    // The client's six are used up, whichever wallet it names; a malformed start counts as well.
    assertError(await broker.post(START, "{}"), "rate_limited", /^Too many sign-ins from here\./);
    assertError(await begin(newWallet()), "rate_limited", /from here/);
    // Verifies have a count of their own: what others start for a wallet cannot keep it out.
    assert.equal((await verify(broker, one, one.signature)).status, 200);
    for (let n = 0; n < 5; n += 1) assertNotSignedIn(await verify(broker, one, one.signature));
    assertError(await verify(broker, one, one.signature), "rate_limited", /from here/);
  });
});

describe("what is counted", () => {
  let broker;
  before(async () => {
    broker = await startBroker({ entry: "instrumented", secrets: key });
  });
  beforeEach(() => broker.instruments({ faults: {}, canary }));
  after(() => broker.close());
  const canary = guard("an upstream's words", "canary-of-the-words-of-an-upstream");
  const CLIENT = "(127\\.0\\.0\\.1|unknown|0:0:0:0::/64)";

  test("a sign-in: its client and its wallet, once for the start and once for the verify", async () => {
    const wallet = newWallet();
    const { limits } = await broker.counted(() => signIn(broker, wallet));
    assert.equal(limits.length, 4);
    for (const [n, form] of [`SIGNIN_CLIENT_LIMIT start ${CLIENT}`, `SIGNIN_WALLET_LIMIT start ${lower(wallet)}`, `SIGNIN_CLIENT_LIMIT verify ${CLIENT}`, `SIGNIN_WALLET_LIMIT verify ${lower(wallet)}`].entries()) {
      assert.match(limits[n], new RegExp(`^${form}$`));
    }
  });

  test("a verify that fails does not count against the wallet: nobody uses up another's sign-ins", async () => {
    const wallet = newWallet();
    const one = await signed(broker, wallet);
    const forged = await newWallet().signMessage({ message: one.siwe_message });
    const { limits } = await broker.counted(() => verify(broker, one, forged));
    assert.deepEqual(limits.filter((limit) => limit.startsWith("SIGNIN_WALLET_LIMIT")), []);
  });

  test("the sign-ins of a wallet beyond its limit: 429, and no session", async () => {
    const wallet = newWallet();
    const one = await signed(broker, wallet);
    await broker.instruments({ faults: { limited: ["SIGNIN_WALLET_LIMIT"] } });
    const cost = await broker.counted(async () => assertError(await verify(broker, one, one.signature), "rate_limited", /of this wallet/));
    assert.deepEqual([cost.writes, cost.challenges.length], [0, 1]);
  });

  test("beyond a client's limit nothing is read, and no challenge is made or used up", async () => {
    const one = await signed(broker, newWallet());
    await broker.instruments({ faults: { limited: ["SIGNIN_CLIENT_LIMIT"] } });
    const cost = await broker.counted(async () => {
      assertError(await broker.post(START, { address: newWallet().address, chain_id: 1 }), "rate_limited");
      assertError(await verify(broker, one, one.signature), "rate_limited");
    });
    assert.deepEqual([cost.challenges, cost.keys], [[], []]);
    await broker.instruments({ faults: {} });
    assert.equal((await verify(broker, one, one.signature)).status, 200);
  });

  for (const limit of ["reject", "throw", "hang", "garbage", "unbound"]) {
    test(`a limit that does not answer (${limit}) refuses nobody, holds nobody up for long, and is logged`, async () => {
      await broker.instruments({ faults: { limit }, ...(limit === "unbound" ? { instance: "new" } : {}) });
      const token = await broker.session();
      const begun = performance.now();
      const events = await broker.eventsOf(async () => {
        assert.equal((await broker.mint(token)).status, 200);
        assertNotALiveSession(await broker.mint(sessionToken()));
        await signIn(broker);
      }, 4);
      assert.ok(performance.now() - begun < 4_000);
      assert.deepEqual(events.map(({ event, outcome, degraded }) => [event, outcome, degraded]), [
        ["mint", "ok", "limiter"],
        ["mint", "refused", "limiter"],
        ["signin_start", "ok", "limiter"],
        ["signin", "ok", "limiter"],
      ]);
      await broker.instruments({ faults: {}, ...(limit === "unbound" ? { instance: "new" } : {}) });
      const [event] = await broker.eventsOf(() => broker.minted(token));
      assert.equal(event.degraded, undefined);
    });
  }

  test("a limit that is not bound is named by readiness", async () => {
    await broker.instruments({ faults: { limit: "unbound" }, instance: "new" });
    const answer = await broker.request("/readyz");
    assert.equal(answer.status, 503);
    const failed = answer.json().checks.filter(({ ok }) => !ok).map(({ check, name }) => [check, name]);
    assert.deepEqual(failed, ["MINT_LIMIT", "REFUSED_LIMIT", "SIGNIN_CLIENT_LIMIT", "SIGNIN_WALLET_LIMIT"].map((name) => ["rate_limit", name]));
    await broker.instruments({ faults: {}, instance: "new" });
  });

  test("the key of a session is its hash, never its token", async () => {
    const token = await broker.session();
    const { limits } = await broker.counted(() => broker.minted(token));
    assert.deepEqual(limits, [`MINT_LIMIT ${hashOf(token)}`]);
  });
});
