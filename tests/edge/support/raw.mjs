// Requests as bytes on a socket, for what an HTTP client would not send: another Host, a header twice, raw characters.
import { connect } from "node:net";

import { assertNoCanaryInAnswer } from "./canaries.mjs";

/** Sends a request with exactly these header lines, in order; `headers` is an object or a list of pairs. */
export async function rawRequest(origin, requestLine, headers, body = "") {
  const lines = Array.isArray(headers) ? headers : Object.entries(headers);
  const length = body.length > 0 ? [["Content-Length", Buffer.byteLength(body)]] : [];
  const head = [requestLine, ...[...lines, ...length, ["Connection", "close"]].map(([name, value]) => `${name}: ${value}`)].join("\r\n");
  const text = await exchange(origin, `${head}\r\n\r\n${body}`);
  assertNoCanaryInAnswer(text, `the answer to ${requestLine}`);
  return parse(text);
}

function exchange(origin, bytes) {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes, "latin1"));
    const chunks = [];
    socket.setTimeout(10_000, () => socket.destroy(new Error("no answer within 10 s")));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", (error) => (chunks.length > 0 ? resolve(Buffer.concat(chunks).toString("latin1")) : reject(error)));
    socket.on("end", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

function parse(text) {
  const end = text.indexOf("\r\n\r\n");
  const [statusLine, ...lines] = text.slice(0, end).split("\r\n");
  const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]));
  const rest = text.slice(end + 4);
  return { status: Number(statusLine.split(" ")[1]), headers, body: headers["transfer-encoding"] === "chunked" ? dechunked(rest) : rest };
}

function dechunked(text) {
  let [body, rest] = ["", text];
  for (;;) {
    const line = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.slice(0, line), 16);
    if (!(size > 0)) return body;
    body += rest.slice(line + 2, line + 2 + size);
    rest = rest.slice(line + 2 + size + 2);
  }
}
