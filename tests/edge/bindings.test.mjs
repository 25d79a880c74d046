// What is tested has the bindings of what is deployed: names and classes, in every configuration of a broker.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { unstable_readConfig as readConfig } from "wrangler";

const root = fileURLToPath(new URL("../../", import.meta.url));
const PROJECT = "wrangler.toml";
const TESTS = "tests/edge/support/wrangler.toml";

/** The bindings of a configuration by name, without ids and figures. */
function bindings(file, env) {
  const config = readConfig({ config: `${root}${file}`, env }, { hideWarnings: true });
  return {
    date: config.compatibility_date,
    flags: config.compatibility_flags,
    kv: config.kv_namespaces.map(({ binding }) => binding),
    objects: config.durable_objects.bindings.map(({ name, class_name }) => [name, class_name]),
    migrations: config.migrations,
    limits: config.ratelimits.map(({ name }) => name),
  };
}

const figures = (file, env) => readConfig({ config: `${root}${file}`, env }, { hideWarnings: true }).ratelimits.map(({ name, simple }) => [name, simple.limit, simple.period]);

describe("bindings", () => {
  const deployed = bindings(PROJECT, "production");

  for (const [name, file, env] of [
    ["development", PROJECT, undefined],
    ["the tests' broker", TESTS, undefined],
    ["the tests' limited broker", TESTS, "limited"],
    ["the instrumented broker", "tests/edge/support/instrumented/wrangler.toml", undefined],
  ]) {
    test(`${name} has those of production`, () => assert.deepEqual(bindings(file, env), deployed));
  }

  test("production limits what the operator's page says, and development is out of the way", async () => {
    assert.deepEqual(figures(PROJECT, "production"), [["MINT_LIMIT", 120, 60], ["REFUSED_LIMIT", 60, 60], ["SIGNIN_CLIENT_LIMIT", 30, 60], ["SIGNIN_WALLET_LIMIT", 10, 60]]);
    for (const [, limit] of figures(PROJECT)) assert.ok(limit >= 100_000);
    const page = await readFile(`${root}docs/operations.md`, "utf8");
    for (const [name, limit] of figures(PROJECT, "production")) assert.match(page, new RegExp(`\`${name}\`[^\\n]*\\b${limit}\\b`), `docs/operations.md has the figure of ${name}`);
  });

  test("no two limits of an environment share a count", () => {
    for (const env of ["production", undefined]) {
      const ids = readConfig({ config: `${root}${PROJECT}`, env }, { hideWarnings: true }).ratelimits.map(({ namespace_id }) => namespace_id);
      assert.equal(new Set(ids).size, 4);
    }
  });

  test("observability is on wherever something is deployed", () => {
    for (const env of ["production", undefined]) assert.equal(readConfig({ config: `${root}${PROJECT}`, env }, { hideWarnings: true }).observability?.enabled, true);
  });
});
