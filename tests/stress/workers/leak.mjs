// A twin that is to be found out: it keeps something of every request, and one in two hundred fails where `FAIL` is set.
import { wasm } from "./instances.mjs";
import worker, { SigninChallenge } from "./entry.js";

export { SigninChallenge };

const kept = [];
/** A twin, too, has an end: one gibibyte. */
const MOST = 8_192;

export default {
  fetch(request, env, context) {
    if (request.url.endsWith("/__wasm")) return Response.json(wasm());
    if (env.LEAK && kept.length < MOST) kept.push(new Uint8Array(131_072).fill(kept.length));
    if (env.FAIL && Math.random() < 0.005) return new Response("", { status: 500 });
    return worker.fetch(request, env, context);
  },
};
