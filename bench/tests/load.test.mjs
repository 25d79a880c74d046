// A load counts every status, and a wrong one ends the run.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { assertStatuses, load, wrkVersion } from "../lib/load.mjs";

const OPTIONS = { seconds: 1, connections: 2, signal: new AbortController().signal };
const seen = new Map();

let wrk = true;
try {
  wrkVersion();
} catch {
  wrk = false;
}

describe("a load", { skip: wrk ? false : "wrk is not installed: apt-get install -y wrk" }, () => {
  let http;
  let server;
  before(async () => {
    let count = 0;
    http = createServer(({ method, url, headers }, response) => {
      seen.set(`${method} ${url} ${headers.authorization ?? ""}`, true);
      count += 1;
      response.writeHead(url === "/sometimes" && count % 50 === 0 ? 500 : 200).end("ok");
    }).listen(0, "127.0.0.1");
    await once(http, "listening");
    server = { pid: process.pid, origin: `http://127.0.0.1:${http.address().port}` };
  });
  after(() => http.close());

  it("measures, and sends what it was given in turn", async () => {
    const requests = ["one", "two"].map((name) => ({ method: "POST", path: "/mint", headers: { authorization: `Bearer ${name}` } }));
    const result = await load(server, requests, 200, OPTIONS);
    assert.ok(result.requests > 0 && result.requestsPerSecond > 0 && result.cpuMicrosecondsPerRequest > 0);
    assert.ok(result.p50 > 0 && result.p99 >= result.p50);
    assert.ok(seen.has("POST /mint Bearer one") && seen.has("POST /mint Bearer two"));
  });
  it("fails where another status came back", () =>
    assert.rejects(load(server, [{ method: "GET", path: "/" }], 304, OPTIONS), /expected only 304 and got: \d+ × 200/));
  it("fails where one answer in fifty was wrong", () =>
    assert.rejects(load(server, [{ method: "GET", path: "/sometimes" }], 200, OPTIONS), /\d+ × 500/));
  it("fails where nobody listens", () =>
    assert.rejects(load({ pid: process.pid, origin: "http://127.0.0.1:1" }, [{ method: "GET", path: "/" }], 200, OPTIONS), /wrk failed|got: none/));
  it("ends when the run is interrupted", async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 200);
    const began = Date.now();
    await assert.rejects(load(server, [{ method: "GET", path: "/" }], 200, { ...OPTIONS, seconds: 20, signal: abort.signal }));
    assert.ok(Date.now() - began < 5000);
  });
  it("sends no request whose field could be read as two", () =>
    assert.rejects(load(server, [{ method: "GET", path: "/\t/" }], 200, OPTIONS), /tab or a newline/));
});

describe("statuses", () => {
  it("pass where all are the expected one", () => assertStatuses({ requests: 3, statuses: { 401: 3 }, socketErrors: 0 }, 401));
  for (const [what, counts] of Object.entries({
    "one is another": { requests: 3, statuses: { 200: 2, 500: 1 }, socketErrors: 0 },
    "there are none": { requests: 0, statuses: {}, socketErrors: 0 },
    "a socket failed": { requests: 3, statuses: { 200: 3 }, socketErrors: 1 },
  })) {
    it(`fail where ${what}`, () => assert.throws(() => assertStatuses(counts, 200), /expected only 200/));
  }
});
