// Random choices that can be had again: everything random in a run comes from its seed, which the run prints.

/** A generator of a seed (mulberry32): `next()` in [0, 1), and choices made of it. */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  /** A whole number from `least` to `most`, both included. */
  const whole = (least, most) => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    whole,
    chance: (probability) => next() < probability,
    pick: (list) => list[whole(0, list.length - 1)],
  };
}

/** A seed for a run that was given none. */
export const anySeed = () => Math.floor(Math.random() * 2 ** 31);
