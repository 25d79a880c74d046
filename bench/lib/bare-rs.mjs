// Builds the Rust floor with worker-build itself, unchanged: the shim and the flags that a workers-rs worker has by default.
//
// worker-build comes from cargo and is kept in the scratch folder; the first build takes some minutes, later ones seconds.
// Its three helpers are ours to name: wasm-bindgen from the lock file here, wasm-opt and esbuild from npm. Nothing is
// downloaded from a release page.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const WORKER_BUILD = "0.8.7";
const TIMEOUT_MS = 15 * 60_000;

const root = path.join(import.meta.dirname, "..", "..");
const npmBin = (name) => path.join(root, "node_modules", ".bin", name);

/** Answers the folder of the built worker, or `undefined` (said why) where it is not built and may not be. */
export async function buildBareRs(crate, scratch, { mayBuild, signal }, say) {
  const out = path.join(scratch, "bare-rs");
  const tools = path.join(scratch, "tools");
  const workerBuild = path.join(tools, "bin", "worker-build");
  const first = !existsSync(workerBuild);
  if (!mayBuild) {
    if (existsSync(path.join(out, "index.js"))) return out;
    say("bare-rs: left out, it is not built yet; a run without --quick builds it");
    return undefined;
  }
  if (first) say("bare-rs: building worker-build and the floor for the first time, which takes some minutes");
  const target = path.join(scratch, "cargo");
  const command = (file, args, env) => execute(file, args, {
    cwd: crate, env: { ...process.env, CARGO_TARGET_DIR: target, ...env }, signal, timeout: TIMEOUT_MS, killSignal: "SIGKILL",
  });
  if (first) await command("cargo", ["install", "--quiet", "--locked", "--root", tools, `worker-build@${WORKER_BUILD}`]);
  await command("cargo", ["build", "--quiet", "--locked", "--package", "bare-rs-bindgen"]);
  await command(workerBuild, ["--release", "--out-dir", out, "--", "--locked"], {
    WASM_BINDGEN_BIN: path.join(target, "debug", "bare-rs-bindgen"),
    WASM_OPT_BIN: npmBin("wasm-opt"),
    ESBUILD_BIN: npmBin("esbuild"),
  });
  return out;
}

async function execute(file, args, options) {
  try {
    await run(file, args, options);
  } catch (error) {
    throw new Error(`building the Rust floor failed (leave it out with --contenders broker,jose,bare-js):\n${error.stderr ?? error.message}`,
      { cause: error });
  }
}
