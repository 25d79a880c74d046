// The built worker in plain workerd, as the subjects run it.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { exportJWK, generateKeyPair } from "jose";
import { modulesOf } from "../../../bench/lib/contenders.mjs";
import { ISSUER } from "../../../bench/lib/fixture.mjs";
import { project } from "../../../bench/lib/project.mjs";
import { serve } from "../../../bench/lib/workerd.mjs";

/** Where the worker is: where scripts/build leaves it, unless another folder is named. */
let built = path.join(import.meta.dirname, "..", "..", "..", "build", "worker");
export const useWorker = (folder) => { built = folder; };
const WORKERS = path.join(import.meta.dirname, "..", "workers");

/** A fresh signing key, as a secret holds it. `members` are its `nbf`, say. */
export async function newKey(members = {}) {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return { ...(await exportJWK(privateKey)), ...members };
}

/**
 * Starts the built worker. `keys` are the secrets by slot (one fresh key by default), `wrapper` names the modules of workers/ that
 * stand in front of the worker's entry, the first of them in its place, `changes` are replacements in that entry for a twin that is to be found out, as
 * `[from, to]`; `vars`, `places`, and the rest as `serve` takes them.
 */
export async function startWorker({ keys, wrapper = [], changes = [], vars = {}, places, kv = "memory", ...runtime }) {
  const { compatibility, bindings } = project();
  const secrets = Object.entries(keys ?? { A: await newKey() }).map(([slot, key]) => [`SIGNING_KEY_${slot}`, JSON.stringify(key)]);
  const folder = await mkdtemp(path.join(tmpdir(), "edge-broker-stress-"));
  try {
    const [entry, ...others] = await modulesOf(built);
    const modules = [changes.length > 0 ? await changed(entry, changes, folder) : entry, ...others];
    modules.unshift(...wrapper.map((name) => ({ name, kind: "esModule", file: path.join(WORKERS, name) })));
    const contender = { modules, places, bindings: { ...bindings, kv: "SESSIONS", vars: { ISSUER, ...vars, ...Object.fromEntries(secrets) } } };
    return await serve(contender, { ...compatibility, kv, ...runtime });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The entry with replacements, each of which must have a place. */
async function changed(entry, changes, folder) {
  let text = await readFile(entry.file, "utf8");
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`the built entry has no ${JSON.stringify(from)}: a twin needs a look`);
    text = text.replaceAll(from, () => to);
  }
  const file = path.join(folder, entry.name);
  await writeFile(file, text);
  return { ...entry, file };
}

/** Runs `steps` with a folder that is gone afterwards. */
export async function withFolder(steps) {
  const folder = await mkdtemp(path.join(tmpdir(), "edge-broker-stress-"));
  try {
    return await steps(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
