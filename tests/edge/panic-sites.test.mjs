// What can panic in the product build: of our own code, only what cannot be reached; of others', a list that has a reason for
// each crate and does not grow unseen.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { panicSites } from "./support/panic-sites.mjs";

/** Places of our own that are no async body, by file and what stands there, and why they are not reached. */
const OWN = {
  "src/config/audiences.rs": { "remove(0)": "the list is refused where it is empty, two lines above" },
  "src/keys/ring.rs": { "insert(place": "the place is one of the list, or its end" },
};

/** Crates with places that can panic, and what keeps a request from them. */
const OTHERS = {
  // The standard library.
  core: "its own invariants; slices and arithmetic of ours are held by lints",
  alloc: "its own invariants, and lengths that no request reaches",
  std: "a thread-local that is borrowed twice: nothing is called back while one is borrowed",
  dlmalloc: "its own invariants",
  // What reads and writes what comes from outside; each has its vectors or properties in tests/.
  base64ct: "session tokens, keys, the token's parts",
  "const-oid": "the algorithm of an x5c certificate",
  der: "an x5c certificate",
  "percent-encoding": "the token endpoint's form",
  serde_core: "JSON",
  serde_json: "JSON",
  "unicode-general-category": "tag characters",
  chrono: "times up to the year 9999; later ones are refused before",
  "jwt-compact": "claims of our own making",
  // The arithmetic of a wallet's signature, under r and s that were held against the curve's order: Wycheproof's vectors.
  "crypto-bigint": "a signature's numbers",
  sec1: "a public key that was recovered",
  subtle: "comparisons of equal lengths",
  wnaf: "a signature's numbers",
  // Comes with the crates that bind the runtime; none of their futures or streams is used.
  "futures-core": "not used", "futures-util": "not used", "js-sys": "not used", "wasm-streams": "not used",
};

const sites = panicSites();
const own = sites.filter(({ file }) => file.startsWith("src/"));
const others = sites.filter(({ file }) => !file.startsWith("src/"));

/** The crate of a place. */
function crateOf({ file }) {
  const [, library] = /\/library\/([a-z_]+)\//.exec(file) ?? [];
  const [, name] = /([^/]+?)-\d+\.\d+\.\d+[^/]*\/src\//.exec(file) ?? [];
  return library ?? name ?? file;
}

/** What stands at a place of our sources, and before it. */
function source({ file, line, column }, text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8")) {
  const lines = text.split("\n");
  const before = [...lines.slice(0, line - 1), lines[line - 1]?.slice(0, column - 1) ?? ""].join("\n");
  return { before, there: lines[line - 1]?.slice(column - 1) ?? "" };
}

/** Whether a place is the beginning of an async body: the compiler's guard against polling one that has ended. */
function isAsyncBody({ before, there }) {
  if (/\basync (?:move )?(?:\|[^|]*\| ?|\{?)$/.test(before)) return true;
  const signature = before.slice(before.search(/\bfn\b(?![\s\S]*\bfn\b)/));
  return there.startsWith("{") && /\basync fn\b(?![\s\S]*\bfn\b)/.test(before) && !/[{};]/.test(signature);
}

describe("panics in our own code", () => {
  test("are the guards of async bodies, which are dropped once they have ended, and what is listed", () => {
    assert.ok(own.length > 0, "none was found: this wasm is another one, or its locations are gone");
    for (const site of own) {
      const { before, there } = source(site);
      const listed = Object.keys(OWN[site.file] ?? {}).some((start) => there.startsWith(start));
      assert.ok(listed || isAsyncBody({ before, there }), `${site.file}:${site.line}:${site.column} can panic: ${there}; is build/ of these sources (scripts/build)?`);
    }
  });

  test("the twin: an index, an unwrap and a body that is not async are told from an async body", () => {
    const place = (text) => {
      const [before, there] = text.split("HERE");
      return { before, there };
    };
    for (const text of ["async fn a() -> u8 HERE{ 1 }", "async fn a<T>(\n  b: T,\n) -> R HERE{", "f(async |event| HEREself.mint(event).await)", "let a = async HERE{"]) {
      assert.ok(isAsyncBody(place(text)), text);
    }
    for (const text of ["fn a() HERE{ 1 }", "async fn a() { HERElist[0]", "async fn a() { b.HEREunwrap()", "async fn a() { 1 }\nfn b() HERE{", "async fn a() { if b HERE{"]) {
      assert.ok(!isAsyncBody(place(text)), text);
    }
  });
});

describe("panics in what we depend on", () => {
  test("are in crates that have a reason", () => {
    const counts = {};
    for (const site of others) counts[crateOf(site)] = (counts[crateOf(site)] ?? 0) + 1;
    const unknown = Object.keys(counts).filter((name) => !(name in OTHERS));
    assert.deepEqual(unknown, [], "a crate that can panic came into the wasm: say in OTHERS what keeps a request from it");
    assert.ok(counts.std > 0, "the standard library has places in every wasm");
  });
});
