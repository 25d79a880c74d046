// The built broker between instruments. `/__instruments` is theirs; every other request is the broker's.
import { breakMemory, counts, dataset, instances, instrument, instrumentLimit, instrumentObjects, renew, settings, zero } from "./instruments.mjs";
import broker from "../../../../build/worker/entry.js";

export { SigninChallenge } from "../../../../build/worker/entry.js";

/** The one object that bindings are in, where they are to change in place. */
const sole = {};

export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname === "/__instruments") return control(request);
    if (pathname === "/__challenge") return challenge(request, env.CHALLENGES);
    const { SESSIONS, CHALLENGES, MINT_LIMIT, REFUSED_LIMIT, SIGNIN_CLIENT_LIMIT, SIGNIN_WALLET_LIMIT, ...variables } = env;
    const limits = Object.entries({ MINT_LIMIT, REFUSED_LIMIT, SIGNIN_CLIENT_LIMIT, SIGNIN_WALLET_LIMIT });
    const { kv, challenges, limit, events } = settings.faults;
    const bindings = {
      ...(settings.environment ?? variables),
      ...(kv === "unbound" ? {} : { SESSIONS: instrument(SESSIONS) }),
      ...(challenges === "unbound" ? {} : { CHALLENGES: instrumentObjects(CHALLENGES) }),
      ...(limit === "unbound" ? {} : Object.fromEntries(limits.map(([name, binding]) => [name, instrumentLimit(name, binding)]))),
      ...(events === "unbound" ? {} : { EVENTS: dataset }),
    };
    return broker.fetch(request, settings.inPlace ? changed(sole, bindings) : bindings, context);
  },
};

/** The object with these members, and no others. */
function changed(object, members) {
  for (const name of Object.keys(object)) delete object[name];
  return Object.assign(object, members);
}

/** Calls the object of a name past the broker: `{name, method, parameters}`. */
async function challenge(request, objects) {
  const { name, method, parameters = [] } = await request.json();
  return Response.json({ result: (await objects.getByName(name)[method](...parameters)) ?? null });
}

/** GET reads the counters and resets them; POST sets faults, clock and environment, or breaks or renews the instance. */
async function control(request) {
  if (request.method === "POST") {
    const { memory, instance, ...changed } = await request.json();
    Object.assign(settings, changed);
    if (memory === "broken") breakMemory();
    if (instance === "new") renew();
  }
  const seen = { ...structuredClone(counts), instances: instances() };
  Object.assign(counts, zero());
  return Response.json(seen);
}
