// Asks npm's registry for advisories on the packages of package-lock.json.
//
// Exit codes: 0 nothing to act on, 1 something is, 75 (EX_TEMPFAIL) the registry does not answer such questions.

import { spawnSync } from "node:child_process";

/** Advisories that do not touch us, by their GHSA id, each with its reason. */
export const IGNORED = new Map();

/** None of these packages is deployed, so what is merely noted upstream is printed and does not fail. */
const SEVERITIES = ["moderate", "high", "critical"];

/**
 * What `npm audit --json` says: `undefined` where it is no report, else `{ refused, noted }`, each a list of
 * `{ id, name, severity, title }`. `ignored` is a map like IGNORED.
 */
export function verdict(text, ignored = IGNORED) {
  const report = parsed(text);
  if (report?.auditReportVersion !== 2) return undefined;
  const advisories = new Map();
  for (const { via } of Object.values(report.vulnerabilities)) {
    // A text is the name of a package that has the advisory; it has an entry of its own.
    for (const { url, name, severity, title } of via.filter((cause) => typeof cause === "object")) {
      advisories.set(url, { id: url.split("/").at(-1), name, severity, title });
    }
  }
  const open = [...advisories.values()].filter(({ id }) => !ignored.has(id));
  const refused = open.filter(({ severity }) => SEVERITIES.includes(severity));
  return { refused, noted: open.filter((one) => !refused.includes(one)) };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

if (import.meta.filename === process.argv[1]) {
  const { stdout } = spawnSync("npm", ["audit", "--json", "--package-lock-only"], { encoding: "utf8", timeout: 120_000, maxBuffer: 1 << 26 });
  const found = verdict(stdout ?? "");
  for (const { id, name, severity, title } of [...(found?.refused ?? []), ...(found?.noted ?? [])]) console.log(`${severity}: ${name}: ${title} (${id})`);
  process.exitCode = found === undefined ? 75 : Math.min(found.refused.length, 1);
}
