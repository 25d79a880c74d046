// The session: GET says what it may do, DELETE ends it, and a record that is not exactly right is no session.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { assertError, assertNotALiveSession } from "./support/answers.mjs";
import { SESSION, startBroker } from "./support/broker.mjs";
import { guard } from "./support/canaries.mjs";
import { ecKey, secrets } from "./support/keys.mjs";
import { WALLET, hashOf, indexKey, now, record, recordKey, sessionToken } from "./support/sessions.mjs";

const STS = "sts.amazonaws.com";
const ROLE = "arn:aws:iam::123456789012:role/agent";
let broker;

before(async () => {
  broker = await startBroker({ vars: { AUDIENCES: [STS, "https://other.example"] }, secrets: secrets({ A: await ecKey() }) });
});
after(() => broker.close());

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const describeSession = (token) => broker.request(SESSION, { headers: bearer(token) });
const revoke = (token) => broker.request(SESSION, { method: "DELETE", headers: bearer(token) });

describe("GET /v1/session", () => {
  test("of a plain session says whose it is, how long it lives and the audience it may use", async () => {
    const [created_at, expires_at] = [now() - 5, now() + 500];
    const answer = await describeSession(await broker.session({ created_at, expires_at }));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), "application/json");
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.deepEqual(answer.json(), { wallet: WALLET, created_at, expires_at, audiences: [STS], tags: {}, transitive_tags: [] });
  });

  test("of a full session has all that its record has, by the record's names", async () => {
    const full = {
      label: "laptop of the build agent",
      audiences: ["https://other.example", STS],
      tags: { team: "blue", env: "" },
      transitive_tags: ["team"],
      roles: [ROLE],
      source_identity: "agent-7",
      max_token_ttl: 120,
    };
    const { v, ...rest } = record(full);
    assert.deepEqual((await describeSession(await broker.session(full))).json(), rest);
  });

  test("does not name the token, its hash or where it is stored", async () => {
    const token = await broker.session({ label: "x" });
    const { text } = await describeSession(token);
    for (const secret of [token, hashOf(token), "session/v1"]) assert.ok(!text.includes(secret));
  });

  test("what it says is what a mint does", async () => {
    const token = await broker.session({ audiences: ["https://other.example"], max_token_ttl: 90 });
    const { audiences, max_token_ttl } = (await describeSession(token)).json();
    assert.equal((await broker.mint(token, { audience: audiences[0], ttl_seconds: max_token_ttl })).status, 200);
  });

  test("other methods are 405 with GET and DELETE", async () => {
    for (const method of ["POST", "PUT", "PATCH", "OPTIONS"]) {
      const answer = await broker.request(SESSION, { method });
      assertError(answer, "method_not_allowed");
      assert.equal(answer.headers.get("allow"), "GET, DELETE", method);
    }
    assert.equal((await broker.request(SESSION, { method: "HEAD" })).status, 405);
  });
});

describe("DELETE /v1/session", () => {
  test("is 204 without a body, and the session is gone: record, index entry, mint, everything", async () => {
    const token = await broker.session();
    const sessions = await broker.sessions();
    await sessions.put(indexKey(WALLET, token), "");
    const answer = await revoke(token);
    assert.deepEqual([answer.status, answer.text], [204, ""]);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.equal(await sessions.get(recordKey(token)), null);
    assert.equal(await sessions.get(indexKey(WALLET, token)), null);
    for (const request of [broker.mint(token), describeSession(token), revoke(token)]) assertNotALiveSession(await request);
  });

  test("ends this session and no other of the wallet", async () => {
    const [ended, other] = [await broker.session(), await broker.session()];
    await (await broker.sessions()).put(indexKey(WALLET, other), "");
    assert.equal((await revoke(ended)).status, 204);
    assert.equal((await broker.mint(other)).status, 200);
    assert.equal(await (await broker.sessions()).get(indexKey(WALLET, other)), "");
  });

  test("works for a session without an index entry", async () => assert.equal((await revoke(await broker.session())).status, 204));
});

