// The built broker between instruments. `/__instruments` is theirs; every other request is the broker's.
import { breakMemory, counts, instances, instrument, renew, settings } from "./instruments.mjs";
import broker from "../../../../build/worker/entry.js";

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname === "/__instruments") return control(request);
    const { SESSIONS, ...variables } = env;
    const bindings = settings.environment ?? variables;
    return broker.fetch(request, settings.faults.kv === "unbound" ? bindings : { ...bindings, SESSIONS: instrument(SESSIONS) }, context);
  },
};

/** GET reads the counters and resets them; POST sets faults, clock and environment, or breaks or renews the instance. */
async function control(request) {
  if (request.method === "POST") {
    const { memory, instance, ...changed } = await request.json();
    Object.assign(settings, changed);
    if (memory === "broken") breakMemory();
    if (instance === "new") renew();
  }
  const seen = { ...structuredClone(counts), instances: instances() };
  Object.assign(counts, { reads: 0, deletes: 0, signatures: 0, imports: 0, keys: [] });
  return Response.json(seen);
}
