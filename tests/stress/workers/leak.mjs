// A twin that is to be found out: where `LEAK` is set it keeps two megabytes every ten milliseconds, where `FAIL` is set one
// request in two hundred fails.
import { wasm } from "./instances.mjs";
import worker, { SigninChallenge } from "./entry.js";

export { SigninChallenge };

const kept = [];
/** A twin, too, has an end: one gibibyte. */
const MOST = 512;
let last = 0;

export default {
  fetch(request, env, context) {
    if (request.url.endsWith("/__wasm")) return Response.json(wasm());
    if (env.LEAK && kept.length < MOST && Date.now() >= last + 10) {
      last = Date.now();
      kept.push(new Uint8Array(2 ** 21).fill(kept.length));
    }
    if (env.FAIL && Math.random() < 0.005) return new Response("", { status: 500 });
    return worker.fetch(request, env, context);
  },
};
