// The worker with a gauge: `/__wasm` answers how many instances of the wasm there were and how large the last one's memory is.
import { wasm } from "./instances.mjs";
import worker, { SigninChallenge } from "./entry.js";

export { SigninChallenge };

export default {
  fetch: (request, env, context) => (request.url.endsWith("/__wasm") ? Response.json(wasm()) : worker.fetch(request, env, context)),
};
