#!/usr/bin/env node
// A stand-in for wrangler: records its arguments, keeps what it is told to change in a file, and answers as wrangler does.
// DOUBLE_STATE names the file. Standard input is kept as its length and hash only, as a secret is to be.
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const FILE = process.env.DOUBLE_STATE;
const state = JSON.parse(readFileSync(FILE, "utf8"));
const at = process.argv.indexOf("--config");
const argv = process.argv.slice(2, at < 0 ? undefined : at);
const line = argv.join(" ");
state.calls.push(line);

const save = () => writeFileSync(FILE, JSON.stringify(state));
const answer = (value) => {
  save();
  console.log(" ⛅️ wrangler\n-------------------");
  console.log(JSON.stringify(value, null, 2));
};
const refuse = () => {
  save();
  console.error("✘ [ERROR] refused");
  process.exit(1);
};

if (state.failing?.some((start) => line.startsWith(start))) refuse();
else if (line.startsWith("whoami")) state.loggedIn ? answer({ loggedIn: true }) : refuse();
else if (line === "kv namespace list") answer(state.namespaces);
else if (line.startsWith("kv namespace create ")) {
  state.namespaces.push({ id: createHash("md5").update(argv[3]).digest("hex"), title: argv[3] });
  save();
} else if (line.startsWith("secret list")) state.deployed || state.secrets.length ? answer(state.secrets) : refuse();
else if (line.startsWith("secret put ")) {
  const secret = readFileSync(0, "utf8");
  state.secrets.push({ name: argv[2], type: "secret_text" });
  state.secretBytes = secret.length;
  state.secretIsKey = JSON.parse(secret).kty === "EC" && "d" in JSON.parse(secret);
  save();
} else if (line.includes("--dry-run")) {
  save();
  process.exit(spawnSync("wrangler", process.argv.slice(2), { stdio: "inherit" }).status);
} else if (line.startsWith("deploy ")) {
  state.deployed = argv[argv.indexOf("--tag") + 1];
  save();
} else if (line.startsWith("deployments status")) state.deployed ? answer({ versions: [{ version_id: "v1", percentage: 100 }] }) : refuse();
else if (line.startsWith("versions view")) answer({ id: "v1", annotations: { "workers/tag": state.deployed } });
else refuse();
