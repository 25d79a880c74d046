// Who is measured: id, name, kind, the modules of the worker, and its bindings.

import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { buildBareRs } from "./bare-rs.mjs";

const PEERS = path.join(import.meta.dirname, "..", "peers");

/** In the order in which they are loaded and listed. */
export const CONTENDERS = ["broker", "jose", "bare-js", "bare-rs"];

/** The modules of a built worker: `index.js` first, then every other script and wasm file of the folder. */
export async function modulesOf(folder) {
  const kinds = { ".js": "esModule", ".mjs": "esModule", ".wasm": "wasm" };
  const files = (await readdir(folder, { recursive: true }))
    .filter((name) => path.extname(name) in kinds)
    .sort((a, b) => Number(b === "index.js") - Number(a === "index.js") || a.localeCompare(b));
  if (files[0] !== "index.js") throw new Error(`${folder} has no index.js; build the worker, or name its folder with --worker`);
  return files.map((name) => ({ name, kind: kinds[path.extname(name)], file: path.join(folder, name) }));
}

/** Bundles the jose peer into one module in `folder`. `plugins` lets a test break it on purpose. */
export async function bundleJose(folder, plugins = []) {
  const file = path.join(folder, "index.js");
  const require = createRequire(createRequire(import.meta.url).resolve("wrangler"));
  await mkdir(folder, { recursive: true });
  await require("esbuild").build({
    entryPoints: [path.join(PEERS, "jose", "index.js")],
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    outfile: file,
    logLevel: "error",
    plugins,
  });
  return [{ name: "index.js", kind: "esModule", file }];
}

/**
 * The broker's own bindings beside the KV namespace and the variables, which every contender of its kind has.
 * `rateLimits` and `durableObjects` as in workerd.mjs.
 */
const BROKER_BINDINGS = { durableObjects: {}, rateLimits: [] };

/**
 * One contender. `settings`: `worker` (folder of the built broker), `scratch` (folder for what is built here), `fixture`,
 * `mayBuild` (whether the slow first build of the Rust floor is wanted), `signal` (ends a build).
 * Answers `undefined` and says why, where a contender cannot take part.
 */
export async function contender(id, { worker, scratch, fixture, ...building }, say) {
  const kv = "SESSIONS";
  switch (id) {
    case "broker":
      if (!existsSync(path.join(worker, "index.js"))) {
        say("broker: left out, no built worker there; build it, or name its folder with --worker");
        return undefined;
      }
      return {
        id, name: "broker (Rust)", kind: "broker", modules: await modulesOf(worker),
        bindings: { kv, vars: fixture.vars, ...BROKER_BINDINGS },
      };
    case "jose":
      return {
        id, name: "peer (jose)", kind: "broker", modules: await bundleJose(path.join(scratch, "jose")),
        bindings: { kv, vars: fixture.vars },
      };
    case "bare-js":
      return {
        id, name: "bare JavaScript", kind: "bare", bindings: { kv },
        modules: [{ name: "index.js", kind: "esModule", file: path.join(PEERS, "bare-js", "index.js") }],
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
