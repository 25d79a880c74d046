// Rotation: one signing key after another, under load, with relying parties that fetch the key set when its max-age is
// over, and at no other time; not even where a token names a key that they do not know.
//
// A rotation is the documented one: a deployment that puts the new key, due some time later, into the slot of the key
// before the last. For a while the old and the new deployment answer side by side. The clock of workers and relying
// parties runs 600 times faster, so that the fifteen minutes of the key set are a second and a half.

import assert from "node:assert/strict";
import { createLocalJWKSet, decodeJwt, errors, jwtVerify } from "jose";
import { AUDIENCE, ISSUER, TOKEN_TTL } from "../../../bench/lib/fixture.mjs";
import { budget } from "../lib/budget.mjs";
import { counter } from "../lib/figures.mjs";
import * as client from "../lib/client.mjs";
import { newKey, pause, startWorker } from "../lib/stack.mjs";
import { startStore } from "../lib/store.mjs";

const SCALE = 600;
const RELYING_PARTIES = 4;
const KEY_SET_AGE = 900;
/** In seconds of the fast clock: how long old and new deployment answer side by side, what a start may take, and what a wait may be late. */
const OVERLAP = 120;
const START = 1_200;
const MARGIN = 300;
const SLOTS = ["A", "B"];

export const about = "signing keys rotated under load, relying parties that keep the key set for its max-age";
export const short = { rounds: 3 };
export const long = { rounds: 50 };

/** The promise: no token fails. */
export async function run(options) {
  const figures = await rotate(options);
  assert.equal(figures.failed, 0, `${figures.failed} of ${figures.verified + figures.failed} tokens failed: ${JSON.stringify(figures.failures)}`);
  assert.equal(figures.keysThatSigned, figures.rotations + 1, "every key has signed");
  return figures;
}

/**
 * The rotations, whatever they do to tokens. `notice` is the time in seconds from the end of the old deployment to the new
 * key's first signature, or 0 for a key that signs at once: the twin.
 */
export async function rotate({ rounds, minutes, notice = KEY_SET_AGE + MARGIN, signal, say = () => {} }) {
  const more = budget({ rounds, minutes });
  const clock = { base: Date.now(), scale: SCALE };
  const now = () => clock.base + (Date.now() - clock.base) * SCALE;
  const seconds = () => now() / 1000;
  const wait = (length) => pause((length * 1000) / SCALE);
  const store = await startStore({ regions: ["main"] });
  const deployment = (keys) =>
    startWorker({ keys, wrapper: ["clock.mjs"], vars: { CLOCK: clock }, kv: { address: store.address("main") } });

  const world = { live: [], ...counter(), failures: {}, kids: new Set(), over: false, now, wait };
  const started = [];
  try {
    let keys = { A: await newKey() };
    world.live = [await deployment(keys)];
    started.push(...world.live);
    // Not by sign-in: its stores have 1.5 s of the fast clock together.
    world.session = await client.issue(`http://${store.address("main")}`, Math.floor(seconds()) + 30 * 86_400);
    const relyingParties = Promise.all(Array.from({ length: RELYING_PARTIES }, (_, number) => relyingParty(world, number)));
    relyingParties.catch(() => {}); // it is awaited below; until then the rotations go on
    await wait(KEY_SET_AGE); // by now the relying parties keep key sets of all ages
    let rotations = 0;
    let allowance = START;
    while (more()) {
      rotations += 1;
      const [old] = world.live;
      let [key, next] = [];
      for (;;) {
        signal?.throwIfAborted();
        key = await newKey({ nbf: Math.floor(seconds()) + (notice === 0 ? 0 : allowance + OVERLAP + notice) });
        next = await deployment({ ...keys, [SLOTS[rotations % SLOTS.length]]: key });
        started.push(next);
        await client.keySet(next.origin);
        if (notice === 0 || key.nbf - seconds() >= OVERLAP + notice) break;
        // A busy machine: nobody has seen this one, and the next is given more time to start.
        await next.stop();
        allowance *= 2;
      }
      keys = { ...keys, [SLOTS[rotations % SLOTS.length]]: key };
      world.live = [next, old];
      await wait(OVERLAP);
      world.live = [next];
      assert.ok(notice === 0 || key.nbf - seconds() >= KEY_SET_AGE, "the machine is too slow for the fast clock");
      await old.stop();
      await wait(Math.max(0, key.nbf - seconds()) + TOKEN_TTL + MARGIN);
      if (rotations % 5 === 0) say(`rotation: ${rotations} rotations, ${world.counts.verified} tokens verified`);
    }
    world.over = true;
    await relyingParties;
    const { verified, failed = 0, "too late": late = 0, ...sets } = world.counts;
    return { rotations, relyingParties: RELYING_PARTIES, scale: SCALE, noticeSeconds: notice, verified, failed, failures: world.failures, notJudgedInTime: late, keysThatSigned: world.kids.size, keySets: sets };
  } finally {
    world.over = true;
    for (const server of started) await server.stop();
    await store.close();
  }
}

/** Verifies tokens of any age by a key set that it keeps for as long as it may. */
async function relyingParty(world, number) {
  const { count, wait, now } = world;
  let kept = { until: 0 };
  const anyOf = (list) => list[Math.floor(Math.random() * list.length)];
  const keySet = async () => {
    if (now() < kept.until) return kept.keys;
    const answer = await client.send(anyOf(world.live).origin, "GET", client.JWKS, { headers: kept.etag ? { "if-none-match": kept.etag } : {} });
    if (answer.status === 0) return kept.keys ?? keySet(); // the old deployment has just gone
    count(`fetched: ${answer.status}`);
    const [, maxAge] = /max-age=(\d+)/.exec(answer.headers.get("cache-control"));
    assert.equal(Number(maxAge), KEY_SET_AGE);
    const keys = answer.status === 304 ? kept.keys : createLocalJWKSet(answer.json());
    kept = { keys, etag: answer.headers.get("etag"), until: now() + Number(maxAge) * 1000 };
    return keys;
  };
  await wait((KEY_SET_AGE / RELYING_PARTIES) * number); // each fetches at a time of its own
  while (!world.over) {
    const minted = await client.mint(anyOf(world.live).origin, world.session.token);
    if (minted.status === 0) continue; // the old deployment has just gone
    assert.equal(minted.status, 200, minted.text);
    const { jwt } = minted.json();
    await wait(Math.random() * TOKEN_TTL);
    const keys = await keySet();
    const at = now(); // one time for both: the fast clock may pass the token's end between two looks
    if (Math.floor(at / 1000) >= decodeJwt(jwt).exp) count("too late");
    else await judge(world, jwt, keys, at);
  }
}

async function judge(world, jwt, keys, at) {
  try {
    const { protectedHeader } = await jwtVerify(jwt, keys, { issuer: ISSUER, audience: AUDIENCE, algorithms: ["ES256"], currentDate: new Date(at) });
    world.kids.add(protectedHeader.kid);
    world.count("verified");
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    world.failures[error.code] = (world.failures[error.code] ?? 0) + 1;
    world.count("failed");
  }
}
