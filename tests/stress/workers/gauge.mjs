// The worker with a gauge: `/__wasm` answers how many instances of the wasm there were and how large the last one's memory is;
// `/__collect` collects all garbage of this isolate, which V8 then writes a line of (`--expose-gc`, `--trace-gc`).
import { wasm } from "./instances.mjs";
import worker, { SigninChallenge } from "./entry.js";

export { SigninChallenge };

export default {
  fetch(request, env, context) {
    if (request.url.endsWith("/__wasm")) return Response.json(wasm());
    if (!request.url.endsWith("/__collect")) return worker.fetch(request, env, context);
    globalThis.gc();
    return new Response();
  },
};
