// Discovery (OpenID Connect Discovery §3): what it says, and how it is served.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { assertError } from "./support/answers.mjs";
import { DISCOVERY, ISSUER, JWKS, startBroker } from "./support/broker.mjs";
import { ecKey, rsaKey, secrets } from "./support/keys.mjs";
import { rawRequest } from "./support/raw.mjs";

let broker;
const key = await ecKey();

before(async () => {
  broker = await startBroker({ secrets: secrets({ A: key }) });
});
after(() => broker.close());

const OWN_CLAIMS = ["iss", "sub", "aud", "iat", "exp", "jti", "agentkeys_user_wallet"];
const AWS_CLAIMS = ["https://aws.amazon.com/tags", "https://aws.amazon.com/roles", "https://aws.amazon.com/source_identity"];

describe("the discovery document", () => {
  test("says what the design says, and nothing else", async () => {
    const answer = await broker.request(DISCOVERY);
    assert.equal(answer.status, 200);
    const { token_endpoint, grant_types_supported, ...document } = answer.json();
    assert.deepEqual(document, {
      issuer: ISSUER,
      jwks_uri: `${ISSUER}${JWKS}`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
      scopes_supported: ["openid"],
      token_endpoint_auth_methods_supported: ["none"],
      claims_supported: [...OWN_CLAIMS, ...AWS_CLAIMS],
    });
    // The token endpoint is advertised exactly where it exists.
    const exists = (await broker.request("/v1/token", { method: "POST" })).status !== 404;
    assert.deepEqual(
      [token_endpoint, grant_types_supported],
      exists ? [`${ISSUER}/v1/token`, ["urn:ietf:params:oauth:grant-type:token-exchange"]] : [undefined, undefined],
    );
  });

  test("names every claim that a token of this configuration has", async () => {
    const { claims_supported } = (await broker.request(DISCOVERY)).json();
    const token = await broker.session({ tags: { team: "blue" }, roles: ["arn:aws:iam::123456789012:role/agent"], source_identity: "agent-7" });
    const claims = JSON.parse(Buffer.from((await broker.minted(token)).split(".")[1], "base64url"));
    assert.deepEqual([...claims_supported].sort(), Object.keys(claims).sort());
  });

  test("lists the algorithms of the published keys, ES256 first", async () => {
    await broker.update({ secrets: secrets({ A: await rsaKey(), B: key }) });
    const { id_token_signing_alg_values_supported } = (await broker.request(DISCOVERY)).json();
    assert.deepEqual(id_token_signing_alg_values_supported, ["ES256", "RS256"]);
    await broker.update({ secrets: secrets({ A: key }) });
  });
});

