// Regions: one worker at several places, each with its own view of a KV that lags, remembers and fails; the sign-in
// challenges are one store for all, as Durable Objects are.
//
// Part one goes second by second through what lag does to a sign-in and to a revocation. Part two is random: places fail in
// one way or another, wallets sign in, mint and end their sessions, and every answer is held against what was
// acknowledged to whom and when. That judgement knows the truth and the bound, and nothing of the views.

import assert from "node:assert/strict";
import { budget } from "../lib/budget.mjs";
import { counter, percentile, round } from "../lib/figures.mjs";
import * as client from "../lib/client.mjs";
import { anySeed, random } from "../lib/random.mjs";
import { startWorker } from "../lib/stack.mjs";
import { FAULTS, startStore } from "../lib/store.mjs";

const PLACES = ["here", "there", "far"];
/** The most that a region lags, and how long it goes on answering what it has looked up: what is documented for KV. */
export const LAG_SECONDS = 90;
export const CACHE_SECONDS = 60;
const BOUND = LAG_SECONDS + CACHE_SECONDS;
/** The promise, and what the client of a busy machine may need besides. */
const ANSWER_MS = 2_000;
const SLACK_MS = 400;

export const NOT_LIVE = "This is not a live session. Get a new session token and try again.";

export const about = "KV that lags by up to 90 s, remembers look-ups for 60 s, errors and hangs, under three regions";
export const short = { rounds: 12, step: 10 };
export const long = { minutes: 4, step: 1 };

/** The worker at every place, over one store. `worker` is for twins: what `startWorker` takes besides. */
async function at(places, { lag, worker = {}, signal }, steps) {
  const store = await startStore({ regions: places, lag, cacheSeconds: CACHE_SECONDS });
  let server;
  try {
    server = await startWorker({ ...worker, places: places.map((name) => ({ name, kv: { address: store.address(name) } })) });
    signal?.throwIfAborted();
    return await steps({ store, origins: server.origins, judged: client.judge(await client.keySet(server.origin)) });
  } finally {
    await server?.stop();
    await store.close();
  }
}

/** Both parts; the figures. */
export async function run({ rounds, minutes, step, seed = anySeed(), worker, signal, say = () => {} }) {
  const more = budget({ rounds, minutes });
  const bounds = [];
  for (const seconds of step > 1 ? [0, 90] : [0, 1, 30, 61, 90]) bounds.push(await lagging(seconds, step, { worker, signal }));
  say(`regions: lag of ${bounds.map(({ lag }) => lag).join(", ")} s: seen within the bound`);
  const chance = random(seed);
  const schedule = await at(PLACES, { lag: () => chance.whole(0, LAG_SECONDS), worker, signal }, (stack) =>
    schedules({ more, chance, signal, say, ...stack }));
  return { seed, bounds, schedule };
}

/**
 * A sign-in here, and how it is seen there, where every write comes `lag` seconds later: not before it can be, at the
 * latest a look-up's memory later, and nothing in between but the 401 that says what to do. Then its revocation, likewise.
 */
export async function lagging(lag, step, { worker, signal }) {
  const delays = { here: 0, there: lag };
  return at(["here", "there"], { lag: (place) => delays[place], worker, signal }, async ({ store, origins, judged }) => {
    const { token, wallet } = await client.signIn(origins.here);
    const until = async (wanted) => {
      for (let seconds = 0; ; seconds += step, store.forward(step)) {
        signal?.throwIfAborted();
        const answer = await client.mint(origins.there, token);
        if (answer.status === wanted) return seconds;
        if (answer.status === 200) await judged(answer.json().jwt, wallet);
        else assertNotLive(answer);
        // The bound is the first second at which it must be so.
        assert.ok(seconds < lag + CACHE_SECONDS, `${lag} s of lag: still ${answer.status} after ${seconds} s`);
      }
    };
    const signedInAfter = await until(200);
    assert.ok(signedInAfter >= lag, `${lag} s of lag, and seen after ${signedInAfter} s: the store did not lag`);
    const here = await client.mint(origins.here, token);
    assert.equal(here.status, 200, "where the session was written, it is live");
    assert.equal((await client.revoke(origins.here, token)).status, 204);
    const revokedAfter = await until(401);
    return { lag, signedInAfter, revokedAfter, bound: lag + CACHE_SECONDS };
  });
}

