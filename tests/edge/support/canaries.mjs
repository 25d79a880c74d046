// What must never be seen: every session token and every private key member that the tests make is put under guard
// here, and everything that a broker answers or logs is searched for it.
import assert from "node:assert/strict";

const guarded = new Map();
/** A part of a secret this long is as bad as the whole. */
const PART = 16;

/** Puts a secret under guard for the rest of this process. */
export function guard(what, secret) {
  const text = secret.replace(/^aks_/, "");
  // A short one (an empty member of a broken key) would be found by chance.
  for (const start of [0, Math.floor((text.length - PART) / 2), text.length - PART]) if (start >= 0) guarded.set(text.slice(start, start + PART), what);
  return secret;
}

/** Stack traces: V8's lines, Rust's panic messages, wasm frames. */
const TRACES = [/\n\s+at .+:\d+:\d+/, /panicked at/, /wasm-function\[/, /RuntimeError/];

/** Fails if a log line shows a guarded secret or a stack trace. */
export function assertNoCanary(text, where = "a log line") {
  for (const [part, what] of guarded) assert.ok(!text.includes(part), `${where} shows ${what}`);
  for (const trace of TRACES) assert.doesNotMatch(text, trace, `${where} shows a stack trace`);
}

/** Fails if an answer, headers and all, shows one of them, or a place in the source, which a log line may name. */
export function assertNoCanaryInAnswer(text, where) {
  assertNoCanary(text, where);
  assert.doesNotMatch(text, /\b[\w./-]+\.(?:rs|mjs|js):\d+/, `${where} shows a place in the source`);
}
