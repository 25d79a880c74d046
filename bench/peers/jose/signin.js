// Sign-in by wallet: POST /v1/auth/wallet/start and /v1/auth/wallet/verify.

import { base64url } from "jose";
import { object } from "./body.js";
import { STORES, inTime } from "./deadline.js";
import { refused, signinFailed, unavailable } from "./error.js";
import { client, within } from "./limits.js";
import { hashOf } from "./session.js";
import { addressOf, checksummed } from "./signature.js";

const STATEMENT = "Sign in to the agent key broker.";
const CHALLENGE_TTL = 600;
const SESSION_TTL = 2_592_000;
const SESSIONS_PER_WALLET = 20;

const REQUEST_ID = /^siwe-[\da-f]{32}$/;
const NONCE = /^[\da-f]{32}$/;
const SIGNATURE = /^0x[\da-fA-F]{130}$/;

const encoder = new TextEncoder();
const random = (length) => crypto.getRandomValues(new Uint8Array(length));

/** 1 count, 2 parse, 3 make and store the challenge, 4 answer. */
export async function startSignin(request, env, { issuer }, event) {
  await within(env.SIGNIN_CLIENT_LIMIT, "signin_client_limit", `start ${client(request)}`, event);
  const { address, chain_id } = await object(request) ?? {};
  if (typeof address !== "string" || !/^0x[\da-fA-F]{40}$/.test(address)) throw refused("bad_request", "address is no address.");
  if (!Number.isSafeInteger(chain_id) || chain_id < 1) throw refused("bad_request", "chain_id is no chain.");
  const wallet = address.toLowerCase();
  const written = checksummed(wallet);
  if (/[a-f]/.test(address) && /[A-F]/.test(address) && address !== written) throw refused("bad_request", "address is mistyped.");
  event.wallet = wallet;
  await within(env.SIGNIN_WALLET_LIMIT, "signin_wallet_limit", `start ${wallet}`, event);

  const now = Math.floor(Date.now() / 1000);
  const expires_at = now + CHALLENGE_TTL;
  const bytes = random(32).toHex();
  const [request_id, nonce] = [`siwe-${bytes.slice(0, 32)}`, bytes.slice(32)];
  const { host } = new URL(issuer);
  const iso = (seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
  const message = `${host} wants you to sign in with your Ethereum account:\n${written}\n\n${STATEMENT}\n\nURI: ${issuer}\n`
    + `Version: 1\nChain ID: ${chain_id}\nNonce: ${nonce}\nIssued At: ${iso(now)}\nExpiration Time: ${iso(expires_at)}`;
  const challenge = JSON.stringify({ v: 1, request_id, wallet, chain_id, nonce, message, created_at: now, expires_at });
  await challenges(env.CHALLENGES.getByName(request_id).put(challenge, expires_at));
  return answer({
    request_id, expires_in_seconds: CHALLENGE_TTL, siwe_message: message, nonce, expires_at_iso: iso(expires_at),
  });
}

/** 1 count and parse, 2 consume the challenge, 3 decide, 4 open and store the session, 5 answer. */
export async function verifySignin(request, env, broker, event) {
  await within(env.SIGNIN_CLIENT_LIMIT, "signin_client_limit", `verify ${client(request)}`, event);
  const { request_id, signature } = await object(request) ?? {};
  if (typeof request_id !== "string" || !REQUEST_ID.test(request_id)) throw refused("bad_request", "request_id is no request id.");
  if (typeof signature !== "string" || !SIGNATURE.test(signature)) throw refused("bad_request", "signature is no signature.");

  const stored = await challenges(env.CHALLENGES.getByName(request_id).take());
  const now = Math.floor(Date.now() / 1000);
  const challenge = consumed(stored, request_id, now);
  event.wallet = challenge.wallet;
  const wallet = addressOf(challenge.message, signature);
  if (wallet === undefined) throw signinFailed("signature_without_key");
  if (wallet !== challenge.wallet) throw signinFailed("wrong_signer");
  await within(env.SIGNIN_WALLET_LIMIT, "signin_wallet_limit", `verify ${wallet}`, event);

  const token = `aks_${base64url.encode(random(32))}`;
  const hash = await hashOf(token);
  event.session = hash.slice(0, 12);
  const expires_at = now + SESSION_TTL;
  await store(env.SESSIONS, hash, { v: 1, wallet, created_at: now, expires_at, label: "sign-in" });
  const ended = await makeRoom(env.SESSIONS, wallet, hash, now);
  if (ended > 0) event.ended = ended;
  return answer({
    session_token: token, session_jwt: token, session_jwt_kid: "opaque", expires_at, omni_account: await omni(wallet),
    wallet_address: wallet, identity_type: "evm", identity_value: wallet,
  });
}

/** The challenge of that name, whole and in time. */
function consumed(stored, request_id, now) {
  if (stored === undefined) throw signinFailed("unknown_challenge");
  const challenge = JSON.parse(stored);
  const sound = challenge.v === 1 && challenge.request_id === request_id && /^0x[\da-f]{40}$/.test(challenge.wallet)
    && Number.isSafeInteger(challenge.chain_id) && NONCE.test(challenge.nonce) && typeof challenge.message === "string"
    && challenge.message.includes(challenge.nonce)
    && Number.isSafeInteger(challenge.created_at) && Number.isSafeInteger(challenge.expires_at)
    && challenge.created_at < challenge.expires_at && Object.keys(challenge).length === 8;
  if (!sound) throw signinFailed("broken_challenge");
  if (challenge.expires_at <= now) throw signinFailed("expired_challenge");
  return challenge;
}

/** First the index entry, then the record; both in the time of one deadline. */
async function store(sessions, hash, record) {
  const { wallet, created_at, expires_at, label } = record;
  const metadata = { created: created_at, expires: expires_at, label };
  const puts = async () => {
    await sessions.put(`wallet/v1/${wallet}/${hash}`, "", { expiration: expires_at, metadata });
    await sessions.put(`session/v1/${hash}`, JSON.stringify(record), { expiration: expires_at });
  };
  await inTime(puts(), STORES).catch(() => {
    throw unavailable("signin_store", "The store of sessions does not answer. Try again.");
  });
}

/** Ends a wallet's oldest sessions beyond the limit, and says how many. */
async function makeRoom(sessions, wallet, hash, now) {
  const prefix = `wallet/v1/${wallet}/`;
  const { keys } = await inTime(sessions.list({ prefix }), STORES);
  const others = keys
    .map(({ name, metadata }) => ({ hash: name.slice(prefix.length), created: metadata?.created ?? 0, expires: metadata?.expires }))
    .filter((one) => one.hash !== hash && !(one.expires <= now))
    .sort((a, b) => a.created - b.created);
  const surplus = others.slice(0, Math.max(0, others.length - (SESSIONS_PER_WALLET - 1)));
  for (const { hash: old } of surplus) {
    await sessions.delete(`session/v1/${old}`);
    await sessions.delete(prefix + old);
  }
  return surplus.length;
}

const challenges = (operation) => inTime(operation, STORES).catch(() => {
  throw unavailable("challenges", "The store of challenges does not answer. Try again.");
});

const omni = async (wallet) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(`agentkeysevm${wallet}`))).toHex();

const answer = (body) =>
  new Response(JSON.stringify(body), { headers: { "content-type": "application/json", "cache-control": "no-store" } });
