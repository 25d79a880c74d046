// Is this contender worth measuring? It must do the whole work: answer rightly, and refuse what has to be refused. A peer
// that skips a check would be a cheap win or a false loss.

import assert from "node:assert/strict";
import { BUSY_CLIENT, newKeyholder, remove, seed } from "./fixture.mjs";
import { DISCOVERY, JWKS, MINT, ROUTES, assertClaims, bearer, mintedClaims, probe, send, startRequest, verifyRequest } from "./routes.mjs";

const JSON_BODY = { "content-type": "application/json" };

/** Verifies a bare worker. Answers the context for its loads. */
export async function verifyBare(server, fixture, id) {
  const context = { origin: server.origin, fixture };
  assert.equal((await send(server.origin, { method: "GET", path: "/kv" })).status, 500, "status of a read that finds nothing");
  await seed(server.kvOrigin, fixture);
  await probe(server.origin, ROUTES.ok, context);
  await probe(server.origin, ROUTES.kv, context);
  if (id === ROUTES.calls.only) await probe(server.origin, ROUTES.calls, context);
  return context;
}

/** Verifies a broker: ours or the jose peer. Answers the context for its loads: `{ origin, fixture, etag, jwks, answers }`. */
export async function verifyBroker(server, fixture) {
  await seed(server.kvOrigin, fixture);
  const first = await send(server.origin, { method: "GET", path: DISCOVERY });
  const keys = await send(server.origin, { method: "GET", path: JWKS });
  assert.equal(first.status, 200, "status of discovery");
  assert.equal(keys.status, 200, "status of JWKS");
  const context = { origin: server.origin, fixture, etag: first.headers.get("etag"), jwks: JSON.parse(keys.body), answers: {} };

  for (const [name, route] of Object.entries(ROUTES)) {
    if (route.kind !== "broker") continue;
    const answer = await probe(server.origin, route, context);
    context.answers[name] = { bytes: answer.body.length, headers: [...answer.headers.keys()].filter((key) => !PER_HOP.has(key)) };
  }
  await documents(server, context);
  await mints(server, context);
  await refusals(server, context);
  await signins(server, context);
  await limits(server, context);
  return context;
}

const PER_HOP = new Set(["connection", "content-length", "date", "keep-alive", "transfer-encoding", "vary"]);

async function documents({ origin }, { etag, jwks }) {
  const stale = await send(origin, { method: "GET", path: DISCOVERY, headers: { "if-none-match": '"another"' } });
  assert.equal(stale.status, 200, "status of discovery where the ETag differs");
  for (const path of [DISCOVERY, JWKS]) {
    const head = await send(origin, { method: "HEAD", path });
    assert.equal(head.status, 200, `status of HEAD ${path}`);
    assert.equal(head.body, "", `body of HEAD ${path}`);
  }
  const listed = await send(origin, { method: "GET", path: DISCOVERY, headers: { "if-none-match": `"another", W/${etag}` } });
  assert.equal(listed.status, 304, "status of discovery where the ETag is in a list");
  assert.ok(jwks.keys.every((key) => !("d" in key)), "no private member is published");
}

async function mints({ origin }, context) {
  const mint = (session, headers, body) =>
    send(origin, { method: "POST", path: MINT, headers: { ...bearer(session.token), ...headers }, body });
  const claims = async (answer) => {
    assert.equal(answer.status, 200, "status of a mint");
    return mintedClaims(answer, context);
  };
  const { live, short } = context.fixture;

  const [one, two] = [await claims(await mint(live[1])), await claims(await mint(live[1]))];
  assertClaims(one, live[1].wallet, 300);
  assert.notEqual(one.jti, two.jti, "every token has its own jti");

  const lower = await send(origin, { method: "POST", path: MINT, headers: { authorization: `bearer ${live[2].token}` } });
  assertClaims(await claims(lower), live[2].wallet, 300);

  const asked = await mint(live[3], JSON_BODY, JSON.stringify({ ttl_seconds: 60, audience: "sts.amazonaws.com" }));
  assertClaims(await claims(asked), live[3].wallet, 60);

  const capped = await claims(await mint(short));
  assert.equal(capped.exp, short.record.expires_at, "a token ends with its session");
}

