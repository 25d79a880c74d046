// Foreign clients as judges: jose, oauth4webapi and openid-client find the issuer by discovery and verify its tokens.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { SignJWT, createRemoteJWKSet, decodeJwt, errors, importJWK, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

import { JWKS, startBroker } from "./support/broker.mjs";
import { ecKey, rsaKey, secrets, thumbprint } from "./support/keys.mjs";
import { assertAdvertisesTags, assertIsolates } from "./support/session-tags.mjs";
import { WALLET, now } from "./support/sessions.mjs";

const STS = "sts.amazonaws.com";
const AZURE = "api://AzureADTokenExchange";
const AUDIENCES = [STS, { audience: AZURE, alg: "RS256" }];
// The issuer is on the loopback and has no TLS.
const insecure = { [oauth.allowInsecureRequests]: true };
const key = await ecKey();
let broker;

before(async () => {
  broker = await startBroker({ vars: { AUDIENCES }, secrets: secrets({ A: key, B: await rsaKey() }) });
});
after(() => broker.close());

for (const [name, path] of [
  ["an issuer without a path", ""],
  ["an issuer with a path", "/tenants/blue"],
]) {
  describe(`jose, with ${name}`, () => {
    let issuer;
    let keys;
    before(async () => {
      issuer = await broker.becomeItsOwnIssuer(path, { AUDIENCES });
      keys = createRemoteJWKSet(new URL(`${issuer}${JWKS}`));
    });
    const minted = async (session, body) => {
      const headers = { authorization: `Bearer ${await broker.session(session)}`, "content-type": "application/json" };
      const answer = await broker.request(`${path}/v1/mint-oidc-jwt`, { method: "POST", headers, body: body && JSON.stringify(body) });
      assert.equal(answer.status, 200, answer.text);
      return answer.json().jwt;
    };
    const at = (seconds) => new Date(seconds * 1000);

    test("verifies a token by the remote key set: issuer, audience, type, algorithm, clock and required claims", async () => {
      const requiredClaims = ["iss", "sub", "aud", "iat", "exp", "jti", "agentkeys_user_wallet", "https://aws.amazon.com/tags"];
      const options = { issuer, audience: STS, subject: `agentkeys:agent:${WALLET}`, typ: "JWT", algorithms: ["ES256"], maxTokenAge: "60s", requiredClaims };
      const { payload } = await jwtVerify(await minted(), keys, options);
      assertIsolates(payload, WALLET);
    });

    test("verifies an RS256 token of an audience that wants one", async () => {
      await jwtVerify(await minted({ audiences: [AZURE] }), keys, { issuer, audience: AZURE, algorithms: ["RS256"] });
    });

    test("refuses another issuer, near and far", async () => {
      const jwt = await minted();
      for (const wrong of [`${issuer}/`, issuer.toUpperCase(), issuer.replace("http:", "https:"), "https://issuer.test"]) {
        await assert.rejects(jwtVerify(jwt, keys, { issuer: wrong, audience: STS }), errors.JWTClaimValidationFailed, wrong);
      }
    });

    test("refuses another audience", async () => {
      await assert.rejects(jwtVerify(await minted(), keys, { issuer, audience: AZURE }), errors.JWTClaimValidationFailed);
    });

    test("refuses another algorithm than the token's", async () => {
      await assert.rejects(jwtVerify(await minted(), keys, { algorithms: ["RS256", "EdDSA"] }), errors.JOSEAlgNotAllowed);
    });

    test("takes a token to the second of its exp, and not from then on", async () => {
      const jwt = await minted({}, { ttl_seconds: 60 });
      const { payload } = await jwtVerify(jwt, keys, { issuer });
      await jwtVerify(jwt, keys, { issuer, currentDate: at(payload.exp - 1) });
      await assert.rejects(jwtVerify(jwt, keys, { issuer, currentDate: at(payload.exp) }), errors.JWTExpired);
      await assert.rejects(jwtVerify(jwt, keys, { issuer, currentDate: at(payload.iat + 3600) }), errors.JWTExpired);
    });

    test("refuses a token that is older than it takes, or from the future", async () => {
      const jwt = await minted();
      const { iat } = (await jwtVerify(jwt, keys)).payload;
      await assert.rejects(jwtVerify(jwt, keys, { maxTokenAge: 10, currentDate: at(iat + 11) }), errors.JWTExpired);
      await assert.rejects(jwtVerify(jwt, keys, { maxTokenAge: 10, currentDate: at(iat - 60) }), errors.JWTClaimValidationFailed);
    });

    test("refuses a token whose session ends before it would: exp is the session's end", async () => {
      const expires_at = now() + 70;
      const jwt = await minted({ expires_at });
      await jwtVerify(jwt, keys, { issuer, currentDate: at(expires_at - 1) });
      await assert.rejects(jwtVerify(jwt, keys, { issuer, currentDate: at(expires_at) }), errors.JWTExpired);
    });

    test("refuses the token of a stranger that calls itself the same, under its own kid or under a published one", async () => {
      const stranger = await ecKey();
      const claims = decodeJwt(await minted());
      for (const [kid, error] of [
        [await thumbprint(stranger), errors.JWKSNoMatchingKey],
        [await thumbprint(key), errors.JWSSignatureVerificationFailed],
      ]) {
        const jwt = await new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid, typ: "JWT" }).sign(await importJWK(stranger, "ES256"));
        await assert.rejects(jwtVerify(jwt, keys, { issuer, audience: STS }), error);
      }
    });
  });

  describe(`oauth4webapi, with ${name}`, () => {
    let issuer;
    before(() => {
      issuer = `${broker.origin}${path}`;
    });

    test("discovers the issuer", async () => {
      const metadata = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), insecure));
      assert.equal(metadata.issuer, issuer);
      assert.equal(metadata.jwks_uri, `${issuer}${JWKS}`);
      assertAdvertisesTags(metadata);
    });

    test("refuses the document of this issuer under another name", async () => {
      for (const name of [`${issuer}/x`, issuer.replace("127.0.0.1", "localhost"), "https://issuer.test"]) {
        const response = await oauth.discoveryRequest(new URL(issuer), insecure);
        await assert.rejects(oauth.processDiscoveryResponse(new URL(name), response), /issuer/, name);
      }
    });
  });

  describe(`openid-client, with ${name}`, () => {
    let issuer;
    before(() => {
      issuer = `${broker.origin}${path}`;
    });
    const discover = (url) => openid.discovery(new URL(url), "client", undefined, openid.None(), { execute: [openid.allowInsecureRequests] });

    test("discovers the issuer, from its URL and from the document's", async () => {
      for (const url of [issuer, `${issuer}/.well-known/openid-configuration`]) {
        const metadata = (await discover(url)).serverMetadata();
        assert.equal(metadata.issuer, issuer);
        assert.deepEqual(metadata.id_token_signing_alg_values_supported, ["ES256", "RS256"]);
      }
    });

    test("refuses an issuer that is somewhere else than it says", async () => {
      await assert.rejects(discover(issuer.replace("127.0.0.1", "localhost")), /issuer|discovery/i);
    });
  });
}
