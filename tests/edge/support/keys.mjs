// Signing keys as operators store them: private JWKs, fresh for every run.
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";

import { selfSigned } from "./certificate.mjs";
import { guard } from "./canaries.mjs";

/** The members of a private JWK that must never leave a secret (RFC 7518 §6.2.2, §6.3.2). */
export const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** A fresh P-256 key, as a private JWK. */
export async function ecKey(members = {}) {
  return fresh("ES256", {}, members);
}

/** A fresh RSA key of 2048 bits, as a private JWK. Slow: once a file. */
export async function rsaKey(members = {}) {
  return fresh("RS256", { modulusLength: 2048 }, members);
}

async function fresh(alg, options, members) {
  const { privateKey } = await generateKeyPair(alg, { ...options, extractable: true });
  const jwk = await exportJWK(privateKey);
  guardKey(jwk);
  return { ...jwk, ...members };
}

/** No private member of this key may ever be seen in an answer or a log line. */
export function guardKey(jwk) {
  for (const member of PRIVATE_MEMBERS) if (typeof jwk[member] === "string") guard(`the private member ${member} of a key`, jwk[member]);
}

/** The key with a self-signed certificate in `x5c`. */
export async function withCertificate(jwk, certified = jwk) {
  return { ...jwk, x5c: [(await selfSigned(certified)).toString("base64")] };
}

/** The RFC 7638 thumbprint, by jose. */
export function thumbprint(jwk) {
  return calculateJwkThumbprint(jwk, "sha256");
}

/** Secrets by name: `SIGNING_KEY_<slot>` and the JSON of its key. */
export function secrets(slots) {
  return Object.fromEntries(
    Object.entries(slots).map(([slot, key]) => [`SIGNING_KEY_${slot}`, typeof key === "string" ? key : JSON.stringify(key)]),
  );
}
