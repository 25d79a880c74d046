// The broker's client: a wallet that signs in, mints and ends its session. Signatures are viem's, tokens are judged by jose.
//
// What goes wrong on the way to an answer is an answer, too: `status` 0. Nothing here throws because of a broker.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createLocalJWKSet, jwtVerify } from "jose";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { AUDIENCE, ISSUER } from "../../../bench/lib/fixture.mjs";
import { kvPut } from "../../../bench/lib/kv.mjs";

export const MINT = "/v1/mint-oidc-jwt";
export const SESSION = "/v1/session";
export const JWKS = "/.well-known/jwks.json";
const START = "/v1/auth/wallet/start";
const VERIFY = "/v1/auth/wallet/verify";

/** A request takes no longer than this: what hangs is an answer of its own. */
const TIMEOUT_MS = 10_000;

/** One request: `{ status, headers, text, milliseconds, json() }`; status 0 where the connection broke or nothing came. */
export async function send(origin, method, path, { headers = {}, body } = {}) {
  const begun = performance.now();
  const answer = (status, fields) => ({ status, milliseconds: performance.now() - begun, ...fields });
  try {
    const response = await fetch(origin + path, { method, headers, body, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    return answer(response.status, { headers: response.headers, text, json: () => JSON.parse(text) });
  } catch (error) {
    return answer(0, { headers: new Headers(), text: "", timedOut: error.name === "TimeoutError", json: () => ({}) });
  }
}

const json = (body, headers = {}) => ({ headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
export const bearer = (token) => ({ authorization: `Bearer ${token}` });

/** A wallet that nobody has seen yet. */
export const newWallet = () => privateKeyToAccount(generatePrivateKey());

export const start = (origin, wallet, headers) => send(origin, "POST", START, json({ address: wallet.address, chain_id: 1 }, headers));
export const verify = (origin, request_id, signature, headers) => send(origin, "POST", VERIFY, json({ request_id, signature }, headers));
export const mint = (origin, token, headers = {}) => send(origin, "POST", MINT, { headers: { ...bearer(token), ...headers } });
export const revoke = (origin, token) => send(origin, "DELETE", SESSION, { headers: bearer(token) });

/** A started and signed challenge, not sent yet: `{ wallet, requestId, signature }`; `undefined` where start did not work. */
export async function challenge(origin, wallet = newWallet(), headers) {
  const started = await start(origin, wallet, headers);
  if (started.status !== 200) return { wallet, started };
  const { request_id, siwe_message } = started.json();
  return { wallet, started, requestId: request_id, signature: await wallet.signMessage({ message: siwe_message }) };
}

/** A session of a broker that must give one; its token. */
export async function signIn(origin, wallet = newWallet()) {
  const { started, requestId, signature } = await challenge(origin, wallet);
  assert.equal(started.status, 200, `start: ${started.text}`);
  const answer = await verify(origin, requestId, signature);
  assert.equal(answer.status, 200, `verify: ${answer.status}`);
  return { token: answer.json().session_token, wallet };
}

/** A session that is written past the broker, as the operator's tool does, until `expiresAt` in seconds; its token. */
export async function issue(kvOrigin, expiresAt, wallet = newWallet()) {
  const token = `aks_${randomBytes(32).toString("base64url")}`;
  const record = { v: 1, wallet: wallet.address.toLowerCase(), created_at: Math.floor(Date.now() / 1000), expires_at: expiresAt };
  await kvPut(kvOrigin, `session/v1/${createHash("sha256").update(token).digest("base64url")}`, JSON.stringify(record));
  return { token, wallet };
}

/** A judge of tokens by a key set: the claims, or an error. `at` is the time to judge by, a Date. */
export function judge(keySet) {
  const keys = createLocalJWKSet(keySet);
  return async (jwt, wallet, at) => {
    const { payload } = await jwtVerify(jwt, keys, { issuer: ISSUER, audience: AUDIENCE, algorithms: ["ES256"], currentDate: at });
    const owner = wallet.address.toLowerCase();
    assert.equal(payload.agentkeys_user_wallet, owner, "the token's wallet");
    assert.deepEqual(payload["https://aws.amazon.com/tags"].principal_tags.agentkeys_user_wallet, [owner], "the token's tag");
    return payload;
  };
}

/** The key set of a broker that must have one. */
export async function keySet(origin) {
  const answer = await send(origin, "GET", JWKS);
  assert.equal(answer.status, 200, "the key set");
  return answer.json();
}

/** Fails unless an answer is an error in the broker's form, without a token, and with when to come back where it is 503. */
export function assertRefused(answer, status) {
  // What was not refused may carry a token.
  assert.equal(answer.status, status, `${answer.status} ${answer.status === 200 ? "and a token" : answer.text.slice(0, 120)}`);
  assert.deepEqual(Object.keys(answer.json()), ["error", "message"]);
  assert.ok(!/aks_[\w-]{20}|eyJ/.test(answer.text), "an error carries a token");
  assert.equal(answer.headers.get("cache-control"), "no-store");
  if (status === 503) assert.match(answer.headers.get("retry-after") ?? "", /^[1-9]\d*$/, "Retry-After");
}
