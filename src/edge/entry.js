// The module that the runtime loads: hands every request to the wasm, and gives a fresh instance after a panic.
//
// A plain object and a plain function. The entry that worker-build generates makes an entrypoint object and two
// proxies per request; what it does for recovery is kept here without them.
import { fetch as answer, __wbg_reset_state, __worker_init_state } from "../../build/wasm/broker.js";

const instance = __worker_init_state();

// The requests under way: what ends each, and since when. A panic ends them all: it happens inside a microtask, so that
// their promises never settle.
const underWay = new Map();

// A request whose caller hangs up may be dropped by the runtime without its `finally`. None takes this many milliseconds.
const FORGOTTEN = 60_000;

addEventListener("error", (event) => {
  if (!(event.error instanceof WebAssembly.RuntimeError)) return;
  event.preventDefault(); // the runtime would log its stack
  for (const end of underWay.keys()) end(event.error);
});

// What a caller sees of a panic: as much as of any other fault of ours.
const failed = () =>
  new Response(JSON.stringify({ error: "internal", message: "The broker failed. Try again, and tell its operator if it stays so." }), {
    status: 500,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });

export default {
  async fetch(request, env) {
    if (instance.criticalError) {
      __wbg_reset_state();
      instance.criticalError = false;
    }
    const now = Date.now();
    for (const [forgotten, since] of underWay) {
      if (now - since < FORGOTTEN) break;
      underWay.delete(forgotten);
    }
    let end;
    const ended = new Promise((_, reject) => (end = reject));
    underWay.set(end, now);
    try {
      return await Promise.race([answer(request, env), ended]);
    } catch {
      // The wasm answers everything that it can still answer: an exception is the end of the instance.
      instance.criticalError = true;
      console.error(JSON.stringify({ event: "panic", outcome: "failed", reason: "internal" }));
      return failed();
    } finally {
      underWay.delete(end);
    }
  },
};
