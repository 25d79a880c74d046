// The first request of a fresh isolate: workerd is started, and one request sent, over and over, the contenders in turn.
//
//   node bench/fresh.mjs --worker build/worker [--times 20]
//
// Two times, in milliseconds, as medians: from the start of the process to the first answer (compiling the modules,
// instantiating the wasm and evaluating the entry are in it), and of the first request alone (what the worker sets up then).

import path from "node:path";
import { parseArgs } from "node:util";
import { CONTENDERS, contender } from "./lib/contenders.mjs";
import { newFixture } from "./lib/fixture.mjs";
import { project } from "./lib/project.mjs";
import { DISCOVERY, send } from "./lib/routes.mjs";
import { median } from "./lib/summary.mjs";
import { serve } from "./lib/workerd.mjs";

const { values } = parseArgs({ options: { worker: { type: "string" }, times: { type: "string", default: "20" } } });
const scratch = path.join(process.env.CARGO_TARGET_DIR ?? path.join(import.meta.dirname, "..", "target"), "bench");
const { compatibility, bindings } = project();
const runtime = { ...compatibility, kv: "memory" };
const building = { worker: values.worker, bindings, scratch, fixture: await newFixture(), mayBuild: false, signal: undefined };

const entries = [];
for (const id of CONTENDERS) {
  const one = await contender(id, building, console.error);
  if (one !== undefined) entries.push({ ...one, path: one.kind === "broker" ? DISCOVERY : "/ok", whole: [], first: [] });
}

// The first time is for this process to warm up.
for (let time = 0; time <= Number(values.times); time += 1) {
  for (let turn = 0; turn < entries.length; turn += 1) {
    const entry = entries[(turn + time) % entries.length];
    const started = performance.now();
    const server = await serve(entry, runtime);
    try {
      const asked = performance.now();
      const { status } = await send(server.origin, { method: "GET", path: entry.path });
      const answered = performance.now();
      if (status !== 200) throw new Error(`${entry.name} answered ${status}`);
      if (time > 0) {
        entry.whole.push(answered - started);
        entry.first.push(answered - asked);
      }
    } finally {
      await server.stop();
    }
  }
}

const floor = entries.find(({ id }) => id === "bare-rs");
console.log("| contender | start to first answer, ms | × bare workers-rs | first request, ms | × bare workers-rs |\n|---|---:|---:|---:|---:|");
for (const { name, whole, first } of entries) {
  const cells = [[whole, floor?.whole], [first, floor?.first]].flatMap(([own, other]) =>
    [median(own).toFixed(1), other === undefined ? "" : (median(own) / median(other)).toFixed(2)]);
  console.log(`| ${name} | ${cells.join(" | ")} |`);
}
