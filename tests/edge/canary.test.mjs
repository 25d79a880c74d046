// No answer, log line or panic contains a session token, a private key member, a stored record's content, an upstream's
// words or a stack trace. Every answer and log line of every test in this folder is searched; here is a run that puts
// canaries wherever a secret could be, and makes everything fail that can.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ACCESS_TOKEN, DISCOVERY, ISSUER, JWKS, MINT, SESSION, START, TOKEN, TOKEN_EXCHANGE, VERIFY, startBroker } from "./support/broker.mjs";
import { assertNoCanary, assertNoCanaryInAnswer, guard } from "./support/canaries.mjs";
import { ecKey, rsaKey, secrets, withCertificate } from "./support/keys.mjs";
import { rawRequest } from "./support/raw.mjs";
import { record, sessionToken } from "./support/sessions.mjs";

const canary = guard("an upstream's words", "canary-of-the-words-of-an-upstream");
const content = guard("the content of a record", "canary-of-the-content-of-a-record");
const value = guard("a variable's value", "canary-of-the-value-of-a-variable");
const ec = await ecKey();
const rsa = await rsaKey();
const good = { ISSUER, ...secrets({ A: ec, B: rsa }) };
let broker;
let seen = 0;

before(async () => {
  broker = await startBroker({ entry: "instrumented", secrets: secrets({ A: ec, B: rsa }) });
});
after(async () => {
  assert.ok(broker.logs().length > 100, `only ${broker.logs().length} log lines were searched`);
  assert.ok(seen > 500, `only ${seen} answers were searched`);
  await broker.close();
});

/** Every route by every method, with this credential in every place where one could be put by mistake. */
async function everywhere(token) {
  const bearer = { authorization: `Bearer ${token}` };
  const json = { "content-type": "application/json" };
  const requests = [
    ...["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"].flatMap((method) =>
      [DISCOVERY, JWKS, MINT, SESSION, "/healthz", "/readyz", TOKEN, START, VERIFY, `/${token}`].map((path) => [path, { method, headers: bearer }]),
    ),
    [`${MINT}?token=${token}`, { method: "POST" }],
    [`${MINT}/${token}`, { method: "POST", headers: bearer }],
    [MINT, { method: "POST", headers: { authorization: token } }],
    [MINT, { method: "POST", headers: { authorization: `Basic ${btoa(token)}` } }],
    [MINT, { method: "POST", headers: { authorization: `Bearer ${token}, Bearer ${token}` } }],
    [MINT, { method: "POST", headers: { authorization: `Bearer ${token}x` } }],
    [MINT, { method: "POST", headers: { authorization: `Bearer "${token}"` } }],
    [MINT, { method: "POST", headers: { ...bearer, "content-type": token }, body: "{}" }],
    [MINT, { method: "POST", headers: { ...bearer, ...json }, body: token }],
    [MINT, { method: "POST", headers: { ...bearer, ...json }, body: JSON.stringify({ audience: token }) }],
    [MINT, { method: "POST", headers: { ...bearer, ...json }, body: JSON.stringify({ ttl_seconds: token }) }],
    [MINT, { method: "POST", headers: { ...bearer, ...json }, body: JSON.stringify({ [token]: token }) }],
    [MINT, { method: "POST", headers: { ...bearer, ...json }, body: JSON.stringify({ [token.toLowerCase().replace(/[^a-z_]/g, "")]: 1 }) }],
    [MINT, { method: "POST", headers: { ...bearer, ...json }, body: `{"audience":"${token}` }],
    [MINT, { method: "POST", headers: { ...bearer, cookie: token, "x-token": token, referer: `https://x.example/${token}` } }],
    [JWKS, { headers: { "if-none-match": `"${token}"` } }],
    ...[START, VERIFY].flatMap((path) => [
      [path, { method: "POST", headers: json, body: token }],
      [path, { method: "POST", headers: json, body: JSON.stringify({ address: token, chain_id: 1, request_id: token, signature: token }) }],
      [path, { method: "POST", headers: json, body: JSON.stringify({ [token]: token, address: `0x${"1".repeat(40)}`, chain_id: token, request_id: `siwe-${"1".repeat(32)}`, signature: token }) }],
      [path, { method: "POST", headers: json, body: JSON.stringify({ address: `0x${"1".repeat(40)}`, chain_id: 1, note: token, request_id: `siwe-${"1".repeat(32)}`, signature: `0x${"1".repeat(130)}` }) }],
    ]),
    ...[{}, { grant_type: token }, { subject_token_type: token }, { requested_token_type: token }, { scope: token }, { audience: token }, { resource: token }, { actor_token: token }, { [token]: token }].map((parameters) => [
      TOKEN,
      { method: "POST", body: new URLSearchParams({ grant_type: TOKEN_EXCHANGE, subject_token: token, subject_token_type: ACCESS_TOKEN, ...parameters }) },
    ]),
    [MINT, { method: "POST", headers: { ...bearer, "cf-ray": token, "cf-connecting-ip": token } }],
  ];
  // The requests themselves are searched: see Broker.request.
  await Promise.all(requests.map(([path, init]) => broker.request(path, init)));
  seen += requests.length;
  for (const value of [`Bearer ${token}\x01`, `Bearer ${token}\xff`, `Bearer\x0b${token}`]) await rawRequest(broker.origin, `POST ${MINT} HTTP/1.1`, { Host: token, Authorization: value });
  seen += 3;
  broker.searchLogs();
}

