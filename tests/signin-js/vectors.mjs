// Sign-in messages by the siwe package and signatures by viem and ethers: tests/vectors/sign-in.json.
// `node tests/signin-js/vectors.mjs` writes the file again (then its line in SHA256SUMS). Both libraries sign deterministically (RFC 6979), so the file
// changes only with what is asked for here.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { Wallet, hashMessage, id } from "ethers";
import { SiweMessage } from "siwe";
import { privateKeyToAccount } from "viem/accounts";

export const FILE = fileURLToPath(new URL("../vectors/sign-in.json", import.meta.url));

// Keys for tests alone: Keccak-256 of a label that everybody can read.
const LABELS = ["agentkeys test wallet 1", "agentkeys test wallet 2", "agentkeys test wallet 3"];

const wallet = (label) => new Wallet(id(label));

// What our broker writes into a message, in the terms of the siwe package. The first three are the examples of EIP-4361.
const example = {
  domain: "example.com",
  address: "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
  statement: "I accept the ExampleOrg Terms of Service: https://example.com/tos",
  uri: "https://example.com/login",
  version: "1",
  chainId: 1,
  nonce: "32891756",
  issuedAt: "2021-09-30T16:25:24Z",
  resources: ["ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/", "https://example.com/my-web2-claim.json"],
};
const ours = {
  domain: "keys.example.com",
  address: wallet(LABELS[0]).address,
  statement: "Sign in to the agent key broker.",
  uri: "https://keys.example.com",
  version: "1",
  chainId: 1,
  nonce: "000102030405060708090a0b0c0d0e0f",
  issuedAt: "2026-11-23T21:53:31Z",
  expirationTime: "2026-11-23T22:03:31Z",
};
const FIELDS = {
  "EIP-4361, implicit scheme": example,
  "EIP-4361, explicit port": { ...example, domain: "example.com:3388" },
  "EIP-4361, explicit scheme": { ...example, scheme: "https" },
  "the broker's default": ours,
  "an issuer with a path": { ...ours, uri: "https://keys.example.com/a/b" },
  "another chain": { ...ours, chainId: Number.MAX_SAFE_INTEGER },
  "a development issuer": { ...ours, scheme: "http", domain: "localhost:8787", uri: "http://localhost:8787" },
  "no statement": { ...ours, statement: undefined },
  "every character of a statement": {
    ...ours,
    statement: " ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;= ",
  },
  "one resource": { ...ours, resources: ["urn:example:tenant:a%2Fb?x=1#y"] },
  "another wallet": { ...ours, address: wallet(LABELS[1]).address },
};

// Messages that are nobody's sign-in: EIP-191 counts bytes and not characters, and takes any text.
const OTHER_TEXTS = ["", "a", "hello world", "line\n", "\u{19}Ethereum Signed Message:\n5hello", "é漢🙂", "x".repeat(1000)];

/** The vectors, made anew. */
export async function make() {
  const version = (name) => JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), "utf8")).version;
  const messages = Object.entries(FIELDS).map(([name, fields]) => ({ name, ...fields, message: new SiweMessage(fields).toMessage() }));
  const signatures = [];
  for (const label of LABELS) {
    for (const message of [...messages.map(({ message }) => message), ...OTHER_TEXTS]) {
      const signer = wallet(label);
      const common = { address: signer.address, message, hash: hashMessage(message) };
      signatures.push({ by: "ethers", ...common, signature: await signer.signMessage(message) });
      signatures.push({ by: "viem", ...common, signature: await privateKeyToAccount(signer.privateKey).signMessage({ message }) });
    }
  }
  const made_with = Object.fromEntries(["siwe", "ethers", "viem"].map((name) => [name, version(name)]));
  return { made_with, messages, signatures };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(FILE, `${JSON.stringify(await make(), null, 1)}\n`);
}
