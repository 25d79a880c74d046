// The minted token: header, claims, lifetime, audience; what a session adds, and what it cannot be talked into.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { compactVerify, createLocalJWKSet, decodeJwt, decodeProtectedHeader } from "jose";

import { assertError } from "./support/answers.mjs";
import { DISCOVERY, ISSUER, JWKS, MINT, startBroker } from "./support/broker.mjs";
import { ecKey, rsaKey, secrets, thumbprint } from "./support/keys.mjs";
import { WALLET, now, omniOf } from "./support/sessions.mjs";

const STS = "sts.amazonaws.com";
const OTHER = "https://other.example/pool";
const AZURE = "api://AzureADTokenExchange";
const WALLET_TAG = "agentkeys_user_wallet";
const OMNI_TAG = "agentkeys_actor_omni";
const TAGS = "https://aws.amazon.com/tags";
const AUDIENCES = [STS, OTHER, { audience: AZURE, alg: "RS256" }];

const ec = await ecKey();
const rsa = await rsaKey();
let broker;

before(async () => {
  broker = await startBroker({ vars: { AUDIENCES }, secrets: secrets({ A: ec, B: rsa }) });
});
after(() => broker.close());

const claimsOf = async (session, body) => decodeJwt(await broker.minted(await broker.session(session), body));

describe("an answer to a mint", () => {
  test("is jwt, wallet and expiration, and is never stored", async () => {
    const answer = await broker.mint(await broker.session());
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), "application/json");
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.ok(!answer.headers.has("access-control-allow-origin"));
    const body = answer.json();
    assert.deepEqual(Object.keys(body), ["jwt", "wallet", "expiration"]);
    assert.equal(body.wallet, WALLET);
    assert.equal(body.expiration, decodeJwt(body.jwt).exp);
  });

  test("other methods are 405", async () => {
    for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]) {
      const answer = await broker.request(MINT, { method });
      assert.equal(answer.status, 405, method);
      assert.equal(answer.headers.get("allow"), "POST");
      if (method !== "HEAD") assertError(answer, "method_not_allowed", /POST/);
    }
  });
});

describe("the token of a plain session", () => {
  test("has the header alg, kid, typ and no other member", async () => {
    const header = decodeProtectedHeader(await broker.minted(await broker.session()));
    assert.deepEqual(header, { alg: "ES256", kid: await thumbprint(ec), typ: "JWT" });
  });

  test("has exactly the claims of the design", async () => {
    const before = now();
    const { iat, exp, jti, ...claims } = await claimsOf();
    assert.deepEqual(claims, {
      iss: ISSUER,
      sub: `agentkeys:agent:${WALLET}`,
      aud: STS,
      [WALLET_TAG]: WALLET,
      [TAGS]: { principal_tags: { [WALLET_TAG]: [WALLET] }, transitive_tag_keys: [WALLET_TAG] },
    });
    assert.ok(Number.isInteger(iat) && iat >= before && iat <= now(), `iat ${iat}`);
    assert.equal(exp, iat + 300);
    assert.match(jti, /^[0-9a-f]{32}$/);
  });

  test("has a jti of its own every time", async () => {
    const token = await broker.session();
    const jtis = await Promise.all(Array.from({ length: 20 }, async () => decodeJwt(await broker.minted(token)).jti));
    assert.equal(new Set(jtis).size, 20);
  });

  test("verifies against the published key, and not once any part of it is changed", async () => {
    const keys = createLocalJWKSet((await broker.request(JWKS)).json());
    const jwt = await broker.minted(await broker.session());
    await compactVerify(jwt, keys);
    for (const part of [0, 1, 2]) {
      const parts = jwt.split(".");
      const at = Math.floor(parts[part].length / 2);
      parts[part] = parts[part].slice(0, at) + (parts[part][at] === "A" ? "B" : "A") + parts[part].slice(at + 1);
      await assert.rejects(compactVerify(parts.join("."), keys), undefined, `part ${part}`);
    }
  });

  test("has a signature in JOSE form: 64 bytes, base64url without padding", async () => {
    const signature = (await broker.minted(await broker.session())).split(".")[2];
    assert.match(signature, /^[\w-]{86}$/);
  });
});

