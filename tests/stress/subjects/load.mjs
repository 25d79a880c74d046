// Load: a soak at saturation with five per cent bad requests and people who sign in meanwhile; then a million mints in one
// isolate. Promised: no 5xx, every answer the one that its request has, and memory that does not grow.
//
// wrk keeps its connections busy with requests in turn, so that the share of every status is known beforehand. Memory is the
// memory of the wasm, what lives in the isolate's heap once all garbage is collected, and what the operating system has resident
// for workerd, once a second. The first two are the worker's own; the last one is V8's and workerd's, too, which collect late.

import assert from "node:assert/strict";
import { loadOfAnyStatus, wrkVersion } from "../../../bench/lib/load.mjs";
import { residentBytes } from "../../../bench/lib/proc.mjs";
import { DISCOVERY } from "../../../bench/lib/routes.mjs";
import { newFixture, seed } from "../../../bench/lib/fixture.mjs";
import { percentile, round, slope } from "../lib/figures.mjs";
import * as client from "../lib/client.mjs";
import { pause, startWorker } from "../lib/stack.mjs";

const CONNECTIONS = 16;
const SIGNIN_EVERY_MS = 250;
/** Of the time, or of the mints: what is not yet looked at. */
const WARM_UP = 0.25;
const MIB = 2 ** 20;

export const about = "a soak at saturation with 5 % bad requests, and a million mints in one isolate";
export const short = { minutes: 0.1, rounds: 8_000, growth: 256 };
export const long = { minutes: 10, rounds: 1_000_000, growth: 64 };
/** The most that the isolate's live heap may grow, in MiB. */
const HEAP_GROWTH = 0.5;

/**
 * `minutes` is the length of the soak, `rounds` the number of mints. `growth` is the most that resident memory may grow after the warm-up, in
 * MiB; `worker` is for twins: what `startWorker` takes besides.
 */
export async function run({ minutes, rounds, growth, worker, signal, say = () => {} }) {
  wrkVersion(); // throws with the remedy where there is none
  const fixture = await newFixture();
  const traces = new Traces();
  const started = await startWorker({
    wrapper: ["gauge.mjs", "instances.mjs"], v8Flags: ["--expose-gc", "--trace-gc"], output: (text) => traces.read(text),
    ...worker, vars: { ...fixture.vars, ...worker?.vars }, keys: {},
  });
  const server = { ...started, liveHeap: () => traces.liveHeap(started.origin) };
  try {
    await seed(server.kvOrigin, fixture);
    const seconds = Math.ceil(minutes * 60);
    const soaked = await soak(server, fixture, { seconds, growth, signal });
    say(`load: soak of ${seconds} s, ${soaked.requests} requests, p99 ${soaked.p99Ms} ms`);
    const minted = await mintMany(server, fixture, { mints: rounds, growth, signal, say });
    return { soak: soaked, mints: minted };
  } finally {
    await server.stop();
  }
}

/** A request and the status that it has: the good ones, and the bad ones, of which each is one in twenty of the good. */
function requests(fixture, etag) {
  const jsonType = { "content-type": "application/json" };
  const mint = (token, more = {}) => ({ method: "POST", path: client.MINT, headers: client.bearer(token), status: 200, ...more });
  const [{ token: live }] = fixture.live;
  const bad = [
    mint("", { headers: {}, status: 401 }),
    mint(fixture.malformed, { status: 401 }),
    mint(fixture.unknown[0], { status: 401 }),
    mint(fixture.expired.token, { status: 401 }),
    mint(fixture.broken.token, { status: 401 }),
    mint(live, { headers: { ...client.bearer(live), ...jsonType }, body: '{"audience":', status: 400 }),
    mint(live, { headers: { ...client.bearer(live), ...jsonType }, body: '{"tags":{}}', status: 400 }),
    mint(live, { headers: { ...client.bearer(live), ...jsonType }, body: '{"audience":"elsewhere.example"}', status: 403 }),
    mint(live, { headers: { ...client.bearer(live), "content-type": "text/plain" }, body: "hello", status: 415 }),
    mint(live, { headers: { ...client.bearer(live), ...jsonType }, body: `{"audience":"${"a".repeat(5_000)}"}`, status: 413 }),
    mint(live, { method: "GET", status: 405 }),
    { method: "GET", path: "/v1/../admin", status: 404 },
    { method: "POST", path: "/v1/auth/wallet/verify", headers: jsonType, body: '{"request_id":"x","signature":"0x"}', status: 400 },
    { method: "POST", path: "/v1/token", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "grant_type=password", status: 400 },
  ];
  const documents = [
    { method: "GET", path: DISCOVERY, status: 200 },
    { method: "GET", path: DISCOVERY, headers: { "if-none-match": etag }, status: 304 },
    { method: "GET", path: client.JWKS, status: 200 },
  ];
  // One bad request after nineteen good ones, of which three are documents.
  return bad.flatMap((one, number) => {
    const mints = Array.from({ length: 16 }, (_, turn) => mint(fixture.live[(number * 16 + turn) % fixture.live.length].token));
    return [...mints, ...documents, one];
  });
}

