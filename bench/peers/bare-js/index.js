// The floor in JavaScript: the least that a worker can do. `/kv` adds one KV read, and nothing else. `/calls` asks of the runtime
// all that a mint asks of it, under the same deadlines, and works nothing out: no worker can mint for less.

import { LIMITER, STORES, inTime } from "../jose/deadline.js";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
// As long as a mint's: what is signed, its answer, its line.
const SIGNED = new TextEncoder().encode("s".repeat(560));
const ANSWER = JSON.stringify({ jwt: "j".repeat(650), wallet: "w".repeat(42), expiration: 1_900_000_000 });
const LINE = JSON.stringify({
  event: "mint", outcome: "ok", session: "s".repeat(12), wallet: "w".repeat(42), audience: "sts.amazonaws.com", kid: "k".repeat(43),
  jti: "j".repeat(32), ms: 1, ray: "r".repeat(16),
});
const INIT = { headers: new Headers({ "content-type": "application/json", "cache-control": "no-store" }) };

let key;

export default {
  fetch(request, env) {
    const { url } = request;
    if (url.endsWith("/kv")) return readOne(env.SESSIONS);
    return url.endsWith("/calls") ? calls(request, env) : new Response("ok");
  },
};

async function readOne(store) {
  const value = await store.get("bench/probe");
  return value === null ? new Response("missing", { status: 500 }) : new Response("ok");
}

async function calls({ headers }, env) {
  key ??= await crypto.subtle.importKey("jwk", JSON.parse(env.SIGNING_KEY_A), ALGORITHM, false, ["sign"]);
  await inTime(env.MINT_LIMIT.limit({ key: headers.get("authorization") }), LIMITER);
  const record = await inTime(env.SESSIONS.get(headers.get("x-store-key")), STORES);
  if (record === null) return new Response("missing", { status: 500 });
  crypto.getRandomValues(new Uint8Array(16));
  await crypto.subtle.sign(ALGORITHM, key, SIGNED);
  console.log(LINE);
  return new Response(ANSWER, INIT);
}
