// The module that the runtime loads: hands every request to the wasm, and gives a fresh instance after a panic.
//
// A plain object and a plain function. The entry that worker-build generates makes an entrypoint object and two
// proxies per request; what it does for recovery is kept here without them.
import { fetch as answer, __wbg_reset_state, __worker_init_state } from "../../build/wasm/broker.js";

const instance = __worker_init_state();

// The requests under way. A panic ends them all: it happens inside a microtask, so that their promises never settle.
const underWay = new Set();

addEventListener("error", (event) => {
  if (!(event.error instanceof WebAssembly.RuntimeError)) return;
  event.preventDefault(); // the runtime would log its stack
  for (const end of underWay) end(event.error);
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
    let end;
    const ended = new Promise((_, reject) => (end = reject));
    underWay.add(end);
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