function assertNotLive(answer) {
  client.assertRefused(answer, 401);
  assert.equal(answer.json().message, NOT_LIVE);
  assert.equal(answer.headers.get("www-authenticate"), 'Bearer error="invalid_token"');
}

/** Random rounds: in each, some places fail, several clients act at once, and then the clock goes on. */
async function schedules({ store, origins, judged, more, chance, signal, say }) {
  const seen = { ...counter(), unavailable: [], staleMint: 0, staleRefusal: 0 };
  const world = { store, origins, judged, chance, seen, sessions: [], failing: {}, jtis: new Set() };
  while (more()) {
    signal?.throwIfAborted();
    for (const place of PLACES) plan(world, place);
    await Promise.all(actions(world));
    seen.count("rounds");
    if (seen.counts.rounds % 100 === 0) say(`regions: ${seen.counts.rounds} rounds, ${seen.counts["mint 200"]} mints`);
    store.forward(chance.whole(0, 40));
  }
  for (const place of PLACES) store.fail(place, undefined);
  await settled(world);
  const { counts, unavailable, staleMint, staleRefusal } = seen;
  return {
    counts: Object.fromEntries(Object.entries(counts).sort()), virtualSeconds: store.now, boundSeconds: BOUND,
    longestMintAfterRevocationSeconds: staleMint, longestRefusalAfterSigninSeconds: staleRefusal,
    unavailableMs: { p50: round(percentile(unavailable, 50)), p99: round(percentile(unavailable, 99)), max: round(Math.max(0, ...unavailable)) },
  };
}

/** How a place fails in this round; most do not, and some fail in one kind of request only. */
function plan({ store, failing, chance, seen }, place) {
  const kind = chance.chance(0.4) ? chance.pick(Object.keys(FAULTS)) : undefined;
  const only = chance.chance(0.5) ? ["GET", "PUT", "DELETE", "LIST"] : [chance.pick(["GET", "PUT", "DELETE", "LIST"])];
  failing[place] = kind && { kind, only };
  store.fail(place, kind, only);
  seen.count(kind === undefined ? "place works" : `place fails: ${kind}`);
}

function actions(world) {
  const { chance, sessions } = world;
  const recent = () => sessions.slice(-40);
  const several = (count, action) => Array.from({ length: count }, action);
  return [
    ...several(12, () => (recent().length > 0 ? mint(world, chance.pick(PLACES), chance.pick(recent())) : undefined)),
    ...several(2, () => mintOfNobody(world, chance.pick(PLACES))),
    ...several(chance.whole(1, 3), () => signIn(world, chance.pick(PLACES))),
    ...several(chance.whole(0, 2), () => {
      const live = recent().filter((session) => session.revoked === undefined && !session.ending);
      return live.length > 0 ? revoke(world, chance.pick(live)) : undefined;
    }),
    race(world),
  ];
}

/** Whether a place's store is told to fail in this method; whether it then cannot answer in time. */
const mayFail = ({ failing }, place, method) => failing[place]?.only.includes(method) ?? false;
const mustFail = (world, place, method) => mayFail(world, place, method) && !FAULTS[world.failing[place].kind].answers;

/** A 503: within its time, with its form, and only where the store failed. */
function assertUnavailable(world, answer, place, methods) {
  client.assertRefused(answer, 503);
  world.seen.unavailable.push(answer.milliseconds);
  assert.ok(answer.milliseconds < ANSWER_MS + SLACK_MS, `503 after ${round(answer.milliseconds)} ms`);
  assert.ok(methods.some((method) => mayFail(world, place, method)), `503 at a place whose store answers`);
}

/**
 * A mint of a session. 200 only where the store answered, of a session that was acknowledged and is not revoked, or not for
 * longer than the bound; 401 only where it may not be seen yet, or may be revoked.
 */
