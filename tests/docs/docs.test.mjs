// What the documents say is there, is there: files, links, scripts, and every option of every command of the tool.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";

const TOOL = process.env.EDGE_BROKER ?? join(process.env.CARGO_TARGET_DIR ?? "target", "debug", "edge-broker");
const DOCUMENTS = ["README.md", ...globSync("{docs,cli,aws,bench,kv-schemas}/**/*.md", { exclude: (name) => /node_modules|target/.test(name) })];
const COMMANDS = ["allow add", "allow list", "allow remove", "allow show", "session issue", "session list", "session show", "session revoke-all", "session revoke", "aws revoke-policy", "keygen", "login", "logout", "check", "doctor", "prove", "credentials", "token"];

const text = (file) => readFileSync(file, "utf8");

describe("relative links lead somewhere", () => {
  for (const file of DOCUMENTS) {
    it(file, () => {
      for (const [, target] of text(file).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
        assert.ok(existsSync(join(dirname(file), target)), `${file} links to ${target}`);
      }
    });
  }
});

describe("scripts that are named exist and have help", () => {
  const named = new Set(DOCUMENTS.flatMap((file) => [...text(file).matchAll(/\bscripts\/([a-z]+)\b/g)].map(([, name]) => name)));
  for (const name of named) {
    it(`scripts/${name}`, () => {
      const { status, stdout } = spawnSync(`scripts/${name}`, ["--help"], { encoding: "utf8" });
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`^Usage: scripts/${name}`));
    });
  }
});

describe("every option of the tool that is named in a command exists", () => {
  const help = new Map();
  const helpOf = (command) => {
    if (!help.has(command)) {
      const { status, stdout, stderr } = spawnSync(TOOL, [...command.split(" "), "--help"], { encoding: "utf8" });
      assert.equal(status, 0, `edge-broker ${command} --help: ${stderr}`);
      help.set(command, stdout);
    }
    return help.get(command);
  };
  for (const file of DOCUMENTS) {
    // A command goes on over lines that end with a backslash, and ends where a pipe, a quote or the line does.
    const commands = [...text(file).replace(/\\\n/g, " ").matchAll(/\bedge-broker ([a-z][^\n|`>;]*)/g)].map(([, line]) => line);
    const known = commands.map((line) => [COMMANDS.find((command) => line === command || line.startsWith(`${command} `)), line]).filter(([command]) => command);
    if (known.length === 0) continue;
    it(file, () => {
      for (const [command, line] of known) {
        for (const [option] of line.matchAll(/--[a-z][a-z0-9-]*/g)) {
          assert.ok(helpOf(command).includes(option), `${file}: edge-broker ${command} has no ${option}`);
        }
      }
    });
  }
});

/** The tests that a page names: file and the words of a title, `name.test.mjs`: "words". */
const namedTests = (page) => [...page.matchAll(/`([\w-]+\.test\.mjs)`: "([^"]+)"/g)].map(([, file, words]) => [file, words]);
const isThere = ([file, words]) => globSync(`tests/**/${file}`).some((path) => text(path).includes(words));

describe("every test that the threat model names exists", () => {
  const named = namedTests(text("docs/threat-model.md"));
  it("every promise names one", () => {
    const [, promises] = /## What is promised\n([\s\S]*?)\n## /.exec(text("docs/threat-model.md"));
    const rows = promises.split("\n").filter((line) => line.startsWith("| ")).slice(1);
    assert.ok(rows.length >= 15);
    for (const row of rows) assert.equal(namedTests(row).length, 1, row);
  });
  for (const [file, words] of named) it(`${file}: ${words}`, () => assert.ok(isThere([file, words])));
  it("the twin: a test that is not there is missed", () => assert.ok(!isThere(["signin.test.mjs", "no such promise"]) && !isThere(["no-such.test.mjs", "the whole round"])));
});

describe("the twin: what is not there is found", () => {
  it("an option that no command has", () => assert.ok(!spawnSync(TOOL, ["keygen", "--help"], { encoding: "utf8" }).stdout.includes("--no-such-option")));
});
