// docs/supply-chain.md has a line with a reason for every direct dependency, and no other line.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";

import { directDependencies, faults, listedDependencies, root } from "./manifests.mjs";

const page = readFileSync(path.join(root, "docs", "supply-chain.md"), "utf8");
const direct = directDependencies();

describe("docs/supply-chain.md", () => {
  test("has a line with its reason for every direct dependency, and no line for anything else", () => {
    assert.deepEqual(faults(direct, listedDependencies(page)), []);
  });
  test("is held against every manifest of the repository", () => {
    for (const manifest of ["Cargo.toml", "cli/Cargo.toml", "tools/bindgen/Cargo.toml", "package.json", "tests/aws/requirements.in", "tests/python/requirements.txt"]) assert.ok(direct.has(manifest), manifest);
    assert.ok(direct.get("Cargo.toml").some(([name, use]) => name === "worker" && use === "wasm32"));
    assert.ok(direct.get("Cargo.toml").some(([name, use]) => name === "rsa" && use === "tests"));
  });
  test("says that no npm package is deployed, and none is", () => {
    assert.ok(direct.get("package.json").every(([, use]) => use === "dev"));
  });
  test("names the versions of the tools that no lock file pins", () => {
    const scripts = ["lib.sh", "test"].map((name) => readFileSync(path.join(root, "scripts", name), "utf8")).join("\n");
    const rows = new Map([...page.matchAll(/^\| (\S.*?) \| ([\d.]+) \| /gm)].map(([, name, version]) => [name, version]));
    for (const [name, variable] of [["Node.js", "NODE_VERSION"], ["npm", "NPM_VERSION"], ["cargo-deny", "CARGO_DENY_VERSION"]]) {
      assert.equal(rows.get(name), new RegExp(`^${variable}=(.+)$`, "m").exec(scripts)[1], name);
    }
    assert.equal(rows.get("worker-build"), /^const WORKER_BUILD = "(.+)";$/m.exec(readFileSync(path.join(root, "bench", "lib", "bare-rs.mjs"), "utf8"))[1]);
    const toolchain = readFileSync(path.join(root, "rust-toolchain.toml"), "utf8");
    assert.equal(rows.get("Rust"), /^channel = "(.+)"$/m.exec(toolchain)[1]);
  });
});

describe("the twin: a page that is wrong is found out", () => {
  const good = listedDependencies(page);
  const [manifest, rows] = [...good].find(([name]) => name === "Cargo.toml");
  const wrong = {
    "a dependency without its line": [new Map([...good, [manifest, rows.slice(1)]]), /has no line/],
    "a line without its dependency": [new Map([...good, [manifest, [...rows, ["openssl", "", "because it is there"]]]]), /is no dependency/],
    "a dependency in another place": [new Map([...good, [manifest, rows.map(([name, , reason]) => [name, "tests", reason])]]), /has no line/],
    "a line twice": [new Map([...good, [manifest, [...rows, rows[0]]]]), /two lines/],
    "a line without a reason": [new Map([...good, [manifest, rows.map(([name, where]) => [name, where, "-"])]]), /has no reason/],
    "a manifest that is not on it": [new Map([...good].filter(([name]) => name !== "package.json")), /has no line/],
  };
  for (const [name, [listed, words]] of Object.entries(wrong)) test(name, () => assert.match(faults(direct, listed).join("\n"), words));
});
