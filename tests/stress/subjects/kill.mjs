// Kill: workerd is ended with SIGKILL at random moments while wallets sign in, mint and end their sessions, and started
// again on the same disk with the same key. What was acknowledged before is held against what is true after.
//
// | acknowledged | then, ever after |
// |---|---|
// | a challenge | it may be answered, once |
// | a verify | its challenge is 401 |
// | a session | it mints |
// | a revocation | it does not |
// | a token | it verifies |
//
// A verify that was cut off may have been carried out or not: its challenge gives one session more at most.

import assert from "node:assert/strict";
import { budget } from "../lib/budget.mjs";
import { counter, percentile, round } from "../lib/figures.mjs";
import * as client from "../lib/client.mjs";
import { anySeed, random } from "../lib/random.mjs";
import { newKey, pause, startWorker, withFolder } from "../lib/stack.mjs";
import { startStore } from "../lib/store.mjs";

const CLIENTS = 6;
/** workerd is left alone for so long at most, from the first request on. */
const ALIVE_MS = 700;
/** So many of what was acknowledged in earlier lives is looked at again in each. */
const LOOK_BACK = 20;

export const about = "workerd killed with SIGKILL under sign-in and mint load, state on disk";
export const short = { rounds: 10 };
export const long = { rounds: 250 };

/**
 * `store` is where sessions are kept: "beside", in a process that is not killed; "miniflare", the simulator with its files, which
 * is killed with the worker; or "memory", which forgets them, for a twin. `worker` is for twins: what `startWorker` takes besides; `keys(life)` the keys of a life.
 */
export async function run({ rounds, minutes, store = "beside", seed = anySeed(), keys, worker, signal, say = () => {} }) {
  const more = budget({ rounds, minutes });
  return withFolder(async (state) => {
    const beside = store === "beside" ? await startStore({ regions: ["main"] }) : undefined;
    const kv = beside ? { address: beside.address("main") } : store;
    const key = { A: await newKey() };
    const world = { chance: random(seed), seen: counter(), inFlight: 0, starts: [], challenges: [], sessions: [], tokens: [] };
    let server;
    try {
      for (let life = 0; ; life += 1) {
        signal?.throwIfAborted();
        const last = !more();
        const begun = performance.now();
        server = await startWorker({ ...worker, keys: keys?.(life) ?? key, kv, state });
        world.origin = server.origin;
        world.judged = client.judge(await client.keySet(server.origin));
        world.starts.push(performance.now() - begun);
        await judgeLastLife(world, last ? Infinity : LOOK_BACK);
        if (last) break;
        await liveAndDie(world, server);
        if ((life + 1) % 25 === 0) say(`kill: ${life + 1} kills, ${world.sessions.length} sessions, ${world.seen.counts["tokens verified"]} tokens`);
      }
      return figures(world, { kills: world.starts.length - 1, store, seed });
    } finally {
      await server?.stop();
      await beside?.close();
    }
  });
}

/** Load, for a random while; then the end. */
async function liveAndDie(world, server) {
  let over = false;
  const clients = Promise.all(Array.from({ length: CLIENTS }, async () => {
    while (!over) await act(world);
  }));
  clients.catch(() => {}); // it is awaited below, once the worker is gone
  await pause(world.chance.whole(1, ALIVE_MS));
  world.seen.count(`in flight at a kill`, world.inFlight);
  over = true;
  await server.kill();
  await clients;
}

/** One request, counted while it is under way. */
async function asked(world, what, request) {
  world.inFlight += 1;
  const answer = await request();
  world.inFlight -= 1;
  world.seen.count(answer.status === 0 ? `${what} cut off` : `${what} ${answer.status}`);
  return answer;
}

/** What one client does next. */
async function act(world) {
  const { chance, sessions } = world;
  const session = sessions.length > 0 && chance.chance(0.4) ? chance.pick(sessions.slice(-50)) : await signIn(world);
  if (session?.token === undefined || session.revoked) return;
  for (let times = chance.whole(1, 4); times > 0; times -= 1) await mint(world, session);
  if (chance.chance(0.1)) await revoke(world, session);
}

async function signIn(world) {
  const { origin, chance, challenges } = world;
  const { one, ...started } = await asked(world, "start", async () => {
    const made = await client.challenge(origin);
    return { ...made.started, one: { ...made, uses: 0 } };
  });
  if (started.status !== 200) return expectCutOff(started, "start");
  challenges.push(one);
  if (chance.chance(0.15)) return undefined; // its wallet comes back in the next life
  const answer = await asked(world, "verify", () => client.verify(origin, one.requestId, one.signature));
  one.tried = true;
  if (answer.status === 200) return opened(world, one, answer);
  return expectCutOff(answer, "verify");
}

