// Who is measured: id, name, kind, the modules of the worker, and its bindings.

import { mkdir, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { buildBareRs } from "./bare-rs.mjs";

const PEERS = path.join(import.meta.dirname, "..", "peers");

/** In the order in which they are loaded and listed. */
export const CONTENDERS = ["broker", "jose", "bare-js", "bare-rs"];

/** The modules of a built worker: the entry (`index.js` or `entry.js`) first, then every other script and wasm file. */
export async function modulesOf(folder) {
  const kinds = { ".js": "esModule", ".mjs": "esModule", ".wasm": "wasm" };
  const files = (await readdir(folder, { recursive: true })).filter((name) => path.extname(name) in kinds);
  const entry = ["index.js", "entry.js"].find((name) => files.includes(name));
  if (entry === undefined) throw new Error(`${folder} has no index.js or entry.js; it is not the folder of a built worker`);
  return [entry, ...files.filter((name) => name !== entry)]
    .map((name) => ({ name, kind: kinds[path.extname(name)], file: path.join(folder, name) }));
}

/** Bundles the jose peer into one module in `folder`. `plugins` lets a test break it on purpose. */
export const bundleJose = (folder, plugins = []) => bundle("jose", folder, plugins);

/** Bundles a peer of that name into one module in `folder`. */
export async function bundle(peer, folder, plugins = []) {
  const file = path.join(folder, "index.js");
  const here = createRequire(import.meta.url);
  const require = createRequire(here.resolve("wrangler"));
  // viem's own copies of these two, which are newer than what other packages bring.
  const viem = createRequire(here.resolve("viem"));
  const noble = ["@noble/curves/secp256k1", "@noble/hashes/sha3"];
  await mkdir(folder, { recursive: true });
  await require("esbuild").build({
    entryPoints: [path.join(PEERS, peer, "index.js")],
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
    alias: Object.fromEntries(noble.map((name) => [name, viem.resolve(name)])),
    outfile: file,
    logLevel: "error",
    plugins,
  });
  return [{ name: "index.js", kind: "esModule", file }];
}

/**
 * One contender. `settings`: `worker` (folder of the built broker, if there is one),
 * `bindings` (the broker's and the peer's, beside KV and variables), `scratch` (folder for what is built here), `fixture`,
 * `mayBuild` (whether the slow first build of the Rust floor is wanted), `signal` (ends a build).
 * Answers `undefined` and says why, where a contender cannot take part.
 */
export async function contender(id, { worker, bindings, scratch, fixture, ...building }, say) {
  const kv = "SESSIONS";
  const full = () => ({ kv, vars: fixture.vars, ...bindings, overLimit: fixture.overLimit });
  switch (id) {
    case "broker":
      if (worker === undefined) {
        say("broker: left out, no built worker was named (--worker)");
        return undefined;
      }
      return {
        id, name: "broker (Rust)", kind: "broker", modules: await modulesOf(worker), bindings: full(),
      };
    case "jose":
      return {
        id, name: "peer (jose)", kind: "broker", modules: await bundleJose(path.join(scratch, "jose")), bindings: full(),
      };
    case "bare-js":
      return {
        id, name: "bare JavaScript", kind: "bare", modules: await bundle("bare-js", path.join(scratch, "bare-js")),
        bindings: { kv, vars: fixture.vars, rateLimits: bindings.rateLimits },
      };
    case "bare-rs": {
      const folder = await buildBareRs(path.join(PEERS, "bare-rs"), scratch, building, say);
      if (folder === undefined) return undefined;
      return { id, name: "bare workers-rs", kind: "bare", bindings: { kv }, modules: await modulesOf(folder) };
    }
    default:
      throw new Error(`no such contender: ${id}; there are ${CONTENDERS.join(", ")}`);
  }
}

/** The version of an installed npm package. */
export const packageVersion = (name) => createRequire(import.meta.url)(`${name}/package.json`).version;
