// scripts/deploy, step by step: with a stand-in for wrangler that records what it is told, and a dry run with the real one.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";

const CONFIG = `wrangler.test-${process.pid}.toml`;
const UNSET = "0".repeat(32);
const folder = mkdtempSync(join(tmpdir(), "deploy-"));
const STATE = join(folder, "state.json");
const TOOL = join(folder, "edge-broker");
const DOCTOR = join(folder, "doctor");

const original = readFileSync("wrangler.toml", "utf8");
const configured = original.replace('ISSUER = "https://keys.example.com"', 'ISSUER = "https://keys.agents.test"');

const start = (change = {}) => ({ calls: [], loggedIn: true, namespaces: [], secrets: [], deployed: null, failing: [], ...change });
const state = () => JSON.parse(readFileSync(STATE, "utf8"));
const put = (change) => writeFileSync(STATE, JSON.stringify(start(change)));

function deploy(...argv) {
  const env = {
    ...process.env,
    EDGE_BROKER_CONFIG: CONFIG,
    EDGE_BROKER_WRANGLER: "tests/deploy/wrangler-double.mjs",
    EDGE_BROKER: TOOL,
    EDGE_BROKER_DOCTOR_PAUSE_MS: "1",
    DOUBLE_STATE: STATE,
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/deploy.d/run.mjs", ...argv], { env, encoding: "utf8", timeout: 120_000 });
  return { status, said: stdout + stderr };
}

before(() => {
  // The tool's two commands that a deployment runs: a key of the right form, and a doctor whose verdict is a file.
  const key = JSON.stringify({ kty: "EC", crv: "P-256", x: "x", y: "y", d: "canary-private-member" });
  writeFileSync(TOOL, `#!/bin/sh\ncase "$1" in keygen) echo '${key}' ;; doctor) echo "$*" >>${folder}/asked; exit "$(cat ${DOCTOR})" ;; esac\n`, { mode: 0o755 });
});

beforeEach(() => {
  writeFileSync(CONFIG, configured);
  writeFileSync(DOCTOR, "0");
  writeFileSync(join(folder, "asked"), "");
  put();
});

after(() => {
  rmSync(CONFIG, { force: true });
  rmSync(folder, { recursive: true });
});

describe("from a logged-in wrangler to a live issuer", () => {
  it("makes namespace and key, deploys, and asks doctor", () => {
    const { status, said } = deploy("production");
    assert.equal(status, 0, said);
    const { namespaces, secrets, deployed, secretIsKey } = state();
    assert.equal(namespaces.length, 1);
    assert.equal(namespaces[0].title, "agentkeys-edge-broker-sessions");
    assert.deepEqual(secrets.map(({ name }) => name), ["SIGNING_KEY_A"]);
    assert.equal(secretIsKey, true);
    assert.match(deployed, /^[0-9a-f]{20}$/);
    assert.match(readFileSync(join(folder, "asked"), "utf8"), /^doctor https:\/\/keys\.agents\.test$/m);
    assert.match(said, /https:\/\/keys\.agents\.test is live/);
  });

  it("writes the namespace's id into wrangler.toml, and changes nothing else there", () => {
    deploy("production");
    const id = state().namespaces[0].id;
    assert.equal(readFileSync(CONFIG, "utf8"), configured.replace(UNSET, id));
  });

  it("shows no private member", () => {
    assert.doesNotMatch(deploy("production").said, /canary-private-member/);
    assert.doesNotMatch(readFileSync(STATE, "utf8"), /canary-private-member/);
  });

  it("changes nothing when it is run again", () => {
    deploy("production");
    const first = state();
    writeFileSync(STATE, JSON.stringify({ ...first, calls: [] }));
    const { status } = deploy("production");
    assert.equal(status, 0);
    const { calls, ...second } = state();
    assert.deepEqual(second, { ...second, namespaces: first.namespaces, secrets: first.secrets, deployed: first.deployed });
    const changes = calls.filter((line) => /^(kv namespace create|secret put|deploy (?!.*--dry-run))/.test(line));
    assert.deepEqual(changes, []);
  });

  it("finds a namespace that is there and was not written down", () => {
    const id = "a".repeat(32);
    put({ namespaces: [{ id, title: "agentkeys-edge-broker-sessions" }] });
    assert.equal(deploy("production").status, 0);
    assert.equal(state().calls.some((line) => line.startsWith("kv namespace create")), false);
    assert.ok(readFileSync(CONFIG, "utf8").includes(id));
  });

  it("leaves keys alone, whatever slot they are in", () => {
    put({ deployed: "other", secrets: [{ name: "SIGNING_KEY_B" }] });
    assert.equal(deploy("production").status, 0);
    assert.deepEqual(state().secrets, [{ name: "SIGNING_KEY_B" }]);
  });
});

describe("what is in the way is named with its remedy", () => {
  const refusals = [
    ["nobody is logged in", { state: { loggedIn: false } }, /wrangler login/],
    ["the issuer is still the example", { config: original }, /still the example/],
    ["the issuer is not https", { config: configured.replace("https://keys.agents.test", "http://keys.agents.test") }, /public https URL/],
    ["the environment is not there", { env: "staging" }, /no environment staging: it has production/],
    ["the namespace is not made", { state: { failing: ["kv namespace create"] } }, /kv namespace create failed/],
    ["the secret is not stored", { state: { failing: ["secret put"] } }, /secret put SIGNING_KEY_A failed/],
    ["the worker is not deployed", { state: { failing: ["deploy --env"] } }, /deploy --env production failed/],
  ];
  for (const [name, { state: change, config, env = "production" }, remedy] of refusals) {
    it(name, () => {
      if (change) put(change);
      if (config) writeFileSync(CONFIG, config);
      const { status, said } = deploy(env);
      assert.equal(status, 1, said);
      assert.match(said, remedy);
      assert.doesNotMatch(said, /is live\./);
    });
  }

  it("doctor is not content: it is asked again, then the deployment is not called live", () => {
    writeFileSync(DOCTOR, "1");
    const { status, said } = deploy("production");
    assert.equal(status, 1);
    assert.match(said, /deployed and not healthy/);
    assert.equal(readFileSync(join(folder, "asked"), "utf8").trim().split("\n").length, 6);
  });

  it("a command line that is wrong exits 2", () => {
    for (const argv of [[], ["production", "extra"], ["production", "--force"]]) assert.equal(deploy(...argv).status, 2, argv.join(" "));
  });
});

describe("a dry run", () => {
  it("with the real wrangler, which nobody is logged in to, shows every step and changes nothing", () => {
    const env = { ...process.env, EDGE_BROKER_CONFIG: CONFIG, EDGE_BROKER: TOOL, HOME: folder, XDG_CONFIG_HOME: folder };
    // Rust's own tools lie below the home folder by default.
    env.CARGO_HOME ??= join(process.env.HOME ?? "", ".cargo");
    env.RUSTUP_HOME ??= join(process.env.HOME ?? "", ".rustup");
    const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/deploy.d/run.mjs", "production", "--dry-run"], { env, encoding: "utf8", timeout: 300_000 });
    const said = stdout + stderr;
    assert.equal(status, 0, said);
    for (const step of [
      "wrangler whoami --json",
      "wrangler kv namespace list",
      "wrangler kv namespace create agentkeys-edge-broker-sessions",
      "wrangler secret list --env production",
      "edge-broker keygen | wrangler secret put SIGNING_KEY_A --env production",
      "wrangler deploy --dry-run --env production --outdir build/worker",
      "wrangler deploy --env production --tag ",
      "edge-broker doctor https://keys.agents.test",
    ]) {
      assert.ok(said.includes(step), `${step} is not shown:\n${said}`);
    }
    assert.equal(readFileSync(CONFIG, "utf8"), configured);
  });
});
