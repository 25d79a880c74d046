// AWS's own SDK carries a minted token to a recording STS, which knows nothing of the broker but the registered issuer.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromWebToken } from "@aws-sdk/credential-providers";
import { SignJWT, decodeJwt, importJWK } from "jose";

import { startBroker } from "./support/broker.mjs";
import { ecKey, rsaKey, secrets, thumbprint } from "./support/keys.mjs";
import { TAGS_CLAIM, WALLET_TAG, assertIsolates } from "./support/session-tags.mjs";
import { WALLET, now, sessionToken } from "./support/sessions.mjs";
import { startSts } from "./support/sts.mjs";

const RoleArn = "arn:aws:iam::123456789012:role/agent";
const key = await ecKey();
const OTHER = "https://other.example";
let broker;
let issuer;
let sts;

before(async () => {
  broker = await startBroker({ secrets: secrets({ A: key, B: await rsaKey() }) });
  issuer = await broker.becomeItsOwnIssuer("", { AUDIENCES: ["sts.amazonaws.com", OTHER] });
  sts = await startSts({ issuer });
});
after(async () => {
  await broker.close();
  await sts.close();
});

/** No AWS credentials anywhere: this call is not signed. */
const client = () => new STSClient({ endpoint: sts.endpoint, region: "us-east-1", maxAttempts: 1 });
const assume = (WebIdentityToken, more = {}) => client().send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: "agent", WebIdentityToken, ...more }));
const refusedWith = (name) => ({ name }); // the SDK appends Exception to the code InvalidIdentityToken

/** A token of this issuer's own key with these claims changed: what a broken broker would mint. */
async function forged(changed, signedBy = key) {
  const claims = { ...decodeJwt(await broker.minted(await broker.session())), ...changed };
  return new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: await thumbprint(signedBy), typ: "JWT" }).sign(await importJWK(signedBy, "ES256"));
}

