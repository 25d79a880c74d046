// Other variables and secrets in an isolate that goes on running: Cloudflare need not start one where only bindings change
// (https://developers.cloudflare.com/workers/runtime-apis/bindings/#making-changes-to-bindings). A rotation is such a change.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { decodeProtectedHeader } from "jose";

import { DISCOVERY, ISSUER, JWKS, startBroker } from "./support/broker.mjs";
import { ecKey, secrets } from "./support/keys.mjs";

const FIRST = secrets({ A: await ecKey() });
const SECOND = secrets({ A: await ecKey() });
const BOTH = { ...FIRST, SIGNING_KEY_B: SECOND.SIGNING_KEY_A };
let broker;

before(async () => {
  broker = await startBroker({ entry: "instrumented", secrets: FIRST });
  await broker.request("/healthz");
});
after(() => broker.close());

/** The worker's variables and secrets from now on, in the instance that is there. */
const change = (environment) => broker.instruments({ environment: { ISSUER, ...environment } });
const kids = async () => (await broker.request(JWKS)).json().keys.map(({ kid }) => kid);
const signedBy = async () => decodeProtectedHeader(await broker.minted(await broker.session())).kid;

/** Runs steps, in which no fresh instance may have come. */
async function inOneInstance(steps) {
  const { instances } = await broker.instruments();
  await steps();
  assert.equal((await broker.instruments()).instances, instances, "the instance was renewed");
}

describe("an isolate that is given other bindings while it runs", () => {
  test("publishes a key that comes, and signs with it", () => inOneInstance(async () => {
    await change(FIRST);
    const [first] = await kids();
    assert.equal(await signedBy(), first);
    await change(BOTH);
    const both = await kids();
    assert.equal(both.length, 2);
    await change(SECOND);
    const [second, ...none] = await kids();
    assert.deepEqual([none, both.toSorted()], [[], [first, second].toSorted()]);
    assert.equal(await signedBy(), second);
  }));

  test("and no longer one that is gone", () => inOneInstance(async () => {
    await change(SECOND);
    const [second] = await kids();
    await change(BOTH);
    assert.ok((await kids()).includes(second));
    await change(FIRST);
    assert.ok(!(await kids()).includes(second));
    assert.notEqual(await signedBy(), second);
  }));

  test("has the variables that it is given", () => inOneInstance(async () => {
    await change({ ...FIRST, ISSUER: "https://other.test" });
    assert.equal((await broker.request(DISCOVERY)).json().issuer, "https://other.test");
    await change({ ...FIRST, TOKEN_TTL_SECONDS: "none" });
    assert.equal((await broker.request(DISCOVERY)).status, 503);
    assert.equal((await broker.request("/readyz")).status, 503);
    await change(FIRST);
    assert.equal((await broker.request(DISCOVERY)).json().issuer, ISSUER);
    assert.equal((await broker.request("/readyz")).status, 200);
  }));

  test("and the stores", () => inOneInstance(async () => {
    await broker.instruments({ faults: { kv: "unbound" } });
    const token = await broker.session();
    assert.equal((await broker.mint(token)).status, 503);
    await broker.instruments({ faults: {} });
    await broker.minted(token);
  }));

  test("has within a second what changes in the object that it knows", () => inOneInstance(async () => {
    await broker.instruments({ inPlace: true });
    try {
      await change(FIRST);
      const [first] = await kids();
      for (const [environment, count] of [[BOTH, 2], [FIRST, 1], [SECOND, 1]]) {
        await change(environment);
        await pause(1_100);
        assert.equal((await kids()).length, count);
      }
      assert.notEqual(await signedBy(), first);
    } finally {
      await broker.instruments({ inPlace: false });
    }
  }));

  test("imports nothing where variables and secrets are as they were, nor where they are so again", () => inOneInstance(async () => {
    await change(FIRST);
    await kids();
    await change(SECOND);
    await kids();
    const { imports } = await broker.counted(async () => {
      await kids();
      await change(FIRST);
      await signedBy();
      await change(SECOND);
      await signedBy();
    });
    assert.equal(imports, 0);
  }));

  test("does not mix two sets of bindings whose requests come in turn", () => inOneInstance(async () => {
    await change(FIRST);
    const [first] = await kids();
    await change(SECOND);
    const [second] = await kids();
    assert.notEqual(first, second);
    for (let turn = 0; turn < 10; turn += 1) {
      await change(turn % 2 === 0 ? FIRST : SECOND);
      assert.equal(await signedBy(), turn % 2 === 0 ? first : second);
    }
  }));
});
