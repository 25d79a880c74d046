// The means of poisoning, in place before the worker's own modules are evaluated.

/** Set to have the next reading of the clock inside the wasm trap, and what is done instead of the next `new Headers()`. */
export const armed = { clock: false, headers: undefined };

const realNow = Date.now;
Date.now = () => {
  if (armed.clock) {
    armed.clock = false;
    // Nothing inside the wasm can catch it: the end of the instance, as of a trap.
    throw new WebAssembly.RuntimeError("unreachable canary-of-a-trap");
  }
  return realNow();
};

globalThis.Headers = class extends Headers {
  constructor(...parameters) {
    const instead = armed.headers;
    armed.headers = undefined;
    instead?.();
    super(...parameters);
  }
};
