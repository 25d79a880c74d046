// What a mint's own code takes: the worker mints over and over within one request, with nothing around it that could be slow.
//
//   node bench/own.mjs --worker build/worker [--rounds 15]
//
// Two times per mint, CPU microseconds of the workerd process: with the real signature, log and timers, and with stubs of
// them. HTTP, the store and the rate limits are in neither. It tells differences that a load hides in its noise.

import { createHash } from "node:crypto";
import path from "node:path";
import { parseArgs } from "node:util";
import { contender } from "./lib/contenders.mjs";
import { newFixture } from "./lib/fixture.mjs";
import { cpuMicroseconds } from "./lib/proc.mjs";
import { project } from "./lib/project.mjs";
import { median } from "./lib/summary.mjs";
import { markdown } from "./lib/table.mjs";
import { serve } from "./lib/workerd.mjs";

/** Mints of one request, which may have 10,000 timers; and requests of one sample, for the clock's steps are long. */
const MINTS = 4_000;
const REQUESTS = 4;
const WARM_UP = 3;
const HARNESS = path.join(import.meta.dirname, "peers", "own", "index.js");

const { values } = parseArgs({ options: { worker: { type: "string" }, rounds: { type: "string", default: "15" } } });
const scratch = path.join(process.env.CARGO_TARGET_DIR ?? path.join(import.meta.dirname, "..", "target"), "bench");
const { compatibility, bindings } = project();
const fixture = await newFixture();
const sessions = fixture.live.map(({ token, record }) =>
  [token, `session/v1/${createHash("sha256").update(token).digest("base64url")}`, JSON.stringify(record)]);
const building = { worker: values.worker, bindings, scratch, fixture };

/** CPU microseconds per mint. */
async function cost({ pid, origin }, query) {
  const before = cpuMicroseconds(pid);
  for (let request = 0; request < REQUESTS; request += 1) {
    const answer = await fetch(`${origin}/?mints=${MINTS}${query}`);
    const text = await answer.text();
    if (text !== String(MINTS)) throw new Error(`of ${MINTS} mints it did not do all: ${answer.status} ${text.slice(0, 200)}`);
  }
  return (cpuMicroseconds(pid) - before) / (MINTS * REQUESTS);
}

const entries = [];
try {
  for (const id of ["broker", "jose"]) {
    const one = await contender(id, building, console.error);
    if (one === undefined) continue;
    const [entry, ...others] = one.modules;
    const modules = [{ name: "index.js", kind: "esModule", file: HARNESS }, { ...entry, name: "real.js" }, ...others];
    const vars = { ...fixture.vars, SESSIONS: sessions };
    const server = await serve({ modules, bindings: { ...bindings, vars, rateLimits: [] } }, compatibility);
    entries.push({ name: one.name, server, real: [], stubbed: [] });
  }
  // What is stubbed stays stubbed: the real ones first.
  for (const [kind, query] of [["real", ""], ["stubbed", "&stubbed"]]) {
    for (let round = 1 - WARM_UP; round <= Number(values.rounds); round += 1) {
      for (const entry of entries) {
        const microseconds = await cost(entry.server, query);
        if (round > 0) entry[kind].push(microseconds);
      }
    }
  }
} finally {
  await Promise.all(entries.map(({ server }) => server.stop()));
}

const jose = entries.at(-1);
const ratio = (own, other) => median(own.map((one, round) => one / other[round])).toFixed(2);
console.log(markdown(1, ["contender", "CPU µs/mint", "× jose", "own code, CPU µs/mint", "× jose"], entries.map((entry) => [
  entry.name, median(entry.real).toFixed(1), ratio(entry.real, jose.real), median(entry.stubbed).toFixed(1), ratio(entry.stubbed, jose.stubbed),
])));
