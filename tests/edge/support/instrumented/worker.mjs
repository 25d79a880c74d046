// The built broker between instruments. `/__instruments` is theirs; every other request is the broker's.
import { breakMemory, counts, instrument, settings } from "./instruments.mjs";
import broker from "../../../../build/worker/entry.js";

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname === "/__instruments") return control(request);
    // No binding at all where the tests ask for none.
    const { SESSIONS, ...others } = env;
    return broker.fetch(request, env.WITHOUT_SESSIONS ? others : { ...others, SESSIONS: instrument(SESSIONS) }, context);
  },
};

/** GET reads the counters and resets them; POST sets faults and clock. */
async function control(request) {
  if (request.method === "POST") {
    const { breakMemory: broken, ...changed } = await request.json();
    if (broken) return Response.json({ instances: breakMemory() });
    Object.assign(settings, changed);
    return Response.json(settings);
  }
  const seen = structuredClone(counts);
  Object.assign(counts, { reads: 0, deletes: 0, signatures: 0, imports: 0, keys: [] });
  return Response.json(seen);
}
