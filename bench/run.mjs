// The bench: every contender in a plain workerd of its own, all in one run, loaded in turn, round after round.
//
// Takes the built worker's folder; scripts/bench builds it. See README.md for the method and its limits.

import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { chart } from "./chart.mjs";
import { CONTENDERS, contender, packageVersion } from "./lib/contenders.mjs";
import { newFixture } from "./lib/fixture.mjs";
import { KV_KINDS } from "./lib/kv.mjs";
import { load, loadOnce, wrkVersion } from "./lib/load.mjs";
import { peakResidentBytes } from "./lib/proc.mjs";
import { project } from "./lib/project.mjs";
import { ROUTES, probe } from "./lib/routes.mjs";
import { summarise } from "./lib/summary.mjs";
import { report } from "./lib/table.mjs";
import { verifyBare, verifyBroker } from "./lib/verify.mjs";
import { serve } from "./lib/workerd.mjs";

// What a Durable Object answers it has on disk first. Where there is a disk of memory its flushes are not what is measured.
if (existsSync("/dev/shm")) process.env.TMPDIR = "/dev/shm";

const root = path.join(import.meta.dirname, "..");
const scratch = path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, "target"), "bench");
const WARM_UP_SECONDS = 1;

const QUICK = { rounds: "2", seconds: "1", contenders: "broker,jose,bare-js", routes: "discovery,mint,ok,kv,calls" };
const FULL = { rounds: "9", seconds: "1", contenders: CONTENDERS.join(","), routes: Object.keys(ROUTES).join(",") };

class UsageError extends Error {}

function settings() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        worker: { type: "string" }, out: { type: "string" }, rounds: { type: "string" }, seconds: { type: "string" },
        connections: { type: "string", default: "16" }, kv: { type: "string", default: KV_KINDS[0] },
        contenders: { type: "string" }, routes: { type: "string" },
        quick: { type: "boolean", default: false }, check: { type: "boolean", default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  const chosen = { ...(values.quick ? QUICK : FULL), ...values };
  return {
    worker: values.worker === undefined ? undefined : path.resolve(values.worker),
    out: path.resolve(values.out ?? path.join(scratch, "results")),
    rounds: number("rounds", chosen.rounds, 1, 100),
    seconds: number("seconds", chosen.seconds, 1, 60),
    connections: number("connections", chosen.connections, 1, 256),
    kv: among("kv", [chosen.kv], KV_KINDS)[0],
    contenders: among("contenders", chosen.contenders.split(","), CONTENDERS),
    routes: among("routes", chosen.routes.split(","), Object.keys(ROUTES)),
    quick: values.quick,
    check: values.check,
  };
}

function number(name, text, min, max) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) throw new UsageError(`--${name} is a whole number from ${min} to ${max}`);
  return value;
}

function among(name, chosen, known) {
  const stranger = chosen.find((one) => !known.includes(one));
  if (stranger !== undefined) throw new UsageError(`--${name} knows ${known.join(", ")}; not ${JSON.stringify(stranger)}`);
  return known.filter((one) => chosen.includes(one));
}

const say = (line) => console.error(line);

/** Builds, starts and verifies the contenders that can take part. `started` fills as they start, for the end of the run. */
async function start(options, { runtime, bindings }, started, signal) {
  const fixture = await newFixture();
  const building = { worker: options.worker, bindings, scratch, fixture, mayBuild: !options.quick, signal };
  for (const id of options.contenders) {
    const one = await contender(id, building, say);
    if (one === undefined) continue;
    signal.throwIfAborted();
    const server = await serve(one, runtime);
    const entry = { ...one, server };
    started.push(entry);
    entry.context = await within(`${one.name} is not fit to be measured`, server, () =>
      (one.kind === "broker" ? verifyBroker : verifyBare)(server, fixture, one.id));
    say(`${one.name}: right answers, right refusals`);
  }
  compareAnswers(started);
}

/** Runs `step`; what goes wrong is told with the contender's name and the last lines of its log. */
async function within(what, server, step) {
  try {
    return await step();
  } catch (cause) {
    throw new Error([`${what}: ${cause.message}`, server.log().trim()].filter(Boolean).join("\n"), { cause });
  }
}

