// What a request costs, counted at the bindings: a mint is one KV read and one signature.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { assertError, assertNotALiveSession } from "./support/answers.mjs";
import { DISCOVERY, ISSUER, JWKS, SESSION, startBroker } from "./support/broker.mjs";
import { ecKey, rsaKey, secrets } from "./support/keys.mjs";
import { hashOf, indexKey, recordKey, sessionToken, WALLET } from "./support/sessions.mjs";

const keys = secrets({ A: await ecKey(), B: await rsaKey() });
let broker;

before(async () => {
  broker = await startBroker({ entry: "instrumented", secrets: keys });
  await broker.request("/healthz");
  await broker.counted();
});
after(() => broker.close());

const NOTHING = { reads: 0, writes: 0, lists: 0, deletes: 0, signatures: 0, imports: 0, keys: [], challenges: [], limits: [] };
const minting = (token) => [`MINT_LIMIT ${hashOf(token)}`];
/** Requests over the loopback. */
const REFUSED = [/^REFUSED_LIMIT (127\.0\.0\.1|unknown|0:0:0:0::\/64)$/];

/** What was counted, with the keys of limits that stand for a client held against REFUSED and left out. */
function withoutClients({ limits, ...cost }) {
  const [clients, others] = [limits.filter((limit) => REFUSED.some((form) => form.test(limit))), limits.filter((limit) => !REFUSED.some((form) => form.test(limit)))];
  return { cost: { ...cost, limits: others }, clients: clients.length };
}

describe("a mint", () => {
  test("does one KV read, of the session's record, one signature, and asks one rate limit", async () => {
    const token = await broker.session({ tags: { team: "blue" }, source_identity: "agent-7" });
    for (const body of [undefined, { audience: "sts.amazonaws.com", ttl_seconds: 120 }]) {
      const cost = await broker.counted(() => broker.minted(token, body));
      assert.deepEqual(cost, { ...NOTHING, reads: 1, signatures: 1, keys: [recordKey(token)], limits: minting(token) });
    }
  });

  test("does so a hundred times in parallel, too", async () => {
    const tokens = await Promise.all(Array.from({ length: 100 }, () => broker.session()));
    const cost = await broker.counted(() => Promise.all(tokens.map((token) => broker.minted(token))));
    assert.deepEqual([cost.reads, cost.signatures, cost.imports], [100, 100, 0]);
    assert.deepEqual(cost.keys.sort(), tokens.map(recordKey).sort());
  });
});

describe("a fresh isolate", () => {
  test("has imported and proven its keys before its first request, which does nothing but its own work", async () => {
    const fresh = await startBroker({ entry: "instrumented", secrets: keys });
    try {
      const { imports, signatures, reads, challenges, limits } = await fresh.instruments();
      assert.deepEqual({ imports, signatures, reads, challenges, limits }, { imports: 4, signatures: 2, reads: 0, challenges: [], limits: [] });
      const token = await fresh.session();
      const cost = await fresh.counted(() => fresh.minted(token));
      assert.deepEqual(cost, { ...NOTHING, reads: 1, signatures: 1, keys: [recordKey(token)], limits: minting(token) });
    } finally {
      await fresh.close();
    }
  });

  test("whose start has found something wrong sets up again with its first request, and says what", async () => {
    const fresh = await startBroker({ entry: "instrumented", secrets: { ...keys, SIGNING_KEY_C: "not a key" } });
    try {
      const { imports } = await fresh.instruments();
      const cost = await fresh.counted(() => fresh.request("/healthz"));
      assert.deepEqual([imports, cost.imports, cost.signatures], [4, 4, 2]);
      const { checks } = (await fresh.request("/readyz")).json();
      assert.deepEqual(checks.filter(({ ok }) => !ok).map(({ check, name }) => [check, name]), [["key", "SIGNING_KEY_C"]]);
      await fresh.minted(await fresh.session());
    } finally {
      await fresh.close();
    }
  });

  test("answers fifty first requests at once, none waiting for another to set it up", async () => {
    await broker.redeploy({ ISSUER, ...keys });
    const token = await broker.session();
    await broker.instruments({ instance: "new" });
    const cost = await broker.counted(() => Promise.all(Array.from({ length: 50 }, () => broker.minted(token))));
    assert.equal(cost.reads, 50);
    assert.ok(cost.imports >= 4 && cost.imports <= 4 * 50, `${cost.imports} imports of two pairs`);
    const later = await broker.counted(() => broker.minted(token));
    assert.deepEqual(later, { ...NOTHING, reads: 1, signatures: 1, keys: [recordKey(token)], limits: minting(token) });
  });
});