async function refusals({ origin, kvOrigin }, { fixture }) {
  const refuse = async (what, status, headers, body) => {
    const answer = await send(origin, { method: "POST", path: MINT, headers, body });
    assert.equal(answer.status, status, `status of a mint ${what}`);
    assert.ok(!("jwt" in JSON.parse(answer.body)), `no token for a mint ${what}`);
    return answer;
  };
  const bare = await refuse("without a credential", 401, {});
  assert.equal(bare.headers.get("www-authenticate"), "Bearer", "the bare challenge");

  const words = new Set();
  for (const [what, token] of [
    ["with a malformed token", fixture.malformed],
    ["with an unknown token", fixture.unknown[0]],
    ["of an expired session", fixture.expired.token],
    ["of a broken record", fixture.broken.token],
  ]) {
    const answer = await refuse(what, 401, bearer(token));
    assert.match(answer.headers.get("www-authenticate") ?? "", /error="invalid_token"/, `the challenge of a mint ${what}`);
    words.add(answer.body);
  }
  assert.equal(words.size, 1, "all dead sessions are refused in the same words");

  // The store is asked every time: what is gone from it is gone at once.
  const gone = bearer(fixture.removed.token);
  assert.equal((await send(origin, { method: "POST", path: MINT, headers: gone })).status, 200, "status before the removal");
  await remove(kvOrigin, fixture.removed);
  await refuse("of a removed session", 401, gone);

  const live = { ...bearer(fixture.live[0].token), ...JSON_BODY };
  await refuse("for too long", 400, live, '{"ttl_seconds":301}');
  await refuse("with an unknown member", 400, live, '{"tags":{}}');
  await refuse("for a foreign audience", 403, live, '{"audience":"elsewhere.example"}');
}

/** A challenge is answered once, by the wallet that asked for it, over the message that it was given. */
async function signins({ origin }, context) {
  const start = async (address) => {
    const { status, body } = await send(origin, startRequest(address));
    assert.equal(status, 200, "status of a start");
    return JSON.parse(body);
  };
  const refuse = async (what, request, words) => {
    const { status, body } = await send(origin, request);
    assert.equal(status, 401, `status of a sign-in ${what}`);
    words.add(body);
  };
  const [one, two] = [newKeyholder(), newKeyholder()];
  const words = new Set();

  const first = await start(one.wallet);
  const request = verifyRequest(first.request_id, await one.sign(first.siwe_message));
  const answer = await send(origin, request);
  assert.equal(answer.status, 200, "status of a sign-in");
  await refuse("with a challenge that was answered", request, words);
  await refuse("with an unknown challenge", verifyRequest(`siwe-${"0".repeat(32)}`, await one.sign("")), words);
  const second = await start(one.wallet);
  await refuse("by another wallet", verifyRequest(second.request_id, await two.sign(second.siwe_message)), words);
  await refuse("that has failed before", verifyRequest(second.request_id, await one.sign(second.siwe_message)), words);
  const third = await start(one.wallet);
  await refuse("over another message", verifyRequest(third.request_id, await one.sign(first.siwe_message)), words);
  assert.equal(words.size, 1, "all sign-ins that fail are refused in the same words");

  // The session is stored: it mints.
  const mint = ({ session_token }) => send(origin, { method: "POST", path: MINT, headers: bearer(session_token) });
  const sessions = [JSON.parse(answer.body)];
  assertClaims(await mintedClaims(await mint(sessions[0]), context), one.wallet, 300);

  // The index is kept: of twenty-one sessions one has made room.
  while (sessions.length < 21) {
    const { request_id, siwe_message } = await start(one.wallet);
    const { status, body } = await send(origin, verifyRequest(request_id, await one.sign(siwe_message)));
    assert.equal(status, 200, "status of one more sign-in");
    sessions.push(JSON.parse(body));
  }
  const live = (await Promise.all(sessions.map(mint))).filter(({ status }) => status === 200);
  assert.equal(live.length, 20, "number of live sessions of a wallet that signed in twenty-one times");
}

/** Every limit is asked, under its own key, before what it protects. */
async function limits({ origin }, { fixture: { busy, malformed, live } }) {
  const limited = async (what, request) => {
    const { status, headers } = await send(origin, request);
    assert.equal(status, 429, `status of ${what} over its limit`);
    assert.equal(headers.get("retry-after"), "60", `Retry-After of ${what} over its limit`);
  };
  const from = { "cf-connecting-ip": BUSY_CLIENT };
  const mint = (token, headers) => ({ method: "POST", path: MINT, headers: { ...bearer(token), ...headers } });
  // It is not stored, so whoever reads first answers 401.
  await limited("a session", mint(busy.session));
  await limited("a client whose session is none", mint(malformed, from));
  assert.equal((await send(origin, mint(live[0].token, from))).status, 200, "status of a live session of a client over its limit");

  const { starting, verifying } = busy;
  await limited("a start by a client", startRequest(verifying.wallet, from));
  await limited("a start by a wallet", startRequest(starting.wallet));
  const { body } = await send(origin, startRequest(verifying.wallet));
  const { request_id, siwe_message } = JSON.parse(body);
  const request = verifyRequest(request_id, await verifying.sign(siwe_message));
  await limited("a verify by a client", { ...request, headers: { ...request.headers, ...from } });
  await limited("a verify by a wallet", request);
}
