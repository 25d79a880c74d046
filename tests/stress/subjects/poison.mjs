// Poison: the wasm fails in the middle of requests, over and over, under load: traps, garbage in its memory, real panics.
//
// Promised: a request whose instance fails is 500 in the error form; those beside it fail with it, once, and no others do;
// the next request has a fresh instance; a challenge that was taken stays taken; nothing leaks into an answer or the log.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { budget } from "../lib/budget.mjs";
import { counter, round } from "../lib/figures.mjs";
import * as client from "../lib/client.mjs";
import { residentBytes } from "../../../bench/lib/proc.mjs";
import { anySeed, random } from "../lib/random.mjs";
import { pause, startWorker } from "../lib/stack.mjs";

const CLIENTS = 8;
const FAILED = { error: "internal", message: "The broker failed. Try again, and tell its operator if it stays so." };
const SIGNIN_STEPS = ["take", "entry", "record", "list"];
const MINT_STEPS = ["begin", "get", "panic"];

export const about = "the wasm made to fail in the middle of requests, under concurrent load";
export const short = { rounds: 60 };
export const long = { rounds: 5_000 };
/** So many before memory is looked at for the first time. */
const WARM_UP = 20;

/** `worker` is for twins: what `startWorker` takes besides. */
export async function run({ rounds, minutes, seed = anySeed(), worker, signal, say = () => {} }) {
  let log = "";
  const server = await startWorker({ wrapper: ["poison.mjs", "poison-means.mjs", "instances.mjs"], ...worker, output: (text) => { log += text; } });
  try {
    const { origin } = server;
    const world = {
      origin, chance: random(seed), seen: counter(), judged: client.judge(await client.keySet(origin)), poisons: 0, say,
      sessions: await Promise.all(Array.from({ length: 8 }, () => client.signIn(origin))), challenges: [], requests: [],
    };
    await under(world, budget({ rounds: WARM_UP }), signal);
    const before = { resident: residentBytes(server.pid), ...(await wasm(origin)) };
    await under(world, budget({ rounds, minutes }), signal);
    await settled(world);
    assertOnlyNeighboursFailed(world);
    const after = { resident: residentBytes(server.pid), ...(await wasm(origin)) };
    await pause(100);
    const places = assertLog(log, world);
    return {
      seed, poisons: world.poisons, counts: Object.fromEntries(Object.entries(world.seen.counts).sort()), instances: after.instances, placesOfPanics: places,
      residentMiB: [before, after].map(({ resident }) => round(resident / 2 ** 20)), wasmMemoryKiB: [before, after].map(({ memory }) => memory / 1024),
    };
  } finally {
    await server.stop();
  }
}

const wasm = async (origin) => (await client.send(origin, "GET", "/__wasm")).json();

/** Load, of which somewhat less than a third is poisoned, for as long as there is more. */
async function under(world, more, signal) {
  let over = false;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    while (!over) {
      signal?.throwIfAborted();
      if (world.chance.chance(0.7)) await healthy(world);
      else if (more()) await poisoned(world);
      else over = true;
    }
  }));
}

/** One request with its time, for the judgement on neighbours. */
async function asked(world, what, request, poison) {
  const begun = performance.now();
  const answer = await request();
  world.requests.push({ begun, ended: performance.now(), poison, failed: answer.status === 500 });
  world.seen.count(`${poison ? `poisoned ${what}` : what} ${answer.status}`);
  if (answer.status === 500) {
    assert.deepEqual(answer.json(), FAILED);
    assert.equal(answer.headers.get("cache-control"), "no-store");
  }
  assert.notEqual(answer.status, 0, `${what}: ${answer.timedOut ? "never answered" : "the connection broke"}`);
  return answer;
}

async function healthy(world) {
  if (world.chance.chance(0.25)) return signIn(world);
  const session = world.chance.pick(world.sessions);
  const answer = await asked(world, "mint", () => client.mint(world.origin, session.token));
  if (answer.status === 200) return world.judged(answer.json().jwt, session.wallet);
  return assert.equal(answer.status, 500, answer.text);
}

/** A sign-in, poisoned at a step or not; its challenge is used up by whatever comes of it. */
async function signIn(world, step) {
  const { origin, challenges, sessions } = world;
  const { wallet, started, requestId, signature } = await client.challenge(origin);
  if (started.status !== 200) return assert.equal(started.status, 500, started.text);
  const about = step === "take" ? requestId : wallet.address.toLowerCase();
  const answer = await asked(world, "sign-in", () => client.verify(origin, requestId, signature, step && { "x-poison": `${step} ${about}` }), step);
  challenges.push({ requestId, signature, status: answer.status });
  if (answer.status === 200) {
    assert.equal(step, undefined, `a sign-in that failed at ${step} was answered 200`);
    sessions.push({ token: answer.json().session_token, wallet });
  } else assert.equal(answer.status, 500, answer.text);
  return undefined;
}

async function poisoned(world) {
  world.poisons += 1;
  if (world.poisons % 1_000 === 0) world.say(`poison: ${world.poisons} failures`);
  const step = world.chance.pick([...SIGNIN_STEPS, ...MINT_STEPS]);
  if (SIGNIN_STEPS.includes(step)) return signIn(world, step);
  const { token } = world.chance.pick(world.sessions);
  const key = `session/v1/${createHash("sha256").update(token).digest("base64url")}`;
  const poison = step === "get" ? `get ${key}` : step;
  await asked(world, `mint at ${step}`, () => client.mint(world.origin, token, { "x-poison": poison }), step);
  return undefined;
}

/** With nothing poisoned any more everything works at once: sessions mint, challenges that were tried are used up. */
async function settled(world) {
  const { origin, challenges, sessions, seen } = world;
  // Poison of requests that failed beside another, before it could work.
  await client.send(origin, "GET", "/__antidote");
  for (const { token, wallet } of sessions.slice(-200)) {
    const answer = await client.mint(origin, token);
    assert.equal(answer.status, 200, "the instance after the last failure works");
    await world.judged(answer.json().jwt, wallet);
  }
  for (const { requestId, signature, status } of challenges) {
    const again = await client.verify(origin, requestId, signature);
    // One whose instance failed before it was taken is as good as new: once.
    if (status === 500 && again.status === 200) {
      seen.count("challenges that were not taken before the failure");
      client.assertRefused(await client.verify(origin, requestId, signature), 401);
    } else client.assertRefused(again, 401);
    seen.count("challenges tried again");
  }
}

/** Who failed without poison was under way at the same time as one that was poisoned. */
function assertOnlyNeighboursFailed({ requests, seen }) {
  const poisons = requests.filter(({ poison }) => poison);
  for (const { begun, ended } of requests.filter(({ poison, failed }) => failed && !poison)) {
    assert.ok(poisons.some((one) => one.begun <= ended && begun <= one.ended), "a request failed with no poison beside it");
    seen.count("neighbours that failed");
  }
}

/** No secret, no words of the failure, no stack: what a panic logs is its place in the source. */
function assertLog(log, { sessions }) {
  for (const { token } of sessions) assert.ok(!log.includes(token), "the log has a session token");
  for (const trace of [/canary-of-a-trap/, /panicked at/, /wasm-function\[/, /\n\s+at .+:\d+:\d+/]) assert.doesNotMatch(log, trace);
  const places = [...new Set([...log.matchAll(/\{"event":"panic","place":"([^"]+)"\}/g)].map(([, place]) => place))];
  assert.ok(places.length > 0, "no real panic is in the log");
  return places;
}
