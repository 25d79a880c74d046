// A worker inside a loop: `/?mints=N` lets it mint N times, one after the other, with a store and limits that answer at once
// and, with `&stubbed`, a signature, a log and timers that cost nothing. What is left is the worker's own code and what the
// runtime takes to run it. The module `real.js` is the worker.

import real, { SigninChallenge } from "./real.js";

export { SigninChallenge };

const yes = { limit: async () => ({ success: true }) };
const signature = new ArrayBuffer(64);
let env;
let requests;
let stubbed = false;

export default {
  async fetch(request, bindings, context) {
    const { searchParams } = new URL(request.url);
    prepare(bindings);
    const mint = (turn) => real.fetch(requests[turn % requests.length], env, context);
    const first = await mint(0); // keys are imported, and prove themselves, with what they have
    if (first.status !== 200) return first;
    if (searchParams.has("stubbed")) stub();
    const mints = Number(searchParams.get("mints"));
    let minted = 0;
    for (let turn = 0; turn < mints; turn += 1) if ((await mint(turn)).status === 200) minted += 1;
    return new Response(String(minted));
  },
};

/** `SESSIONS` are `[token, key, record]`; every other variable is the worker's. */
function prepare({ SESSIONS, ...vars }) {
  const records = new Map(SESSIONS.map(([, key, record]) => [key, record]));
  const limits = Object.fromEntries(["MINT_LIMIT", "REFUSED_LIMIT", "SIGNIN_CLIENT_LIMIT", "SIGNIN_WALLET_LIMIT"].map((name) => [name, yes]));
  env ??= { ...vars, ...limits, SESSIONS: { get: async (key) => records.get(key) ?? null } };
  // Made by this request, whose loop uses them.
  requests = SESSIONS.map(([token]) => new Request("https://broker.example/v1/mint-oidc-jwt", {
    method: "POST", headers: { authorization: `Bearer ${token}`, host: "broker.example", "cf-ray": "8f2ab4c6d8e0f123" },
  }));
}

function stub() {
  if (stubbed) return;
  stubbed = true;
  SubtleCrypto.prototype.sign = async () => signature;
  console.log = () => {};
  globalThis.setTimeout = () => 0;
}