/** Says where the broker and the peer answer with other headers, or with bodies that differ much in size. */
function compareAnswers(started) {
  const [one, other] = ["broker", "jose"].map((id) => started.find((entry) => entry.id === id)?.context.answers);
  if (one === undefined || other === undefined) return;
  for (const route of Object.keys(one)) {
    const differing = [...new Set(one[route].headers).symmetricDifference(new Set(other[route].headers))];
    if (differing.length > 0) say(`note: ${route}: only one of the two sends ${differing.join(", ")}`);
    const [small, large] = [one[route].bytes, other[route].bytes].sort((a, b) => a - b);
    if (large > small * 1.3 + 32) say(`note: ${route}: ${one[route].bytes} bytes from the broker, ${other[route].bytes} from the peer`);
  }
}

/** All loads of one round, route by route, the contenders in turn; each round begins with the next contender. */
async function round(number, entries, options, signal) {
  const samples = [];
  for (const name of options.routes) {
    const route = ROUTES[name];
    const runners = entries.filter(({ id, kind }) => kind === route.kind && (route.only ?? id) === id);
    for (let turn = 0; turn < runners.length; turn += 1) {
      const entry = runners[(turn + number) % runners.length];
      const sample = await within(`${entry.name}, ${route.title}`, entry.server, async () => {
        await probe(entry.server.origin, route, entry.context);
        const requests = await route.requests(entry.context, route.count);
        const run = route.count === undefined ? load : loadOnce;
        const result = await run(entry.server, requests, route.status, { ...options, signal });
        if (!entry.server.alive()) throw new Error("workerd ended under load");
        return result;
      });
      samples.push({ round: number, route: name, contender: entry.id, ...sample });
      signal.throwIfAborted();
    }
  }
  return samples;
}

async function measure(entries, options, signal) {
  await round(0, entries, { ...options, seconds: WARM_UP_SECONDS }, signal);
  const samples = [];
  for (let number = 1; number <= options.rounds; number += 1) {
    say(`round ${number} of ${options.rounds}`);
    samples.push(...await round(number, entries, options, signal));
  }
  return samples;
}

async function run(options, started, signal) {
  const wrk = options.check ? undefined : wrkVersion();
  const { compatibility, bindings } = project();
  const runtime = { ...compatibility, kv: options.kv };
  await start(options, { runtime, bindings }, started, signal);
  signal.throwIfAborted();
  if (options.check) return;

  const [busy] = loadavg();
  if (busy > availableParallelism() / 2) say(`note: this machine is busy (load average ${busy.toFixed(1)}); look at the ranges, not the medians`);
  const samples = await measure(started, options, signal);
  const order = started.map(({ id }) => id);
  const result = {
    settings: { rounds: options.rounds, seconds: options.seconds, connections: options.connections, ...runtime },
    versions: { workerd: packageVersion("workerd"), jose: packageVersion("jose"), wrk, node: process.versions.node },
    processors: availableParallelism(),
    contenders: started.map(({ id, name }) => ({ id, name })),
    summary: summarise(samples, order),
    memory: started.map(({ id, server }) => ({ contender: id, peakBytes: peakResidentBytes(server.pid) })),
    samples,
  };
  await mkdir(options.out, { recursive: true });
  await writeFile(path.join(options.out, "bench.json"), `${JSON.stringify(result, null, 2)}\n`);
  await writeFile(path.join(options.out, "bench.svg"), chart(result));
  console.log(report(result));
  say(`written: bench.json and bench.svg in ${path.relative(process.cwd(), options.out) || "."}`);
}

const abort = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(name, () => {
    // The second one does not wait for an orderly end; the exit handlers still end every server.
    if (abort.signal.aborted) process.exit(130);
    abort.abort(new Error(`interrupted by ${name}`));
  });
}

const started = [];
try {
  await run(settings(), started, abort.signal);
} catch (error) {
  const interrupted = abort.signal.aborted;
  say(`bench: ${interrupted ? abort.signal.reason.message : error.message}`);
  process.exitCode = interrupted ? 130 : error instanceof UsageError ? 2 : 1;
} finally {
  await Promise.all(started.map(({ server }) => server.stop()));
}
