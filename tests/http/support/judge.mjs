// What must hold of every answer, whatever was sent: who gave it, that no cache may keep it unless it is public, and that it
// repeats nothing.
import assert from "node:assert/strict";

/** Status codes that a cache may keep without being told to (RFC 9110 §15.1). */
const HEURISTICALLY_CACHEABLE = [200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501];

/**
 * Whether some cache, shared or private, may store an answer (RFC 9111 §3). Taken widely: `private`, `no-cache` and
 * `must-revalidate` are stored too, and a POST is where its lifetime is said (RFC 9110 §9.3.3).
 */
export function storable(method, answer) {
  const directives = answer.headers
    .filter(([name]) => name === "cache-control")
    .flatMap(([, value]) => value.toLowerCase().split(",").map((directive) => directive.trim().split("=")[0].trim()));
  if (directives.includes("no-store")) return false;
  if (!["GET", "HEAD", "POST"].includes(method)) return false;
  const told = ["public", "private", "max-age", "s-maxage", "immutable", "stale-while-revalidate"].some((word) => directives.includes(word));
  const explicit = told || answer.headers.some(([name]) => ["expires", "cdn-cache-control", "surrogate-control"].includes(name));
  return explicit || (method !== "POST" && HEURISTICALLY_CACHEABLE.includes(answer.status));
}

/** What plain workerd answers itself, before the worker sees a request: `[status, words]`. */
const RUNTIME = [
  [400, /^invalid (?:URI|HTTP method parsed|HTTP version parsed|HTTP header parsed|content-length parsed|transfer-encoding parsed)$/],
  [400, /^unexpected transfer-encoding parsed$/],
  [400, /^Bad Request$/], // no Host, or one that is no text
  [414, /^URI too long$/],
  [431, /^message head is too large$/],
  // RFC 9110 §9.1: a method that is not implemented. It ends the connection.
  [501, /^ERROR: Unrecognized request method\.$/],
  // CONNECT, which the worker has no handler for: workerd's own words, and not the worker's.
  [500, /^Internal Server Error$/],
];

/**
 * Who gave an answer: `"runtime"`, `"public"` (discovery, the key set, and what they answer to OPTIONS), or `"broker"`. Fails
 * where it is none of them, where one that is not public could be kept by a cache, and on a server error.
 */
export function giver(method, answer) {
  const { status, body, header } = answer;
  const told = (words) => words.test(body) || (method === "HEAD" && body === "");
  if (RUNTIME.some(([known, words]) => known === status && told(words)) && header("cache-control") === undefined) {
    assert.ok(status !== 500 || method === "CONNECT", `the runtime's 500 to ${method}`);
    // RFC 9110 §15.5.15 lets a cache keep a 414, under a target that is longer than any that is answered.
    assert.ok(status === 414 || !storable(method, answer), `a cache may keep the runtime's ${status} to ${method}`);
    return "runtime";
  }
  assert.ok(status < 500, `${status} to ${method}: ${body}`);
  for (const name of ["cache-control", "content-type", "etag", "content-length"]) {
    assert.ok(answer.headers.filter(([known]) => known === name).length <= 1, `${name} twice`);
  }
  const control = header("cache-control");
  if (control === "no-store") return "broker";
  const served = status === 200 && header("content-type") === "application/json" && isPublic(method, body);
  const unchanged = status === 304 && body === "";
  if (control === "public, max-age=900" && ["GET", "HEAD"].includes(method) && (served || unchanged) && /^"[\w-]+"$/.test(header("etag"))) return "public";
  if (control === undefined && method === "OPTIONS" && status === 204) return "public";
  assert.fail(`${status} to ${method} with Cache-Control ${control}: ${body.slice(0, 200)}`);
}

/** Whether a body is one of the two public documents, by the members that they have and no other answer has. */
function isPublic(method, body) {
  if (method === "HEAD") return body === "";
  const document = parsed(body);
  const members = Object.keys(document ?? {});
  const isKeySet = members.join() === "keys" && document.keys.every(({ kid, kty }) => kid && kty);
  return isKeySet || ["issuer", "jwks_uri", "claims_supported"].every((member) => members.includes(member));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Fails where an answer repeats any of these texts that were sent. */
export function assertNoEcho(text, sent) {
  for (const part of sent) assert.ok(!text.toLowerCase().includes(part.toLowerCase()), `the answer repeats ${JSON.stringify(part)}`);
}

/** Every answer of a conversation, judged; what is no answer fails. `methods` are the requests' own, in order. */
export function judged({ answers, rest, text }, methods, sent = []) {
  assert.equal(rest, "", "bytes that are no answer");
  assertNoEcho(text, sent);
  const final = answers.filter(({ status }) => status >= 200);
  for (const { status } of answers.filter((answer) => !final.includes(answer))) assert.equal(status, 100, "an interim answer");
  return final.map((answer, place) => ({ ...answer, giver: giver(methods[place] ?? "GET", answer) }));
}
