// The broker under test: the built wasm in workerd, behind wrangler's test harness.
//
// Three entries. `production` is build/worker as it is deployed, with the limits out of the way; `limited` has low ones.
// `instrumented` is the same entry.js and wasm inside support/instrumented/worker.mjs, which counts what is asked of the
// bindings, makes them fail, and moves the clock.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { assertNoCanary, assertNoCanaryInAnswer } from "./canaries.mjs";
import { record, recordKey, sessionToken } from "./sessions.mjs";

// Placeholder `Request.cf`: the tests are offline, and nothing here reads it.
process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
process.env.WRANGLER_SEND_METRICS = "false";
process.env.WRANGLER_WRITE_LOGS = "false";
const { createTestHarness } = await import("wrangler");

const root = fileURLToPath(new URL("../../../", import.meta.url));

export const ISSUER = "https://issuer.test";
export const MINT = "/v1/mint-oidc-jwt";
export const SESSION = "/v1/session";
export const TOKEN = "/v1/token";
export const START = "/v1/auth/wallet/start";
export const VERIFY = "/v1/auth/wallet/verify";
export const JWKS = "/.well-known/jwks.json";
export const DISCOVERY = "/.well-known/openid-configuration";

export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
export const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";

const ENTRIES = {
  production: { configPath: "tests/edge/support/wrangler.toml", prebuiltWorkerDir: "build/worker" },
  limited: { configPath: "tests/edge/support/wrangler.toml", env: "limited", prebuiltWorkerDir: "build/worker" },
  instrumented: { configPath: "tests/edge/support/instrumented/wrangler.toml" },
};

/** Starts a broker. `vars` and `secrets` are those of its wrangler environment; the issuer is ISSUER by default. */
export async function startBroker({ vars = {}, secrets, entry = "production" }) {
  assert.ok(existsSync(`${root}build/worker/entry.js`), "build/worker is missing: npx wrangler deploy --dry-run --env production --outdir build/worker");
  const settings = { vars, secrets };
  const options = () => ({ root, workers: [{ ...ENTRIES[entry], vars: { ISSUER, ...settings.vars }, secrets: settings.secrets }] });
  const server = createTestHarness(options());
  const { url } = await server.listen();
  return new Broker(server, url, (changed) => {
    Object.assign(settings, changed);
    return server.update(options());
  });
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

class Broker {
  #server;
  #update;

  constructor(server, url, update) {
    this.#server = server;
    this.#update = update;
    /** The loopback URL it listens on, without a trailing slash. */
    this.origin = url.origin;
  }

  /** Changes variables or secrets of the running worker, as a deployment would. */
  update(changed) {
    return this.#update(changed);
  }

  /** Makes the URL it listens on its issuer, so that foreign clients find it by discovery. */
  async becomeItsOwnIssuer(path = "", vars = {}) {
    await this.update({ vars: { ...vars, ISSUER: `${this.origin}${path}` } });
    return `${this.origin}${path}`;
  }

  /** A request over the loopback; the answer is read, searched for secrets, and returned with its text. */
  async request(path, { method = "GET", headers = {}, body, ...rest } = {}) {
    const response = await fetch(this.origin + path, { method, headers, body, redirect: "manual", ...rest });
    const text = await response.text();
    const shown = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    assertNoCanaryInAnswer(`${shown}\n\n${text}`, `the answer to ${method} ${path}`);
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
  }

  /** A mint request with a JSON body, or none. */
  mint(token, body, headers = {}) {
    const credential = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const content = body === undefined ? {} : { "content-type": "application/json" };
    const text = body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    return this.request(MINT, { method: "POST", headers: { ...credential, ...content, ...headers }, body: text });
  }

  /** A request with a JSON body. */
  post(path, body, headers = {}) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return this.request(path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: text });
  }

  /** A token exchange of this session, with these parameters besides or instead (RFC 8693 §2.1). */
  exchange(token, parameters = {}) {
    const form = { grant_type: TOKEN_EXCHANGE, subject_token: token, subject_token_type: ACCESS_TOKEN, ...parameters };
    const pairs = Object.entries(form).filter(([, value]) => value !== undefined);
    return this.request(TOKEN, { method: "POST", body: new URLSearchParams(pairs) });
  }

  /** A token, for a session that must get one. */
  async minted(token, body) {
    const answer = await this.mint(token, body);
    assert.equal(answer.status, 200, answer.text);
    return answer.json().jwt;
  }

  /** The namespace of sessions, written and read past the broker. */
  async sessions() {
    return (await this.#server.getWorker().getEnv()).SESSIONS;
  }

  /** A live session with these members in its record; its token. */
  async session(members = {}) {
    const token = sessionToken();
    await this.store(token, record(members));
    return token;
  }

  /** Stores anything as a token's record: an object as JSON, a text as it is. */
  async store(token, content) {
    await (await this.sessions()).put(recordKey(token), typeof content === "string" ? content : JSON.stringify(content));
  }

  /** Instrumented only: sets faults, clock, canary, environment (support/instrumented/instruments.mjs); the counts so far. */
  async instruments(settings) {
    const answer = await fetch(`${this.origin}/__instruments`, settings && { method: "POST", body: JSON.stringify(settings) });
    assert.equal(answer.status, 200, "this broker has no instruments");
    return answer.json();
  }

  /** Instrumented only: calls a challenge's object past the broker. */
  async challenge(name, method, ...parameters) {
    const answer = await fetch(`${this.origin}/__challenge`, { method: "POST", body: JSON.stringify({ name, method, parameters }) });
    assert.equal(answer.status, 200);
    return (await answer.json()).result;
  }

  /** Instrumented only: what `steps` cost at the bindings, without the data points (`eventPoints`). */
  async counted(steps = async () => {}) {
    await this.instruments();
    await steps();
    const { instances, points, ...counts } = await this.instruments();
    return counts;
  }

  /** Instrumented only: the data points that `steps` wrote. */
  async eventPoints(steps) {
    await this.instruments();
    await steps();
    return (await this.instruments()).points;
  }

  /**
   * Instrumented only: a fresh instance with exactly these variables and secrets, in milliseconds where a real deployment
   * takes a second. `undefined` leaves a variable out.
   */
  async redeploy(environment) {
    const { instances } = await this.instruments({ environment, faults: {}, ahead: 0, instance: "new" });
    await this.request("/healthz");
    assert.equal((await this.instruments()).instances, instances + 1, "the instance was not renewed");
  }

  /** The log lines so far. */
  logs() {
    return this.#server.getLogs().map(({ message }) => message);
  }

  /** The events logged while `steps` ran, of which `expected` are waited for: a line may arrive a little after its answer. */
  async eventsOf(steps, expected = 1) {
    await pause(100);
    this.searchLogs();
    this.#server.clearLogs();
    await steps();
    for (let tries = 0; tries < 40 && this.logs().length < expected; tries += 1) await pause(25);
    return this.logs().map((line) => JSON.parse(line));
  }

  /** Searches every log line for secrets and stack traces. */
  searchLogs() {
    for (const line of this.logs()) assertNoCanary(line);
  }

  async close() {
    try {
      this.searchLogs();
    } finally {
      await this.#server.close();
    }
  }
}
