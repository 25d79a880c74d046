// The worker, and a way to make its wasm fail at a chosen step of a chosen request: `x-poison: <step> [<what it is about>]`.
// `/__wasm` answers how the instance is, `/__antidote` takes back what has not been effective yet.
//
// | step | where the wasm fails |
// |---|---|
// | begin | as the request begins |
// | get KEY | in a mint, having asked for the session |
// | take NAME | in a verify, as soon as its challenge is taken: in memory that is garbage |
// | entry WALLET | in a verify, having asked for the session's entry in the index to be stored |
// | record WALLET | the same of its record |
// | list WALLET | in a verify, with everything stored and the answer to be written |
// | panic | as an answer's headers are made: a real panic, since the instance is entered in the middle of its work |
import { breakMemory, wasm } from "./instances.mjs";
import { armed } from "./poison-means.mjs";
import worker, { SigninChallenge } from "./entry.js";

export { SigninChallenge };

const poisoned = new Set();

/** Whether this was poisoned; once. */
const is = (step) => poisoned.delete(step);

export default {
  fetch(request, env, context) {
    if (request.url.endsWith("/__wasm")) return Response.json(wasm());
    if (request.url.endsWith("/__antidote")) {
      poisoned.clear();
      Object.assign(armed, { clock: false, headers: undefined });
      return new Response();
    }
    const bindings = { ...env, SESSIONS: namespace(env.SESSIONS), CHALLENGES: objects(env.CHALLENGES) };
    const poison = request.headers.get("x-poison");
    if (poison === "begin") armed.clock = true;
    else if (poison === "panic") {
      globalThis.__broker_instance.broken = true; // headers are made once an instance
      armed.headers = () => void worker.fetch(new Request("https://broker.example/healthz"), bindings, context);
    } else if (poison !== null) poisoned.add(poison);
    const answer = worker.fetch(request, bindings, context);
    if (poison === "begin") armed.clock = false;
    return answer;
  },
};

function namespace(kv) {
  return {
    get(key) {
      armed.clock = is(`get ${key}`);
      return kv.get(key);
    },
    put(key, ...rest) {
      const [kind, , wallet, hash] = key.split("/");
      if (kind === "wallet" && is(`record ${wallet}`)) poisoned.add(`put session/v1/${hash}`);
      armed.clock = kind === "wallet" ? is(`entry ${wallet}`) : is(`put ${key}`);
      return kv.put(key, ...rest);
    },
    list(options) {
      armed.clock = is(`list ${options.prefix.split("/")[2]}`);
      return kv.list(options);
    },
    delete: (key) => kv.delete(key),
  };
}

function objects(challenges) {
  return {
    getByName(name) {
      const object = challenges.getByName(name);
      return {
        put: (...parameters) => object.put(...parameters),
        async take() {
          const challenge = await object.take();
          if (is(`take ${name}`)) breakMemory();
          return challenge;
        },
      };
    },
  };
}
