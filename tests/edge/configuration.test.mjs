// The configuration, wrong one value at a time: readiness says which variable, and nothing half-right is served.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { assertError } from "./support/answers.mjs";
import { DISCOVERY, ISSUER, JWKS, MINT, SESSION, startBroker } from "./support/broker.mjs";
import { ecKey, secrets } from "./support/keys.mjs";
import { sessionToken } from "./support/sessions.mjs";

const key = secrets({ A: await ecKey() });
const WALLET_TAG = "agentkeys_user_wallet";

/** A variable and the values that it must not have; `undefined` is no value at all. */
const WRONG = [
  ...[
    undefined, "", "issuer.test", "http://issuer.test", "http://10.0.0.1", "http://localhost.evil.example", "ftp://issuer.test", "HTTPS://issuer.test",
    "https://Issuer.test", "https://issuer.test/", "https://issuer.test/a/", "https://issuer.test?a=b", "https://issuer.test/#a", "https://user@issuer.test",
    "https://issuer.test:0", "https://issuer.test:65536", "https://issuer.test/a/../b", "https://issuer.test//a", "https://issuer.test/%61", " https://issuer.test",
    `https://issuer.test/${"a".repeat(240)}`, "https://", 8787, ["https://issuer.test"], { url: "https://issuer.test" }, null, true,
  ].map((value) => ["ISSUER", value]),
  ...[
    "sts.amazonaws.com", "", "null", "{}", '"sts.amazonaws.com"', "[", [], [""], ["a b"], ["stś.amazonaws.com"], ["a".repeat(256)], [1], [null], [["sts.amazonaws.com"]],
    ["sts.amazonaws.com", "sts.amazonaws.com"], ["sts.amazonaws.com", { audience: "sts.amazonaws.com", alg: "RS256" }], [{ alg: "ES256" }],
    [{ audience: "a", alg: "ES384" }], [{ audience: "a", alg: "HS256" }], [{ audience: "a", alg: "none" }], [{ audience: "a", alg: "es256" }],
    [{ audience: "a", ttl: 300 }], [{ audience: "" }], [["a", "RS256"]], [["a", null]], [{ audience: "a", alg: null }], Array.from({ length: 101 }, (_, n) => `audience-${n}`), { audience: "a" }, 1, null,
  ].map((value) => ["AUDIENCES", value]),
  ...[59, 3601, 0, -300, 300.5, "", "abc", "300s", "3e2", "300.0", "+300", " 300", "0x12c", "99999999999999999999", true, null, [300]].map((value) => ["TOKEN_TTL_SECONDS", value]),
  ...[59, 31_536_001, 0, "", "month", "86400.0", "-60", null].map((value) => ["SESSION_TTL_SECONDS", value]),
  ...[
    WALLET_TAG, "", "[]", [], ["agentkeys_actor_omni"], [WALLET_TAG, WALLET_TAG], [WALLET_TAG, "team"], ["AgentKeys_User_Wallet"], [WALLET_TAG, "agentkeys_actor_omni", "agentkeys_actor_omni"],
    [1], { [WALLET_TAG]: true }, null, false,
  ].map((value) => ["PRINCIPAL_TAGS", value]),
  ...["", "nobody", "Anyone", "anyone ", ["anyone"], true, null].map((value) => ["SIGNIN_ALLOW", value]),
  ...["", "1", 1, [], [0], [-1], [1.5], ["1"], [1, 1], [2 ** 53], [null], {}, null, Array.from({ length: 101 }, (_, n) => n + 1)].map((value) => ["SIGNIN_CHAINS", value]),
  ...["", "two\nlines", "tab\there", "größer", "x".repeat(256), 'a "quoted" word', "back\\slash"].map((value) => ["SIGNIN_STATEMENT", value]),
  ...[59, 2701, "", "ten minutes", null].map((value) => ["SIGNIN_CHALLENGE_TTL_SECONDS", value]),
  ...[0, 1001, "", "many", -1, null].map((value) => ["SESSIONS_PER_WALLET", value]),
  ...["", [], ["https://elsewhere.example"], ["sts.amazonaws.com", "sts.amazonaws.com"], [1], {}, null].map((value) => ["SIGNIN_AUDIENCES", value]),
  ...["", [], { a: 1 }, { a: ["b"] }, { a: "b", A: "c" }, { "aws:a": "b" }, { [WALLET_TAG]: "x" }, null].map((value) => ["SIGNIN_TAGS", value]),
];

