// Twins that are to be found out, with the gauge: where `LEAK` is set it keeps two megabytes every ten milliseconds, where
// `LITTER` is set a text of every request, and where `FAIL` is set one request in two hundred fails.
import gauge from "./gauge.mjs";
import worker, { SigninChallenge } from "./entry.js";

export { SigninChallenge };

const kept = [];
const litter = [];
/** A twin, too, has an end: one gibibyte. */
const MOST = 512;
let last = 0;

export default {
  fetch(request, env, context) {
    if (/\/__(?:wasm|collect)$/.test(request.url)) return gauge.fetch(request, env, context);
    if (env.LITTER) litter.push(`${litter.length} ${"x".repeat(1_000)}`);
    if (env.LEAK && kept.length < MOST && Date.now() >= last + 10) {
      last = Date.now();
      kept.push(new Uint8Array(2 ** 21).fill(kept.length));
    }
    if (env.FAIL && Math.random() < 0.005) return new Response("", { status: 500 });
    return worker.fetch(request, env, context);
  },
};
