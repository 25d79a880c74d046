// What a request costs, counted at the bindings: a mint is one KV read and one signature.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { assertError, assertNotALiveSession } from "./support/answers.mjs";
import { DISCOVERY, ISSUER, JWKS, SESSION, startBroker } from "./support/broker.mjs";
import { ecKey, rsaKey, secrets } from "./support/keys.mjs";
import { indexKey, recordKey, sessionToken, WALLET } from "./support/sessions.mjs";

const keys = secrets({ A: await ecKey(), B: await rsaKey() });
let broker;

before(async () => {
  broker = await startBroker({ entry: "instrumented", secrets: keys });
  await broker.request("/healthz");
  await broker.counted();
});
after(() => broker.close());

const NOTHING = { reads: 0, deletes: 0, signatures: 0, imports: 0, keys: [] };

describe("a mint", () => {
  test("does one KV read, of the session's record, and one signature", async () => {
    const token = await broker.session({ tags: { team: "blue" }, source_identity: "agent-7" });
    for (const body of [undefined, { audience: "sts.amazonaws.com", ttl_seconds: 120 }]) {
      const cost = await broker.counted(() => broker.minted(token, body));
      assert.deepEqual(cost, { ...NOTHING, reads: 1, signatures: 1, keys: [recordKey(token)] });
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
  test("answers fifty first requests at once, none waiting for another to set it up", async () => {
    await broker.redeploy({ ISSUER, ...keys });
    const token = await broker.session();
    await broker.instruments({ instance: "new" });
    const cost = await broker.counted(() => Promise.all(Array.from({ length: 50 }, () => broker.minted(token))));
    assert.equal(cost.reads, 50);
    assert.ok(cost.imports >= 4 && cost.imports <= 4 * 50, `${cost.imports} imports of two pairs`);
    const later = await broker.counted(() => broker.minted(token));
    assert.deepEqual(later, { ...NOTHING, reads: 1, signatures: 1, keys: [recordKey(token)] });
  });
});

describe("what is refused costs no more than it must", () => {
  test("no credential, two, and a malformed one: nothing", async () => {
    for (const authorization of [undefined, "Basic YTpi", "Bearer a, Bearer b", "Bearer aks_short", `Bearer ${"x".repeat(10_240)}`]) {
      const headers = authorization === undefined ? {} : { authorization };
      for (const [method, path] of [["POST", "/v1/mint-oidc-jwt"], ["GET", SESSION], ["DELETE", SESSION]]) {
        assert.deepEqual(await broker.counted(() => broker.request(path, { method, headers })), NOTHING, `${method} ${path} ${authorization?.slice(0, 20)}`);
      }
    }
  });

  test("a body that does not fit: nothing", async () => {
    const token = await broker.session();
    for (const [body, headers] of [["not JSON"], [{ scope: 1 }], ["x".repeat(5_000)], ["{}", { "content-type": "text/plain" }]]) {
      assert.deepEqual(await broker.counted(() => broker.mint(token, body, headers)), NOTHING);
    }
  });

  test("a token that was never issued: one read, no signature", async () => {
    const token = sessionToken();
    const cost = await broker.counted(async () => assertNotALiveSession(await broker.mint(token)));
    assert.deepEqual(cost, { ...NOTHING, reads: 1, keys: [recordKey(token)] });
  });

  test("an audience or a lifetime that is not allowed: one read, no signature", async () => {
    const token = await broker.session();
    for (const [body, kind] of [[{ audience: "https://other.example" }, "forbidden"], [{ ttl_seconds: 3600 }, "bad_request"]]) {
      const cost = await broker.counted(async () => assertError(await broker.mint(token, body), kind));
      assert.deepEqual(cost, { ...NOTHING, reads: 1, keys: [recordKey(token)] });
    }
  });
});

describe("the other routes", () => {
  test("public documents, health and paths that are no route read, sign and import nothing", async () => {
    for (const path of [DISCOVERY, JWKS, "/healthz", "/nowhere"]) {
      for (const method of ["GET", "HEAD"]) assert.deepEqual(await broker.counted(() => broker.request(path, { method })), NOTHING, path);
    }
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
    assert.deepEqual(first, { ...NOTHING, reads: 1, signatures: 2, keys: ["readyz"] });
    for (let times = 0; times < 5; times += 1) assert.deepEqual(await broker.counted(() => broker.request("/readyz")), NOTHING);
    await broker.instruments({ ahead: 8 });
    assert.deepEqual(await broker.counted(() => broker.request("/readyz")), NOTHING);
    await broker.instruments({ ahead: 11 });
    assert.equal((await broker.counted(() => broker.request("/readyz"))).signatures, 2);
  });
});