const BROKEN = {
  "empty": "",
  "not JSON": "canary-of-a-broken-record",
  "half of a record": JSON.stringify(record()).slice(0, -10),
  "a list": [record()],
  "a list of the members' values": [1, WALLET, now(), now() + 3600],
  "null": "null",
  "a text": '"session"',
  "an empty object": {},
  "a record and more": `${JSON.stringify(record())} {}`,
  "without v": record({ v: undefined }),
  "v 2": record({ v: 2 }),
  "v a text": record({ v: "1" }),
  "v 1.0": JSON.stringify(record()).replace('"v":1', '"v":1.0'),
  "without wallet": record({ wallet: undefined }),
  "wallet null": record({ wallet: null }),
  "wallet in mixed case": record({ wallet: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed" }),
  "wallet without 0x": record({ wallet: WALLET.slice(2) }),
  "wallet one digit short": record({ wallet: WALLET.slice(0, -1) }),
  "wallet with a wildcard": record({ wallet: `${WALLET.slice(0, -1)}*` }),
  "wallet a list": record({ wallet: [WALLET] }),
  "without created_at": record({ created_at: undefined }),
  "created_at a text": record({ created_at: String(now()) }),
  "created_at negative": record({ created_at: -1 }),
  "without expires_at": record({ expires_at: undefined }),
  "expires_at null": record({ expires_at: null }),
  "expires_at a fraction": record({ expires_at: now() + 100.5 }),
  "expires_at beyond what JavaScript counts exactly": JSON.stringify(record()).replace(/"expires_at":\d+/, '"expires_at":9007199254740993'),
  "ends when it begins": record({ created_at: now() + 50, expires_at: now() + 50 }),
  "ends before it begins": record({ created_at: now() + 100, expires_at: now() + 50 }),
  "an unknown member": record({ max_uses: 1 }),
  "an unknown member that is null": record({ allowed_ips: null }),
  "a member twice": JSON.stringify(record()).replace("{", `{"wallet":"${WALLET}",`),
  "an optional member twice": JSON.stringify(record({ max_token_ttl: 60 })).replace("{", '{"max_token_ttl":3600,'),
  "label null": record({ label: null }),
  "label empty": record({ label: "" }),
  "label too long": record({ label: "x".repeat(129) }),
  "label with a line break": record({ label: "a\nb" }),
  "audiences null": record({ audiences: null }),
  "audiences empty": record({ audiences: [] }),
  "audiences a text": record({ audiences: STS }),
  "audiences with one twice": record({ audiences: [STS, STS] }),
  "audiences with an empty one": record({ audiences: [""] }),
  "audiences with a blank": record({ audiences: ["a b"] }),
  "tags null": record({ tags: null }),
  "tags a list": record({ tags: [] }),
  "tags with a value that is a list": record({ tags: { team: ["blue"] } }),
  "a tag twice": JSON.stringify(record({ tags: { team: "blue" } })).replace('"team"', '"team":"red","team"'),
  "tags that differ in case only": record({ tags: { team: "blue", Team: "red" } }),
  "a tag of AWS's own": record({ tags: { "aws:PrincipalTag": "x" } }),
  "a tag of AWS's own in upper case": record({ tags: { "AWS:x": "x" } }),
  "a tag value of AWS's own": record({ tags: { team: "aws:x" } }),
  "a tag key with a wildcard": record({ tags: { "te*m": "x" } }),
  "a tag value with a policy variable": record({ tags: { team: "${aws:username}" } }),
  "a tag key of 129 characters": record({ tags: { ["k".repeat(129)]: "" } }),
  "a tag value of 257 characters": record({ tags: { team: "v".repeat(257) } }),
  "an empty tag key": record({ tags: { "": "x" } }),
  "49 tags": record({ tags: Object.fromEntries(Array.from({ length: 49 }, (_, n) => [`k${n}`, ""])) }),
  "the wallet as a tag of its own": record({ tags: { agentkeys_user_wallet: `0x${"1".repeat(40)}` } }),
  "the wallet as a tag of its own, in another case": record({ tags: { AgentKeys_User_Wallet: `0x${"1".repeat(40)}` } }),
  "the omni as a tag of its own": record({ tags: { agentkeys_actor_omni: "0" } }),
  "a transitive tag that is no tag": record({ transitive_tags: ["team"] }),
  "a transitive tag in another case": record({ tags: { team: "x" }, transitive_tags: ["Team"] }),
  "a transitive tag twice": record({ tags: { team: "x" }, transitive_tags: ["team", "team"] }),
  "roles empty": record({ roles: [] }),
  "roles null": record({ roles: null }),
  "roles a text": record({ roles: ROLE }),
  "a role with a wildcard": record({ roles: ["arn:aws:iam::123456789012:role/*"] }),
  "a role that is no ARN": record({ roles: ["agent"] }),
  "a role that is two": record({ roles: [`${ROLE};${ROLE}`] }),
  "source identity too short": record({ source_identity: "a" }),
  "source identity with a blank": record({ source_identity: "a b" }),
  "source identity of AWS's own": record({ source_identity: "aws:agent" }),
  "max_token_ttl 59": record({ max_token_ttl: 59 }),
  "max_token_ttl 3601": record({ max_token_ttl: 3601 }),
  "max_token_ttl a text": record({ max_token_ttl: "300" }),
  "max_token_ttl null": record({ max_token_ttl: null }),
  "longer than 16 KiB": `${JSON.stringify(record())}${" ".repeat(16_384)}`,
  "a grant too long for a token": record({ tags: Object.fromEntries(Array.from({ length: 48 }, (_, n) => [`k${n}`, "v".repeat(250)])) }),
  "2,000 lists inside one another": JSON.stringify(record()).replace("{", `{"label":${"[".repeat(2000)}${"]".repeat(2000)},`),
};

describe("a record that is broken is no session: 401 in the same words, and nothing of it is told", () => {
  for (const [name, content] of Object.entries(BROKEN)) {
    test(name, async () => {
      const token = sessionToken();
      await broker.store(token, content);
      const stored = await (await broker.sessions()).get(recordKey(token));
      for (const request of [broker.mint(token), describeSession(token), revoke(token)]) assertNotALiveSession(await request);
      assert.equal(await (await broker.sessions()).get(recordKey(token)), stored, "and it is left for its operator to see");
    });
  }

  test("while the same record without the fault is one", async () => {
    const full = { label: "x".repeat(128), audiences: [STS], tags: { ["k".repeat(128)]: "v".repeat(256) }, roles: [ROLE], source_identity: "ab", max_token_ttl: 60 };
    assert.equal((await broker.mint(await broker.session(full))).status, 200);
  });
});

describe("the log", () => {
  test("of a broken record names the key it is stored under and the rule, and nothing of its content", async () => {
    const token = sessionToken();
    const canary = guard("the content of a broken record", "canary-content-of-a-broken-record");
    await broker.store(token, record({ label: canary, surprise: canary }));
    const [event, ...others] = await broker.eventsOf(async () => assertNotALiveSession(await broker.mint(token)));
    assert.deepEqual(others, []);
    const { ms, colo, ...told } = event;
    assert.deepEqual(told, {
      event: "mint",
      outcome: "refused",
      reason: "broken_record",
      session: hashOf(token).slice(0, 12),
      record: recordKey(token),
      rule: "the record does not follow session.v1.schema.json",
    });
  });

  test("tells apart what the answer does not", async () => {
    const reasons = [];
    const expired = await broker.session({ created_at: now() - 20, expires_at: now() - 10 });
    for (const token of ["nothing", sessionToken(), expired]) {
      const [event] = await broker.eventsOf(async () => assertNotALiveSession(await broker.mint(token)));
      reasons.push(event.reason);
    }
    assert.deepEqual(reasons, ["malformed_token", "unknown_session", "expired_session"]);
  });

  test("is one line a request, for describing and revoking too, and none for public documents", async () => {
    const token = await broker.session();
    assert.deepEqual((await broker.eventsOf(() => describeSession(token))).map(({ event, outcome }) => [event, outcome]), [["session", "ok"]]);
    assert.deepEqual((await broker.eventsOf(() => revoke(token))).map(({ event, outcome }) => [event, outcome]), [["revoke", "ok"]]);
    assert.deepEqual(await broker.eventsOf(() => broker.request("/.well-known/jwks.json"), 0), []);
  });
});
