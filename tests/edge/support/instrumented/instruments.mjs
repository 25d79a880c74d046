// The instruments, put in place before the broker's module is evaluated: counters, faults and a clock.

/** Counters at zero. */
export const zero = () => ({ reads: 0, writes: 0, lists: 0, deletes: 0, signatures: 0, imports: 0, keys: [], challenges: [], limits: [], points: [] });

/** What was counted since the last reset. `challenges` has the calls of objects, `limits` binding and key, `points` data points. */
export const counts = zero();

/**
 * What is made to go wrong: `{kv, deletion, write, list, challenges, limit, limited, events, sign, random}` by name; the seconds the clock is ahead; the text that upstreams
 * fail with; the variables and secrets that the broker finds instead of the worker's own; and whether they are always in the same object.
 */
export const settings = { faults: {}, ahead: 0, canary: "", environment: undefined, inPlace: false };

/** What upstreams say when they fail. The broker must never repeat it. */
const upstreamSays = () => new Error(`KV GET failed: 500 ${settings.canary}`);

const realNow = Date.now;
Date.now = () => {
  // The clock is read inside the wasm and cannot fail: an exception there ends the instance as a trap does. Once, since the
  // runtime reads it for every line that it logs.
  if (settings.faults.clock === "trap") {
    delete settings.faults.clock;
    throw new WebAssembly.RuntimeError(`unreachable ${settings.canary}`);
  }
  return realNow() + settings.ahead * 1000;
};

// The deadline of a KV operation is the broker's only timer.
const { setTimeout: realTimeout } = globalThis;
globalThis.setTimeout = (...parameters) => {
  if (settings.faults.timer === "throw") throw upstreamSays();
  return realTimeout(...parameters);
};

const { sign, importKey } = SubtleCrypto.prototype;
SubtleCrypto.prototype.sign = function (...parameters) {
  counts.signatures += 1;
  return settings.faults.sign === "reject" ? Promise.reject(upstreamSays()) : sign.apply(this, parameters);
};
SubtleCrypto.prototype.importKey = function (...parameters) {
  counts.imports += 1;
  return importKey.apply(this, parameters);
};

const { getRandomValues } = Crypto.prototype;
Crypto.prototype.getRandomValues = function (array) {
  if (settings.faults.random === "throw") throw upstreamSays();
  return getRandomValues.call(this, array);
};

// The memory of every instance of the broker's wasm, so that one can be broken as a panic would.
const memories = [];
const { Instance } = WebAssembly;
WebAssembly.Instance = class extends Instance {
  constructor(...parameters) {
    super(...parameters);
    memories.push(this.exports.memory);
  }
};

/** How many instances there have been. */
export const instances = () => memories.length;

/** Makes the running instance trap on its next step. */
export function breakMemory() {
  new Uint8Array(memories.at(-1).buffer).fill(0xff);
}

/** Has the next request set up a fresh instance, as after a panic and as after a deployment. */
export function renew() {
  globalThis.__broker_instance.broken = true;
}

/** Does what it is told to do: an operation, or a fault in its place. */
async function faulty(fault, operation) {
  switch (fault) {
    case "reject":
      throw upstreamSays();
    case "hang":
      return new Promise(() => {});
    case "slow": {
      const answer = await operation();
      await new Promise((resolve) => realTimeout(resolve, 2_500));
      return answer;
    }
    case "slow to fail":
      await new Promise((resolve) => realTimeout(resolve, 2_500));
      throw upstreamSays();
    case "half a second":
      await new Promise((resolve) => realTimeout(resolve, 500));
      return operation();
    case "a second":
      await new Promise((resolve) => realTimeout(resolve, 1_000));
      return operation();
    default:
      return operation();
  }
}

/** A namespace that counts, and fails as it is told to. */
export function instrument(namespace) {
  const failing = (place, key) => (key.startsWith(settings.faults[place] ?? "no key") ? "reject" : settings.faults.kv);
  const count = (operation, key) => {
    counts[operation] += 1;
    counts.keys.push(key);
    if (settings.faults.kv === "throw") throw upstreamSays();
  };
  return {
    get(key, ...rest) {
      count("reads", key);
      return faulty(settings.faults.kv, () => namespace.get(key, ...rest));
    },
    put(key, ...rest) {
      count("writes", key);
      return faulty(failing("write", key), () => namespace.put(key, ...rest));
    },
    delete(key) {
      count("deletes", key);
      return faulty(failing("deletion", key), () => namespace.delete(key));
    },
    list(options) {
      count("lists", options.prefix);
      return faulty(failing("list", options.prefix), () => namespace.list(options));
    },
  };
}

/** A namespace of challenges that counts, and fails as it is told to. */
export function instrumentObjects(namespace) {
  return {
    getByName(name) {
      const object = namespace.getByName(name);
      const call = (method) => (...parameters) => {
        counts.challenges.push(`${method} ${name}`);
        if (settings.faults.challenges === "throw") throw upstreamSays();
        return faulty(settings.faults.challenges, () => object[method](...parameters));
      };
      return { put: call("put"), take: call("take") };
    },
  };
}

/** A rate limit that counts, and fails as it is told to; those of `limited` are used up. */
export function instrumentLimit(name, binding) {
  return {
    limit(options) {
      counts.limits.push(`${name} ${options.key}`);
      if (settings.faults.limited?.includes(name)) return Promise.resolve({ success: false });
      if (settings.faults.limit === "throw") throw upstreamSays();
      if (settings.faults.limit === "garbage") return Promise.resolve(upstreamSays().message);
      return faulty(settings.faults.limit, () => binding.limit(options));
    },
  };
}

/** A dataset that keeps what is written to it, and fails as it is told to. */
export const dataset = {
  writeDataPoint(point) {
    if (settings.faults.events === "throw") throw upstreamSays();
    counts.points.push(point);
  },
};
