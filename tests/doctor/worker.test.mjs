// `edge-broker doctor` on the built worker in workerd: what the broker promises is what the doctor looks for, and what is
// wrong with a deployment is found. The binary is target/debug/edge-broker, or the one that EDGE_BROKER_BIN names.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const binary = process.env.EDGE_BROKER_BIN ?? `${process.env.CARGO_TARGET_DIR ?? `${root}target`}/debug/edge-broker`;
const missing = [
  [`${root}build/worker/entry.js`, "build/worker is missing: scripts/build"],
  [`${root}node_modules/wrangler`, "wrangler is missing: npm ci"],
  [binary, "the tool is missing: cargo build --package edge-broker"],
].find(([path]) => !existsSync(path))?.[1];

/** The issuer of the tests is this machine's: http, and a port. */
const AT_HOME = { https: "warn", "issuer-form": "warn" };

describe("doctor and the worker", { skip: missing }, () => {
  let broker;
  let slots;

  before(async () => {
    const { startBroker } = await import("../edge/support/broker.mjs");
    const keys = await import("../edge/support/keys.mjs");
    slots = { ec: keys.secrets({ A: await keys.ecKey(), B: await keys.ecKey() }), broken: { SIGNING_KEY_A: "{}" } };
    broker = await startBroker({ secrets: slots.ec });
  });
  after(() => broker?.close());

  /** The report, and the exit code. A child process and not a call that waits: the broker is answered for by this one. */
  const doctor = (issuer, { session, options = [] } = {}) =>
    new Promise((resolve, reject) => {
      const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$|^EDGE_BROKER_/i.test(name)));
      const child = spawn(binary, ["doctor", issuer, "--json", ...(session ? ["--session-token-file", "-"] : []), ...options], { env: environment });
      let stdout = "";
      let stderr = "";
      child.stdout.on("data", (data) => (stdout += data));
      child.stderr.on("data", (data) => (stderr += data));
      child.on("error", reject);
      child.stdin.on("error", () => {});
      child.stdin.end(session ?? "");
      child.on("close", (code) => {
        if (session) assert.ok(!(stdout + stderr).includes(session), "the session token is repeated");
        const report = JSON.parse(stdout);
        const of = (...results) => Object.fromEntries(report.checks.filter(({ result }) => results.includes(result)).map(({ id, result }) => [id, result]));
        resolve({ code, report, stderr, found: of("warn", "fail"), skipped: Object.keys(of("skip")), text: JSON.stringify(report, null, 1) });
      });
    });

  test("every check passes with a session, at the root and under a path", async () => {
    for (const path of ["", "/agents/keys"]) {
      const issuer = await broker.becomeItsOwnIssuer(path);
      const { code, found, report, text, skipped } = await doctor(issuer, { session: await broker.session() });
      assert.deepEqual(found, AT_HOME, text);
      // Whether workerd sends a Date is its own business: the token's iat stands in for it.
      assert.deepEqual(skipped, ["tls-certificate"], text);
      assert.ok(report.counts.pass >= 25);
      assert.equal(code, 0);
    }
  });

  test("a session with tags, roles and a source identity passes as well", async () => {
    const issuer = await broker.becomeItsOwnIssuer();
    const session = await broker.session({ tags: { Team: "blue" }, roles: ["arn:aws:iam::123456789012:role/agent"], source_identity: "agent", max_token_ttl: 900 });
    const { code, found, text } = await doctor(issuer, { session });
    assert.deepEqual([found, code], [AT_HOME, 0], text);
  });

  test("without a session what can be seen passes", async () => {
    const { code, found, text } = await doctor(await broker.becomeItsOwnIssuer());
    assert.deepEqual([found, code], [AT_HOME, 0], text);
  });

  test("a session that is not live fails the mint and nothing else", async () => {
    const { sessionToken } = await import("../edge/support/sessions.mjs");
    const { code, found, text } = await doctor(await broker.becomeItsOwnIssuer(), { session: sessionToken() });
    assert.deepEqual([found, code], [{ ...AT_HOME, mint: "fail" }, 1], text);
  });

  test("an issuer that is deployed for another URL is found", async () => {
    const issuer = await broker.becomeItsOwnIssuer();
    await broker.update({ vars: { ISSUER: "https://elsewhere.example.com" } });
    const { code, found, text } = await doctor(issuer);
    assert.equal(found.issuer, "fail", text);
    assert.equal(code, 1);
  });

  test("a broken key is named, as readiness names it", async () => {
    const issuer = await broker.becomeItsOwnIssuer();
    await broker.update({ secrets: slots.broken });
    try {
      const { code, found, report, text } = await doctor(issuer);
      assert.equal(code, 1);
      assert.equal(found.ready, "fail", text);
      assert.match(report.checks.find(({ id }) => id === "ready").why, /SIGNING_KEY_A/);
      assert.equal(found["discovery-status"], "fail", text);
    } finally {
      await broker.update({ secrets: slots.ec });
    }
  });
});
