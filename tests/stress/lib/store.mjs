// Workers KV as it is at the edge, on purpose at its worst: one truth, and in every region a view of it that lags, remembers
// what it has looked up, and fails when it is told to.
//
// It is a process of its own to workerd, which reaches it over HTTP by its KV protocol (a `kvNamespace` binding on an
// external service); each region has its own door. Time is a clock of its own, in seconds, which stands still until it is
// set forward: ninety seconds of lag take no time, and the moment of every step is known.
//
// What is written here is kept in this process: it outlives any workerd that is killed.

import { once } from "node:events";
import { createServer } from "node:http";

/**
 * What a store may do instead of answering. `acts`: whether a write takes effect all the same; `answers`: whether it is an
 * answer in the end, which comes in time or does not.
 */
export const FAULTS = {
  error: { acts: false, about: "answers 500" },
  busy: { acts: false, about: "answers 429, as KV does for too many writes of a key" },
  "error after all": { acts: true, about: "does what it was asked, and answers 500" },
  hang: { acts: false, about: "never answers" },
  slow: { acts: true, answers: true, about: "answers after 0.6 seconds" },
  late: { acts: true, about: "does what it was asked, and answers after 2.5 seconds" },
  reset: { acts: false, about: "breaks the connection" },
  torn: { acts: true, about: "breaks the connection in the middle of the answer" },
};

const SLOW_MS = 600;
const LATE_MS = 2_500;

/**
 * Starts a store for `regions` (names). `lag(region)` answers, for each write, the seconds until that region may see it;
 * `cacheSeconds` is how long a region goes on answering what it has looked up once, present or absent.
 */
export async function startStore({ regions, lag = () => 0, cacheSeconds = 0 }) {
  const store = new Store(lag, cacheSeconds);
  for (const region of regions) await store.open(region);
  return store;
}

class Store {
  /** The time, in seconds. */
  now = 0;
  /** The requests of every region so far, by method. */
  requests = { GET: 0, PUT: 0, DELETE: 0, LIST: 0 };
  #lag;
  #cacheSeconds;
  /** By key, every write in order: `{ value, metadata, expiration, seen }`, `seen` the second from which each region sees it. */
  #writes = new Map();
  /** By region: address, server, look-ups that it remembers, its fault, answers that are held back. */
  #regions = new Map();

  constructor(lag, cacheSeconds) {
    this.#lag = lag;
    this.#cacheSeconds = cacheSeconds;
  }

  async open(name) {
    const region = { name, cache: new Map(), fault: undefined, held: new Set() };
    region.server = createServer((request, response) => {
      request.on("error", () => {});
      this.#answer(region, request, response).catch((error) => response.destroy(error));
    }).listen(0, "127.0.0.1");
    await once(region.server, "listening");
    region.address = `127.0.0.1:${region.server.address().port}`;
    this.#regions.set(name, region);
  }

  /** Where workerd finds a region's store. */
  address(name) {
    return this.#regions.get(name).address;
  }

  /** Makes a region fail by one of FAULTS, in the methods of `only` or in all; `undefined` ends it. */
  fail(name, kind, only = Object.keys(this.requests)) {
    this.#regions.get(name).fault = kind === undefined ? undefined : { kind, only };
  }

  /** Sets the clock forward. */
  forward(seconds) {
    this.now += seconds;
  }

  /** The keys that the truth has, as every region will have them in the end. */
  keys() {
    return [...this.#writes].filter(([, writes]) => writes.at(-1).value !== undefined).map(([key]) => key);
  }

  async close() {
    for (const { server, held } of this.#regions.values()) {
      for (const response of held) response.destroy();
      server.closeAllConnections();
      server.close();
    }
  }

  async #answer(region, request, response) {
    const { pathname, searchParams } = new URL(request.url, "http://store");
    const key = decodeURIComponent(pathname.slice(1));
    const method = request.method === "GET" && key === "" ? "LIST" : request.method;
    this.requests[method] += 1;
    const body = await text(request);
    const fault = region.fault?.only.includes(method) ? region.fault.kind : undefined;
    const act = () => this.#act(region, method, key, { body, searchParams, metadata: request.headers["cf-kv-metadata"] });
    if (fault === undefined) return send(response, act());

    const outcome = FAULTS[fault].acts ? act() : undefined;
    switch (fault) {
      case "error":
      case "error after all":
        return send(response, { status: 500, body: "the store has failed" });
      case "busy":
        return send(response, { status: 429, body: "too many requests" });
      case "hang":
        region.held.add(response);
        response.on("close", () => region.held.delete(response));
        return undefined;
      case "slow":
      case "late":
        setTimeout(() => send(response, outcome), fault === "slow" ? SLOW_MS : LATE_MS).unref();
        return undefined;
      case "reset":
        return response.destroy();
      case "torn":
        if (outcome.status === 404) return response.destroy(); // its head alone would say all there is to say
        response.writeHead(200, { ...outcome.headers, "content-length": String((outcome.body ?? "").length + 10) });
        response.write((outcome.body ?? "").slice(0, 20));
        setTimeout(() => response.destroy(), 5).unref();
        return undefined;
      default:
        throw new Error(`no such fault: ${fault}`);
    }
  }

  #act(region, method, key, { body, searchParams, metadata }) {
    switch (method) {
      case "GET":
        return entryAnswer(this.#lookUp(region, key));
      case "PUT":
        this.#write(key, { value: body, metadata, expiration: Number(searchParams.get("expiration") ?? 0) || undefined });
        return {};
      case "DELETE":
        this.#write(key, {});
        return {};
      default:
        return { body: JSON.stringify(this.#list(region, searchParams.get("prefix") ?? "")) };
    }
  }

  #write(key, entry) {
    const writes = this.#writes.get(key) ?? [];
    const seen = Object.fromEntries([...this.#regions.keys()].map((name) => [name, this.now + this.#lag(name)]));
    this.#writes.set(key, [...writes, { ...entry, seen }]);
  }

  /** The last of the writes that the region may see; they need not be seen in their order. */
  #view(region, key) {
    const entry = (this.#writes.get(key) ?? []).findLast(({ seen }) => seen[region.name] <= this.now);
    return entry?.value === undefined ? undefined : entry;
  }

  #lookUp(region, key) {
    const remembered = region.cache.get(key);
    if (remembered !== undefined && this.now < remembered.until) return remembered.entry;
    const entry = this.#view(region, key);
    if (this.#cacheSeconds > 0) region.cache.set(key, { entry, until: this.now + this.#cacheSeconds });
    return entry;
  }

  #list(region, prefix) {
    const names = [...this.#writes.keys()].filter((key) => key.startsWith(prefix)).sort();
    const keys = names.flatMap((name) => {
      const entry = this.#view(region, name);
      return entry === undefined ? [] : [{ name, expiration: entry.expiration, metadata: entry.metadata }];
    });
    return { keys, list_complete: true, cacheStatus: null };
  }
}

function entryAnswer(entry) {
  if (entry === undefined) return { status: 404, body: "Not Found" };
  const { value, metadata, expiration } = entry;
  return { body: value, headers: { ...(metadata && { "cf-kv-metadata": metadata }), ...(expiration && { "cf-expiration": String(expiration) }) } };
}

function send(response, { status = 200, headers = {}, body = "" }) {
  if (!response.destroyed) response.writeHead(status, headers).end(body);
}

async function text(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
