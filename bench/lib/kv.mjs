// Workers KV for plain `workerd serve`, as services of the same process. Every contender of a run has the same one.
//
// workerd's `kvNamespace` binding speaks HTTP to a service. Two services can answer it:
//   miniflare  the simulator behind `wrangler dev`: an entry worker, a Durable Object, SQLite, one file per value.
//   memory     a worker with a Map: the least that can answer. It dilutes the contenders' own work least.
// Neither is what a look-up costs at the edge, where another machine answers. The `kv` floor shows the price of each.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

/** The stores to choose from; the first is the default. */
export const KV_KINDS = ["miniflare", "memory"];

const ENTRY = "kv:entry";
const OBJECT = "kv:object";
const DISK = "kv:disk";

// Miniflare pins this pair for its simulators; the modules rely on `experimental` (SQL prepare) being on.
const COMPATIBILITY = { compatibilityDate: "2023-07-24", compatibilityFlags: ["nodejs_compat", "experimental"] };

async function simulator(name) {
  // Miniflare exports only its index; the workers lie next to it.
  const index = createRequire(import.meta.url).resolve("miniflare");
  return readFile(path.join(path.dirname(index), "workers", name), "utf8").catch((cause) => {
    throw new Error(`this miniflare has no ${name}: bench/lib/kv.mjs follows miniflare's layout and needs a look`, { cause });
  });
}

/**
 * Services, extensions and the binding of one namespace; `folder` (absolute, must exist) is for a store that has files.
 * Besides the kinds above, `{ address }` is a store of another process that speaks the protocol (tests/stress/lib/store.mjs).
 */
export async function kvNamespace(kind, binding, folder) {
  if (typeof kind === "object") return external(kind.address, binding);
  const wiring = { service: ENTRY, binding: { name: binding, kvNamespace: ENTRY } };
  return { ...wiring, ...(kind === "memory" ? memory() : await miniflare(folder)) };
}

async function miniflare(folder) {
  const [entry, object, shared] = await Promise.all(
    ["shared/object-entry.worker.js", "kv/namespace.worker.js", "shared/index.worker.js"].map(simulator));
  return {
    extensions: [{ modules: [{ name: "miniflare:shared", esModule: shared }] }],
    services: [
      { name: DISK, disk: { path: folder, writable: true } },
      {
        name: OBJECT,
        worker: {
          ...COMPATIBILITY,
          modules: [{ name: "namespace.worker.js", esModule: object }],
          durableObjectNamespaces: [{ className: "KVNamespaceObject", uniqueKey: "bench-kv" }],
          durableObjectStorage: { localDisk: DISK },
          bindings: [{ name: "MINIFLARE_BLOBS", service: DISK }],
        },
      },
      {
        name: ENTRY,
        worker: {
          compatibilityDate: COMPATIBILITY.compatibilityDate,
          modules: [{ name: "object-entry.worker.js", esModule: entry }],
          bindings: [
            { name: "MINIFLARE_NAMESPACE", text: "bench" },
            { name: "MINIFLARE_OBJECT", durableObjectNamespace: { className: "KVNamespaceObject", serviceName: OBJECT } },
          ],
        },
      },
    ],
  };
}

// The part of the KV protocol that the broker uses: read, write with an expiration and metadata, delete, and list by prefix.
// And many writes at once, by POST, which that protocol has not.
const MEMORY = `
const entries = new Map();
const live = (entry) => entry !== undefined && entry.expiration > Date.now() / 1000;
export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const key = decodeURIComponent(pathname.slice(1));
    switch (request.method) {
      case "GET": {
        if (key === "") {
          const prefix = searchParams.get("prefix") ?? "";
          const found = [...entries].filter(([name, entry]) => name.startsWith(prefix) && live(entry));
          return Response.json({ keys: found.map(([name, { metadata }]) => ({ name, metadata })), list_complete: true, cacheStatus: null });
        }
        const entry = entries.get(key);
        return live(entry) ? new Response(entry.value) : new Response("Not Found", { status: 404 });
      }
      case "POST":
        for (const [name, value] of await request.json()) entries.set(name, { value, expiration: Infinity });
        return new Response();
      case "PUT":
        entries.set(key, {
          value: await request.text(),
          expiration: Number(searchParams.get("expiration") ?? Infinity),
          metadata: request.headers.get("cf-kv-metadata") ?? undefined,
        });
        return new Response();
      case "DELETE":
        entries.delete(key);
        return new Response();
      default:
        return new Response("this store reads, writes, deletes and lists", { status: 501 });
    }
  },
};
`;

const memory = () => ({
  extensions: [],
  services: [{
    name: ENTRY,
    worker: { compatibilityDate: "2025-01-01", modules: [{ name: "memory.js", esModule: MEMORY }] },
  }],
});

const external = (address, binding) => {
  const service = `kv:${address}`;
  return { service, binding: { name: binding, kvNamespace: service }, extensions: [], services: [{ name: service, external: { address, http: {} } }] };
};

const url = (origin, key) => `${origin}/${encodeURIComponent(key)}?urlencoded=true`;

async function expectOk(response, what) {
  const body = await response.text();
  if (!response.ok) throw new Error(`the KV simulator refused to ${what}: ${response.status} ${body.slice(0, 200)}`);
}

/** Writes one entry through the simulator's HTTP door; `expiration` in Unix seconds. */
export async function kvPut(origin, key, value, expiration) {
  const target = expiration === undefined ? url(origin, key) : `${url(origin, key)}&expiration=${expiration}`;
  await expectOk(await fetch(target, { method: "PUT", body: value }), "store an entry");
}

/** Writes many entries, each `[key, value]`, through the door of the store in memory. */
export async function kvPutMany(origin, entries) {
  await expectOk(await fetch(origin, { method: "POST", body: JSON.stringify(entries) }), "store entries");
}

/** Removes one entry. */
export async function kvDelete(origin, key) {
  await expectOk(await fetch(url(origin, key), { method: "DELETE" }), "remove an entry");
}
