// The plainest client of all: what the documentation's curl lines do.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";

import { DISCOVERY, JWKS, MINT, SESSION, startBroker } from "./support/broker.mjs";
import { ecKey, secrets } from "./support/keys.mjs";
import { assertIsolates } from "./support/session-tags.mjs";
import { WALLET, sessionToken } from "./support/sessions.mjs";

const skip = spawnSync("curl", ["--version"]).status === 0 ? false : "curl is missing";

describe("curl", { skip }, () => {
  let broker;
  before(async () => {
    broker = await startBroker({ secrets: secrets({ A: await ecKey() }) });
  });
  after(() => broker?.close());

  /** Runs curl; the credential comes on standard input, so that it is in no list of processes. */
  const curl = (path, { token, ...options } = {}) =>
    new Promise((resolve, reject) => {
      const credential = token ? ["--header", "@-"] : [];
      const parameters = ["--silent", "--fail-with-body", "--max-time", "10", ...(options.parameters ?? []), ...credential];
      const process = spawn("curl", [...parameters, broker.origin + path], { stdio: ["pipe", "pipe", "inherit"] });
      let output = "";
      process.stdout.on("data", (chunk) => (output += chunk));
      process.on("error", reject);
      process.on("close", (status) => resolve({ status, output }));
      process.stdin.end(token ? `Authorization: Bearer ${token}\n` : "");
    });
  const succeeded = async (run) => {
    const { status, output } = await run;
    assert.equal(status, 0, output);
    return output;
  };

  test("reads discovery and key set", async () => {
    for (const path of [DISCOVERY, JWKS]) JSON.parse(await succeeded(curl(path)));
  });

  test("mints with no body, and with one", async () => {
    const token = await broker.session();
    for (const parameters of [["--request", "POST"], ["--json", '{"ttl_seconds": 60}'], ["--header", "Content-Type: application/json", "--data", '{"audience": "sts.amazonaws.com"}']]) {
      const { jwt } = JSON.parse(await succeeded(curl(MINT, { token, parameters })));
      assertIsolates(JSON.parse(Buffer.from(jwt.split(".")[1], "base64url")), WALLET);
    }
  });

  test("is told 415 where it sends a form, as --data does by itself", async () => {
    const { status, output } = await curl(MINT, { token: await broker.session(), parameters: ["--data", '{"ttl_seconds": 60}'] });
    assert.equal(status, 22);
    assert.equal(JSON.parse(output).error, "unsupported_media_type");
  });

  test("describes and ends a session", async () => {
    const token = await broker.session();
    assert.equal(JSON.parse(await succeeded(curl(SESSION, { token }))).wallet, WALLET);
    assert.equal(await succeeded(curl(SESSION, { token, parameters: ["--request", "DELETE"] })), "");
    assert.equal((await curl(SESSION, { token })).status, 22);
  });

  test("fails without a live session", async () => {
    for (const token of [undefined, sessionToken()]) {
      const { status, output } = await curl(MINT, { token, parameters: ["--request", "POST"] });
      assert.equal(status, 22);
      assert.equal(JSON.parse(output).error, "unauthorized");
    }
  });
});
