// One contender in a workerd process of its own: configuration, start, readiness, end.
//
// Every process listens on 127.0.0.1 on ports the operating system chose, keeps its files in a private temporary folder
// unless it is given one that outlives it, and is ended by its pid: at the end, on Ctrl-C, and when this process exits for
// any other reason. Should this process be killed outright, the kernel ends them (PR_SET_PDEATHSIG, by setpriv, which
// execs workerd and so has its pid).

import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { configFile, embed } from "./capnp.mjs";
import { kvNamespace } from "./kv.mjs";

const READY_MS = 15_000;
const TERM_MS = 2_000;

// What must not outlive this process, whatever ends it.
const SETPRIV = "/usr/bin/setpriv";
const running = new Map();
process.on("exit", () => {
  for (const [child, folder] of running) {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The workerd executable of the npm package, without its Node launcher: its pid must be workerd's own. */
export function workerdBinary() {
  const require = createRequire(createRequire(import.meta.url).resolve("workerd/package.json"));
  const name = `@cloudflare/workerd-${process.platform}-${process.arch === "x64" ? "64" : process.arch}`;
  return require.resolve(`${name}/bin/workerd`);
}

// The rate limiter's stand-in: it says yes to every key but those that it was given. Miniflare's counts in SQLite, which
// would be measured instead of the worker.
const LIMIT = {
  name: "bench:rate-limit",
  esModule: "export default ({ over }) => ({ limit: async ({ key }) => ({ success: !over.includes(key) }) });",
  internal: true,
};

/**
 * The configuration of one contender, whose stores keep their files in `state`.
 *
 * `contender.bindings`: `vars` (name to string, or to a value that becomes JSON), `kv` (one binding name), `durableObjects`
 * (binding name to exported class), `rateLimits` (binding names) and `overLimit` (the keys that these say no to). A new kind
 * of binding is one more line here.
 *
 * `contender.places` runs the worker at several places of one process, as `{ name, kv }`: each with a store of its own, and all
 * of them with the objects of the first.
 */
async function configure(contender, runtime, state) {
  const { vars = {}, kv, durableObjects = {}, rateLimits = [], overLimit = [] } = contender.bindings;
  const classes = [...new Set(Object.values(durableObjects))];
  const places = await Promise.all(placesOf(contender, runtime).map(async (place) => ({
    ...place, store: kv === undefined ? undefined : await kvNamespace(place.kv, kv, path.join(state, "kv")),
  })));
  const [{ name: first }] = places;
  const worker = ({ name: place, store }) => ({
    compatibilityDate: runtime.date,
    compatibilityFlags: runtime.flags,
    modules: contender.modules.map(({ name, kind }) => ({ name, [kind]: embed(`modules/${name}`) })),
    bindings: [
      ...Object.entries(vars).map(([name, value]) =>
        typeof value === "string" ? { name, text: value } : { name, json: JSON.stringify(value) }),
      ...(store ? [store.binding] : []),
      ...Object.entries(durableObjects).map(([name, className]) => ({ name, durableObjectNamespace: { className, serviceName: first } })),
      ...rateLimits.map((name) => ({
        name, wrapped: { moduleName: LIMIT.name, innerBindings: [{ name: "over", json: JSON.stringify(overLimit) }] },
      })),
    ],
    ...(classes.length > 0 && place === first && {
      durableObjectNamespaces: classes.map((className) => ({ className, uniqueKey: `bench-${className}`, enableSql: true })),
      durableObjectStorage: { localDisk: "objects" },
    }),
  });
  return configFile({
    v8Flags: runtime.v8Flags,
    services: [
      ...places.map((place) => ({ name: place.name, worker: worker(place) })),
      // SQL storage needs a disk; workerd's in-memory storage has none.
      { name: "objects", disk: { path: path.join(state, "objects"), writable: true } },
      ...places.flatMap(({ store }) => store?.services ?? []),
    ],
    sockets: [
      ...places.map(({ name }) => ({ name, address: "127.0.0.1:0", http: {}, service: name })),
      ...(kv === undefined ? [] : [{ name: "kv", address: "127.0.0.1:0", http: {}, service: places[0].store.service }]),
    ],
    extensions: [...places.flatMap(({ store }) => store?.extensions ?? []), ...(rateLimits.length > 0 ? [{ modules: [LIMIT] }] : [])],
  });
}

const placesOf = (contender, runtime) => contender.places ?? [{ name: "main", kv: runtime.kv }];

/** Waits for the ports of all `names`, read from workerd's control channel (one JSON object per line). */
function ports(child, names, stderr) {
  return new Promise((resolve, reject) => {
    const found = {};
    let rest = "";
    const fail = (why) => {
      clearTimeout(timer);
      reject(new Error(`workerd ${why}\n${stderr()}`.trim()));
    };
    const timer = setTimeout(() => fail(`was not ready after ${READY_MS / 1000} s`), READY_MS);
    child.once("error", (cause) => fail(`did not start: ${cause.message}`));
    child.once("exit", (code, signal) => fail(`ended while starting (${signal ?? `exit code ${code}`})`));
    child.stdio[3].setEncoding("utf8").on("data", (chunk) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop();
      for (const line of lines.filter(Boolean)) {
        const message = JSON.parse(line);
        if (message.event === "listen") found[message.socket] = message.port;
      }
      if (names.every((name) => name in found)) {
        clearTimeout(timer);
        resolve(found);
      }
    });
  });
}

/** Ends one child: SIGTERM, and SIGKILL where that is not enough. */
async function end(child, signal = "SIGTERM") {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), TERM_MS);
  await gone;
  clearTimeout(timer);
}

