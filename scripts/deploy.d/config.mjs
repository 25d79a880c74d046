// The environment in wrangler.toml: read through wrangler's own reader, changed in one place only.
import { readFileSync, writeFileSync } from "node:fs";
import { unstable_readConfig as readConfig } from "wrangler";

/** The configuration: wrangler.toml, but for tests. */
export const CONFIG = process.env.EDGE_BROKER_CONFIG ?? "wrangler.toml";

/** What stands in wrangler.toml until a namespace is made. */
export const unsetNamespace = "0".repeat(32);

/** A step that cannot be done, in words that say what to do. */
export class Failure extends Error {}

/** The worker's name, the namespace's id and the issuer of an environment. */
export function read(env) {
  const known = readConfig({ config: CONFIG }, { hideWarnings: true }).definedEnvironments ?? [];
  if (!known.includes(env)) throw new Failure(`wrangler.toml has no environment ${env}: it has ${known.join(", ")}`);
  const config = readConfig({ config: CONFIG, env }, { hideWarnings: true });
  const issuer = config.vars.ISSUER;
  if (typeof issuer !== "string" || !issuer.startsWith("https://")) throw new Failure(`ISSUER in [env.${env}.vars] is to be the public https URL`);
  if (new URL(issuer).hostname.endsWith(".example.com")) throw new Failure(`ISSUER in [env.${env}.vars] is still the example: put your host there`);
  const namespace = config.kv_namespaces.find(({ binding }) => binding === "SESSIONS");
  if (!namespace) throw new Failure(`[[env.${env}.kv_namespaces]] has no binding SESSIONS: copy the one of production`);
  return { worker: config.name, namespaceId: namespace.id, issuer };
}

/** Puts an id where the environment's section still has none. Every other byte of the file stays. */
export function setNamespaceId(env, id) {
  const text = readFileSync(CONFIG, "utf8");
  const section = text.indexOf(`[[env.${env}.kv_namespaces]]`);
  const place = section < 0 ? -1 : text.indexOf(unsetNamespace, section);
  if (place < 0) throw new Failure(`write id = "${id}" into [[env.${env}.kv_namespaces]] of wrangler.toml yourself: its place was not found`);
  writeFileSync(CONFIG, text.slice(0, place) + id + text.slice(place + id.length));
}
