// How the broker grows: more clients at once, more sessions in the store, more keys, more tags in a token.
//
//   node bench/grow.mjs --worker build/worker [--rounds 5] [--of clients,sessions,keys,tags]
//
// One dimension after the other, the points of each in turn, round after round: medians, and ratios to the first point. The
// store is the one in memory, so that what grows is the broker and not a simulator.

import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { contender } from "./lib/contenders.mjs";
import { newFixture, newSession, newSigningKey, seed, storeKey } from "./lib/fixture.mjs";
import { kvPutMany } from "./lib/kv.mjs";
import { load } from "./lib/load.mjs";
import { project } from "./lib/project.mjs";
import { JWKS, mintRequest, send } from "./lib/routes.mjs";
import { median } from "./lib/summary.mjs";
import { markdown } from "./lib/table.mjs";
import { serve } from "./lib/workerd.mjs";

if (existsSync("/dev/shm")) process.env.TMPDIR = "/dev/shm";

const CONNECTIONS = 16;
const SECONDS = 1;
/** So many sessions of a store take part in a load, spread over it. */
const ASKED = 20_000;
const AT_ONCE = 10_000;

const { values } = parseArgs({
  options: { worker: { type: "string" }, rounds: { type: "string", default: "5" }, of: { type: "string", default: "clients,sessions,keys,tags" } },
});
const { compatibility, bindings } = project();
const runtime = { ...compatibility, kv: "memory" };
const signal = new AbortController().signal;

/** A broker with so many keys. Its sessions are the fixture's 64, unless `sessions` says how many; each has so many tags. */
async function start({ keys = 1, sessions, tags = 0 }) {
  const fixture = await newFixture();
  for (let key = 1; key < keys; key += 1) fixture.vars[`SIGNING_KEY_${String.fromCharCode(65 + key)}`] = await newSigningKey();
  const broker = await contender("broker", { worker: values.worker, bindings, fixture }, console.error);
  const server = await serve(broker, runtime);
  const members = tags === 0 ? {} : { tags: Object.fromEntries(Array.from({ length: tags }, (_, n) => [`Tag${n}`, `value-${n}`])) };
  const tokens = await stored(server, fixture, sessions, members);
  return { server, requests: tokens.map(mintRequest) };
}

/** Stores sessions; the tokens of those that take part. */
async function stored(server, fixture, sessions, members) {
  await seed(server.kvOrigin, fixture);
  const count = sessions ?? fixture.live.length;
  const every = Math.max(1, Math.floor(count / ASKED));
  const tokens = [];
  for (let done = 0; done < count; done += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - done) }, () => newSession(members));
    await kvPutMany(server.kvOrigin, batch.map(({ token, record }) => [storeKey(token), JSON.stringify(record)]));
    tokens.push(...batch.filter((_, n) => (done + n) % every === 0).map(({ token }) => token));
  }
  return tokens;
}

/** The bytes of a token of a point, and of its key set. */
async function sizes({ server, requests: [request] }) {
  const { jwt } = JSON.parse((await send(server.origin, request)).body);
  return { token: jwt.length, jwks: (await send(server.origin, { method: "GET", path: JWKS })).body.length };
}

const DIMENSIONS = {
  clients: { title: "clients at once", points: [1, 10, 100, 1_000], start: () => ({}), connections: (clients) => clients },
  sessions: { title: "sessions in the store", points: [1, 1_000, 1_000_000], start: (sessions) => ({ sessions }) },
  keys: { title: "signing keys", points: [1, 2, 5, 10], start: (keys) => ({ keys }) },
  tags: { title: "tags of a session", points: [0, 12, 24, 48], start: (tags) => ({ tags }) },
};

async function grow({ title, points, start: settings, connections = () => CONNECTIONS }) {
  const entries = [];
  try {
    for (const point of points) {
      const broker = await start(settings(point));
      entries.push({ point, ...broker, ...(await sizes(broker)), samples: [] });
    }
    for (let round = 0; round <= Number(values.rounds); round += 1) {
      for (let turn = 0; turn < entries.length; turn += 1) {
        const entry = entries[(turn + round) % entries.length];
        const sample = await load(entry.server, entry.requests, 200, { seconds: SECONDS, connections: connections(entry.point), signal });
        if (round > 0) entry.samples.push(sample); // the first one warms up
      }
    }
  } finally {
    await Promise.all(entries.map(({ server }) => server.stop()));
  }
  const of = ({ samples }, metric) => median(samples.map((sample) => sample[metric]));
  const ratio = (entry, metric) => median(entry.samples.map((sample, round) => sample[metric] / entries[0].samples[round][metric])).toFixed(2);
  return markdown(0, [title, "mints/s", "CPU µs/mint", "× first", "p50 ms", "p99 ms", "token bytes", "key set bytes"], entries.map((entry) => [
    entry.point.toLocaleString("en-US").replaceAll(",", " "), of(entry, "requestsPerSecond").toFixed(0),
    of(entry, "cpuMicrosecondsPerRequest").toFixed(0), ratio(entry, "cpuMicrosecondsPerRequest"),
    (of(entry, "p50") / 1000).toFixed(1), (of(entry, "p99") / 1000).toFixed(1), String(entry.token), String(entry.jwks),
  ]));
}

const tables = [];
for (const name of values.of.split(",")) {
  if (!(name in DIMENSIONS)) throw new Error(`--of knows ${Object.keys(DIMENSIONS).join(", ")}; not ${JSON.stringify(name)}`);
  console.error(`growing: ${DIMENSIONS[name].title}`);
  tables.push(await grow(DIMENSIONS[name]));
}
console.log(tables.join("\n\n"));
