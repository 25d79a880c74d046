// One contender in a workerd process of its own: configuration, start, readiness, end.
//
// Every process listens on 127.0.0.1 on ports the operating system chose, keeps its files in a private temporary folder, and
// is ended by its pid: at the end, on Ctrl-C, and when this process exits for any other reason. Should this process be
// killed outright, the kernel ends them (PR_SET_PDEATHSIG, by setpriv, which execs workerd and so has its pid).

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
 * The configuration of one contender.
 *
 * `contender.bindings`: `vars` (name to string, or to a value that becomes JSON), `kv` (one binding name), `durableObjects`
 * (binding name to exported class), `rateLimits` (binding names) and `overLimit` (the keys that these say no to). A new kind
 * of binding is one more line here.
 */
async function configure(contender, runtime, folder) {
  const { vars = {}, kv, durableObjects = {}, rateLimits = [], overLimit = [] } = contender.bindings;
  const store = kv === undefined ? undefined : await kvNamespace(runtime.kv, kv, path.join(folder, "kv"));
  const classes = [...new Set(Object.values(durableObjects))];
  const bindings = [
    ...Object.entries(vars).map(([name, value]) =>
      typeof value === "string" ? { name, text: value } : { name, json: JSON.stringify(value) }),
    ...(store ? [store.binding] : []),
    ...Object.entries(durableObjects).map(([name, className]) => ({ name, durableObjectNamespace: className })),
    ...rateLimits.map((name) => ({
      name, wrapped: { moduleName: LIMIT.name, innerBindings: [{ name: "over", json: JSON.stringify(overLimit) }] },
    })),
  ];
  const worker = {
    compatibilityDate: runtime.date,
    compatibilityFlags: runtime.flags,
    modules: contender.modules.map(({ name, kind }) => ({ name, [kind]: embed(`modules/${name}`) })),
    bindings,
    ...(classes.length > 0 && {
      durableObjectNamespaces: classes.map((className) => ({ className, uniqueKey: `bench-${className}`, enableSql: true })),
      durableObjectStorage: { localDisk: "objects" },
    }),
  };
  return configFile({
    services: [
      { name: "main", worker },
      // SQL storage needs a disk; workerd's in-memory storage has none.
      { name: "objects", disk: { path: path.join(folder, "objects"), writable: true } },
      ...(store?.services ?? []),
    ],
    sockets: [
      { name: "http", address: "127.0.0.1:0", http: {}, service: "main" },
      ...(store ? [{ name: "kv", address: "127.0.0.1:0", http: {}, service: store.service }] : []),
    ],
    extensions: [...(store?.extensions ?? []), ...(rateLimits.length > 0 ? [{ modules: [LIMIT] }] : [])],
  });
}

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
async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), TERM_MS);
  await gone;
  clearTimeout(timer);
}

/**
 * Starts `contender` and answers `{ pid, origin, kvOrigin, alive(), log(), stop() }`.
 * `contender.modules`: `{ name, kind: "esModule" | "wasm", file }`, the entry first.
 * `runtime`: the same for every contender of a run: compatibility `date` and `flags`, and the kind of `kv`.
 */
export async function serve(contender, runtime) {
  const folder = await mkdtemp(path.join(tmpdir(), "edge-broker-bench-"));
  for (const name of ["kv", "objects"]) await mkdir(path.join(folder, name));
  for (const { name, file } of contender.modules) {
    const target = path.join(folder, "modules", name);
    await mkdir(path.dirname(target), { recursive: true });
    await copyFile(file, target);
  }
  const config = path.join(folder, "config.capnp");
  // The configuration holds the run's signing key; the folder is readable by its owner alone (mkdtemp).
  await writeFile(config, await configure(contender, runtime, folder));

  let log = "";
  const command = [workerdBinary(), "serve", "--experimental", "--control-fd=3", config];
  if (existsSync(SETPRIV)) command.unshift(SETPRIV, "--pdeathsig", "KILL");
  const child = spawn(command[0], command.slice(1), {
    // What the workers log goes to standard output. It is written, so that it costs what it costs, and read by nobody, so
    // that reading it does not take the load generator's processor.
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, TZ: "UTC" },
  });
  running.set(child, folder);
  child.stderr.setEncoding("utf8").on("data", (chunk) => { log = (log + chunk).slice(-4000); });
  const stop = async () => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
    running.delete(child);
  };
  try {
    const found = await ports(child, contender.bindings.kv === undefined ? ["http"] : ["http", "kv"], () => log);
    return {
      pid: child.pid,
      origin: `http://127.0.0.1:${found.http}`,
      kvOrigin: found.kv === undefined ? undefined : `http://127.0.0.1:${found.kv}`,
      alive: () => child.exitCode === null && child.signalCode === null,
      log: () => log,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
