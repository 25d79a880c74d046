// The committed vectors are what the libraries make, and their parsers and verifiers take them. That the broker writes the
// same messages and takes the same signatures is tests/signin/.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { verifyMessage as ethersSigner } from "ethers";
import { SiweMessage } from "siwe";
import { verifyMessage as viemVerifies } from "viem";
import { parseSiweMessage } from "viem/siwe";

import { FILE, make } from "./vectors.mjs";

const committed = JSON.parse(readFileSync(FILE, "utf8"));

describe("the vectors of sign-in", () => {
  test("are what siwe, viem and ethers make today", async () => {
    const { made_with: _, ...made } = JSON.parse(JSON.stringify(await make()));
    const { made_with: __, ...kept } = committed;
    assert.deepEqual(made, kept);
  });

  for (const { name, message, ...fields } of committed.messages) {
    test(`the siwe parser takes the message: ${name}`, () => {
      const parsed = new SiweMessage(message);
      for (const [field, value] of Object.entries(fields)) assert.deepEqual(parsed[field], value, field);
      assert.equal(parsed.toMessage(), message);
    });

    test(`the viem parser takes the message: ${name}`, () => {
      const parsed = parseSiweMessage(message);
      const { issuedAt, expirationTime, ...texts } = fields;
      for (const [field, value] of Object.entries(texts)) assert.deepEqual(parsed[field], value, field);
      assert.deepEqual(parsed.issuedAt, new Date(issuedAt));
      assert.deepEqual(parsed.expirationTime, expirationTime && new Date(expirationTime));
    });
  }

  test("a statement has the characters that SIGNIN_STATEMENT lets it have, and the siwe parser refuses every other", () => {
    const allowed = committed.messages.find(({ name }) => name === "every character of a statement");
    for (let code = 0; code < 0x180; code += 1) {
      const character = String.fromCharCode(code);
      const message = committed.messages[0].message.replace("I accept", `I ${character} accept`);
      if (allowed.statement.includes(character)) assert.doesNotThrow(() => new SiweMessage(message), character);
      else assert.throws(() => new SiweMessage(message), `U+${code.toString(16)}`);
    }
  });

  test("each library verifies the other's signatures, and none over another message", async () => {
    assert.ok(committed.signatures.length > 100);
    for (const { by, address, message, signature } of committed.signatures) {
      const verifies = async (text) =>
        by === "viem" ? ethersSigner(text, signature) === address : viemVerifies({ address, message: text, signature });
      assert.equal(await verifies(message), true, message);
      assert.equal(await verifies(`${message} `), false, message);
    }
  });
});