describe("AssumeRoleWithWebIdentity by the AWS SDK", () => {
  test("gets credentials for a minted token, and sends it as it is, without AWS credentials", async () => {
    const jwt = await broker.minted(await broker.session());
    const { Credentials, AssumedRoleUser } = await assume(jwt, { DurationSeconds: 900 });
    assert.ok(Credentials.AccessKeyId && Credentials.SecretAccessKey && Credentials.SessionToken && Credentials.Expiration > new Date());
    assert.equal(AssumedRoleUser.Arn, `${RoleArn}/agent`);
    const { parameters, headers } = sts.calls.at(-1);
    assert.equal(parameters.WebIdentityToken, jwt);
    assert.deepEqual([parameters.RoleArn, parameters.RoleSessionName, parameters.DurationSeconds], [RoleArn, "agent", "900"]);
    assert.ok(!headers.authorization);
    assertIsolates(decodeJwt(parameters.WebIdentityToken), WALLET);
  });

  test("makes a session whose tags are the wallet and what its session adds", async () => {
    await assume(await broker.minted(await broker.session({ tags: { team: "blue", "Ключ": "a b" }, transitive_tags: ["team"] })));
    assert.deepEqual(sts.calls.at(-1).tags, { [WALLET_TAG]: WALLET, team: "blue", "Ключ": "a b" });
  });

  test("takes the fullest token that a session can have", async () => {
    const tags = Object.fromEntries(Array.from({ length: 48 }, (_, n) => [`tag-${n}`.padEnd(30, "x"), "v".repeat(160)]));
    await assume(await broker.minted(await broker.session({ tags, transitive_tags: Object.keys(tags).slice(0, 10) })));
    assert.equal(Object.keys(sts.calls.at(-1).tags).length, 49);
  });

  test("keeps two wallets apart", async () => {
    const wallets = [WALLET, `0x${"ab".repeat(20)}`];
    for (const wallet of wallets) await assume(await broker.minted(await broker.session({ wallet })));
    assert.deepEqual(sts.calls.slice(-2).map(({ tags }) => tags[WALLET_TAG]), wallets);
  });

  test("works through the SDK's credential provider, too", async () => {
    const webIdentityToken = await broker.minted(await broker.session());
    const provider = fromWebToken({ roleArn: RoleArn, webIdentityToken, roleSessionName: "agent", clientConfig: { endpoint: sts.endpoint, region: "us-east-1" } });
    assert.ok((await provider()).accessKeyId);
    assert.equal(sts.calls.at(-1).tags[WALLET_TAG], WALLET);
  });

  test("works for an issuer with a path", async () => {
    const [before, path] = [sts, "/tenants/blue"];
    const blue = await broker.becomeItsOwnIssuer(path);
    sts = await startSts({ issuer: blue });
    try {
      const token = await broker.session();
      const answer = await broker.request(`${path}/v1/mint-oidc-jwt`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
      await assume(answer.json().jwt);
      assert.equal(sts.calls.at(-1).tags[WALLET_TAG], WALLET);
    } finally {
      await sts.close();
      sts = before;
      await broker.becomeItsOwnIssuer("", { AUDIENCES: ["sts.amazonaws.com", OTHER] });
    }
  });
});

describe("what this STS refuses, so that its consent means something", () => {
  test("a token without the tags claim: the trust policy asks for the wallet's tag", async () => {
    await assert.rejects(assume(await forged({ [TAGS_CLAIM]: undefined })), refusedWith("AccessDenied"));
  });

  test("without that trust policy the founding bug would go unseen: accepted, and untagged", async () => {
    const [before, lax] = [sts, await startSts({ issuer, requireWalletTag: false })];
    sts = lax;
    try {
      await assume(await forged({ [TAGS_CLAIM]: undefined }));
      assert.deepEqual(lax.calls.at(-1).tags, {});
    } finally {
      sts = before;
      await lax.close();
    }
  });

  for (const [name, claim] of [
    ["a bare text as a value", { principal_tags: { [WALLET_TAG]: WALLET } }],
    ["two values", { principal_tags: { [WALLET_TAG]: [WALLET, WALLET] } }],
    ["a key of AWS's own", { principal_tags: { [WALLET_TAG]: [WALLET], "aws:x": ["y"] } }],
    ["a wildcard", { principal_tags: { [WALLET_TAG]: ["*"] } }],
    ["51 tags", { principal_tags: { [WALLET_TAG]: [WALLET], ...Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`k${n}`, ["v"]])) } }],
    ["keys equal but for case", { principal_tags: { [WALLET_TAG]: [WALLET], Team: ["a"], team: ["b"] } }],
    ["a transitive key without a tag", { principal_tags: { [WALLET_TAG]: [WALLET] }, transitive_tag_keys: ["team"] }],
  ]) {
    test(`tags with ${name}`, async () => assert.rejects(assume(await forged({ [TAGS_CLAIM]: claim })), refusedWith("InvalidIdentityTokenException")));
  }

  test("a token signed by another key, or changed after it was signed", async () => {
    await assert.rejects(assume(await forged({}, await ecKey())), refusedWith("InvalidIdentityTokenException"));
    const [header, , signature] = (await broker.minted(await broker.session())).split(".");
    const other = (await broker.minted(await broker.session({ wallet: `0x${"ab".repeat(20)}` }))).split(".")[1];
    await assert.rejects(assume([header, other, signature].join(".")), refusedWith("InvalidIdentityTokenException"));
  });

  test("a token for another audience", async () => {
    const jwt = await broker.minted(await broker.session({ audiences: [OTHER] }));
    await assert.rejects(assume(jwt), refusedWith("InvalidIdentityTokenException"));
  });

  test("a token of another issuer", async () => {
    await assert.rejects(assume(await forged({ iss: "https://issuer.test" })), refusedWith("InvalidIdentityTokenException"));
  });

  test("a token that expired more than five minutes ago", async () => {
    await assert.rejects(assume(await forged({ iat: now() - 700, exp: now() - 310 })), refusedWith("ExpiredTokenException"));
  });

  test("a session token in its place", async () => {
    await assert.rejects(assume(sessionToken()), refusedWith("InvalidIdentityTokenException"));
  });
});
