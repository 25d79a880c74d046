// The token endpoint: token exchange (RFC 8693) as foreign OAuth clients do it, and every error in OAuth's form.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { createRemoteJWKSet, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

import { assertOAuthError } from "./support/answers.mjs";
import { ACCESS_TOKEN, DISCOVERY, JWKS, TOKEN, TOKEN_EXCHANGE, startBroker } from "./support/broker.mjs";
import { ecKey, rsaKey, secrets } from "./support/keys.mjs";
import { assertIsolates } from "./support/session-tags.mjs";
import { WALLET, now, sessionToken } from "./support/sessions.mjs";

const STS = "sts.amazonaws.com";
const AZURE = "api://AzureADTokenExchange";
const AUDIENCES = [STS, { audience: AZURE, alg: "RS256" }];
const JWT = "urn:ietf:params:oauth:token-type:jwt";
const ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token";
const FORM = { "content-type": "application/x-www-form-urlencoded" };
let broker;
let issuer;

before(async () => {
  broker = await startBroker({ vars: { AUDIENCES }, secrets: secrets({ A: await ecKey(), B: await rsaKey() }) });
  issuer = await broker.becomeItsOwnIssuer("", { AUDIENCES });
});
after(() => broker.close());

const post = (body, headers = FORM) => broker.request(TOKEN, { method: "POST", headers, body });
const required = (token) => [["grant_type", TOKEN_EXCHANGE], ["subject_token", token], ["subject_token_type", ACCESS_TOKEN]];

describe("foreign clients", () => {
  const insecure = { [oauth.allowInsecureRequests]: true };
  // RFC 8693 §2.2.1: N_A, the token is not one to be presented to an OAuth resource. Clients have to be told that they know it.
  const recognizedTokenTypes = { n_a: () => {} };

  test("oauth4webapi finds the endpoint by discovery, exchanges, and takes the answer", async () => {
    const server = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), insecure));
    assert.equal(server.token_endpoint, `${issuer}${TOKEN}`);
    assert.deepEqual(server.grant_types_supported, [TOKEN_EXCHANGE]);
    assert.deepEqual(server.token_endpoint_auth_methods_supported, ["none"]);
    const client = { client_id: "agent" };
    const parameters = { subject_token: await broker.session(), subject_token_type: ACCESS_TOKEN, audience: STS, requested_token_type: JWT };
    const response = await oauth.genericTokenEndpointRequest(server, client, oauth.None(), TOKEN_EXCHANGE, parameters, insecure);
    const answer = await oauth.processGenericTokenEndpointResponse(server, client, response, { recognizedTokenTypes });
    assert.equal(answer.issued_token_type, JWT);
    assert.equal(answer.expires_in, 300);
    const { payload } = await jwtVerify(answer.access_token, createRemoteJWKSet(new URL(`${issuer}${JWKS}`)), { issuer, audience: STS });
    assertIsolates(payload, WALLET);
  });

  test("oauth4webapi hears of a session that is gone, and of an audience that is not allowed, as OAuth says it", async () => {
    const server = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), insecure));
    for (const [parameters, error] of [
      [{ subject_token: sessionToken() }, "invalid_request"],
      [{ subject_token: await broker.session(), audience: AZURE }, "invalid_target"],
    ]) {
      const response = await oauth.genericTokenEndpointRequest(
        server, { client_id: "agent" }, oauth.None(), TOKEN_EXCHANGE, { subject_token_type: ACCESS_TOKEN, ...parameters }, insecure);
      await assert.rejects(oauth.processGenericTokenEndpointResponse(server, { client_id: "agent" }, response, { recognizedTokenTypes }), (thrown) => {
        assert.ok(thrown instanceof oauth.ResponseBodyError);
        assert.equal(thrown.error, error);
        return true;
      });
    }
  });

  test("openid-client's generic grant reaches the endpoint and is given a token", async () => {
    const client = await openid.discovery(new URL(issuer), "agent", undefined, openid.None(), { execute: [openid.allowInsecureRequests] });
    let body;
    client[openid.customFetch] = async (...parameters) => {
      const response = await fetch(...parameters);
      body = await response.clone().json();
      return response;
    };
    const parameters = { subject_token: await broker.session(), subject_token_type: ACCESS_TOKEN };
    // It takes no answer whose token is not for it to present; the request and the answer's form are the point here.
    await openid.genericGrantRequest(client, TOKEN_EXCHANGE, parameters).catch((error) => assert.match(`${error.message} ${error.cause?.message}`, /token_type/i));
    assert.equal(body.token_type, "N_A");
    await jwtVerify(body.access_token, createRemoteJWKSet(new URL(`${issuer}${JWKS}`)), { issuer, audience: STS });
  });
});

