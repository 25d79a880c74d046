// How long a subject goes on: so many rounds, or so many minutes.

/** Answers whether there is another round, each time it is asked. */
export function budget({ rounds, minutes }) {
  if ((rounds === undefined) === (minutes === undefined)) throw new Error("say rounds or minutes");
  const until = minutes === undefined ? Infinity : Date.now() + minutes * 60_000;
  let left = rounds ?? Infinity;
  return () => {
    if (left <= 0 || Date.now() >= until) return false;
    left -= 1;
    return true;
  };
}