async function mint(world, place, session) {
  const { store, seen } = world;
  const now = store.now;
  const answer = await client.mint(world.origins[place], session.token);
  seen.count(`mint ${answer.status}`);
  if (answer.status === 503) return assertUnavailable(world, answer, place, ["GET"]);
  assert.ok(!mustFail(world, place, "GET"), `${answer.status} where the store did not answer (${world.failing[place]?.kind})`);
  if (answer.status === 401) {
    assertNotLive(answer);
    const fresh = now < session.since + BOUND;
    assert.ok(fresh || session.revoked !== undefined, `401 ${now - session.since} s after the sign-in`);
    if (session.revoked === undefined) seen.staleRefusal = Math.max(seen.staleRefusal, now - session.since);
    return undefined;
  }
  assert.equal(answer.status, 200, answer.text);
  const { jti } = await world.judged(answer.json().jwt, session.wallet);
  assert.ok(!world.jtis.has(jti), "a jti twice");
  world.jtis.add(jti);
  if (session.revoked?.acknowledged) {
    const late = now - session.revoked.at;
    assert.ok(late < BOUND, `minted ${late} s after the revocation was acknowledged`);
    seen.staleMint = Math.max(seen.staleMint, late);
  }
  return undefined;
}

/** Tokens that nobody was given mint nothing, whatever the store does. */
async function mintOfNobody(world, place) {
  const answer = await client.mint(world.origins[place], `aks_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`);
  world.seen.count(`mint of nobody ${answer.status}`);
  if (answer.status === 503) assertUnavailable(world, answer, place, ["GET"]);
  else assertNotLive(answer);
}

/** A sign-in: start and verify need not be at the same place, and a challenge is used up whatever became of it. */
async function signIn(world, place) {
  const { origins, chance, seen, sessions, store } = world;
  const { wallet, started, requestId, signature } = await client.challenge(origins[chance.pick(PLACES)]);
  assert.equal(started.status, 200, `start does not ask KV, and answers ${started.status}`);
  const answer = await client.verify(origins[place], requestId, signature);
  seen.count(`sign-in ${answer.status}`);
  if (answer.status === 200) {
    assert.ok(!mustFail(world, place, "PUT"), "a session of a store that did not take it");
    sessions.push({ token: answer.json().session_token, wallet, since: store.now });
  } else assertUnavailable(world, answer, place, ["PUT"]);
  assert.ok(answer.milliseconds < ANSWER_MS + SLACK_MS, `sign-in after ${round(answer.milliseconds)} ms`);
  const again = await client.verify(origins[chance.pick(PLACES)], requestId, signature);
  client.assertRefused(again, 401);
}

async function revoke(world, session) {
  const { chance, store, seen } = world;
  const place = chance.pick(PLACES);
  session.ending = true;
  const now = store.now;
  const answer = await client.revoke(world.origins[place], session.token);
  seen.count(`revocation ${answer.status}`);
  session.ending = false;
  if (answer.status === 204) session.revoked = { at: now, acknowledged: true };
  else if (answer.status === 401) assert.ok(now < session.since + BOUND, `revocation 401 ${now - session.since} s after the sign-in`);
  else {
    assertUnavailable(world, answer, place, ["GET", "DELETE"]);
    // The record may be gone, and may not: nothing was promised.
    if (mayFail(world, place, "DELETE")) session.revoked = { at: now, acknowledged: false };
  }
}

/** One challenge, verified at every place at once, twice each: at most one session. */
async function race({ origins, seen }) {
  const { requestId, signature } = await client.challenge(origins.here);
  const answers = await Promise.all([...PLACES, ...PLACES].map((place) => client.verify(origins[place], requestId, signature)));
  const count = (status) => answers.filter((answer) => answer.status === status).length;
  seen.count("races");
  assert.ok(count(200) <= 1, `${count(200)} sessions of one challenge`);
  assert.equal(count(200) + count(503) + count(401), answers.length, `${answers.map(({ status }) => status)}`);
  assert.ok(count(401) >= answers.length - 1, "one took the challenge, the others did not");
}

/** After the bound, with stores that answer, every place says the same: live sessions mint, ended ones do not. */
async function settled({ store, origins, sessions, seen }) {
  store.forward(BOUND);
  for (const session of sessions.slice(-60)) {
    if (session.revoked !== undefined && !session.revoked.acknowledged) continue;
    for (const place of PLACES) {
      const answer = await client.mint(origins[place], session.token);
      assert.equal(answer.status, session.revoked ? 401 : 200, `${place}, after the bound`);
      seen.count("settled mints");
    }
  }
}