const RIGHT = [
  {},
  { ISSUER: "http://localhost:8787" },
  { ISSUER: "http://127.0.0.1:8787/a" },
  { ISSUER: "http://[::1]:8787" },
  { ISSUER: "https://keys.issuer.test:8443/a/b-c.d~e_f" },
  { ISSUER: `https://issuer.test/${"a".repeat(235)}` },
  { AUDIENCES: '["sts.amazonaws.com", {"audience": "b", "alg": "RS256"}]' },
  { AUDIENCES: [{ audience: "a", alg: "ES256" }, { audience: "b" }, "c"] },
  { AUDIENCES: Array.from({ length: 100 }, (_, n) => `audience-${n}`) },
  { TOKEN_TTL_SECONDS: 60 },
  { TOKEN_TTL_SECONDS: "3600" },
  { SESSION_TTL_SECONDS: 60 },
  { SESSION_TTL_SECONDS: "31536000" },
  { PRINCIPAL_TAGS: [WALLET_TAG] },
  { PRINCIPAL_TAGS: ["agentkeys_actor_omni", WALLET_TAG] },
  { PRINCIPAL_TAGS: JSON.stringify([WALLET_TAG, "agentkeys_actor_omni"]) },
  { SIGNIN_ALLOW: "listed" },
  { SIGNIN_CHAINS: [1, 10, 2 ** 53 - 1] },
  { SIGNIN_STATEMENT: "Sign in to our broker: it's free & safe (mostly)." },
  { SIGNIN_CHALLENGE_TTL_SECONDS: 60 },
  { SESSIONS_PER_WALLET: "1000" },
  { AUDIENCES: ["a", "b"], SIGNIN_AUDIENCES: ["b"] },
  { SIGNIN_TAGS: { origin: "sign-in", empty: "" } },
  { UNKNOWN_VARIABLE: "is nobody's business" },
];

const SEVERAL = { ISSUER: "http://issuer.test", AUDIENCES: [], TOKEN_TTL_SECONDS: "soon", SESSION_TTL_SECONDS: "later", PRINCIPAL_TAGS: [] };
const WRONG_UNDER_A_PATH = { ISSUER: `${ISSUER}/tenants/blue`, TOKEN_TTL_SECONDS: "soon" };

const short = (value) => (JSON.stringify(value) ?? "absent").slice(0, 60);
let broker;

before(async () => {
  broker = await startBroker({ entry: "instrumented", secrets: key });
});
after(() => broker.close());

/** Deploys variables besides a right issuer and a right key; `undefined` takes one away. */
const deploy = (vars) => broker.redeploy({ ISSUER, ...key, ...vars });

const failedChecks = (report) => report.checks.filter(({ ok }) => !ok).map(({ check, name }) => [check, name]);

async function assertClosed(base = "") {
  const headers = { authorization: `Bearer ${sessionToken()}` };
  for (const [method, path] of [
    ["GET", DISCOVERY],
    ["HEAD", DISCOVERY],
    ["OPTIONS", JWKS],
    ["GET", JWKS],
    ["POST", MINT],
    ["GET", SESSION],
    ["DELETE", SESSION],
    ["PUT", SESSION],
    ["GET", "/nowhere"],
  ]) {
    const answer = await broker.request(base + path, { method, headers });
    assert.equal(answer.status, 503, `${method} ${path}`);
    if (method === "HEAD") assert.match(answer.headers.get("retry-after"), /^\d+$/);
    else assertError(answer, "unavailable", /readyz/);
  }
}

for (const variable of new Set(WRONG.map(([name]) => name))) {
  describe(`${variable} that is wrong`, () => {
    for (const [name, value] of WRONG) {
      if (name !== variable) continue;
      test(short(value), async () => {
        await deploy({ [variable]: value });
        const answer = await broker.request("/readyz");
        assert.equal(answer.status, 503);
        const report = answer.json();
        assert.equal(report.ready, false);
        assert.deepEqual(failedChecks(report), [["configuration", variable]]);
        const { message } = report.checks.find(({ ok }) => !ok);
        assert.ok(message.length > 10, "says what it should be");
        if (typeof value === "string" && value.length > 8 && value !== WALLET_TAG) assert.ok(!message.includes(value), "does not repeat the value");
        const health = await broker.request("/healthz");
        assert.deepEqual([health.status, health.text], [200, "ok"]);
        await assertClosed();
      });
    }
  });
}

describe("a configuration that is right", () => {
  for (const vars of RIGHT) {
    test(short(vars), async () => {
      await deploy(vars);
      const base = new URL(vars.ISSUER ?? ISSUER).pathname.replace(/\/$/, "");
      const ready = await broker.request(`${base}/readyz`);
      // An audience that wants RS256 is no fault of the configuration: it waits for an RSA key, and says so by its name.
      const waiting = JSON.stringify(vars).includes("RS256") ? [["audience", "b"]] : [];
      assert.deepEqual(failedChecks(ready.json()), waiting);
      const discovery = await broker.request(base + DISCOVERY);
      assert.equal(discovery.json().issuer, vars.ISSUER ?? ISSUER);
    });
  }
});

describe("several variables that are wrong", () => {
  test("are all named at once", async () => {
    await deploy(SEVERAL);
    const report = (await broker.request("/readyz")).json();
    assert.deepEqual(failedChecks(report), Object.keys(SEVERAL).map((variable) => ["configuration", variable]));
  });
});

describe("a wrong variable beside an issuer with a path", () => {
  test("leaves health and readiness where the issuer has them", async () => {
    await deploy(WRONG_UNDER_A_PATH);
    assert.equal((await broker.request("/tenants/blue/healthz")).status, 200);
    assert.deepEqual(failedChecks((await broker.request("/tenants/blue/readyz")).json()), [["configuration", "TOKEN_TTL_SECONDS"]]);
    await assertClosed("/tenants/blue");
  });
});
