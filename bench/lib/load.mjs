// One load, and the CPU time that the server used for it: wrk against one origin for a fixed time, or a list of requests that
// can be sent once each.

import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request as send } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cpuMicroseconds } from "./proc.mjs";

const SCRIPT = fileURLToPath(new URL("wrk.lua", import.meta.url));
const GRACE_MS = 10_000;

/** The version of the wrk on PATH. Throws with the remedy where there is none. */
export function wrkVersion() {
  try {
    // wrk prints its version with its usage, and fails.
    execFileSync("wrk", ["-v"], { encoding: "utf8", stdio: "pipe" });
    return "unknown";
  } catch (error) {
    if (error.code === "ENOENT") throw new Error("wrk is not on PATH; install it: apt-get install -y wrk");
    return /^wrk (?:debian\/)?(\S+)/.exec(`${error.stdout}${error.stderr}`)?.[1] ?? "unknown";
  }
}

function wrk(origin, file, { seconds, connections, signal }) {
  return new Promise((resolve, reject) => {
    const child = spawn("wrk", ["--threads", "1", "--connections", String(connections), "--duration", `${seconds}s`,
      "--script", SCRIPT, origin], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, BENCH_REQUESTS: file },
      signal,
      killSignal: "SIGKILL",
      timeout: seconds * 1000 + GRACE_MS,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk) => { output += chunk; });
    child.once("error", reject);
    child.once("close", (code, end) => {
      const [, result] = /^BENCH (\{.*\})$/m.exec(output) ?? [];
      if (code === 0 && result !== undefined) resolve(JSON.parse(result));
      else reject(new Error(`wrk failed (${end ?? `exit code ${code}`}): ${output.trim().slice(-500)}`));
    });
  });
}

/** The requests as wrk.lua reads them. A tab or newline would be another field or another request. */
function serialise(requests) {
  return requests.map(({ method, path: target, headers = {}, body = "" }) => {
    const fields = [method, target, body, ...Object.entries(headers).flat()];
    if (fields.some((field) => /[\t\r\n]/.test(field))) throw new Error("a request field has a tab or a newline");
    return fields.join("\t");
  }).join("\n") + "\n";
}

/**
 * Loads `server` with `requests` in turn and answers
 * `{ requests, requestsPerSecond, cpuMicrosecondsPerRequest, p50, p99 }` (latencies in microseconds).
 * Every answer must have `status`; anything else throws.
 */
export async function load(server, requests, status, options) {
  const { statuses, socketErrors, ...result } = await loadOfAnyStatus(server, requests, options);
  assertStatuses({ requests: result.requests, statuses, socketErrors }, status);
  return result;
}

/** The same, of requests whose answers differ: besides, `statuses` (how many of each) and `socketErrors`. */
export async function loadOfAnyStatus(server, requests, options) {
  const folder = await mkdtemp(path.join(tmpdir(), "edge-broker-load-"));
  try {
    const file = path.join(folder, "requests");
    await writeFile(file, serialise(requests));
    const before = cpuMicroseconds(server.pid);
    const { microseconds, ...result } = await wrk(server.origin, file, options);
    const cpu = cpuMicroseconds(server.pid) - before;
    return { ...result, requestsPerSecond: (result.requests * 1e6) / microseconds, cpuMicrosecondsPerRequest: cpu / result.requests };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Loads `server` with every one of `requests` once, over so many connections, and answers as `load` does. It sends less fast
 * than wrk: it is for requests of a millisecond or more.
 */
export async function loadOnce(server, requests, status, { connections, signal }) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const result = { requests: requests.length, statuses: {}, socketErrors: 0 };
  const latencies = [];
  const queue = requests.values();
  const one = async () => {
    for (const request of queue) {
      signal.throwIfAborted();
      const began = performance.now();
      const seen = await answer(server.origin, request, agent).catch(() => undefined);
      latencies.push((performance.now() - began) * 1000);
      if (seen === undefined) result.socketErrors += 1;
      else result.statuses[seen] = (result.statuses[seen] ?? 0) + 1;
    }
  };
  const [before, began] = [cpuMicroseconds(server.pid), performance.now()];
  try {
    await Promise.all(Array.from({ length: connections }, one));
  } finally {
    agent.destroy();
  }
  const [cpu, milliseconds] = [cpuMicroseconds(server.pid) - before, performance.now() - began];
  assertStatuses(result, status);
  latencies.sort((a, b) => a - b);
  return {
    requests: requests.length,
    requestsPerSecond: (requests.length * 1000) / milliseconds,
    cpuMicrosecondsPerRequest: cpu / requests.length,
    p50: latencies[Math.floor(latencies.length * 0.5)],
    p99: latencies[Math.floor(latencies.length * 0.99)],
  };
}

/** Sends one request and answers its status, once the whole answer is there. */
const answer = (origin, { method, path: target, headers, body }, agent) => new Promise((resolve, reject) => {
  const sent = send(`${origin}${target}`, { method, headers, agent, timeout: GRACE_MS }, (response) => {
    response.on("error", reject).on("end", () => resolve(response.statusCode)).resume();
  });
  sent.on("error", reject).on("timeout", () => sent.destroy(new Error("no answer"))).end(body);
});

/** Throws unless there were answers, all of them with `status`, and no socket error. */
export function assertStatuses({ requests, statuses, socketErrors }, status) {
  const others = Object.entries(statuses).filter(([seen]) => seen !== String(status));
  if (requests === 0 || socketErrors > 0 || others.length > 0) {
    const seen = Object.entries(statuses).map(([code, count]) => `${count} × ${code}`).join(", ") || "none";
    throw new Error(`the load expected only ${status} and got: ${seen}; socket errors: ${socketErrors}`);
  }
}
