// The conditions on the key set, and on the key set after a rotation, in the form of metadata-conditions.mjs.
import assert from "node:assert/strict";
import { X509Certificate, createPublicKey } from "node:crypto";

import { createLocalJWKSet, importJWK } from "jose";

import { publishing } from "./judgements.mjs";

const REQUIRED = { RSA: ["n", "e"], EC: ["crv", "x", "y"], OKP: ["crv", "x"] };
const PRIVATE = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const CURVES = ["P-256", "P-384", "P-521", "secp256k1", "Ed25519", "Ed448", "X25519", "X448"];
const ALGORITHMS = ["ES256", "ES384", "ES512", "ES256K", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA", "Ed25519", "RSA-OAEP", "RSA-OAEP-256", "ECDH-ES"];

const keysOf = ({ jwks }) => {
  assert.ok(Array.isArray(jwks?.keys), "no keys");
  for (const key of jwks.keys) assert.ok(typeof key === "object" && key !== null && !Array.isArray(key), "a key that is no object");
  return jwks.keys;
};

function assertStructure(context) {
  for (const key of keysOf(context)) {
    assert.equal(typeof key.kty, "string", "no kty");
    for (const member of REQUIRED[key.kty] ?? []) assert.ok(member in key, `no ${member}`);
    for (const member of (REQUIRED[key.kty] ?? []).filter((name) => name !== "crv")) assert.match(key[member], /^[\w-]+$/, `${member} is not base64url without padding`);
  }
}

function assertPublic(context) {
  for (const key of keysOf(context)) {
    assert.notEqual(key.kty, "oct", "a symmetric key");
    for (const member of PRIVATE) assert.ok(!(member in key), `the private member ${member}`);
  }
}

/** Every key is one that jose and Node take, and a certificate of it is that key's (RFC 7517 §4.7). */
async function assertParses(context) {
  for (const key of keysOf(context)) {
    await importJWK(key, key.alg ?? "RS256");
    const bare = createPublicKey({ key, format: "jwk" });
    if (key.x5c) assert.ok(new X509Certificate(Buffer.from(key.x5c[0], "base64")).publicKey.equals(bare), "another key's certificate");
  }
}

const broken = {
  "no list of keys": (context) => ({ ...context, jwks: { key: context.jwks.keys } }),
  "a key without kty": publishing({ kty: undefined }),
  "a key without a coordinate": publishing({ y: undefined }),
  "a coordinate with padding": publishing({ x: `${"A".repeat(43)}=` }),
  "a coordinate in plain base64": publishing({ x: `${"A".repeat(42)}+` }),
};
const secret = {
  "a private key": publishing({ d: "A".repeat(43) }),
  "a factor of an RSA key": publishing({ p: "AQAB" }),
  "a symmetric key": (context) => ({ ...context, jwks: { keys: [...context.jwks.keys, { kty: "oct", k: "AAAA", kid: "s" }] } }),
  "a private key of a type that nobody knows": (context) => ({ ...context, jwks: { keys: [...context.jwks.keys, { kty: "new", d: "AAAA" }] } }),
};

export const JWKS_CONDITIONS = {
  FetchServerKeys: {
    judge: (context) => void keysOf({ jwks: JSON.parse(context.jwksBody) }),
    breaks: { "an empty answer": (context) => ({ ...context, jwksBody: "" }), "no JSON": (context) => ({ ...context, jwksBody: "<html>" }) },
  },
  ValidateServerJWKs: {
    requires: "OIDCD-3",
    judge: async (context) => {
      assertStructure(context);
      await assertParses(context);
    },
    breaks: { ...broken, "a point that is not on its curve": publishing({ x: "A".repeat(43) }) },
  },
  ValidateJwksStructure: { requires: "OIDCD-3", judge: assertStructure, breaks: broken },
  EnsureServerJwksDoesNotContainPrivateOrSymmetricKeys: { requires: "RFC7518-6.3.2.1", judge: assertPublic, breaks: secret },
  EnsureJwksHasNoPrivateOrSymmetricKeyMaterial: { requires: "OIDCD-3", judge: assertPublic, breaks: secret },
  ParseUsableJwksKeys: {
    requires: "OIDCD-3",
    judge: assertParses,
    breaks: {
      "a point that is not on its curve": publishing({ x: "A".repeat(43) }),
      "another key's certificate": (context) => {
        const { x5c } = context.jwks.keys.find((key) => key.kty === "RSA");
        return publishing({ x5c })(context);
      },
    },
  },
  WarnOnUnusableJwksKeys: {
    requires: "OIDCD-3",
    judge: (context) => {
      for (const { kty, crv, alg } of keysOf(context)) {
        assert.ok(kty in REQUIRED && (crv === undefined || CURVES.includes(crv)) && (alg === undefined || ALGORITHMS.includes(alg)), `${kty} ${crv} ${alg}`);
      }
    },
    breaks: { "a type that nobody knows": publishing({ kty: "new" }), "a curve that nobody knows": publishing({ crv: "P-257" }), "an algorithm that nobody knows": publishing({ alg: "ES257" }) },
  },
  CheckServerKeysIsValid: {
    judge: async (context) => {
      createLocalJWKSet(context.jwks);
      for (const key of keysOf(context)) await importJWK(key, key.alg);
    },
    breaks: { "no list of keys": broken["no list of keys"], "a key without kty": broken["a key without kty"] },
  },
  CheckForKeyIdInServerJWKs: {
    requires: "OIDCC-10.1",
    judge: (context) => {
      for (const { kid } of keysOf(context)) assert.ok(typeof kid === "string" && kid.trim() !== "", "a key without kid");
    },
    breaks: { "none": publishing({ kid: undefined }), "an empty one": publishing({ kid: " " }) },
  },
  CheckDistinctKeyIdValueInServerJWKs: {
    requires: "RFC7517-4.5",
    judge: (context) => {
      const kids = keysOf(context).map(({ kid }) => kid);
      assert.equal(new Set(kids).size, kids.length, "a kid twice");
    },
    breaks: { "two keys of one name": (context) => publishing({ kid: context.jwks.keys.at(-1).kid })(context) },
  },
};

const signing = (jwks) => jwks.keys.filter(({ use = "sig" }) => use === "sig");
const numbers = ({ kty, crv, n, e, x, y, kid }) => JSON.stringify([kty, crv, n, e, x, y, kid]);

/** `before` and `after` are the key sets around a rotation. */
export const ROTATION_CONDITIONS = {
  VerifyNewJwksHasNewSigningKey: {
    requires: "OIDCC-10.1.1",
    judge: ({ before, after }) => {
      const old = signing(before);
      const fresh = signing(after).filter((key) => !old.some((known) => numbers(known) === numbers(key)));
      assert.ok(fresh.length > 0, "no new key");
      for (const key of fresh) {
        assert.ok(!old.some(({ kid }) => kid === key.kid), "a new key by an old name");
        assert.ok(!old.some(({ kty, n, x }) => kty === key.kty && (n ?? x) === (key.n ?? key.x)), "an old key by a new name");
      }
    },
    breaks: {
      "no new key": ({ before }) => ({ before, after: before }),
      "an old name": ({ before, after }) => ({ before, after: { keys: after.keys.map((key) => ({ ...key, kid: before.keys[0].kid })) } }),
      "an old key": ({ before }) => ({ before, after: { keys: [{ ...before.keys[0], kid: "new" }] } }),
      "a new key for something else": ({ before, after }) => ({ before, after: { keys: after.keys.map((key) => ({ ...key, use: "enc" })) } }),
    },
  },
  VerifyNewJwksStillHasOldSigningKey: {
    requires: "OIDCC-10.1.1",
    judge: ({ before, after }) => {
      const known = signing(after).map((key) => JSON.stringify(key));
      assert.ok(signing(before).some((key) => known.includes(JSON.stringify(key))), "no old key");
    },
    breaks: { "none": ({ before, after }) => ({ before, after: { keys: after.keys.filter((key) => !before.keys.some(({ kid }) => kid === key.kid)) } }) },
  },
};