describe("what is refused costs no more than it must", () => {
  test("no credential, and two: nothing; a malformed one: its client is counted", async () => {
    for (const [authorization, counted] of [[undefined, 0], ["Basic YTpi", 0], ["Bearer a, Bearer b", 0], ["Bearer aks_short", 1], [`Bearer ${"x".repeat(10_240)}`, 1]]) {
      const headers = authorization === undefined ? {} : { authorization };
      for (const [method, path] of [["POST", "/v1/mint-oidc-jwt"], ["GET", SESSION], ["DELETE", SESSION]]) {
        const { cost, clients } = withoutClients(await broker.counted(() => broker.request(path, { method, headers })));
        assert.deepEqual([cost, clients], [NOTHING, counted], `${method} ${path} ${authorization?.slice(0, 20)}`);
      }
    }
  });

  test("a body that does not fit: nothing", async () => {
    const token = await broker.session();
    for (const [body, headers] of [["not JSON"], [{ scope: 1 }], ["x".repeat(5_000)], ["{}", { "content-type": "text/plain" }]]) {
      assert.deepEqual(await broker.counted(() => broker.mint(token, body, headers)), NOTHING);
    }
  });

  test("a token that was never issued: one read, no signature, and its client is counted", async () => {
    const token = sessionToken();
    const { cost, clients } = withoutClients(await broker.counted(async () => assertNotALiveSession(await broker.mint(token))));
    assert.deepEqual([cost, clients], [{ ...NOTHING, reads: 1, keys: [recordKey(token)], limits: minting(token) }, 1]);
  });

  test("a session that asks too often: no read, no signature", async () => {
    const token = await broker.session();
    await broker.instruments({ faults: { limited: ["MINT_LIMIT"] } });
    const cost = await broker.counted(async () => assertError(await broker.mint(token), "rate_limited"));
    await broker.instruments({ faults: {} });
    assert.deepEqual(cost, { ...NOTHING, limits: minting(token) });
  });

  test("an audience or a lifetime that is not allowed: one read, no signature", async () => {
    const token = await broker.session();
    for (const [body, kind] of [[{ audience: "https://other.example" }, "forbidden"], [{ ttl_seconds: 3600 }, "bad_request"]]) {
      const cost = await broker.counted(async () => assertError(await broker.mint(token, body), kind));
      assert.deepEqual(cost, { ...NOTHING, reads: 1, keys: [recordKey(token)], limits: minting(token) });
    }
  });
});

describe("the other routes", () => {
  test("public documents, health and paths that are no route read, sign and import nothing", async () => {
    for (const path of [DISCOVERY, JWKS, "/healthz", "/nowhere"]) {
      for (const method of ["GET", "HEAD"]) assert.deepEqual(await broker.counted(() => broker.request(path, { method })), NOTHING, path);
    }
  });

  test("a token exchange costs what a mint costs", async () => {
    const token = await broker.session();
    const cost = await broker.counted(async () => assert.equal((await broker.exchange(token)).status, 200));
    assert.deepEqual(cost, { ...NOTHING, reads: 1, signatures: 1, keys: [recordKey(token)], limits: minting(token) });
  });

  test("describing a session is one read; revoking one is one read and two deletions", async () => {
    const token = await broker.session();
    const headers = { authorization: `Bearer ${token}` };
    assert.deepEqual(await broker.counted(() => broker.request(SESSION, { headers })), { ...NOTHING, reads: 1, keys: [recordKey(token)] });
    const cost = await broker.counted(() => broker.request(SESSION, { method: "DELETE", headers }));
    assert.deepEqual(cost, { ...NOTHING, reads: 1, deletes: 2, keys: [recordKey(token), recordKey(token), indexKey(WALLET, token)] });
  });

  test("readiness is one read and a signature a key, at most every ten seconds", async () => {
    const first = await broker.counted(() => broker.request("/readyz"));
    assert.deepEqual(first, { ...NOTHING, reads: 1, signatures: 2, keys: ["readyz"], challenges: ["take siwe-00000000000000000000000000000000"] });
    for (let times = 0; times < 5; times += 1) assert.deepEqual(await broker.counted(() => broker.request("/readyz")), NOTHING);
    await broker.instruments({ ahead: 8 });
    assert.deepEqual(await broker.counted(() => broker.request("/readyz")), NOTHING);
    await broker.instruments({ ahead: 11 });
    assert.equal((await broker.counted(() => broker.request("/readyz"))).signatures, 2);
  });
});
