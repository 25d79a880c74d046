// The programs that a deployment runs: wrangler, and the tool. In a dry run they are shown, not asked.
import { spawnSync } from "node:child_process";
import { CONFIG, Failure } from "./config.mjs";

const WRANGLER = process.env.EDGE_BROKER_WRANGLER ?? "wrangler";
const TOOL = process.env.EDGE_BROKER ?? "edge-broker";
const LIMIT_MS = 300_000;

export class Tools {
  #dryRun;

  constructor(dryRun) {
    this.#dryRun = dryRun;
  }

  /** Shows a command as it is typed. */
  show(program, argv, before = "") {
    console.error(`   ${before}${[program, ...argv].join(" ")}`);
  }

  /** Asks wrangler something; where it says no, the remedy is the message. */
  ask(argv, remedy) {
    this.show("wrangler", argv);
    if (this.#dryRun) return undefined;
    const { status, stdout } = run(WRANGLER, argv);
    if (status !== 0) throw new Failure(remedy);
    return stdout;
  }

  /** Asks wrangler for JSON. `orElse` is the answer where it has none to give. */
  json(argv, { orElse } = {}) {
    this.show("wrangler", argv);
    if (this.#dryRun) return orElse;
    const { status, stdout } = run(WRANGLER, argv);
    if (status !== 0 && orElse !== undefined) return orElse;
    if (status !== 0) throw new Failure(`wrangler ${argv.slice(0, 3).join(" ")} failed: run it yourself to see why`);
    try {
      // Banners come before the value, on the same stream.
      return JSON.parse(stdout.slice(stdout.search(/^[[{]/m)));
    } catch {
      throw new Failure(`wrangler ${argv.slice(0, 3).join(" ")} did not print JSON: is it the version of package-lock.json?`);
    }
  }

  /** Lets wrangler change something. `input` goes to its standard input and nowhere else. */
  change(argv, { input, shown = "" } = {}) {
    this.show("wrangler", argv, shown);
    if (this.#dryRun) return;
    const { status } = run(WRANGLER, argv, { input: input?.(), through: true });
    if (status !== 0) throw new Failure(`wrangler ${argv.slice(0, 3).join(" ")} failed: what it says is above; run this again when it is mended`);
  }

  /** Builds, in a dry run too. */
  build(argv) {
    this.show("wrangler", argv);
    const { status, stdout, stderr } = run(WRANGLER, argv);
    if (status !== 0) throw new Failure(`the worker was not built:\n${stdout}${stderr}`);
  }

  /** A new private key, for the one process that stores it. */
  keygen() {
    const { status, stdout } = run(TOOL, ["keygen"]);
    if (status !== 0) throw new Failure("edge-broker keygen failed");
    return stdout;
  }

  /** Whether doctor finds the issuer healthy. What it says is passed on. */
  doctor(argv) {
    this.show("edge-broker", argv);
    return run(TOOL, argv, { through: true }).status === 0;
  }
}

function run(program, argv, { input, through = false } = {}) {
  if (program === WRANGLER && CONFIG !== "wrangler.toml") argv = [...argv, "--config", CONFIG];
  const stdio = [input === undefined ? "ignore" : "pipe", through ? "inherit" : "pipe", through ? "inherit" : "pipe"];
  const result = spawnSync(program, argv, { input, stdio, encoding: "utf8", timeout: LIMIT_MS });
  if (result.error?.code === "ENOENT") throw new Failure(`${program} is missing: scripts/deploy installs it`);
  return { status: result.status, stdout: result.stdout ?? "", stderr: result.stderr ?? "" };
}
