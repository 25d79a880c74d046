// Key secrets: broken one way at a time, due or not, newest first. A broken key never takes a good one down.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { decodeProtectedHeader } from "jose";

import { assertError } from "./support/answers.mjs";
import { DISCOVERY, ISSUER, JWKS, startBroker } from "./support/broker.mjs";
import { ecKey, guardKey, rsaKey, secrets, thumbprint, withCertificate } from "./support/keys.mjs";
import { now } from "./support/sessions.mjs";

const STS = "sts.amazonaws.com";
const AZURE = "api://AzureADTokenExchange";
const good = await ecKey();
const ec = await ecKey();
const otherEc = await ecKey();
const rsa = await rsaKey();
const otherRsa = await rsaKey();

const without = (jwk, ...members) => Object.fromEntries(Object.entries(jwk).filter(([name]) => !members.includes(name)));
const flipped = (text) => (text[0] === "A" ? "B" : "A") + text.slice(1);
const padded = (text) => `${text}${"=".repeat((4 - (text.length % 4)) % 4)}`;
const certified = await withCertificate(ec);
const certifiedByAnother = await withCertificate(ec, otherEc);

const generated = async (algorithm, format = "jwk") => {
  const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  return crypto.subtle.exportKey(format, privateKey);
};
const pem = Buffer.from(await generated({ name: "ECDSA", namedCurve: "P-256" }, "pkcs8")).toString("base64");
const p384 = await generated({ name: "ECDSA", namedCurve: "P-384" });
const ed25519 = await generated("Ed25519");
const rsa1024 = await generated({ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) });
for (const jwk of [p384, ed25519, rsa1024]) guardKey(jwk);