/**
 * Starts `contender` and answers `{ pid, origin, origins, kvOrigin, alive(), log(), stop(), kill() }`: `origins` by the names of
 * its places, `origin` the first of them.
 * `contender.modules`: `{ name, kind: "esModule" | "wasm", file }`, the entry first.
 * `runtime`: the same for every contender of a run: compatibility `date` and `flags`, and the kind of `kv`; `v8Flags` as V8
 * takes them. Where it has a `state`, that folder holds the stores' files and is left as it is at the end. Where it has an `output`, that is given all
 * that workerd and the workers say.
 */
export async function serve(contender, runtime) {
  const folder = await mkdtemp(path.join(tmpdir(), "edge-broker-bench-"));
  const state = runtime.state ?? folder;
  for (const name of ["kv", "objects"]) await mkdir(path.join(state, name), { recursive: true });
  for (const { name, file } of contender.modules) {
    const target = path.join(folder, "modules", name);
    await mkdir(path.dirname(target), { recursive: true });
    await copyFile(file, target);
  }
  const config = path.join(folder, "config.capnp");
  // The configuration holds the run's signing key; the folder is readable by its owner alone (mkdtemp).
  await writeFile(config, await configure(contender, runtime, state));

  let log = "";
  const command = [workerdBinary(), "serve", "--experimental", "--control-fd=3", config];
  if (existsSync(SETPRIV)) command.unshift(SETPRIV, "--pdeathsig", "KILL");
  const child = spawn(command[0], command.slice(1), {
    // What the workers log goes to standard output. It is written, so that it costs what it costs, and mostly read by
    // nobody, so that reading it does not take the load generator's processor.
    stdio: ["ignore", runtime.output ? "pipe" : "ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, TZ: "UTC" },
  });
  running.set(child, folder);
  child.stdout?.setEncoding("utf8").on("data", runtime.output);
  child.stderr.setEncoding("utf8").on("data", (chunk) => {
    log = (log + chunk).slice(-4000);
    runtime.output?.(chunk);
  });
  const ended = async (signal) => {
    await end(child, signal);
    await rm(folder, { recursive: true, force: true });
    running.delete(child);
  };
  const names = placesOf(contender, runtime).map(({ name }) => name);
  try {
    const found = await ports(child, contender.bindings.kv === undefined ? names : [...names, "kv"], () => log);
    const origins = Object.fromEntries(Object.entries(found).map(([name, port]) => [name, `http://127.0.0.1:${port}`]));
    return {
      pid: child.pid,
      origin: origins[names[0]],
      origins,
      kvOrigin: origins.kv,
      alive: () => child.exitCode === null && child.signalCode === null,
      log: () => log,
      stop: () => ended("SIGTERM"),
      /** As a machine that fails does it: at once, with nothing written that was not. */
      kill: () => ended("SIGKILL"),
    };
  } catch (error) {
    await ended("SIGTERM");
    throw error;
  }
}
