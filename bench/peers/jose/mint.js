// POST /v1/mint-oidc-jwt: parse, look up, decide, sign, answer.

import { CompactSign } from "jose";
import { object } from "./body.js";
import { refused, unavailable } from "./error.js";
import { within } from "./limits.js";
import { bearer, hashOf, lookUp } from "./session.js";

const MIN_TTL = 60;
const WALLET_TAG = "agentkeys_user_wallet";

const encoder = new TextEncoder();

/** Answers 200 with a token. Throws the refusal. */
export async function mint(request, env, broker, event) {
  const hash = await hashOf(bearer(request));
  event.session = hash.slice(0, 12);
  const asked = await body(request);
  const now = Math.floor(Date.now() / 1000);
  // A session that asks too often does not get to the store.
  await within(env.MINT_LIMIT, "mint_limit", hash, event);
  const session = await lookUp(hash, env.SESSIONS, now, event);

  const key = broker.keys.find((candidate) => candidate.nbf <= now);
  if (key === undefined) throw unavailable("no_signing_key", "No signing key is due yet.", "60");
  const payload = claims(broker, session, asked, now);
  // Not SignJWT: it clones the claims first, which cost about 7 % of the mints per second.
  const jwt = await new CompactSign(encoder.encode(JSON.stringify(payload))).setProtectedHeader(key.header).sign(key.privateKey);

  Object.assign(event, { audience: payload.aud, kid: key.kid, jti: payload.jti });
  return new Response(JSON.stringify({ jwt, wallet: session.wallet, expiration: payload.exp }), {
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
}

/** What the caller asks for: nothing, or `{"audience"?, "ttl_seconds"?}`. */
async function body(request) {
  const asked = await object(request) ?? {};
  for (const [name, value] of Object.entries(asked)) {
    const sound = name === "audience" ? typeof value === "string" : name === "ttl_seconds" && Number.isSafeInteger(value);
    if (!sound) throw refused("bad_request", `${JSON.stringify(name)} is not an acceptable member.`);
  }
  return asked;
}

function claims(broker, session, asked, now) {
  const ceiling = session.max_token_ttl ?? broker.tokenTtl;
  const ttl = asked.ttl_seconds ?? Math.min(ceiling, broker.tokenTtl);
  if (ttl < MIN_TTL || ttl > ceiling) {
    throw refused("bad_request", `"ttl_seconds" is not between ${MIN_TTL} and ${ceiling}.`);
  }
  const { wallet } = session;
  const payload = {
    iss: broker.issuer,
    sub: `agentkeys:agent:${wallet}`,
    aud: audience(broker, session, asked),
    iat: now,
    exp: Math.min(now + ttl, session.expires_at),
    jti: jti(),
    [WALLET_TAG]: wallet,
    "https://aws.amazon.com/tags": tags(session),
  };
  if (session.roles !== undefined) payload["https://aws.amazon.com/roles"] = session.roles;
  if (session.source_identity !== undefined) payload["https://aws.amazon.com/source_identity"] = session.source_identity;
  return payload;
}

function audience(broker, session, asked) {
  const allowed = session.audiences ?? broker.audiences.slice(0, 1);
  const chosen = asked.audience ?? allowed[0];
  if (!allowed.includes(chosen) || !broker.audiences.includes(chosen)) {
    throw refused("forbidden", "This session may not use that audience.");
  }
  return chosen;
}

function tags({ wallet, tags: own, transitive_tags: transitive = [] }) {
  const principal = { [WALLET_TAG]: [wallet] };
  if (own !== undefined) for (const [name, value] of Object.entries(own)) principal[name] ??= [value];
  return { principal_tags: principal, transitive_tag_keys: [WALLET_TAG, ...transitive] };
}

// 128 random bits in hex.
const jti = () => crypto.getRandomValues(new Uint8Array(16)).toHex();
