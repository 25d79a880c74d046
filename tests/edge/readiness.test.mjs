// Health and readiness: the one says that the worker runs, the other whether it can do its work and what stops it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ISSUER, startBroker } from "./support/broker.mjs";
import { ecKey, rsaKey, secrets, thumbprint } from "./support/keys.mjs";

const ec = await ecKey();
const rsa = await rsaKey();
let broker;

before(async () => {
  broker = await startBroker({ entry: "instrumented", secrets: secrets({ A: ec, B: rsa }) });
});
after(() => broker.close());

const deploy = (environment = {}) => broker.redeploy({ ISSUER, ...secrets({ A: ec, B: rsa }), ...environment });
const report = async () => {
  const answer = await broker.request("/readyz");
  assert.equal(answer.headers.get("content-type"), "application/json");
  assert.equal(answer.headers.get("cache-control"), "no-store");
  const { ready, checks } = answer.json();
  assert.equal(answer.status, ready ? 200 : 503);
  assert.equal(ready, checks.every(({ ok }) => ok));
  return { ready, checks };
};

describe("a worker that is ready", () => {
  test("names configuration, each key with its kid, and both stores", async () => {
    await deploy();
    assert.deepEqual(await report(), {
      ready: true,
      checks: [
        { check: "configuration", ok: true },
        { check: "key", name: "SIGNING_KEY_A", ok: true, kid: await thumbprint(ec) },
        { check: "key", name: "SIGNING_KEY_B", ok: true, kid: await thumbprint(rsa) },
        { check: "audience", name: "sts.amazonaws.com", ok: true },
        { check: "sessions", ok: true },
        { check: "challenges", ok: true },
      ],
    });
  });

  test("answers HEAD without a body", async () => {
    for (const path of ["/readyz", "/healthz"]) {
      const answer = await broker.request(path, { method: "HEAD" });
      assert.deepEqual([answer.status, answer.text], [200, ""], path);
    }
  });

  test("has no other methods", async () => {
    for (const path of ["/readyz", "/healthz"]) {
      for (const method of ["POST", "DELETE", "OPTIONS"]) {
        const answer = await broker.request(path, { method });
        assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "GET, HEAD"], `${method} ${path}`);
      }
    }
  });
});

describe("a worker that is not", () => {
  const failed = async () => (await report()).checks.filter(({ ok }) => !ok);

  test("names the variable that is wrong", async () => {
    await deploy({ TOKEN_TTL_SECONDS: "soon" });
    assert.deepEqual(await failed(), [{ check: "configuration", name: "TOKEN_TTL_SECONDS", ok: false, message: "is a whole number of seconds from 60 to 3600" }]);
  });

  test("names the secret that is wrong, even where the configuration is wrong too", async () => {
    await deploy({ SIGNING_KEY_C: "{}", ISSUER: "http://issuer.test" });
    assert.deepEqual((await failed()).map(({ check, name }) => [check, name]), [["configuration", "ISSUER"], ["key", "SIGNING_KEY_C"]]);
  });

  test("says that there is no key", async () => {
    await broker.redeploy({ ISSUER });
    const [{ check, message }, ...others] = await failed();
    assert.deepEqual([check, others], ["key", []]);
    assert.match(message, /SIGNING_KEY_/);
  });

  test("names the key whose test signature fails", async () => {
    await deploy();
    await broker.instruments({ faults: { sign: "reject" } });
    assert.deepEqual((await failed()).map(({ name }) => name), ["SIGNING_KEY_A", "SIGNING_KEY_B"]);
  });

  test("says that the namespace does not answer, whether it fails, hangs or is not bound", async () => {
    for (const kv of ["reject", "throw", "hang", "unbound"]) {
      await deploy();
      await broker.instruments({ faults: { kv }, instance: "new" });
      const [{ check, message }, ...others] = await failed();
      assert.deepEqual([check, others], ["sessions", []], kv);
      assert.match(message, /SESSIONS/);
    }
  });

  test("is still healthy: /healthz is 200 ok whatever is wrong", async () => {
    for (const [environment, faults] of [
      [{ ISSUER: undefined }, {}],
      [{ SIGNING_KEY_A: "x", SIGNING_KEY_B: "y" }, {}],
      [{}, { kv: "hang" }],
      [{}, { sign: "reject", random: "throw" }],
    ]) {
      await deploy(environment);
      await broker.instruments({ faults });
      const answer = await broker.request("/healthz");
      assert.deepEqual([answer.status, answer.text], [200, "ok"]);
      assert.equal(answer.headers.get("content-type"), "text/plain; charset=utf-8");
      assert.equal(answer.headers.get("cache-control"), "no-store");
    }
  });

  test("is ready again within ten seconds once the fault is gone", async () => {
    await deploy();
    await broker.instruments({ faults: { kv: "reject" } });
    assert.equal((await report()).ready, false);
    await broker.instruments({ faults: {} });
    await broker.instruments({ ahead: 11 });
    assert.equal((await report()).ready, true);
  });
});
