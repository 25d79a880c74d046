// The module that the runtime loads: has the wasm set up, hands every request to it, waits where it has to wait, and gives a
// fresh instance after a panic.
//
// A plain object and a plain function. The entry that worker-build generates makes an entrypoint object and two
// proxies per request; what it does for recovery is kept here without them.
import { env as bindings } from "cloudflare:workers";

import { begin, prepare, resume, __wbg_reset_state } from "../../build/wasm/broker.js";

export { SigninChallenge } from "./challenge.js";

// The instance of the wasm: whether it has panicked. It is on the global object for the tests, which renew it.
const instance = (globalThis.__broker_instance = { broken: false });

// The number of the last request. It goes on over all instances, so that a request whose instance is gone is not known to
// the next one, and never mistaken for another.
let last = 0;

// While the isolate starts, which at Cloudflare is while the first client still shakes hands for TLS. Nothing waits for it: if
// it has not come to its end, the first request sets up for itself.
start();

export default {
  fetch(request, env) {
    const id = (last = (last + 1) >>> 0);
    try {
      renew();
      const step = begin(id, request.method, urlOf(request), request, env);
      return step instanceof Response ? step : finish(id, step);
    } catch {
      return panicked();
    }
  },
};

/**
 * The URL of a request. The runtime writes the Host header into it as it came, and one with a delimiter in it would stand
 * where the path does: such a request is for nothing that is here.
 */
function urlOf(request) {
  return /[/?#\\]/.test(request.headers.get("host")) ? "" : request.url;
}

async function start() {
  try {
    await finish(last, prepare(last, bindings));
  } catch {
    panicked();
  }
}

/** Awaits the promises of a request, one after the other, until there is an answer. */
async function finish(id, step) {
  try {
    while (!(step instanceof Response)) {
      if (step === undefined) return failed(); // begun in an instance that is gone
      let value;
      let rejected = false;
      try {
        value = await step;
      } catch {
        rejected = true;
      }
      renew();
      step = resume(id, value, rejected);
    }
    return step;
  } catch {
    return panicked();
  }
}

/** A fresh instance, where the last one has panicked. */
function renew() {
  if (instance.broken) {
    __wbg_reset_state();
    instance.broken = false;
  }
}

/** The wasm answers everything that it can still answer: an exception is the end of the instance. */
function panicked() {
  instance.broken = true;
  return failed();
}

/** What a caller sees of a panic: as much as of any other fault of ours. */
function failed() {
  console.error(JSON.stringify({ event: "panic", outcome: "failed", reason: "internal" }));
  return new Response(JSON.stringify({ error: "internal", message: "The broker failed. Try again, and tell its operator if it stays so." }), {
    status: 500,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
}
