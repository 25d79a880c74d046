// Bytes on a socket, and the answers that come back, read as strictly as RFC 9112 has them.
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import { assertNoCanaryInAnswer } from "../../edge/support/canaries.mjs";

const PATIENCE_MS = 20_000;

/** A request as bytes: a request line, header lines exactly as they are (`"Name: value"`), a body. */
export function bytes(requestLine, headers = [], body = "") {
  return Buffer.concat([Buffer.from([requestLine, ...headers, "", ""].join("\r\n"), "latin1"), Buffer.from(body, "latin1")]);
}

/**
 * Sends `parts` (bytes or text, and numbers: milliseconds to wait) and then ends its side, so that what is answered is all
 * that ever will be: `{ answers, rest, text, closed }`. `rest` is what is no answer; `methods` are the requests' own, in
 * order, for answers to HEAD have no body.
 */
export async function talk(origin, parts, { methods = [], halfClose = true, patience = PATIENCE_MS } = {}) {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true });
  const chunks = [];
  const state = { closed: false };
  socket.on("data", (chunk) => chunks.push(chunk));
  // A reset is an end too: what came before it is what was answered.
  socket.on("error", () => {});
  const ended = new Promise((resolve) => {
    socket.once("end", () => (state.closed = true, resolve()));
    socket.once("close", () => (state.closed = true, resolve()));
  });
  try {
    await Promise.race([once(socket, "connect"), ended]);
    for (const part of [parts].flat()) {
      if (state.closed) break;
      if (typeof part === "number") await within(ended, part);
      else if (!socket.write(typeof part === "string" ? Buffer.from(part, "latin1") : part)) await Promise.race([once(socket, "drain").catch(() => {}), ended]);
    }
    if (halfClose && !socket.destroyed) socket.end();
    await within(ended, patience);
  } finally {
    socket.destroy();
  }
  const text = Buffer.concat(chunks).toString("latin1");
  assertNoCanaryInAnswer(text, "an answer");
  return { ...read(text, methods), text, closed: state.closed };
}

/** Waits until something has happened, and for so many milliseconds at most. */
async function within(happened, milliseconds) {
  const enough = new AbortController();
  const timer = pause(milliseconds, undefined, { signal: enough.signal }).catch(() => {});
  await Promise.race([happened, timer]);
  enough.abort();
}

/** The answers in a text, each `{ status, headers, body }` with headers as a list of `[lower-case name, value]`, and the rest. */
export function read(text, methods = []) {
  const answers = [];
  let rest = text;
  while (rest.length > 0) {
    const answer = readOne(rest, methods[answers.filter(({ status }) => status >= 200).length]);
    if (answer === undefined) break;
    answers.push(answer);
    rest = rest.slice(answer.length);
  }
  return { answers, rest };
}

function readOne(text, method) {
  const end = text.indexOf("\r\n\r\n");
  const [statusLine, ...lines] = text.slice(0, Math.max(end, 0)).split("\r\n");
  const [, status] = /^HTTP\/1\.[01] ([1-5]\d\d)(?: .*)?$/.exec(statusLine) ?? [];
  if (end < 0 || status === undefined) return undefined;
  const headers = lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]);
  const answer = { status: Number(status), headers, header: (name) => headers.find(([known]) => known === name)?.[1] };
  const content = text.slice(end + 4);
  const { body, length } = bodyOf(answer, content, method) ?? {};
  return length === undefined ? undefined : { ...answer, body, length: end + 4 + length };
}

function bodyOf({ status, header }, content, method) {
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return { body: "", length: 0 };
  if (/\bchunked$/i.test(header("transfer-encoding") ?? "")) return dechunked(content);
  const announced = header("content-length");
  if (announced === undefined) return { body: content, length: content.length };
  const length = Number(announced);
  return content.length >= length ? { body: content.slice(0, length), length } : undefined;
}

function dechunked(content) {
  let [body, at] = ["", 0];
  for (;;) {
    const line = content.indexOf("\r\n", at);
    if (line < 0 || !/^[0-9a-f]+$/i.test(content.slice(at, line))) return undefined;
    const size = Number.parseInt(content.slice(at, line), 16);
    const next = line + 2 + size;
    if (content.slice(next, next + 2) !== "\r\n") return undefined;
    body += content.slice(line + 2, next);
    at = next + 2;
    if (size === 0) return { body, length: at };
  }
}
