// The measurements beside the run: a mint's own code, and how the broker grows. That they run, and what they turn away.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { wrkVersion } from "../lib/load.mjs";

const root = path.join(import.meta.dirname, "..", "..");
const run = (script, ...options) => promisify(execFile)(process.execPath, [path.join("bench", script), ...options], { cwd: root });
const cells = (line) => line.split("|").slice(1, -1).map((cell) => cell.trim());
const rows = (table) => table.trim().split("\n").slice(2).map(cells);

let wrk = true;
try {
  wrkVersion();
} catch {
  wrk = false;
}

describe("a mint's own code", () => {
  it("is measured of the broker and of the peer, and is less without what is stubbed", async () => {
    const { stdout } = await run("own.mjs", "--worker", "build/worker", "--rounds", "1");
    const measured = rows(stdout);
    assert.deepEqual(measured.map(([name]) => name), ["broker (Rust)", "peer (jose)"]);
    for (const [name, all, , own] of measured) assert.ok(Number(own) > 0 && Number(own) < Number(all), `${name}: ${own} of ${all}`);
  });

  it("is not measured of a worker that does not mint", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "edge-broker-bench-test-"));
    try {
      const refusing = 'import { DurableObject } from "cloudflare:workers"; export class SigninChallenge extends DurableObject {} export default { fetch: () => new Response("no", { status: 401 }) };';
      await writeFile(path.join(folder, "entry.js"), refusing);
      await assert.rejects(run("own.mjs", "--worker", folder, "--rounds", "1"), /did not do all: 401 no/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe("growth", { skip: wrk ? false : "wrk is not installed: apt-get install -y wrk" }, () => {
  it("has a row for each point, and a token grows with its tags", async () => {
    const { stdout } = await run("grow.mjs", "--worker", "build/worker", "--rounds", "1", "--of", "tags");
    const measured = rows(stdout);
    assert.deepEqual(measured.map(([tags]) => tags), ["0", "12", "24", "48"]);
    const bytes = measured.map((row) => Number(row[6]));
    assert.deepEqual(bytes, bytes.toSorted((a, b) => a - b));
    assert.ok(bytes.at(-1) > 2 * bytes[0]);
  });

  it("is not measured of what is not known", () => assert.rejects(run("grow.mjs", "--worker", "build/worker", "--of", "moons"), /--of knows clients, sessions, keys, tags/));
});