describe("the lifetime", () => {
  const lifetime = async (session, body) => {
    const { iat, exp } = await claimsOf(session, body);
    return exp - iat;
  };
  const refused = async (session, body, message) => assertError(await broker.mint(await broker.session(session), body), "bad_request", message);

  test("is the configured one by default", async () => assert.equal(await lifetime(), 300));
  test("is what is asked for, from 60 seconds to the ceiling", async () => {
    for (const seconds of [60, 61, 299, 300]) assert.equal(await lifetime({}, { ttl_seconds: seconds }), seconds);
  });
  test("below 60 seconds is 400", async () => {
    for (const seconds of [0, 1, 59]) await refused({}, { ttl_seconds: seconds }, /ttl_seconds.*60/);
  });
  test("above the configured ceiling is 400 that names it", async () => {
    for (const seconds of [301, 3600, 2 ** 53]) await refused({}, { ttl_seconds: seconds }, /ttl_seconds.*ceiling is 300 seconds/);
  });
  test("has the session's max_token_ttl for a ceiling where there is one, above the configured lifetime or below", async () => {
    assert.equal(await lifetime({ max_token_ttl: 900 }, { ttl_seconds: 900 }), 900);
    await refused({ max_token_ttl: 900 }, { ttl_seconds: 901 }, /ceiling is 900 seconds/);
    assert.equal(await lifetime({ max_token_ttl: 120 }, { ttl_seconds: 120 }), 120);
    await refused({ max_token_ttl: 120 }, { ttl_seconds: 121 }, /ceiling is 120 seconds/);
  });
  test("is by default the smaller of the session's ceiling and the configured one", async () => {
    assert.equal(await lifetime({ max_token_ttl: 120 }), 120);
    assert.equal(await lifetime({ max_token_ttl: 900 }), 300);
  });
  test("never reaches beyond the session: exp is at most its expires_at", async () => {
    const expires_at = now() + 100;
    for (const body of [undefined, { ttl_seconds: 300 }, { ttl_seconds: 200 }]) {
      const answer = await broker.mint(await broker.session({ expires_at }), body);
      assert.equal(answer.json().expiration, expires_at);
      assert.equal(decodeJwt(answer.json().jwt).exp, expires_at);
    }
    assert.equal(await lifetime({ expires_at }, { ttl_seconds: 60 }), 60);
  });
});

describe("the audience", () => {
  const audience = async (session, body) => (await claimsOf(session, body)).aud;
  const forbidden = async (session, body) => assertError(await broker.mint(await broker.session(session), body), "forbidden", /audience/);

  test("of a session without audiences is the first of AUDIENCES, asked for or not", async () => {
    assert.equal(await audience(), STS);
    assert.equal(await audience({}, { audience: STS }), STS);
  });
  test("of a session without audiences can be no other, not even one of AUDIENCES", async () => {
    for (const other of [OTHER, AZURE, "https://unknown.example"]) await forbidden({}, { audience: other });
  });
  test("is the first of the session's own without one in the request", async () => {
    assert.equal(await audience({ audiences: [OTHER, STS] }), OTHER);
  });
  test("is the one asked for, of the session's own", async () => {
    for (const asked of [OTHER, STS, AZURE]) assert.equal(await audience({ audiences: [OTHER, STS, AZURE] }, { audience: asked }), asked);
  });
  test("outside the session is 403, also the configuration's first", async () => {
    await forbidden({ audiences: [OTHER] }, { audience: STS });
    await forbidden({ audiences: [OTHER] }, { audience: "https://unknown.example" });
  });
  test("outside AUDIENCES is 403, whatever the session says", async () => {
    const audiences = ["https://unknown.example", OTHER];
    await forbidden({ audiences });
    await forbidden({ audiences }, { audience: "https://unknown.example" });
    assert.equal(await audience({ audiences }, { audience: OTHER }), OTHER);
  });
  test("is compared byte for byte", async () => {
    for (const near of ["STS.amazonaws.com", "sts.amazonaws.com/", "https://sts.amazonaws.com", "sts.amazonaws.co"]) await forbidden({}, { audience: near });
  });
  test("that names RS256 is signed with the RSA key, every other with ES256", async () => {
    const keys = createLocalJWKSet((await broker.request(JWKS)).json());
    const session = await broker.session({ audiences: [AZURE, STS] });
    for (const [body, alg, key] of [
      [undefined, "RS256", rsa],
      [{ audience: AZURE }, "RS256", rsa],
      [{ audience: STS }, "ES256", ec],
    ]) {
      const { protectedHeader } = await compactVerify(await broker.minted(session, body), keys, { algorithms: [alg] });
      assert.deepEqual(protectedHeader, { alg, kid: await thumbprint(key), typ: "JWT" });
    }
  });
});

