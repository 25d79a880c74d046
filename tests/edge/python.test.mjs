// A relying party in another language: Python's PyJWT with its own JWK client, tests/python/verify.py.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { SignJWT, decodeJwt, importJWK } from "jose";

import { startBroker } from "./support/broker.mjs";
import { ecKey, rsaKey, secrets, thumbprint } from "./support/keys.mjs";
import { TAGS_CLAIM, assertIsolates } from "./support/session-tags.mjs";
import { WALLET, now, sessionToken } from "./support/sessions.mjs";

const python = (name) => fileURLToPath(new URL(`../python/${name}`, import.meta.url));
const skip = spawnSync("python3", ["--version"]).status === 0 ? false : "python3 is missing: install Python 3.10 or later";
const STS = "sts.amazonaws.com";
const AZURE = "api://AzureADTokenExchange";

describe("PyJWT", { skip }, () => {
  const key = ecKey();
  let broker;
  let issuer;
  let interpreter;

  before(async () => {
    const setup = spawnSync(python("setup"), { encoding: "utf8" });
    assert.equal(setup.status, 0, setup.stderr);
    interpreter = setup.stdout.trim();
    broker = await startBroker({ secrets: secrets({ A: await key, B: await rsaKey() }) });
    issuer = await broker.becomeItsOwnIssuer("", { AUDIENCES: [STS, { audience: AZURE, alg: "RS256" }] });
  });
  after(() => broker?.close());

  /** What it makes of a token: its exit status and its one line. Not awaited synchronously: the broker must go on answering. */
  const verify = (token, { audience = STS, at = issuer } = {}) =>
    new Promise((resolve, reject) => {
      const process = spawn(interpreter, [python("verify.py"), at, audience], { stdio: ["pipe", "pipe", "inherit"] });
      let output = "";
      process.stdout.on("data", (chunk) => (output += chunk));
      process.on("error", reject);
      process.on("close", (status) => resolve({ status, output: output.trim() }));
      process.stdin.end(token);
    });

  const assertRefused = async (verdict, error) => assert.deepEqual(await verdict, { status: 1, output: error });

  test("verifies an ES256 token and reads the same claims", async () => {
    const jwt = await broker.minted(await broker.session({ tags: { team: "blue" } }));
    const { status, output } = await verify(jwt);
    assert.equal(status, 0, output);
    const claims = JSON.parse(output);
    assert.deepEqual(claims, decodeJwt(jwt));
    assertIsolates(claims, WALLET);
  });

  test("verifies an RS256 token", async () => {
    const { status, output } = await verify(await broker.minted(await broker.session({ audiences: [AZURE] })), { audience: AZURE });
    assert.equal(status, 0, output);
  });

  test("refuses another audience", async () => {
    await assertRefused(verify(await broker.minted(await broker.session()), { audience: AZURE }), "InvalidAudienceError");
  });

  test("refuses a token that has expired", async () => {
    const jwt = await broker.minted(await broker.session({ expires_at: now() + 4 }));
    await new Promise((resolve) => setTimeout(resolve, decodeJwt(jwt).exp * 1000 - Date.now() + 100));
    await assertRefused(verify(jwt), "ExpiredSignatureError");
  });

  test("refuses a token whose claims were changed", async () => {
    const [header, claims, signature] = (await broker.minted(await broker.session())).split(".");
    const changed = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, "base64url")), jti: "x" })).toString("base64url");
    await assertRefused(verify([header, changed, signature].join(".")), "InvalidSignatureError");
  });

  test("refuses a token of a key that is not published", async () => {
    const stranger = await ecKey();
    const claims = decodeJwt(await broker.minted(await broker.session()));
    const jwt = await new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: await thumbprint(stranger) }).sign(await importJWK(stranger, "ES256"));
    await assertRefused(verify(jwt), "PyJWKClientError");
  });

  test("refuses a token of the right key without the tags claim", async () => {
    const { [TAGS_CLAIM]: _, ...claims } = decodeJwt(await broker.minted(await broker.session()));
    const jwt = await new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: await thumbprint(await key) }).sign(await importJWK(await key, "ES256"));
    await assertRefused(verify(jwt), "MissingRequiredClaimError");
  });

  test("refuses an issuer that is not the one it was told", async () => {
    const jwt = await broker.minted(await broker.session());
    await assertRefused(verify(jwt, { at: issuer.replace("127.0.0.1", "localhost") }), "IssuerMismatch");
  });

  test("refuses a session token in place of a JWT", async () => assertRefused(verify(sessionToken()), "DecodeError"));
});