function opened(world, one, answer) {
  one.uses += 1;
  const session = { token: answer.json().session_token, wallet: one.wallet };
  world.sessions.push(session);
  return session;
}

/** In the last moment of a life requests break off. Everything else is answered. */
function expectCutOff(answer, what) {
  assert.equal(answer.status, 0, `${what}: ${answer.status} ${answer.text.slice(0, 120)}`);
}

async function mint(world, session) {
  const answer = await asked(world, "mint", () => client.mint(world.origin, session.token));
  if (answer.status === 200) world.tokens.push({ jwt: answer.json().jwt, wallet: session.wallet });
  else if (!(answer.status === 401 && session.ending)) expectCutOff(answer, "mint");
}

async function revoke(world, session) {
  session.ending = true;
  const answer = await asked(world, "revocation", () => client.revoke(world.origin, session.token));
  if (answer.status === 204) session.revoked = true;
  // Another client has ended it in the meantime.
  else if (answer.status !== 401) expectCutOff(answer, "revocation");
}

/** Holds what was acknowledged against a worker that has just started. `most` bounds what is looked at of earlier lives. */
async function judgeLastLife(world, most) {
  const { origin, seen, challenges, sessions, chance } = world;
  const ofEarlierLives = (list) => {
    const old = list.filter(({ judged }) => judged);
    return old.length <= most ? old : Array.from({ length: most }, () => chance.pick(old));
  };
  const old = ofEarlierLives(challenges);
  await inTurn(challenges.filter(({ judged }) => !judged), async (one) => {
    const before = one.uses;
    const answers = await Promise.all(Array.from({ length: 3 }, () => client.verify(origin, one.requestId, one.signature)));
    for (const answer of answers) {
      if (answer.status === 200) opened(world, one, answer);
      else client.assertRefused(answer, 401);
    }
    assert.ok(one.uses <= 1, before === 1 ? "a challenge whose verify was acknowledged gave another session" : `a challenge gave ${one.uses} sessions`);
    if (!one.tried) assert.equal(one.uses, 1, "a challenge that was acknowledged and not answered is gone");
    seen.count(`challenges ${fate(one, before)}`);
    client.assertRefused(await client.verify(origin, one.requestId, one.signature), 401);
    one.judged = true;
  });
  await inTurn(old, async (one) => client.assertRefused(await client.verify(origin, one.requestId, one.signature), 401));
  seen.count("looks back at a challenge", old.length);
  const again = [...sessions.filter(({ judged }) => !judged), ...ofEarlierLives(sessions)];
  await inTurn(again, async (session) => {
    const answer = await client.mint(origin, session.token);
    if (session.revoked) client.assertRefused(answer, 401);
    else if (answer.status === 200) world.tokens.push({ jwt: answer.json().jwt, wallet: session.wallet });
    else {
      assert.ok(session.ending, `a session that was acknowledged is lost: ${answer.status} ${answer.text.slice(0, 80)}`);
      client.assertRefused(answer, 401);
      session.revoked = true;
    }
    session.judged = true;
  });
  seen.count("looks at a session after a kill", again.length);
  // Those of the life before, and those of this one: by the key set that is served now.
  await inTurn(world.tokens.splice(0), async ({ jwt, wallet }) => {
    await world.judged(jwt, wallet);
    seen.count("tokens verified");
  });
}

/** What had become of a challenge when its worker was killed. */
function fate({ tried, uses }, before) {
  if (!tried) return "answered in the next life";
  if (before === 1) return "acknowledged as used";
  return uses === 1 ? "whose verify was cut off before it took them" : "whose verify was cut off after it took them";
}

/** So many at a time. */
async function inTurn(list, step) {
  const rest = [...list];
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) await step(next);
  }));
}

function figures({ seen, starts, challenges, sessions }, settings) {
  return {
    ...settings,
    challenges: challenges.length, usedTwice: challenges.filter(({ uses }) => uses > 1).length,
    sessions: sessions.length, revoked: sessions.filter(({ revoked }) => revoked).length,
    restartMs: { p50: round(percentile(starts, 50), 0), max: round(Math.max(...starts), 0) },
    counts: Object.fromEntries(Object.entries(seen.counts).sort()),
  };
}
