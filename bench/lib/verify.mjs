// Is this contender worth measuring? It must do the whole work: answer rightly, and refuse what has to be refused. A peer
// that skips a check would be a cheap win or a false loss.

import assert from "node:assert/strict";
import { remove, seed } from "./fixture.mjs";
import { DISCOVERY, JWKS, MINT, ROUTES, assertClaims, bearer, mintedClaims, probe, send } from "./routes.mjs";

const JSON_BODY = { "content-type": "application/json" };

/** Verifies a bare worker. Answers the context for its loads. */
export async function verifyBare(server, fixture) {
  const context = { fixture };
  assert.equal((await send(server.origin, { method: "GET", path: "/kv" })).status, 500, "status of a read that finds nothing");
  await seed(server.kvOrigin, fixture);
  await probe(server.origin, ROUTES.ok, context);
  await probe(server.origin, ROUTES.kv, context);
  return context;
}

/** Verifies a broker: ours or the jose peer. Answers the context for its loads: `{ fixture, etag, jwks, sizes, headers }`. */
export async function verifyBroker(server, fixture) {
  await seed(server.kvOrigin, fixture);
  const first = await send(server.origin, { method: "GET", path: DISCOVERY });
  const keys = await send(server.origin, { method: "GET", path: JWKS });
  assert.equal(first.status, 200, "status of discovery");
  assert.equal(keys.status, 200, "status of JWKS");
  const context = { fixture, etag: first.headers.get("etag"), jwks: JSON.parse(keys.body), answers: {} };

  for (const [name, route] of Object.entries(ROUTES)) {
    if (route.kind !== "broker") continue;
    const answer = await probe(server.origin, route, context);
    context.answers[name] = { bytes: answer.body.length, headers: [...answer.headers.keys()].filter((key) => !PER_HOP.has(key)) };
  }
  await documents(server, context);
  await mints(server, context);
  await refusals(server, context);
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