async function soak(server, fixture, { seconds, growth, signal }) {
  const etag = (await client.send(server.origin, "GET", DISCOVERY)).headers.get("etag");
  const sent = requests(fixture, etag);
  await loadOfAnyStatus(server, sent, { seconds: 1, connections: CONNECTIONS, signal }); // everything is made that is made once
  const heap = await server.liveHeap();
  const watch = await watched(server);
  const people = signInMeanwhile(server.origin);
  let [result, ended] = [];
  try {
    result = await loadOfAnyStatus(server, sent, { seconds, connections: CONNECTIONS, signal });
  } finally {
    ended = await Promise.allSettled([people.end(), watch.end(heap)]);
  }

  // The load first: what is wrong with it is wrong with the people's requests as well, and said there less plainly.
  assert.equal(result.socketErrors, 0, "socket errors");
  assertShares(sent, result);
  const [signins, memory] = ended.map(({ value, reason }) => {
    if (reason !== undefined) throw reason;
    return value;
  });
  assertFlat(memory, growth);
  const { statuses, requests: count, requestsPerSecond, p50, p99 } = result;
  return { seconds, requests: count, requestsPerSecond: round(requestsPerSecond, 0), p50Ms: round(p50 / 1000), p99Ms: round(p99 / 1000), statuses, signins, memory: shown(memory, count) };
}

/** Every status has come as often as its requests were sent, but for the one turn that was broken off. */
function assertShares(sent, { requests: total, statuses }) {
  const wrong = Object.entries(statuses).filter(([status]) => Number(status) >= 500);
  assert.deepEqual(wrong, [], "5xx");
  const expected = {};
  for (const { status } of sent) expected[status] = (expected[status] ?? 0) + total / sent.length;
  assert.deepEqual(Object.keys(statuses).sort(), Object.keys(expected).sort(), "statuses");
  for (const [status, count] of Object.entries(statuses)) {
    assert.ok(Math.abs(count - expected[status]) <= sent.length + CONNECTIONS, `${count} × ${status}, where ${round(expected[status], 0)} were to be expected`);
  }
}

/** People sign in, mint and end their sessions while the load is on. */
function signInMeanwhile(origin) {
  let over = false;
  const [took, judged] = [[], client.keySet(origin).then(client.judge)];
  const done = (async () => {
    while (!over) {
      const begun = performance.now();
      const { token, wallet } = await client.signIn(origin);
      took.push(performance.now() - begun);
      const minted = await client.mint(origin, token);
      assert.equal(minted.status, 200, minted.text);
      await (await judged)(minted.json().jwt, wallet);
      assert.equal((await client.revoke(origin, token)).status, 204);
      assert.equal((await client.mint(origin, token)).status, 401);
      await pause(SIGNIN_EVERY_MS);
    }
    return { count: took.length, p50Ms: round(percentile(took, 50)), p99Ms: round(percentile(took, 99)) };
  })();
  done.catch(() => {}); // told by end()
  return { end: () => { over = true; return done; } };
}

