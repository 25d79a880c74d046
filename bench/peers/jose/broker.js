// What one isolate keeps: the configuration, the two published documents, the signing keys.

import { calculateJwkThumbprint, importJWK } from "jose";
import { publish } from "./published.js";

/** Parses `env` once. Throws where the configuration is wrong: then nothing is served. */
export async function load(env) {
  const issuer = required(env, "ISSUER");
  const audiences = JSON.parse(env.AUDIENCES ?? '["sts.amazonaws.com"]');
  const tokenTtl = Number(env.TOKEN_TTL_SECONDS ?? 300);
  const keys = await Promise.all(
    Object.keys(env).filter((name) => name.startsWith("SIGNING_KEY_")).sort().map((name) => signingKey(env[name])));
  // Newest activation first, so that the signing key is the first one whose time has come.
  keys.sort((a, b) => b.nbf - a.nbf);
  return {
    issuer,
    audiences,
    tokenTtl,
    keys,
    discovery: await publish(discovery(issuer)),
    jwks: await publish({ keys: keys.map((key) => key.published) }),
  };
}

function required(env, name) {
  if (!env[name]) throw new Error(`${name} is not set`);
  return env[name];
}

async function signingKey(secret) {
  const { nbf = 0, ...jwk } = JSON.parse(secret);
  if (jwk.kty !== "EC" || jwk.crv !== "P-256") throw new Error("this peer signs with P-256 keys only");
  const kid = await calculateJwkThumbprint(jwk);
  const { kty, crv, x, y } = jwk;
  return {
    kid,
    nbf,
    header: { alg: "ES256", kid, typ: "JWT" },
    privateKey: await importJWK(jwk, "ES256", { extractable: false }),
    published: { kty, crv, x, y, kid, alg: "ES256", use: "sig" },
  };
}

const discovery = (issuer) => ({
  issuer,
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  token_endpoint: `${issuer}/v1/token`,
  response_types_supported: ["id_token"],
  grant_types_supported: ["urn:ietf:params:oauth:grant-type:token-exchange"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["ES256"],
  scopes_supported: ["openid"],
  token_endpoint_auth_methods_supported: ["none"],
  claims_supported: [
    "iss", "sub", "aud", "iat", "exp", "jti", "agentkeys_user_wallet", "https://aws.amazon.com/tags",
    "https://aws.amazon.com/roles", "https://aws.amazon.com/source_identity",
  ],
});