describe("what a session adds", () => {
  test("tags go beside the wallet's, each an array of one text; only the ones it says are transitive", async () => {
    const claims = await claimsOf({ tags: { team: "blue", "cost-centre": "", "Ключ": "a b/c@d" }, transitive_tags: ["team"] });
    assert.deepEqual(claims[TAGS], {
      principal_tags: { [WALLET_TAG]: [WALLET], team: ["blue"], "cost-centre": [""], "Ключ": ["a b/c@d"] },
      transitive_tag_keys: [WALLET_TAG, "team"],
    });
  });

  test("roles and source identity are claims of their own, there only where the session has them", async () => {
    const roles = ["arn:aws:iam::123456789012:role/agent", "arn:aws:iam::123456789012:role/path/other"];
    const claims = await claimsOf({ roles, source_identity: "agent-7@example.com" });
    assert.deepEqual(claims["https://aws.amazon.com/roles"], roles);
    assert.equal(claims["https://aws.amazon.com/source_identity"], "agent-7@example.com");
    const plain = await claimsOf();
    for (const name of ["roles", "source_identity"]) assert.ok(!(`https://aws.amazon.com/${name}` in plain), name);
  });

  test("its label, audiences and ceiling are in no claim", async () => {
    const claims = await claimsOf({ label: "laptop", audiences: [STS, OTHER], max_token_ttl: 120 });
    assert.deepEqual(Object.keys(claims).sort(), ["agentkeys_user_wallet", "aud", "exp", TAGS, "iat", "iss", "jti", "sub"].sort());
  });

  test("48 tags with all else at its largest still make a token that STS takes", async () => {
    const tags = Object.fromEntries(Array.from({ length: 48 }, (_, n) => [`tag-${n}`.padEnd(30, "x"), "v".repeat(160)]));
    const jwt = await broker.minted(await broker.session({ tags, transitive_tags: Object.keys(tags).slice(0, 10) }));
    assert.equal(Object.keys(decodeJwt(jwt)[TAGS].principal_tags).length, 49);
    assert.ok(jwt.length <= 20_000, `${jwt.length} characters`);
  });
});

describe("the configuration of tokens", () => {
  test("the omni, where it is on, is a claim, a tag and transitive, and discovery names it", async () => {
    await broker.update({ vars: { AUDIENCES, PRINCIPAL_TAGS: [WALLET_TAG, OMNI_TAG] } });
    const claims = await claimsOf({ tags: { team: "blue" } });
    const omni = omniOf(WALLET);
    assert.match(omni, /^[0-9a-f]{64}$/);
    assert.equal(claims[OMNI_TAG], omni);
    assert.deepEqual(claims[TAGS], {
      principal_tags: { [WALLET_TAG]: [WALLET], [OMNI_TAG]: [omni], team: ["blue"] },
      transitive_tag_keys: [WALLET_TAG, OMNI_TAG],
    });
    assert.ok((await broker.request(DISCOVERY)).json().claims_supported.includes(OMNI_TAG));
  });

  test("the omni is of the lower-case wallet's ASCII text: a fixed vector", async () => {
    const wallet = "0x0000000000000000000000000000000000000000";
    const claims = await claimsOf({ wallet });
    assert.equal(claims[OMNI_TAG], omniOf(wallet));
    // printf agentkeysevm0x0000000000000000000000000000000000000000 | sha256sum
    assert.equal(claims[OMNI_TAG], "c3f7249ad2f03d898a95fdbe95113041282dd1f5a115d14a65d7e7ede4afee5f");
  });

  test("the omni stays out of claim, tags and discovery where it is off", async () => {
    await broker.update({ vars: { AUDIENCES } });
    const claims = await claimsOf();
    assert.ok(!(OMNI_TAG in claims) && !(OMNI_TAG in claims[TAGS].principal_tags));
    assert.ok(!(await broker.request(DISCOVERY)).json().claims_supported.includes(OMNI_TAG));
  });

  test("AUDIENCES and numbers may be TOML values or their JSON text", async () => {
    await broker.update({ vars: { AUDIENCES: JSON.stringify([OTHER, { audience: STS }]), TOKEN_TTL_SECONDS: 600 } });
    const claims = await claimsOf();
    assert.deepEqual([claims.aud, claims.exp - claims.iat], [OTHER, 600]);
    await broker.update({ vars: { AUDIENCES: [STS], TOKEN_TTL_SECONDS: "60" } });
    const shortest = await claimsOf();
    assert.deepEqual([shortest.aud, shortest.exp - shortest.iat], [STS, 60]);
    await broker.update({ vars: { TOKEN_TTL_SECONDS: 3600 } });
    const longest = await claimsOf({ expires_at: now() + 7200 });
    assert.equal(longest.exp - longest.iat, 3600);
  });
});