/** Mints, in runs of some seconds, until there are enough of them. */
async function mintMany(server, fixture, { mints, growth, signal, say }) {
  const sent = fixture.live.map(({ token }) => ({ method: "POST", path: client.MINT, headers: client.bearer(token) }));
  const begun = performance.now();
  const heap = await server.liveHeap();
  let [count, watch, memory] = [0, await watched(server), undefined];
  while (count < mints) {
    const seconds = mints > 100_000 ? 20 : 2;
    const { requests: more, statuses, socketErrors } = await loadOfAnyStatus(server, sent, { seconds, connections: CONNECTIONS, signal });
    assert.deepEqual([Object.keys(statuses), socketErrors], [["200"], 0], JSON.stringify(statuses));
    count += more;
    memory = await watch.look();
    say(`load: ${count} mints, ${memory.at(-1).resident} bytes resident`);
  }
  memory = await watch.end(heap);
  assertFlat(memory, growth);
  return { mints: count, seconds: round((performance.now() - begun) / 1000, 0), memory: shown(memory, count) };
}

/** Looks at the memory once a second. `end` is given the live heap of the beginning. */
async function watched(server) {
  const began = performance.now();
  const looks = [];
  const look = async () => {
    const { instances, memory } = (await client.send(server.origin, "GET", "/__wasm")).json();
    looks.push({ seconds: (performance.now() - began) / 1000, resident: residentBytes(server.pid), wasm: memory, instances });
    return looks;
  };
  await look();
  const timer = setInterval(() => void look().catch(() => {}), 1_000).unref(); // a look that is over keeps nobody waiting
  const end = async (heap) => {
    clearInterval(timer);
    return Object.assign(await look(), { heap: [heap, await server.liveHeap()] });
  };
  return { look, end };
}

/** V8's lines of its collections, of which the last one is kept. */
class Traces {
  #last;
  #seen = 0;

  read(text) {
    for (const [, used] of text.matchAll(/Mark-Compact[^\n]*? -> ([\d.]+) \([\d.]+\) MB/g)) {
      this.#last = Number(used);
      this.#seen += 1;
    }
  }

  /** What lives in the isolate's heap, in MiB. V8 writes its lines in blocks, so that it takes some collections to see one. */
  async liveHeap(origin) {
    const enough = this.#seen + 10;
    for (let tries = 0; tries < 500 && this.#seen < enough; tries += 1) await client.send(origin, "GET", "/__collect");
    assert.ok(this.#seen >= enough, "V8 writes no line of its collections");
    return this.#last;
  }
}

const afterWarmUp = (looks) => looks.filter(({ seconds }) => seconds >= WARM_UP * looks.at(-1).seconds);

function assertFlat(looks, growth) {
  assert.equal(looks.at(-1).instances, 1, "one instance has done it all");
  const later = afterWarmUp(looks);
  assert.equal(later.at(-1).wasm, later[0].wasm, "the wasm's memory grows");
  const [before, after] = looks.heap;
  assert.ok(after - before < HEAP_GROWTH, `the live heap has grown from ${before} to ${after} MiB`);
  const grown = growthPerSecond(later) * (later.at(-1).seconds - later[0].seconds);
  assert.ok(grown < growth * MIB, `resident memory has grown by ${round(grown / MIB)} MiB after the warm-up`);
}

const growthPerSecond = (looks) => slope(looks.map(({ seconds, resident }) => [seconds, resident]));

function shown(looks, requests) {
  const later = afterWarmUp(looks);
  const resident = later.map((look) => look.resident / MIB);
  const perSecond = growthPerSecond(later);
  return {
    residentMiB: { first: round(resident[0]), last: round(resident.at(-1)), least: round(Math.min(...resident)), most: round(Math.max(...resident)) },
    slopeKiBPerMinute: round((perSecond * 60) / 1024), slopeBytesPerRequest: round((perSecond * looks.at(-1).seconds) / requests, 2),
    wasmKiB: [looks[0].wasm / 1024, looks.at(-1).wasm / 1024], liveHeapMiB: looks.heap,
  };
}
