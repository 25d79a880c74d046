// The loads: what is sent, the one status that must come back, and what a right answer is.
//
// A check throws an AssertionError that names what is wrong; it never prints a token.

import assert from "node:assert/strict";
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify } from "jose";
import { AUDIENCE, CLIENT, ISSUER, TOKEN_TTL, newKeyholder, storeKey } from "./fixture.mjs";

export const DISCOVERY = "/.well-known/openid-configuration";
export const JWKS = "/.well-known/jwks.json";
export const MINT = "/v1/mint-oidc-jwt";
export const START = "/v1/auth/wallet/start";
export const VERIFY = "/v1/auth/wallet/verify";

// What Cloudflare adds to every request.
const EDGE = { "cf-connecting-ip": CLIENT, "cf-ray": "8f2ab4c6d8e0f123" };

export const bearer = (token) => ({ authorization: `Bearer ${token}` });
/** A mint by this session, with no body. */
export const mintRequest = (token) => ({ method: "POST", path: MINT, headers: { ...bearer(token), ...EDGE } });
const get = (path, headers = {}) => ({ method: "GET", path, headers: { ...headers, ...EDGE } });
const json = (path, body, headers = {}) =>
  ({ method: "POST", path, headers: { ...EDGE, "content-type": "application/json", ...headers }, body: JSON.stringify(body) });

function assertCacheable({ headers }) {
  assert.equal(headers.get("cache-control"), "public, max-age=900", "Cache-Control");
  assert.equal(headers.get("access-control-allow-origin"), "*", "Access-Control-Allow-Origin");
  assert.match(headers.get("etag") ?? "", /^"[^"]+"$/, "a strong ETag");
}

function assertPublished(answer) {
  assertCacheable(answer);
  assert.match(answer.headers.get("content-type") ?? "", /^application\/json/, "Content-Type");
}

function checkDiscovery(answer) {
  assertPublished(answer);
  const document = JSON.parse(answer.body);
  assert.equal(document.issuer, ISSUER, "issuer");
  assert.equal(document.jwks_uri, `${ISSUER}${JWKS}`, "jwks_uri");
  assert.deepEqual(document.id_token_signing_alg_values_supported, ["ES256"], "signing algorithms");
  assert.ok(document.claims_supported.includes("https://aws.amazon.com/tags"), "claims_supported has the tags claim");
}

async function checkJwks(answer) {
  assertPublished(answer);
  const { keys } = JSON.parse(answer.body);
  assert.equal(keys.length, 1, "number of keys");
  const [key] = keys;
  assert.deepEqual(Object.keys(key).sort(), ["alg", "crv", "kid", "kty", "use", "x", "y"], "members of the key");
  assert.equal(key.kid, await calculateJwkThumbprint(key), "kid is the RFC 7638 thumbprint");
}

/** The claims of a mint's answer, verified against the contender's own key set. */
export async function mintedClaims({ headers, body }, { jwks }) {
  assert.equal(headers.get("cache-control"), "no-store", "Cache-Control");
  const { jwt, ...rest } = JSON.parse(body);
  const { payload, protectedHeader } = await jwtVerify(jwt, createLocalJWKSet(jwks), {
    issuer: ISSUER, audience: AUDIENCE, algorithms: ["ES256"], typ: "JWT",
  });
  assert.deepEqual(Object.keys(protectedHeader).sort(), ["alg", "kid", "typ"], "members of the header");
  assert.deepEqual(rest, { wallet: payload.agentkeys_user_wallet, expiration: payload.exp }, "what stands beside the token");
  return payload;
}

/** Exactly the claims of the wire, for a session that adds none, and `ttl` seconds to live. */
export function assertClaims(payload, wallet, ttl) {
  const { iat, exp, jti, ...named } = payload;
  assert.deepEqual(named, {
    iss: ISSUER,
    sub: `agentkeys:agent:${wallet}`,
    aud: AUDIENCE,
    agentkeys_user_wallet: wallet,
    "https://aws.amazon.com/tags": {
      principal_tags: { agentkeys_user_wallet: [wallet] },
      transitive_tag_keys: ["agentkeys_user_wallet"],
    },
  }, "claims");
  assert.match(jti, /^[\w-]{22,}$/, "a jti of at least 128 bits");
  assert.ok(Math.abs(iat - Date.now() / 1000) < 5, "iat is now");
  assert.equal(exp - iat, ttl, "lifetime in seconds");
}

async function checkMint(answer, context) {
  assertClaims(await mintedClaims(answer, context), context.fixture.live[0].wallet, TOKEN_TTL);
}

