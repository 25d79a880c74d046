// The key set (RFC 7517 §5): what is published of a key, and what never is.
import assert from "node:assert/strict";
import { X509Certificate, createPrivateKey } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { compactVerify, createLocalJWKSet, importX509 } from "jose";

import { JWKS, startBroker } from "./support/broker.mjs";
import { PRIVATE_MEMBERS, ecKey, rsaKey, secrets, thumbprint, withCertificate } from "./support/keys.mjs";

const ec = await ecKey();
const certified = await withCertificate(await ecKey());
const rsa = await rsaKey();
const certifiedRsa = await withCertificate(await rsaKey());
let broker;
let published;

before(async () => {
  broker = await startBroker({
    secrets: secrets({
      A: { ...ec, nbf: 0 },
      B: { ...rsa, alg: "RS256", use: "sig", key_ops: ["sign"], ext: true, kid: await thumbprint(rsa) },
      C: certified,
      D: certifiedRsa,
      E: ec,
    }),
  });
  published = (await broker.request(JWKS)).json();
});
after(() => broker.close());

const entryOf = async (key) => {
  const kid = await thumbprint(key);
  return published.keys.find((entry) => entry.kid === kid);
};

describe("the key set", () => {
  test("has every key once, ES256 first, the same key twice counted as one", async () => {
    const kids = await Promise.all([ec, certified, rsa, certifiedRsa].map(thumbprint));
    assert.deepEqual(published.keys.map(({ kid }) => kid), kids);
    assert.deepEqual(Object.keys(published), ["keys"]);
  });

  test("names each key by its RFC 7638 thumbprint, as jose computes it", async () => {
    for (const entry of published.keys) assert.equal(entry.kid, await thumbprint(entry));
  });

  test("has exactly the members of a published EC key", async () => {
    assert.deepEqual(await entryOf(ec), { kty: "EC", crv: "P-256", x: ec.x, y: ec.y, kid: await thumbprint(ec), alg: "ES256", use: "sig" });
  });

  test("has exactly the members of a published RSA key, and not what else its secret has", async () => {
    assert.deepEqual(await entryOf(rsa), { kty: "RSA", n: rsa.n, e: rsa.e, kid: await thumbprint(rsa), alg: "RS256", use: "sig" });
  });

  test("has no private member, no key_ops, no ext and no nbf on any key", async () => {
    const text = (await broker.request(JWKS)).text;
    for (const member of [...PRIVATE_MEMBERS, "key_ops", "ext", "nbf"]) {
      for (const entry of published.keys) assert.ok(!(member in entry), `${member} of ${entry.kid}`);
      assert.ok(!text.includes(`"${member}":`), member);
    }
    for (const key of [ec, certified, rsa, certifiedRsa]) {
      for (const member of PRIVATE_MEMBERS) if (key[member]) assert.ok(!text.includes(key[member]), `the value of ${member}`);
    }
  });

  test("has the certificate of a key that has one, and it is that key's, by Node and by jose", async () => {
    for (const key of [certified, certifiedRsa]) {
      const { x5c, ...entry } = await entryOf(key);
      assert.deepEqual(x5c, key.x5c);
      const certificate = new X509Certificate(Buffer.from(x5c[0], "base64"));
      const { x5c: _, ...jwk } = key;
      assert.ok(certificate.checkPrivateKey(createPrivateKey({ key: jwk, format: "jwk" })));
      assert.ok(certificate.verify(certificate.publicKey), "self-signed");
      assert.deepEqual({ ...certificate.publicKey.export({ format: "jwk" }), kid: entry.kid, alg: entry.alg, use: "sig" }, entry);
      await importX509(certificate.toString(), entry.alg);
    }
    assert.ok(!("x5c" in (await entryOf(ec))));
  });

  test("verifies a token that was just minted", async () => {
    const jwt = await broker.minted(await broker.session());
    const { protectedHeader } = await compactVerify(jwt, createLocalJWKSet(published));
    assert.deepEqual(protectedHeader, { alg: "ES256", kid: await thumbprint(ec), typ: "JWT" });
  });
});
