// The bill of materials of what is deployed, in CycloneDX: the crates that are linked into the wasm, and the JavaScript
// around it. Same sources, same bytes: it has no date and no random number.
//
// The crates are what cargo resolves for the worker's own dependencies on wasm32. `cargo metadata` would not do: it gives
// every crate the features that the tests ask for, and the worker's list crates that only they link.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";

const root = path.join(import.meta.dirname, "..", "..");
const WORKER = "agentkeys-edge-broker";
const TARGET = "wasm32-unknown-unknown";
/** What writes the glue between wasm and JavaScript: its own text is in entry.js. */
const GLUE = "wasm-bindgen-cli-support";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const purl = (name, version) => `pkg:cargo/${name}@${version}`;

/**
 * The packages of `cargo tree`, each `{ name, version, licence, dependsOn }` by its purl, and the purl of the worker.
 * A line is a depth, and name, version and licence as FORMAT has them; a package that was shown before has no children again.
 */
export function packagesOf(tree) {
  const packages = new Map();
  const above = [];
  for (const line of tree.split("\n").filter(Boolean)) {
    const [, depth, name, version, licence] = /^(\d+)(\S+) v(\S+)[^\t]*\t([^\t]*)\t/.exec(line) ?? [];
    if (name === undefined) throw new Error(`cargo tree wrote a line that is none of its own: ${line}`);
    const id = purl(name, version);
    if (!packages.has(id)) packages.set(id, { name, version, licence: expression(licence), dependsOn: new Set() });
    above[Number(depth)] = id;
    if (Number(depth) > 0) packages.get(above[Number(depth) - 1]).dependsOn.add(id);
  }
  return packages;
}

/** A licence as an SPDX expression: old manifests write a slash for OR. */
const expression = (licence) => licence.replace(/\s*\/\s*/g, " OR ");

/** The SHA-256 of every crate of Cargo.lock that is from the registry, by its purl. */
export function checksumsOf(lock) {
  return new Map(
    [...lock.matchAll(/^name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "([0-9a-f]{64})"$/gm)]
      .map(([, name, version, checksum]) => [purl(name, version), checksum]),
  );
}

function crate(id, { name, version, licence }, checksum) {
  return {
    type: "library", "bom-ref": id, name, version, scope: "required", purl: id,
    ...(checksum && { hashes: [{ alg: "SHA-256", content: checksum }] }),
    ...(licence && { licenses: [{ expression: licence }] }),
  };
}

function file(folder, name, mime) {
  return {
    type: "file", "bom-ref": `file:${name}`, name, "mime-type": mime,
    hashes: [{ alg: "SHA-256", content: sha256(readFileSync(path.join(folder, name))) }],
  };
}

/** The bill of `packages`, of the files in `folder`, and of the Rust standard library of `rust`. */
export function bill({ packages, checksums, folder, rust, glue }) {
  const [worker, ...crates] = packages;
  const [workerId, { name, version, licence }] = worker;
  const wasm = readdirSync(folder).filter((one) => one.endsWith(".wasm"));
  const files = [file(folder, "entry.js", "text/javascript"), ...wasm.map((one) => file(folder, one, "application/wasm"))];
  const std = {
    type: "library", "bom-ref": `pkg:generic/rust-std@${rust}`, name: "rust-std", version: rust, scope: "required",
    description: `The Rust standard library for ${TARGET}`, purl: `pkg:generic/rust-std@${rust}`,
    licenses: [{ expression: "MIT OR Apache-2.0" }],
  };
  const components = [...crates.map(([id, one]) => crate(id, one, checksums.get(id))), crate(glue.id, glue, checksums.get(glue.id)), std]
    .sort((a, b) => (a["bom-ref"] < b["bom-ref"] ? -1 : 1));
  const dependencies = [
    ...[...packages].map(([id, { dependsOn }]) => ({ ref: id, dependsOn: [...dependsOn, ...(id === workerId ? [glue.id, std["bom-ref"]] : [])].sort() })),
    { ref: glue.id, dependsOn: [] },
    { ref: std["bom-ref"], dependsOn: [] },
  ].sort((a, b) => (a.ref < b.ref ? -1 : 1));
  const content = {
    version: 1,
    metadata: {
      lifecycles: [{ phase: "build" }],
      component: { ...crate(workerId, { name, version, licence }), type: "application", components: files },
      properties: [{ name: "cdx:rustc:sbom:target:triple", value: TARGET }],
    },
    components,
    dependencies,
  };
  return { $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", bomFormat: "CycloneDX", specVersion: "1.6", serialNumber: uuid(content), ...content };
}

/** A UUID of the content (RFC 9562 §5.8), so that another bill has another one. */
function uuid(content) {
  const hex = sha256(JSON.stringify(content));
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function cargo(...parameters) {
  return execFileSync("cargo", parameters, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
}

const tree = (...parameters) => packagesOf(cargo("tree", "--locked", "--prefix", "depth", "--format", "{p}\t{l}\t", ...parameters));

if (import.meta.filename === process.argv[1]) {
  const [, , folder, out] = process.argv;
  const text = (name) => readFileSync(path.join(root, name), "utf8");
  const tools = tree("--package", "bindgen", "--edges", "normal,no-proc-macro");
  const [glue] = [...tools].filter(([, { name }]) => name === GLUE).map(([id, one]) => ({ id, ...one }));
  const made = bill({
    packages: tree("--package", WORKER, "--target", TARGET, "--edges", "normal,no-proc-macro"),
    checksums: checksumsOf(text("Cargo.lock")),
    folder,
    rust: /^channel = "(.+)"$/m.exec(text("rust-toolchain.toml"))[1],
    glue,
  });
  writeFileSync(out, `${JSON.stringify(made, null, 2)}\n`);
  console.log(`bill of materials: ${made.components.length} components in ${path.relative(root, path.resolve(out))}`);
}
