// build/sbom.cdx.json is what is deployed: valid CycloneDX, and each component as Cargo.lock and the registry have it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { describe, test } from "node:test";

import Ajv from "ajv";
import addFormats from "ajv-formats";

import { checksumsOf, packagesOf } from "../../scripts/build.d/sbom.mjs";
import { root } from "./manifests.mjs";

const text = (...parts) => readFileSync(path.join(root, ...parts), "utf8");
assert.ok(existsSync(path.join(root, "build", "sbom.cdx.json")), "build/sbom.cdx.json is missing: run scripts/build");
const sbom = JSON.parse(text("build", "sbom.cdx.json"));
const lock = text("Cargo.lock");
const metadata = JSON.parse(execFileSync("cargo", ["metadata", "--locked", "--format-version", "1", "--filter-platform", "wasm32-unknown-unknown"], { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 }));

const STD = "rust-std";
const cratesOf = ({ components }) => components.filter(({ name }) => name !== STD);
const copy = (changed) => {
  const other = structuredClone(sbom);
  changed(other);
  return other;
};

/** The schemas of CycloneDX, as the package of its own maintainers has them. */
function validator() {
  const folder = path.join(path.dirname(createRequire(import.meta.url).resolve("@cyclonedx/cyclonedx-library/package.json")), "res", "schema");
  const schema = (name) => JSON.parse(readFileSync(path.join(folder, `${name}.SNAPSHOT.schema.json`), "utf8"));
  // Two formats of its own that no package here checks: no component has such a member.
  const ajv = addFormats(new Ajv({ strict: false, formats: { "iri-reference": true, "idn-email": true } }));
  for (const name of ["spdx", "jsf-0.82", "cryptography-defs"]) ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  return ajv.compile(schema("bom-1.6"));
}

/** What is wrong with a bill's crates, held against Cargo.lock and the crates' own manifests. */
function faults(bill) {
  const checksums = checksumsOf(lock);
  const licences = new Map(metadata.packages.map(({ name, version, license }) => [`${name}@${version}`, license?.replaceAll(/\s*\/\s*/g, " OR ")]));
  return cratesOf(bill).flatMap(({ name, version, purl, hashes, licenses, "bom-ref": ref }) => {
    const checksum = checksums.get(`pkg:cargo/${name}@${version}`);
    return [
      checksum === undefined && `${name} ${version} is not in Cargo.lock`,
      (purl !== `pkg:cargo/${name}@${version}` || ref !== purl) && `${name} has the purl ${purl}`,
      hashes?.[0].content !== checksum && `${name} has another checksum`,
      (licenses?.[0].expression ?? "") !== licences.get(`${name}@${version}`) && `${name} has another licence`,
    ].filter(Boolean);
  });
}

/**
 * Crates that the wasm itself names, by the places in the source that its panics would show, and that a bill has not. Those
 * under /rust/deps/ are parts of the standard library, which stands for them.
 */