describe("the answer", () => {
  test("is RFC 8693's, of the type that was asked for, and is never stored", async () => {
    for (const [requested_token_type, issued] of [[undefined, JWT], [JWT, JWT], [ID_TOKEN, ID_TOKEN]]) {
      const answer = await broker.exchange(await broker.session(), { requested_token_type });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.headers.get("cache-control"), "no-store");
      assert.equal(answer.headers.get("content-type"), "application/json");
      const { access_token, ...rest } = answer.json();
      assert.deepEqual(rest, { issued_token_type: issued, token_type: "N_A", expires_in: 300 });
    }
  });

  test("has the audience, its algorithm, and the seconds that are left", async () => {
    const token = await broker.session({ audiences: [AZURE, STS], expires_at: now() + 100 });
    for (const [audience, aud, alg] of [[undefined, AZURE, "RS256"], [STS, STS, "ES256"], [AZURE, AZURE, "RS256"]]) {
      const { access_token, expires_in } = (await broker.exchange(token, { audience })).json();
      const { payload, protectedHeader } = await jwtVerify(access_token, createRemoteJWKSet(new URL(`${issuer}${JWKS}`)), { issuer });
      assert.deepEqual([payload.aud, protectedHeader.alg], [aud, alg]);
      assert.ok(expires_in > 90 && expires_in <= 100);
      assert.equal(payload.exp - payload.iat, expires_in);
    }
  });

  test("is the same token that a mint gives: claims and tags", async () => {
    const token = await broker.session({ tags: { team: "blue" }, transitive_tags: ["team"], source_identity: "agent-7" });
    const claims = (jwt) => {
      const { iat, exp, jti, ...rest } = JSON.parse(Buffer.from(jwt.split(".")[1], "base64url"));
      return rest;
    };
    assert.deepEqual(claims((await broker.exchange(token)).json().access_token), claims(await broker.minted(token)));
  });
});

describe("what is refused", () => {
  for (const [name, parameters, error] of [
    ["another grant", { grant_type: "client_credentials" }, "unsupported_grant_type"],
    ["no grant", { grant_type: undefined }, "invalid_request"],
    ["an empty grant", { grant_type: "" }, "invalid_request"],
    ["no subject token", { subject_token: undefined }, "invalid_request"],
    ["a subject token that is none", { subject_token: "eyJhbGciOiJub25lIn0.e30." }, "invalid_request"],
    ["a subject token with blanks", { subject_token: ` ${sessionToken()}` }, "invalid_request"],
    ["no subject token type", { subject_token_type: undefined }, "invalid_request"],
    ["another subject token type", { subject_token_type: JWT }, "invalid_request"],
    ["another type of token", { requested_token_type: ACCESS_TOKEN }, "invalid_request"],
    ["SAML", { requested_token_type: "urn:ietf:params:oauth:token-type:saml2" }, "invalid_request"],
    ["an actor", { actor_token: "x", actor_token_type: JWT }, "invalid_request"],
    ["a scope", { scope: "admin" }, "invalid_scope"],
    ["a resource", { resource: "https://s3.amazonaws.com" }, "invalid_target"],
    ["an audience of nobody", { audience: "https://elsewhere.example" }, "invalid_target"],
    ["an audience of the broker and not of the session", { audience: AZURE }, "invalid_target"],
  ]) {
    test(`${name}: 400 ${error}`, async () => assertOAuthError(await broker.exchange(await broker.session(), parameters), 400, error));
  }

  test("a second audience, a repeated parameter", async () => {
    const token = await broker.session();
    assertOAuthError(await post(new URLSearchParams([...required(token), ["audience", STS], ["audience", STS]])), 400, "invalid_target");
    assertOAuthError(await post(new URLSearchParams([...required(token), ["subject_token", token]])), 400, "invalid_request");
    assertOAuthError(await post(new URLSearchParams([...required(token), ["grant_type", TOKEN_EXCHANGE]])), 400, "invalid_request");
  });

  test("a session that is unknown, expired, revoked or broken: the same words, and no challenge", async () => {
    const revoked = await broker.session();
    await broker.request("/v1/session", { method: "DELETE", headers: { authorization: `Bearer ${revoked}` } });
    const broken = sessionToken();
    await broker.store(broken, "{}");
    const said = new Set();
    for (const token of [sessionToken(), await broker.session({ created_at: now() - 9, expires_at: now() - 1 }), revoked, broken, "nothing"]) {
      const answer = await broker.exchange(token);
      said.add(assertOAuthError(answer, 400, "invalid_request"));
      assert.equal(answer.headers.get("www-authenticate"), null);
    }
    assert.equal(said.size, 1);
  });

  test("a body that is too large, JSON, or nothing; another method; a credential in the header alone", async () => {
    assertOAuthError(await post(`grant_type=${"x".repeat(9_000)}`), 413, "invalid_request");
    assertOAuthError(await post(" ".repeat(1_048_576)), 413, "invalid_request");
    assertOAuthError(await post(JSON.stringify(Object.fromEntries(required("x"))), { "content-type": "application/json" }), 415, "invalid_request");
    assertOAuthError(await post("", {}), 415, "invalid_request");
    assertOAuthError(await post(""), 400, "invalid_request");
    const bearer = { authorization: `Bearer ${await broker.session()}` };
    assertOAuthError(await post("grant_type=" + encodeURIComponent(TOKEN_EXCHANGE), { ...FORM, ...bearer }), 400, "invalid_request");
    for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]) {
      const answer = await broker.request(TOKEN, { method });
      assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "POST"], method);
      if (method !== "HEAD") assertOAuthError(answer, 405, "invalid_request");
    }
  });

  test("a broker whose configuration is wrong: 503 in OAuth's form, under its path", async () => {
    await broker.update({ vars: { ISSUER: `${issuer}/a`, AUDIENCES, TOKEN_TTL_SECONDS: 1 } });
    const path = `/a${TOKEN}`;
    assertOAuthError(await broker.request(path, { method: "POST", headers: FORM, body: "x" }), 503, "temporarily_unavailable");
    assert.equal((await broker.request(`/a${DISCOVERY}`)).json().error, "unavailable");
    await broker.update({ vars: { ISSUER: issuer, AUDIENCES } });
  });
});