const BROKEN = {
  EMPTY: "",
  BLANK: "  ",
  NOT_JSON: "canary, not a key at all",
  PEM: `-----BEGIN PRIVATE KEY-----\n${pem}\n-----END PRIVATE KEY-----`,
  BASE64_OF_A_JWK: Buffer.from(JSON.stringify(ec)).toString("base64"),
  HALF_A_JWK: JSON.stringify(ec).slice(0, -20),
  A_JWK_AND_MORE: `${JSON.stringify(ec)} {}`,
  A_LIST: JSON.stringify([ec]),
  A_LIST_OF_VALUES: JSON.stringify(["EC", "P-256", ec.x, ec.y, null, null, ec.d, null, null, null, null, null, null, null, null, null, null, null, null]),
  A_KEY_SET: JSON.stringify({ keys: [ec] }),
  NULL: "null",
  TOO_LONG: JSON.stringify({ ...ec, kid: "k".repeat(20_000) }),
  WITHOUT_KTY: without(ec, "kty"),
  KTY_UNKNOWN: { ...ec, kty: "OKP" },
  KTY_LOWER_CASE: { ...ec, kty: "ec" },
  SYMMETRIC: { kty: "oct", k: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
  ED25519: ed25519,
  P384: p384,
  P384_SAID_TO_BE_P256: { ...p384, crv: "P-256" },
  WITHOUT_CRV: without(ec, "crv"),
  PUBLIC_ONLY: without(ec, "d"),
  WITHOUT_X: without(ec, "x"),
  WITHOUT_Y: without(ec, "y"),
  PADDED_D: { ...ec, d: padded(ec.d) },
  SHORT_D: { ...ec, d: ec.d.slice(0, -4) },
  D_ZERO: { ...ec, d: "A".repeat(43) },
  D_NULL: { ...ec, d: null },
  D_A_NUMBER: { ...ec, d: 5 },
  D_OF_ANOTHER_KEY: { ...ec, d: otherEc.d },
  D_CHANGED: { ...ec, d: flipped(ec.d) },
  X_CHANGED_OFF_THE_CURVE: { ...ec, x: flipped(ec.x) },
  Y_OF_ANOTHER_KEY: { ...ec, y: otherEc.y },
  PUBLIC_OF_ANOTHER_KEY: { ...ec, x: otherEc.x, y: otherEc.y },
  EC_WITH_RSA_MEMBERS: { ...ec, n: rsa.n, e: rsa.e },
  UNKNOWN_MEMBER: { ...ec, exp: 1 },
  MEMBER_TWICE: JSON.stringify(ec).replace("{", `{"d":"${otherEc.d}",`),
  ALG_OF_ANOTHER_TYPE: { ...ec, alg: "RS256" },
  ALG_ES384: { ...ec, alg: "ES384" },
  USE_ENC: { ...ec, use: "enc" },
  KEY_OPS_VERIFY: { ...ec, key_ops: ["verify"] },
  KEY_OPS_EMPTY: { ...ec, key_ops: [] },
  KID_NOT_THE_THUMBPRINT: { ...ec, kid: "2026-11" },
  NBF_A_TEXT: { ...ec, nbf: "0" },
  NBF_NULL: { ...ec, nbf: null },
  ALG_NULL: { ...ec, alg: null },
  X5C_NULL: { ...ec, x5c: null },
  NBF_NEGATIVE: { ...ec, nbf: -1 },
  NBF_A_FRACTION: { ...ec, nbf: 1.5 },
  NBF_IN_MILLISECONDS_TOO_FAR: JSON.stringify(ec).replace("{", '{"nbf":9007199254740993,'),
  X5C_EMPTY: { ...ec, x5c: [] },
  X5C_A_TEXT: { ...ec, x5c: certified.x5c[0] },
  X5C_NOT_BASE64: { ...ec, x5c: ["*"] },
  X5C_BASE64URL: { ...ec, x5c: [Buffer.from(certified.x5c[0], "base64").toString("base64url")] },
  X5C_NOT_A_CERTIFICATE: { ...ec, x5c: ["AAAA"] },
  X5C_CUT_OFF: { ...ec, x5c: [Buffer.from(certified.x5c[0], "base64").subarray(0, -1).toString("base64")] },
  X5C_AND_MORE: { ...ec, x5c: [Buffer.concat([Buffer.from(certified.x5c[0], "base64"), Buffer.from([0])]).toString("base64")] },
  X5C_OF_ANOTHER_KEY: certifiedByAnother,
  X5C_TWO: { ...ec, x5c: [certified.x5c[0], certified.x5c[0]] },
  RSA_1024: without(rsa1024, "key_ops", "ext"),
  RSA_WITHOUT_CRT: without(rsa, "p", "q", "dp", "dq", "qi"),
  RSA_WITHOUT_D: without(rsa, "d"),
  RSA_WITHOUT_E: without(rsa, "e"),
  RSA_N_OF_ANOTHER_KEY: { ...rsa, n: otherRsa.n },
  RSA_P_OF_ANOTHER_KEY: { ...rsa, p: otherRsa.p },
  RSA_E_EVEN: { ...rsa, e: "AQAC" },
  RSA_E_ONE: { ...rsa, e: "AQ" },
  RSA_N_WITH_LEADING_ZERO: { ...rsa, n: Buffer.concat([Buffer.from([0]), Buffer.from(rsa.n, "base64url")]).toString("base64url") },
  RSA_PRIME_MORE: { ...rsa, oth: [{ r: rsa.p, d: rsa.dp, t: rsa.qi }] },
  RSA_ALG_PS256: { ...rsa, alg: "PS256" },
  RSA_ALG_RS512: { ...rsa, alg: "RS512" },
};

describe("broken secrets beside a good one", () => {
  let broker;
  let report;
  before(async () => {
    // The good one is last by name: a broken one before it must not stop the reading.
    broker = await startBroker({ secrets: { ...secrets(BROKEN), ...secrets({ Z: good }), UNRELATED_SECRET: "canary" } });
    report = (await broker.request("/readyz")).json();
  });
  after(() => broker.close());

  for (const slot of Object.keys(BROKEN)) {
    test(`${slot} is named by readiness with what is wrong`, () => {
      const checks = report.checks.filter(({ name }) => name === `SIGNING_KEY_${slot}`);
      assert.equal(checks.length, 1);
      const [{ check, ok, message, kid }] = checks;
      assert.deepEqual([check, ok, kid], ["key", false, undefined]);
      assert.ok(message.length > 10, "a message that says what");
    });
  }

  test("readiness is 503 and names no other secret as broken", async () => {
    assert.equal((await broker.request("/readyz")).status, 503);
    const named = report.checks.filter(({ ok }) => !ok).map(({ name }) => name);
    assert.deepEqual(named.sort(), Object.keys(BROKEN).map((slot) => `SIGNING_KEY_${slot}`).sort());
  });

  test("the good key is published alone, and signs", async () => {
    const { keys } = (await broker.request(JWKS)).json();
    assert.deepEqual(keys.map(({ kid }) => kid), [await thumbprint(good)]);
    const { kid } = decodeProtectedHeader(await broker.minted(await broker.session()));
    assert.equal(kid, await thumbprint(good));
  });
});

describe("secrets that are right", () => {
  test("whatever a Web Crypto export, jose or keygen adds", async () => {
    const slots = {
      PLAIN: await ecKey(),
      EXPORTED: await generated({ name: "ECDSA", namedCurve: "P-256" }),
      NAMED: { ...otherEc, alg: "ES256", use: "sig", kid: await thumbprint(otherEc), nbf: 0 },
      CERTIFIED: certified,
      RSA: { ...rsa, alg: "RS256", nbf: now() + 86_400 },
      WITH_WHITE_SPACE: JSON.stringify(await ecKey(), null, 2),
    };
    guardKey(slots.EXPORTED);
    const broker = await startBroker({ secrets: secrets(slots) });
    try {
      const ready = await broker.request("/readyz");
      assert.equal(ready.status, 200, ready.text);
      const checks = ready.json().checks.filter(({ check }) => check === "key");
      assert.deepEqual(checks.map(({ name }) => name).sort(), Object.keys(slots).map((slot) => `SIGNING_KEY_${slot}`).sort());
      const { keys } = (await broker.request(JWKS)).json();
      assert.deepEqual(checks.map(({ kid }) => kid).sort(), keys.map(({ kid }) => kid).sort());
    } finally {
      await broker.close();
    }
  });
});

describe("no key that can be used", () => {
  for (const [name, slots] of [
    ["no secret at all", {}],
    ["only broken ones", { A: "not a key", B: without(ec, "d") }],
  ]) {
    test(`${name}: documents and mint are 503, readiness says so, health is 200`, async () => {
      const broker = await startBroker({ secrets: secrets(slots) });
      try {
        for (const path of [DISCOVERY, JWKS]) assertError(await broker.request(path), "unavailable");
        assertError(await broker.mint(await broker.session()), "unavailable");
        const ready = await broker.request("/readyz");
        assert.equal(ready.status, 503);
        assert.ok(ready.json().checks.some(({ check, ok, name: secret }) => check === "key" && !ok && secret === undefined), ready.text);
        assert.equal((await broker.request("/healthz")).status, 200);
      } finally {
        await broker.close();
      }
    });
  }
});

describe("which key signs", () => {
  let broker;
  const [old, next] = [{ ...ec, nbf: 100 }, { ...otherEc, nbf: 200 }];
  const AUDIENCES = [STS, { audience: AZURE, alg: "RS256" }];
  before(async () => {
    broker = await startBroker({ entry: "instrumented", vars: { AUDIENCES }, secrets: secrets({ A: old }) });
  });
  after(() => broker.close());

  const withKeys = (slots) => broker.redeploy({ ISSUER, AUDIENCES, ...secrets(slots) });
  const signedBy = async (body, ahead = 0) => {
    await broker.instruments({ ahead });
    const answer = await broker.mint(await broker.session({ audiences: [STS, AZURE], expires_at: now() + 1_000_000 }), body);
    return answer.status === 200 ? decodeProtectedHeader(answer.json().jwt).kid : answer;
  };
  const published = async () => (await broker.request(JWKS)).json().keys.map(({ kid }) => kid);

  test("is the newest that is due, whatever slot it is in", async () => {
    await withKeys({ A: next, B: old });
    assert.equal(await signedBy(), await thumbprint(otherEc));
    await withKeys({ A: old, B: next });
    assert.equal(await signedBy(), await thumbprint(otherEc));
  });

  test("of equally new ones is the first by secret name", async () => {
    await withKeys({ B: ec, A: otherEc });
    assert.equal(await signedBy(), await thumbprint(otherEc));
    assert.deepEqual(await published(), [await thumbprint(otherEc), await thumbprint(ec)]);
  });

  test("is not one that is not due, though it is published", async () => {
    await withKeys({ A: old, B: { ...otherEc, nbf: now() + 86_400 } });
    assert.deepEqual(await published(), [await thumbprint(ec), await thumbprint(otherEc)]);
    assert.equal(await signedBy(), await thumbprint(ec));
    assert.equal(await signedBy(undefined, 86_300), await thumbprint(ec));
    assert.equal(await signedBy(undefined, 86_401), await thumbprint(otherEc));
  });

  test("is none while none is due: 503, and the key is published all the same", async () => {
    await withKeys({ A: { ...ec, nbf: now() + 3600 } });
    assertError(await signedBy(), "unavailable", /signing key/);
    assert.deepEqual(await published(), [await thumbprint(ec)]);
    assert.equal(await signedBy(undefined, 3601), await thumbprint(ec));
  });

  test("is the RSA key where no EC key is due and the audience names no algorithm", async () => {
    await withKeys({ A: { ...ec, nbf: now() + 3600 }, B: rsa });
    assert.equal(await signedBy(), await thumbprint(rsa));
    assert.equal(await signedBy(undefined, 3601), await thumbprint(ec));
  });

  test("is none for an audience that names RS256 without an RSA key that is due: 503, ES256 is no stand-in", async () => {
    await withKeys({ A: ec });
    assertError(await signedBy({ audience: AZURE }), "unavailable");
    assert.equal(await signedBy({ audience: STS }), await thumbprint(ec));
    await withKeys({ A: ec, B: { ...rsa, nbf: now() + 3600 } });
    assertError(await signedBy({ audience: AZURE }), "unavailable");
    assert.equal(await signedBy({ audience: AZURE }, 3601), await thumbprint(rsa));
  });
});
