// A name for what is deployed: the same code with the same configuration has the same one.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { unstable_readConfig as readConfig } from "wrangler";
import { CONFIG } from "./config.mjs";

/** Twenty hex digits over the built files and the environment's configuration: a version tag has at most 25 characters. */
export function fingerprint(folder, env) {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).sort()) {
    if (/\.(js|mjs|wasm)$/.test(name)) hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
  }
  const { configPath, userConfigPath, ...config } = readConfig({ config: CONFIG, env }, { hideWarnings: true });
  // The reader makes paths absolute; where a clone lies is no part of what is deployed.
  return hash.update(JSON.stringify(config).replaceAll(process.cwd(), ".")).digest("hex").slice(0, 20);
}
