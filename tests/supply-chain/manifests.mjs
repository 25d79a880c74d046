// Every direct dependency of this repository, as its manifests have them.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";

export const root = path.join(import.meta.dirname, "..", "..");
const run = (command, ...parameters) => execFileSync(command, parameters, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
const text = (name) => readFileSync(path.join(root, name), "utf8");

/** The manifests of the repository, by their paths. */
function manifests() {
  const tracked = run("git", "ls-files", "--cached", "--others", "--exclude-standard").split("\n");
  return tracked.filter((name) => /(^|\/)(Cargo\.toml|package\.json|requirements\.(in|txt))$/.test(name));
}

/** The direct dependencies of one manifest, each `[name, use]`; use is "", "wasm32", "unix", "tests", "dev". */
function dependenciesOf(name, all) {
  if (name.endsWith("Cargo.toml")) return crates(name);
  if (name.endsWith("package.json")) {
    const manifest = JSON.parse(text(name));
    return [...Object.keys(manifest.dependencies ?? {}).map((one) => [one, ""]), ...Object.keys(manifest.devDependencies ?? {}).map((one) => [one, "dev"])];
  }
  // Where there is a list of what is wanted, the other is the list of what it comes to.
  if (name.endsWith(".txt") && all.includes(name.replace(/\.txt$/, ".in"))) return [];
  return text(name).split("\n").filter((line) => /^[A-Za-z]/.test(line)).map((line) => [line.split("==")[0].trim(), "tests"]);
}

function crates(name) {
  const { packages } = JSON.parse(run("cargo", "metadata", "--no-deps", "--format-version", "1", "--locked", "--manifest-path", name));
  const own = packages.find(({ manifest_path: file }) => path.relative(root, file) === name);
  return (own?.dependencies ?? []).map(({ name: crate, kind, target }) => [crate, use(kind, target)]);
}

function use(kind, target) {
  if (kind === "dev") return "tests";
  if (kind === "build") return "build";
  return target === null ? "" : /wasm32/.test(target) ? "wasm32" : target.replace(/^cfg\((.*)\)$/, "$1");
}

/** Every manifest with its direct dependencies, by path; those without any are left out. */
export function directDependencies() {
  const all = manifests();
  return new Map(all.map((name) => [name, dependenciesOf(name, all)]).filter(([, dependencies]) => dependencies.length > 0));
}

/** The dependencies that a page has a line for, as `Map` of path to `[name, use, reason]`, by its headings and tables. */
export function listedDependencies(page) {
  const listed = new Map();
  let rows;
  for (const line of page.split("\n")) {
    const heading = /^#+ .*`([^`]+)`/.exec(line);
    if (/^#+ /.test(line)) rows = heading && listed.set(heading[1], []).get(heading[1]);
    const [, name, where, reason] = /^\| `([^`]+)` \| ([^|]*) \| (.+) \|$/.exec(line) ?? [];
    if (name !== undefined) rows?.push([name, where.trim(), reason.trim()]);
  }
  return listed;
}

/** What is wrong with a page: dependencies without a line, lines without a dependency, lines without a reason. */
export function faults(direct, listed) {
  const keys = (map) => new Set([...map].flatMap(([file, rows]) => rows.map(([name, where]) => `${file}: ${name}${where && ` (${where})`}`)));
  const [real, written] = [keys(direct), keys(listed)];
  const lines = [...listed.values()].flat();
  return [
    ...[...real.difference(written)].map((one) => `${one} has no line`),
    ...[...written.difference(real)].map((one) => `${one} is no dependency`),
    ...(lines.length === written.size ? [] : ["a dependency has two lines"]),
    ...lines.filter(([, , reason]) => reason.split(" ").length < 2).map(([name]) => `${name} has no reason`),
  ];
}
