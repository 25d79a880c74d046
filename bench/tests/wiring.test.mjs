// Bindings arrive in the worker as they were given, whatever characters they have.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { KV_KINDS, kvDelete, kvPut } from "../lib/kv.mjs";
import { cpuMicroseconds, peakResidentBytes } from "../lib/proc.mjs";
import { serve } from "../lib/workerd.mjs";

const ODD = '{"d":"\\\\ \\" \n\t\u0007 é 🔑"}';
const WORKER = `
import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  count() {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS t (n INTEGER)");
    this.ctx.storage.sql.exec("INSERT INTO t VALUES (1)");
    return this.ctx.storage.sql.exec("SELECT COUNT(*) AS n FROM t").one().n;
  }
}
async function listed(store) {
  await store.put("list/one", "1", { metadata: { a: "é" } });
  return (await store.list({ prefix: "list/" })).keys.map(({ name, metadata }) => [name, metadata]);
}
export default {
  async fetch(request, env) {
    const stub = env.COUNTER.get(env.COUNTER.idFromName("one"));
    await stub.count();
    return Response.json({
      text: env.TEXT, json: env.JSON, count: await stub.count(), limit: await env.LIMIT.limit({ key: "k" }),
      value: await env.STORE.get("a/b c%"), none: await env.STORE.get("none"), listed: await listed(env.STORE),
    });
  },
};`;

describe("a worker's bindings", () => {
  let folder;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "edge-broker-bench-test-"));
    await writeFile(path.join(folder, "index.js"), WORKER);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const kv of KV_KINDS) {
    it(`arrive as they were given, with the ${kv} store`, async () => {
      const server = await serve({
        modules: [{ name: "index.js", kind: "esModule", file: path.join(folder, "index.js") }],
        bindings: {
          kv: "STORE", vars: { TEXT: ODD, JSON: { list: [ODD] } }, durableObjects: { COUNTER: "Counter" }, rateLimits: ["LIMIT"],
        },
      }, { date: "2026-09-01", flags: [], kv });
      try {
        await kvPut(server.kvOrigin, "a/b c%", "stored", Math.floor(Date.now() / 1000) + 600);
        const expected = { text: ODD, json: { list: [ODD] }, count: 2, limit: { success: true }, value: "stored", none: null, listed: [["list/one", { a: "é" }]] };
        assert.deepEqual(await (await fetch(server.origin)).json(), expected);
        await kvDelete(server.kvOrigin, "a/b c%");
        const { value } = await (await fetch(server.origin)).json();
        assert.equal(value, null);
        assert.ok(cpuMicroseconds(server.pid) > 0);
        assert.ok(peakResidentBytes(server.pid) > 2 ** 20);
      } finally {
        await server.stop();
      }
      assert.throws(() => cpuMicroseconds(server.pid), "the process has ended");
    });
  }

  it("are told with workerd's own words where it will not start", () =>
    assert.rejects(serve({ modules: [{ name: "index.js", kind: "esModule", file: path.join(folder, "index.js") }], bindings: {} },
      { date: "1999-01-01", flags: [], kv: "memory" }), /workerd ended while starting[^]*[Cc]ompatibility/));
});