describe("nothing secret is shown", () => {
  test("while all is well, for a live session, an unknown one and a malformed one", async () => {
    for (const token of [await broker.session(), sessionToken(), guard("a malformed session token", `${sessionToken()}-malformed`)]) await everywhere(token);
  });

  test("of a record that is broken", async () => {
    for (const broken of [
      content,
      JSON.stringify(record({ [content]: content })),
      JSON.stringify(record({ wallet: content })),
      JSON.stringify(record({ label: `${content}\n` })),
      JSON.stringify(record({ audiences: [content, content] })),
      JSON.stringify(record({ tags: { [`${content}*`]: content } })),
      JSON.stringify(record({ tags: { agentkeys_user_wallet: content } })),
      JSON.stringify(record({ roles: [content] })),
      JSON.stringify(record({ source_identity: `aws:${content}` })),
      JSON.stringify(record({ v: content })),
    ]) {
      const token = sessionToken();
      await broker.store(token, broken);
      await broker.mint(token);
      await broker.request(SESSION, { headers: { authorization: `Bearer ${token}` } });
      await broker.request(SESSION, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
      seen += 3;
    }
    broker.searchLogs();
  });

  test("of keys that are broken", async () => {
    const certified = await withCertificate(ec);
    for (const broken of [
      JSON.stringify(ec).slice(0, -1),
      { ...ec, kty: ec.d },
      { ...ec, crv: ec.d },
      { ...ec, alg: ec.d },
      { ...ec, use: ec.d },
      { ...ec, kid: ec.d },
      { ...ec, nbf: ec.d },
      { ...ec, [ec.d]: ec.d },
      { ...ec, x: ec.d },
      { ...ec, d: [ec.d] },
      { ...ec, key_ops: [ec.d] },
      { ...certified, x5c: [ec.d] },
      { ...rsa, n: rsa.d },
      { ...rsa, p: rsa.q },
      { ...rsa, dp: undefined },
      JSON.stringify(JSON.stringify(ec)),
      JSON.stringify([rsa]),
    ]) {
      await broker.redeploy({ ISSUER, ...secrets({ A: broken, Z: ec }) });
      for (const path of ["/readyz", DISCOVERY, JWKS]) await broker.request(path);
      await broker.mint(await broker.session());
      seen += 4;
    }
    broker.searchLogs();
  });

  test("of variables that are wrong", async () => {
    for (const [variable, wrong] of Object.entries({
      ISSUER: `https://user:${value}@issuer.test`,
      AUDIENCES: [{ audience: value, [value]: value }],
      TOKEN_TTL_SECONDS: value,
      SESSION_TTL_SECONDS: value,
      PRINCIPAL_TAGS: [value],
    })) {
      await broker.redeploy({ ...good, [variable]: wrong });
      await everywhere(sessionToken());
    }
  });

  for (const faults of [{ kv: "reject" }, { kv: "throw" }, { kv: "hang" }, { kv: "unbound" }, { sign: "reject" }, { random: "throw" }, { deletion: "session/" }, { timer: "throw" }, { challenges: "reject" }, { challenges: "throw" }, { limit: "reject" }, { limit: "garbage" }, { write: "session/" }, { list: "wallet/" }, { events: "throw" }]) {
    test(`while ${JSON.stringify(faults)} fails`, async () => {
      await broker.redeploy(good);
      const token = await broker.session();
      await broker.instruments({ faults, canary, ...(faults.kv === "unbound" ? { instance: "new" } : {}) });
      await everywhere(token);
    });
  }

  test("while the instance's memory is garbage", async () => {
    await broker.redeploy(good);
    const token = await broker.session();
    await broker.mint(token);
    await broker.instruments({ memory: "broken" });
    await everywhere(token);
  });
});

describe("the search itself finds what it must", () => {
  const trace = new Error("x").stack;
  for (const [name, text] of [
    ["a session token", () => `{"event":"mint","token":"${sessionToken()}"}`],
    ["half of a session token", () => `token ${sessionToken().slice(4, 30)}…`],
    ["the end of a session token", () => `token …${sessionToken().slice(-16)}`],
    ["a private member of an EC key", () => JSON.stringify({ d: ec.d })],
    ["a private member of an RSA key", () => JSON.stringify({ qi: rsa.qi })],
    ["a record's content", () => `unknown field \`${content}\``],
    ["an upstream's words", () => `Error: KV GET failed: 500 ${canary}`],
    ["a stack trace of V8", () => trace],
    ["a panic's message", () => "panicked at src/lib.rs:1:1: oh"],
    ["a wasm frame", () => "at wasm://wasm/0019fe2a:wasm-function[226]:0x34731"],
  ]) {
    test(name, () => assert.throws(() => assertNoCanary(text()), assert.AssertionError));
  }
  test("a place in the source, in an answer", () => assert.throws(() => assertNoCanaryInAnswer("at src/keys/mod.rs:12", "an answer"), assert.AssertionError));
  test("and nothing where nothing is", () => assertNoCanaryInAnswer('{"error":"unauthorized","message":"Send the session token: Authorization: Bearer aks_…"}', "an answer"));
});
