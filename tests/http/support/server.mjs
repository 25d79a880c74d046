// The broker under test: the built worker in plain `workerd serve`, with nothing in front of it that would tidy a request.
//
// The wiring (KV simulator, configuration, start and end of the process) is the bench's; what is bound is what
// wrangler.toml binds in production.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";

import { modulesOf } from "../../../bench/lib/contenders.mjs";
import { kvPut } from "../../../bench/lib/kv.mjs";
import { project } from "../../../bench/lib/project.mjs";
import { serve } from "../../../bench/lib/workerd.mjs";
import { ecKey, rsaKey, secrets } from "../../edge/support/keys.mjs";
import { record, recordKey, sessionToken } from "../../edge/support/sessions.mjs";

const BUILT = path.join(import.meta.dirname, "..", "..", "..", "build", "worker");

export const ISSUER = "https://issuer.test";

/** Starts it. `vars` are variables besides the issuer; `keys` are signing keys by slot. */
export async function startServer({ vars = {}, keys } = {}) {
  assert.ok(existsSync(path.join(BUILT, "entry.js")), "build/worker is missing: run scripts/build");
  const { compatibility, bindings } = project();
  const contender = {
    modules: await modulesOf(BUILT),
    bindings: { kv: "SESSIONS", ...bindings, vars: { ISSUER, ...secrets(keys ?? { A: await ecKey(), B: await rsaKey() }), ...vars } },
  };
  const server = await serve(contender, { ...compatibility, kv: "memory" });
  return {
    origin: server.origin,
    /** Whether the process is still there. */
    alive: server.alive,
    /** The last of what workerd itself wrote to standard error. */
    log: server.log,
    stop: server.stop,
    /** A live session with these members in its record; its token. */
    async session(members = {}) {
      const token = sessionToken();
      await kvPut(server.kvOrigin, recordKey(token), JSON.stringify(record(members)));
      return token;
    },
  };
}
