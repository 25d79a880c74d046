// The JSON Schema of a permission to sign in, held against its examples. That the broker's reader agrees is tests/signin/allow.rs.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { describe, test } from "node:test";

import Ajv from "ajv/dist/2020.js";

const folder = new URL("../../kv-schemas/", import.meta.url);
const read = (path) => JSON.parse(readFileSync(new URL(path, folder), "utf8"));
const validate = new Ajv({ strict: true, allErrors: true }).compile(read("signin-allow.v1.schema.json"));

describe("the schema of a permission to sign in", () => {
  for (const [kind, expected] of [["valid", true], ["invalid", false]]) {
    const files = readdirSync(new URL(`examples/signin-allow/${kind}/`, folder));
    assert.ok(files.length >= 4);
    for (const file of files) {
      test(`${kind}: ${file}`, () => {
        assert.equal(validate(read(`examples/signin-allow/${kind}/${file}`)), expected);
      });
    }
  }
});
