// What the project's wrangler.toml says of the deployed worker, read by wrangler itself.

import { createRequire } from "node:module";
import path from "node:path";

const FILE = path.join(import.meta.dirname, "..", "..", "wrangler.toml");
const ENVIRONMENT = "production";

/**
 * `compatibility` (`date`, `flags`): every contender of a run has the broker's. `bindings`: what the broker has beside its
 * KV namespace and variables, in the form of workerd.mjs: `durableObjects`, `rateLimits`.
 */
export function project() {
  const { unstable_readConfig: read } = createRequire(import.meta.url)("wrangler");
  const config = read({ config: FILE, env: ENVIRONMENT }, { hideWarnings: true });
  return {
    compatibility: { date: config.compatibility_date, flags: config.compatibility_flags },
    bindings: {
      durableObjects: Object.fromEntries(config.durable_objects.bindings.map((one) => [one.name, one.class_name])),
      rateLimits: (config.ratelimits ?? []).map((one) => one.name),
    },
  };
}
