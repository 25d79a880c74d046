// The instruments, put in place before the broker's module is evaluated: counters, faults and a clock.

/** What was counted since the last reset. */
export const counts = { reads: 0, deletes: 0, signatures: 0, imports: 0, keys: [] };

/**
 * What is made to go wrong: `{kv, deletion, sign, random}` by name; the seconds the clock is ahead; the text that upstreams
 * fail with; and the variables and secrets that the broker finds instead of the worker's own.
 */
export const settings = { faults: {}, ahead: 0, canary: "", environment: undefined };

/** What upstreams say when they fail. The broker must never repeat it. */
const upstreamSays = () => new Error(`KV GET failed: 500 ${settings.canary}`);

const realNow = Date.now;
Date.now = () => realNow() + settings.ahead * 1000;

// A deadline that cannot be set is a panic of the `worker` crate, which unwraps it: a real one, with a real message.
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
  globalThis.__worker_init_state.criticalError = true;
}

/** A namespace that counts, and fails as it is told to. */
export function instrument(namespace) {
  const faulty = async (operation) => {
    switch (settings.faults.kv) {
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
      default:
        return operation();
    }
  };
  return {
    get(key, ...rest) {
      counts.reads += 1;
      counts.keys.push(key);
      if (settings.faults.kv === "throw") throw upstreamSays();
      return faulty(() => namespace.get(key, ...rest));
    },
    getWithMetadata(key, ...rest) {
      counts.reads += 1;
      counts.keys.push(key);
      return faulty(() => namespace.getWithMetadata(key, ...rest));
    },
    delete(key) {
      counts.deletes += 1;
      counts.keys.push(key);
      if (key.startsWith(settings.faults.deletion ?? "no key")) return Promise.reject(upstreamSays());
      return faulty(() => namespace.delete(key));
    },
    list: (...parameters) => namespace.list(...parameters),
    put: (...parameters) => namespace.put(...parameters),
  };
}