function checkRefused({ headers, body }) {
  assert.equal(JSON.parse(body).error, "unauthorized", "error kind");
  assert.match(headers.get("www-authenticate") ?? "", /^Bearer .*error="invalid_token"/, "WWW-Authenticate");
}

/** The request that starts a sign-in. */
export const startRequest = (address, headers) => json(START, { address, chain_id: 1 }, headers);

/** The request that ends it. */
export const verifyRequest = (request_id, signature, headers) => json(VERIFY, { request_id, signature }, headers);

/** So many verifies, each of a challenge and a wallet of its own. Every start is answered, every message signed. */
async function verifies({ origin }, count) {
  const prepared = [];
  const one = async () => {
    while (prepared.length < count) {
      const holder = newKeyholder();
      const place = prepared.push(undefined) - 1;
      const { status, body } = await send(origin, startRequest(holder.wallet));
      assert.equal(status, 200, "status of a start");
      const { request_id, siwe_message } = JSON.parse(body);
      prepared[place] = { ...verifyRequest(request_id, await holder.sign(siwe_message)), wallet: holder.wallet };
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
  return prepared;
}

function checkSignedIn({ headers, body }, _, { wallet }) {
  assert.equal(headers.get("cache-control"), "no-store", "Cache-Control");
  const { session_token, session_jwt, expires_at, omni_account, ...rest } = JSON.parse(body);
  assert.match(session_token, /^aks_[\w-]{43}$/, "a session token");
  assert.equal(session_jwt, session_token, "session_jwt");
  assert.match(omni_account, /^[0-9a-f]{64}$/, "omni_account");
  assert.ok(Math.abs(expires_at - Date.now() / 1000 - 2_592_000) < 5, "expires_at is in thirty days");
  assert.deepEqual(rest, { session_jwt_kid: "opaque", wallet_address: wallet, identity_type: "evm", identity_value: wallet }, "the wallet");
}

const checkOk = ({ body }) => assert.equal(body, "ok", "body");

/**
 * By name: `title`, `kind` of contender, expected `status`, `requests(context, count)` to send in turn,
 * `check(answer, context, request)` of the answer to the first of them, and `floor`: the bare route that does the least of the
 * same, where there is one. `only` one contender of its kind has a route, if that is named. Where there is a `count`, each of so many requests can be sent once, and they are prepared before
 * the load. `context` is `{ origin, fixture, etag, jwks }` of one contender.
 */
export const ROUTES = {
  discovery: { title: "discovery", kind: "broker", status: 200, floor: "ok", requests: () => [get(DISCOVERY)], check: checkDiscovery },
  "discovery-304": {
    title: "discovery, 304", kind: "broker", status: 304, floor: "ok",
    requests: ({ etag }) => [get(DISCOVERY, { "if-none-match": etag })],
    check: assertCacheable,
  },
  jwks: { title: "JWKS", kind: "broker", status: 200, floor: "ok", requests: () => [get(JWKS)], check: checkJwks },
  mint: {
    title: "mint", kind: "broker", status: 200, floor: "calls",
    requests: ({ fixture }) => fixture.live.map(({ token }) => mintRequest(token)),
    check: checkMint,
  },
  "mint-refused": {
    title: "mint, refused", kind: "broker", status: 401, floor: "kv",
    requests: ({ fixture }) => fixture.unknown.map(mintRequest),
    check: checkRefused,
  },
  "signin-verify": {
    title: "sign-in verify", kind: "broker", status: 200, count: 400, requests: verifies, check: checkSignedIn,
  },
  ok: { title: "floor: nothing", kind: "bare", status: 200, requests: () => [get("/ok")], check: checkOk },
  kv: { title: "floor: one KV read", kind: "bare", status: 200, requests: () => [get("/kv")], check: checkOk },
  calls: {
    title: "floor: a mint's calls", kind: "bare", only: "bare-js", status: 200,
    requests: ({ fixture }) => fixture.live.map(({ token }) => {
      const { headers, ...request } = mintRequest(token);
      return { ...request, path: "/calls", headers: { ...headers, "x-store-key": storeKey(token) } }; // which it need not work out
    }),
    check: ({ body }) => assert.deepEqual(Object.keys(JSON.parse(body)), ["jwt", "wallet", "expiration"], "members of the answer"),
  },
};

const TIMEOUT_MS = 10_000;

/** Sends one request; answers status, headers and body text. */
export async function send(origin, { method, path, headers = {}, body }) {
  const response = await fetch(origin + path, {
    method, headers, body, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

/** One request of `route`, its answer checked. */
export async function probe(origin, route, context) {
  const [request] = await route.requests(context, 1);
  const answer = await send(origin, request);
  assert.equal(answer.status, route.status, `status of ${route.title}`);
  await route.check(answer, context, request);
  return answer;
}