for (const path of [DISCOVERY, JWKS]) {
  describe(`serving ${path}`, () => {
    test("is public JSON, cacheable for 15 minutes, with a strong ETag, for every origin", async () => {
      const { headers } = await broker.request(path);
      assert.equal(headers.get("content-type"), "application/json");
      assert.equal(headers.get("cache-control"), "public, max-age=900");
      assert.match(headers.get("etag"), /^"[\w-]+"$/);
      assert.equal(headers.get("access-control-allow-origin"), "*");
    });

    test("HEAD has the headers of GET and no body", async () => {
      const [get, head] = [await broker.request(path), await broker.request(path, { method: "HEAD" })];
      assert.equal(head.status, 200);
      assert.equal(head.text, "");
      for (const name of ["content-type", "cache-control", "etag", "access-control-allow-origin"]) {
        assert.equal(head.headers.get(name), get.headers.get(name), name);
      }
    });

    test("If-None-Match with its tag is 304 without a body, for GET and HEAD", async () => {
      const etag = (await broker.request(path)).headers.get("etag");
      for (const method of ["GET", "HEAD"]) {
        for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
          const answer = await broker.request(path, { method, headers: { "if-none-match": tags } });
          assert.deepEqual([answer.status, answer.text], [304, ""], `${method} ${tags}`);
          assert.equal(answer.headers.get("etag"), etag);
          assert.equal(answer.headers.get("cache-control"), "public, max-age=900");
          assert.equal(answer.headers.get("access-control-allow-origin"), "*");
        }
      }
    });

    test("If-None-Match with another tag is 200", async () => {
      const etag = (await broker.request(path)).headers.get("etag");
      for (const tags of ['"other"', etag.replaceAll('"', ""), `${etag.slice(0, -1)}x"`, `"other", "another"`]) {
        assert.equal((await broker.request(path, { headers: { "if-none-match": tags } })).status, 200, tags);
      }
    });

    test("OPTIONS is 204 and allows what a browser's JOSE library sends", async () => {
      const headers = { origin: "https://app.example", "access-control-request-method": "GET", "access-control-request-headers": "if-none-match" };
      const answer = await broker.request(path, { method: "OPTIONS", headers });
      assert.deepEqual([answer.status, answer.text], [204, ""]);
      assert.equal(answer.headers.get("access-control-allow-origin"), "*");
      assert.match(answer.headers.get("access-control-allow-methods"), /\bGET\b.*\bHEAD\b/);
      assert.match(answer.headers.get("access-control-allow-headers"), /if-none-match/i);
    });

    test("a query string changes nothing", async () => {
      const plain = await broker.request(path);
      for (const query of ["?", "?x=1", "?issuer=https://other.test", "?a=1#b"]) {
        const answer = await broker.request(path + query);
        assert.deepEqual([answer.status, answer.text, answer.headers.get("etag")], [200, plain.text, plain.headers.get("etag")], query);
      }
    });

    test("other methods are 405 with the ones it has", async () => {
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        const answer = await broker.request(path, { method });
        assertError(answer, "method_not_allowed");
        assert.equal(answer.headers.get("allow"), "GET, HEAD, OPTIONS", method);
      }
    });

    test("is the configured issuer's, whatever host the request names", async () => {
      const plain = await broker.request(path);
      for (const headers of [
        { Host: "evil.example" },
        { Host: "evil.example:8443", "X-Forwarded-Host": "evil.example" },
        { Host: new URL(broker.origin).host, "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/evil" },
        { Host: "issuer.test", Forwarded: "host=evil.example;proto=http", "X-Original-URL": "/evil", "X-Rewrite-URL": "/evil" },
      ]) {
        const answer = await rawRequest(broker.origin, `GET ${path} HTTP/1.1`, headers);
        assert.equal(answer.status, 200, JSON.stringify(headers));
        assert.equal(answer.body, plain.text, JSON.stringify(headers));
        assert.equal(answer.headers.etag, plain.headers.get("etag"));
      }
    });

    test("is the configured issuer's in an absolute-form request too", async () => {
      const plain = await broker.request(path);
      const answer = await rawRequest(broker.origin, `GET http://evil.example${path} HTTP/1.1`, { Host: "evil.example" });
      assert.deepEqual([answer.status, answer.body], [200, plain.text]);
    });
  });
}

describe("paths that are no route", () => {
  test("are 404 in the error form", async () => {
    for (const path of ["/", "/v1", "/v1/", "/v1/mint-oidc-jwt/", "/V1/session", "//v1/session", "/v1//session", "/.well-known/", "/.well-known/jwks", "/healthz/", "/healthz.json", "/v1%2Fsession", "/%00"]) {
      assertError(await broker.request(path), "not_found");
    }
  });
});

describe("an issuer with a path", () => {
  test("has every route under that path, and none outside it", async () => {
    const issuer = `${ISSUER}/tenants/blue`;
    await broker.update({ vars: { ISSUER: issuer } });
    const under = (path) => `/tenants/blue${path}`;
    const document = (await broker.request(under(DISCOVERY))).json();
    assert.equal(document.issuer, issuer);
    assert.equal(document.jwks_uri, `${issuer}${JWKS}`);
    const token = await broker.session();
    const headers = { authorization: `Bearer ${token}` };
    for (const [method, path, status] of [
      ["GET", JWKS, 200],
      ["POST", "/v1/mint-oidc-jwt", 200],
      ["GET", "/v1/session", 200],
      ["GET", "/healthz", 200],
      ["GET", "/readyz", 200],
      ["GET", DISCOVERY, 200],
      ["DELETE", "/v1/session", 204],
    ]) {
      assert.equal((await broker.request(path, { method, headers })).status, 404, `${method} ${path} outside`);
      assert.equal((await broker.request(under(path), { method, headers })).status, status, `${method} ${path} inside`);
    }
    for (const path of ["/tenants/blue", "/tenants/blue/", `/tenants${DISCOVERY}`, `/tenants/blue/..${DISCOVERY}`, `/tenants/bluegreen${DISCOVERY}`]) {
      assert.equal((await broker.request(path)).status, 404, path);
    }
  });
});
