// scripts/stress: the long forms of the subjects, one after the other, and a summary.

import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { packageVersion } from "../../bench/lib/contenders.mjs";
import { anySeed } from "./lib/random.mjs";
import { useWorker } from "./lib/stack.mjs";
import { lines } from "./lib/summary.mjs";
import * as kill from "./subjects/kill.mjs";
import * as load from "./subjects/load.mjs";
import * as poison from "./subjects/poison.mjs";
import * as regions from "./subjects/regions.mjs";
import * as rotation from "./subjects/rotation.mjs";

const SUBJECTS = { regions, kill, poison, rotation, load };
const root = path.join(import.meta.dirname, "..", "..");

class UsageError extends Error {}

function settings() {
  let parsed;
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        minutes: { type: "string" }, rounds: { type: "string" }, short: { type: "boolean", default: false }, seed: { type: "string" },
        store: { type: "string" }, worker: { type: "string" }, out: { type: "string" },
      },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { values, positionals } = parsed;
  const stranger = positionals.find((name) => !(name in SUBJECTS));
  if (stranger !== undefined) throw new UsageError(`there is no subject ${stranger}: ${Object.keys(SUBJECTS).join(", ")}`);
  if (values.minutes !== undefined && values.rounds !== undefined) throw new UsageError("say --minutes or --rounds");
  if (values.store !== undefined && !["beside", "miniflare"].includes(values.store)) throw new UsageError("--store is beside or miniflare");
  return {
    subjects: positionals.length > 0 ? positionals : Object.keys(SUBJECTS),
    minutes: number("minutes", values.minutes, 240), rounds: number("rounds", values.rounds, 10_000_000), seed: number("seed", values.seed, 2 ** 31) ?? anySeed(),
    short: values.short, store: values.store, worker: values.worker && path.resolve(values.worker),
    out: path.resolve(values.out ?? path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, "target"), "stress")),
  };
}

function number(name, text, most) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0 && value <= most)) throw new UsageError(`--${name} is a number up to ${most}`);
  return value;
}

const say = (line) => console.error(line);

/** What a subject is told: its own form, with what was asked for instead. */
function form(name, { minutes, rounds, short, seed, store }) {
  const own = SUBJECTS[name][short ? "short" : "long"];
  const length = minutes === undefined && rounds === undefined ? {} : name === "load" ? {} : { minutes: undefined, rounds: undefined };
  return { ...own, ...length, ...(minutes && { minutes }), ...(rounds && { rounds }), seed, ...(store && { store }) };
}

async function run(options, signal) {
  if (options.worker) useWorker(options.worker);
  const result = {
    date: new Date().toISOString(), seed: options.seed, processors: availableParallelism(), loadBefore: loadavg().map((load) => Number(load.toFixed(1))),
    versions: { workerd: packageVersion("workerd"), node: process.versions.node }, subjects: {},
  };
  let held = true;
  for (const name of options.subjects) {
    signal.throwIfAborted();
    say(`${name}: ${SUBJECTS[name].about}; seed ${options.seed}`);
    const begun = performance.now();
    try {
      result.subjects[name] = { held: true, ...(await SUBJECTS[name].run({ ...form(name, options), signal, say })) };
    } catch (error) {
      if (signal.aborted) throw error;
      held = false;
      result.subjects[name] = { held: false, seen: error.message };
      say(`${name}: ${error.stack}`);
    }
    result.subjects[name].tookSeconds = Math.round((performance.now() - begun) / 1000);
  }
  await mkdir(options.out, { recursive: true });
  await writeFile(path.join(options.out, "stress.json"), `${JSON.stringify(result, null, 2)}\n`);
  console.log(lines(result).join("\n"));
  say(`written: ${path.relative(process.cwd(), path.join(options.out, "stress.json"))}`);
  return held;
}

const abort = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(name, () => {
    // The second one does not wait for an orderly end; the exit handlers still end every server.
    if (abort.signal.aborted) process.exit(130);
    abort.abort(new Error(`interrupted by ${name}`));
  });
}

try {
  if (!(await run(settings(), abort.signal))) process.exitCode = 1;
} catch (error) {
  say(`stress: ${abort.signal.aborted ? abort.signal.reason.message : error.message}`);
  process.exitCode = abort.signal.aborted ? 130 : error instanceof UsageError ? 2 : 1;
}