function missing(bill) {
  const folder = path.join(root, "build", "worker");
  const wasm = readdirSync(folder).filter((name) => name.endsWith(".wasm")).map((name) => readFileSync(path.join(folder, name), "latin1")).join("");
  const named = new Set([...wasm.matchAll(/(?<!\/rust\/deps\/)\b([a-z][a-z0-9_-]*)-(\d+\.\d+\.\d+[a-z0-9.+-]*)\/src\//g)].map(([, name, version]) => `${name}@${version}`));
  assert.ok(named.size >= 3, "the wasm names no crates: look at how its paths are written");
  const listed = new Set(bill.components.map(({ name, version }) => `${name}@${version}`));
  return [...named.difference(listed)];
}

describe("the bill of materials", () => {
  const validate = validator();
  test("is valid CycloneDX 1.6", () => assert.ok(validate(sbom), JSON.stringify(validate.errors)));
  test("the twin: one that is not is refused", () => {
    for (const changed of [(bill) => delete bill.bomFormat, (bill) => (bill.components[0].type = "crate"), (bill) => delete bill.components[0].name, (bill) => (bill.serialNumber = "1"), (bill) => (bill.components[0].hashes = [{ alg: "SHA-256", content: "x" }]), (bill) => (bill.components[0].colour = "red")]) {
      assert.ok(!validate(copy(changed)), String(changed));
    }
  });

  test("has each crate with version, purl, checksum and licence of Cargo.lock and its manifest", () => assert.deepEqual(faults(sbom), []));
  test("the twin: a crate that is another one is found", () => {
    for (const [changed, words] of [
      [(crate) => (crate.version = "9.9.9"), /is not in Cargo.lock/],
      [(crate) => (crate.purl = "pkg:cargo/other@1.0.0"), /has the purl/],
      [(crate) => (crate.hashes[0].content = "0".repeat(64)), /another checksum/],
      [(crate) => (crate.licenses[0].expression = "GPL-3.0"), /another licence/],
      [(crate) => delete crate.licenses, /another licence/],
    ]) {
      assert.match(faults(copy((bill) => changed(bill.components[0]))).join(), words);
    }
  });

  test("has every crate that the wasm names", () => assert.deepEqual(missing(sbom), []));
  test("the twin: one that is left out is found", () => {
    const { name } = sbom.components.find(({ name: known }) => known === "js-sys") ?? {};
    const leftOut = copy((bill) => (bill.components = bill.components.filter((crate) => !["serde_json", "js-sys", "k256", "wasm-bindgen", "jwt-compact"].includes(crate.name))));
    assert.ok(name && missing(leftOut).length > 0);
  });

  test("has every crate once, and nothing that only tests, tools and macros need", () => {
    const ids = sbom.components.map(({ "bom-ref": ref }) => ref);
    assert.equal(new Set(ids).size, ids.length);
    const names = sbom.components.map(({ name }) => name);
    for (const stranger of ["rsa", "p256", "jsonschema", "proptest", "ureq", "aws-lc-rs", "clap", "syn", "serde_derive", "wasm-bindgen-macro"]) assert.ok(!names.includes(stranger), stranger);
    for (const wanted of ["worker", "wasm-bindgen", "jwt-compact", "serde_json", "k256", "wasm-bindgen-cli-support", STD]) assert.ok(names.includes(wanted), wanted);
  });

  test("has every direct dependency of the worker, and leads from it to every component", () => {
    const own = metadata.packages.find(({ name }) => name === "agentkeys-edge-broker");
    const edges = new Map(sbom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    const worker = sbom.metadata.component["bom-ref"];
    const direct = edges.get(worker).map((ref) => ref.replace(/^pkg:cargo\/(.+)@.*$/, "$1"));
    for (const { name } of own.dependencies.filter(({ kind }) => kind === null)) assert.ok(direct.includes(name), name);
    const reached = new Set([worker]);
    for (const ref of reached) for (const next of edges.get(ref)) reached.add(next);
    assert.deepEqual([...reached].toSorted(), [worker, ...sbom.components.map(({ "bom-ref": ref }) => ref)].toSorted());
  });

  test("has the deployed files with their hashes", () => {
    const folder = path.join(root, "build", "worker");
    const deployed = readdirSync(folder).filter((name) => /\.(js|wasm)$/.test(name)).toSorted();
    const files = sbom.metadata.component.components;
    assert.deepEqual(files.map(({ name }) => name).toSorted(), deployed);
    for (const { name, hashes } of files) assert.equal(hashes[0].content, createHash("sha256").update(readFileSync(path.join(folder, name))).digest("hex"), name);
  });

  test("names no path and no time of the machine that made it", () => {
    const whole = JSON.stringify(sbom);
    assert.ok(!whole.includes(root) && !whole.includes("file://") && !("timestamp" in sbom.metadata));
  });
});

describe("the JavaScript that is deployed", () => {
  const { sources } = JSON.parse(text("build", "worker", "entry.js.map"));
  const strangers = (list) => list.filter((source) => !/^(\.\.\/wasm\/(broker\.js|snippets\/[^/]+\/.+)|\.\.\/\.\.\/src\/edge\/[a-z]+\.js)$/.test(source));
  test("is the entry, the glue of wasm-bindgen and the snippets of linked crates: no npm package", () => {
    assert.ok(sources.some((source) => source.endsWith("/entry.js")) && sources.some((source) => source.endsWith("/broker.js")));
    assert.deepEqual(strangers(sources), []);
    const crates = new Set([...cratesOf(sbom), sbom.metadata.component].map(({ name }) => name));
    for (const [, crate] of sources.join("\n").matchAll(/\/snippets\/(.+)-[0-9a-f]+\//g)) assert.ok(crates.has(crate), crate);
    assert.ok(sbom.components.every(({ purl }) => !purl.startsWith("pkg:npm/")));
  });
  test("loads nothing but its wasm and the runtime's own modules", () => {
    const loads = [...text("build", "worker", "entry.js").matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)"([^"]+)"/g)].map(([, name]) => name);
    assert.ok(loads.length > 0);
    for (const name of loads) assert.match(name, /^(\.\/[0-9a-f]+-broker_bg\.wasm|cloudflare:workers)$/);
  });
  test("the twin: a package of npm among its sources is found", () => {
    assert.deepEqual(strangers([...sources, "../../node_modules/left-pad/index.js"]), ["../../node_modules/left-pad/index.js"]);
  });
});

describe("the lines of cargo tree", () => {
  test("are read with their depths: what was shown before has its children already", () => {
    const packages = packagesOf("0a v1.0.0 (/x)\tMIT\t\n1b v0.1.0\tMIT/Apache-2.0\t\n2c v2.0.0+x\t\t\n1c v2.0.0+x\t\t (*)\n");
    assert.deepEqual([...packages].map(([id, { licence, dependsOn }]) => [id, licence, [...dependsOn]]), [
      ["pkg:cargo/a@1.0.0", "MIT", ["pkg:cargo/b@0.1.0", "pkg:cargo/c@2.0.0+x"]],
      ["pkg:cargo/b@0.1.0", "MIT OR Apache-2.0", ["pkg:cargo/c@2.0.0+x"]],
      ["pkg:cargo/c@2.0.0+x", "", []],
    ]);
  });
  test("that are none of its own end the build", () => assert.throws(() => packagesOf("error: no such package\n"), /none of its own/));
});
