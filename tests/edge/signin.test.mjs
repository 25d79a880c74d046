// Sign-in by wallet: start, sign, verify, mint, verified by jose; and everything that must not get in.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Wallet as EthersWallet } from "ethers";
import { createLocalJWKSet, jwtVerify } from "jose";
import { SiweMessage } from "siwe";
import { hexToBytes, parseSignature, recoverMessageAddress, serializeSignature } from "viem";
import { parseSiweMessage, validateSiweMessage } from "viem/siwe";

import { assertError, assertNotALiveSession, assertNotSignedIn } from "./support/answers.mjs";
import { ISSUER, JWKS, SESSION, START, VERIFY, startBroker } from "./support/broker.mjs";
import { ecKey, secrets } from "./support/keys.mjs";
import { assertIsolates } from "./support/session-tags.mjs";
import { hashOf, now, omniOf } from "./support/sessions.mjs";
import { lower, newWallet, signIn, signed, start, verify } from "./support/wallets.mjs";

const key = secrets({ A: await ecKey() });
/** The order of secp256k1 (SEC 2 §2.4.1). */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
let broker;

before(async () => {
  broker = await startBroker({ secrets: key });
});
after(() => broker.close());

describe("the whole round", () => {
  test("start, sign by viem, verify, mint, verified by jose: the token is the wallet's", async () => {
    const wallet = newWallet();
    const session = await signIn(broker, wallet);
    const jwt = await broker.minted(session.session_token);
    const keys = createLocalJWKSet((await broker.request(JWKS)).json());
    const { payload } = await jwtVerify(jwt, keys, { issuer: ISSUER, audience: "sts.amazonaws.com", subject: `agentkeys:agent:${lower(wallet)}` });
    assertIsolates(payload, lower(wallet));
  });

  test("signed by ethers, too", async () => {
    const wallet = EthersWallet.createRandom();
    const started = await start(broker, wallet);
    const answer = await verify(broker, started, await wallet.signMessage(started.siwe_message));
    assert.equal(answer.status, 200);
    assert.equal(answer.json().wallet_address, wallet.address.toLowerCase());
  });

  test("with v as 27 and 28, and as 0 and 1", async () => {
    const wallet = newWallet();
    const seen = new Set();
    for (let times = 0; times < 64 && seen.size < 4; times += 1) {
      const { signature, ...started } = await signed(broker, wallet);
      const v = Number.parseInt(signature.slice(-2), 16) - (times % 2 === 0 ? 27 : 0);
      seen.add(v);
      const answer = await verify(broker, started, `${signature.slice(0, -2)}${v.toString(16).padStart(2, "0")}`);
      assert.equal(answer.status, 200, `v = ${v}`);
    }
    assert.deepEqual([...seen].sort((a, b) => a - b), [0, 1, 27, 28]);
  });

  test("under an issuer with a path, and on an http issuer of the loopback", async () => {
    for (const issuer of [`${ISSUER}/tenants/blue`, "http://localhost:8787"]) {
      await broker.update({ vars: { ISSUER: issuer } });
      const path = new URL(issuer).pathname.replace(/\/$/, "");
      const wallet = newWallet();
      const answer = await broker.post(`${path}${START}`, { address: wallet.address, chain_id: 1 });
      assert.equal(answer.status, 200, answer.text);
      const { request_id, siwe_message } = answer.json();
      const { uri, domain, scheme } = parseSiweMessage(siwe_message);
      assert.deepEqual([uri, domain, scheme], [issuer, new URL(issuer).host, issuer.startsWith("https") ? undefined : "http"]);
      const signature = await wallet.signMessage({ message: siwe_message });
      assert.equal((await broker.post(`${path}${VERIFY}`, { request_id, signature })).status, 200);
    }
    await broker.update({ vars: { ISSUER } });
  });
});

describe("what start answers", () => {
  test("has the members of the wire and is never stored", async () => {
    const wallet = newWallet();
    const answer = await broker.post(START, { address: wallet.address, chain_id: 8453, more: { ignored: true } });
    assert.equal(answer.headers.get("cache-control"), "no-store");
    const { request_id, expires_in_seconds, siwe_message, nonce, expires_at_iso, ...rest } = answer.json();
    assert.deepEqual(rest, {});
    assert.match(request_id, /^siwe-[0-9a-f]{32}$/);
    assert.match(nonce, /^[0-9a-f]{32}$/);
    assert.notEqual(request_id.slice(5), nonce);
    assert.equal(expires_in_seconds, 600);
    assert.ok(Math.abs(Date.parse(expires_at_iso) / 1000 - now() - 600) < 5);
    assert.ok(siwe_message.includes(wallet.address), "the address stands in its EIP-55 form");
  });

  test("is EIP-4361 to viem and to siwe, and says what the broker is", async () => {
    const wallet = newWallet();
    const { siwe_message, nonce, expires_at_iso } = await start(broker, { address: lower(wallet) }, { chain_id: 10 });
    const byViem = parseSiweMessage(siwe_message);
    assert.ok(validateSiweMessage({ message: byViem, address: wallet.address, domain: "issuer.test", nonce }));
    const bySiwe = new SiweMessage(siwe_message);
    for (const parsed of [byViem, bySiwe]) {
      assert.equal(parsed.domain, "issuer.test");
      assert.equal(parsed.address, wallet.address);
      assert.equal(parsed.uri, ISSUER);
      assert.equal(parsed.version, "1");
      assert.equal(parsed.chainId, 10);
      assert.equal(parsed.nonce, nonce);
      assert.equal(parsed.statement, "Sign in to the agent key broker.");
      assert.equal(new Date(parsed.expirationTime).getTime(), Date.parse(expires_at_iso));
    }
    assert.equal(bySiwe.prepareMessage(), siwe_message, "siwe writes the same text");
  });

  test("is the issuer's whatever Host says", async () => {
    const { siwe_message } = (await broker.post(START, { address: newWallet().address, chain_id: 1 }, { host: "evil.example", "x-forwarded-host": "evil.example" })).json();
    assert.ok(siwe_message.startsWith("issuer.test wants you"));
    assert.ok(!siwe_message.includes("evil.example"));
  });

  test("is another challenge every time", async () => {
    const wallet = newWallet();
    const many = await Promise.all(Array.from({ length: 20 }, () => start(broker, wallet)));
    for (const member of ["request_id", "nonce", "siwe_message"]) assert.equal(new Set(many.map((one) => one[member])).size, 20);
  });
});

describe("what verify answers", () => {
  test("is a session, under the names of the wire, and is never stored", async () => {
    const wallet = newWallet();
    const { signature, ...started } = await signed(broker, wallet);
    const answer = await verify(broker, started, signature);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    const { session_token, session_jwt, expires_at, ...rest } = answer.json();
    assert.match(session_token, /^aks_[A-Za-z0-9_-]{43}$/);
    assert.equal(session_jwt, session_token);
    assert.ok(Math.abs(expires_at - now() - 2_592_000) < 5);
    assert.deepEqual(rest, {
      session_jwt_kid: "opaque",
      omni_account: omniOf(lower(wallet)),
      wallet_address: lower(wallet),
      identity_type: "evm",
      identity_value: lower(wallet),
    });
  });

  test("is stored as any session is: its record, and its entry in the index", async () => {
    const wallet = newWallet();
    const { session_token, expires_at } = await signIn(broker, wallet);
    const sessions = await broker.sessions();
    const record = JSON.parse(await sessions.get(`session/v1/${hashOf(session_token)}`));
    assert.deepEqual(record, { v: 1, wallet: lower(wallet), created_at: record.created_at, expires_at, label: "sign-in" });
    const { keys } = await sessions.list({ prefix: `wallet/v1/${lower(wallet)}/` });
    assert.deepEqual(keys.map(({ name, expiration, metadata }) => ({ name, expiration, metadata })), [
      { name: `wallet/v1/${lower(wallet)}/${hashOf(session_token)}`, expiration: expires_at, metadata: { created: record.created_at, expires: expires_at, label: "sign-in" } },
    ]);
  });

  test("may be described and ended by its token", async () => {
    const { session_token, wallet_address } = await signIn(broker);
    const headers = { authorization: `Bearer ${session_token}` };
    assert.equal((await broker.request(SESSION, { headers })).json().wallet, wallet_address);
    assert.equal((await broker.request(SESSION, { method: "DELETE", headers })).status, 204);
    assertNotALiveSession(await broker.mint(session_token));
  });
});

/** The other form of a signature: s in the upper half, v turned round. */
function highS(signature) {
  const { r, s, yParity } = parseSignature(signature);
  const other = `0x${(ORDER - BigInt(s)).toString(16).padStart(64, "0")}`;
  return serializeSignature({ r, s: other, yParity: 1 - yParity });
}

const flip = (signature, byte) => {
  const bytes = hexToBytes(signature);
  bytes[byte] ^= 1;
  return `0x${Buffer.from(bytes).toString("hex")}`;
};

describe("a well-formed signature that is not the one", () => {
  const wallet = newWallet();
  for (const [name, forge] of [
    ["another wallet's", ({ siwe_message }) => newWallet().signMessage({ message: siwe_message })],
    ["over another message", () => wallet.signMessage({ message: "hello" })],
    ["over the message with another nonce", ({ siwe_message, nonce }) => wallet.signMessage({ message: siwe_message.replace(nonce, "0".repeat(32)) })],
    ["over the message of another domain", ({ siwe_message }) => wallet.signMessage({ message: siwe_message.replaceAll("issuer.test", "evil.example") })],
    ["over the message with a line feed more", ({ siwe_message }) => wallet.signMessage({ message: `${siwe_message}\n` })],
    ["over the bare hash (no EIP-191)", ({ siwe_message }) => wallet.sign({ hash: `0x${Buffer.from(siwe_message).toString("hex").padEnd(64, "0").slice(0, 64)}` })],
    ["with a bit of r flipped", ({ signature }) => flip(signature, 0)],
    ["with a bit of s flipped", ({ signature }) => flip(signature, 33)],
    ["with the other v", ({ signature }) => `${signature.slice(0, -2)}${signature.endsWith("1b") ? "1c" : "1b"}`],
    ["with v = 2", ({ signature }) => `${signature.slice(0, -2)}02`],
    ["with v = 29", ({ signature }) => `${signature.slice(0, -2)}1d`],
    ["with v = 37 (EIP-155)", ({ signature }) => `${signature.slice(0, -2)}25`],
    ["with v = 255", ({ signature }) => `${signature.slice(0, -2)}ff`],
    ["in its high-s form", ({ signature }) => highS(signature)],
    ["with r = 0", ({ signature }) => `0x${"0".repeat(64)}${signature.slice(66)}`],
    ["with s = 0", ({ signature }) => `${signature.slice(0, 66)}${"0".repeat(64)}${signature.slice(-2)}`],
    ["with r = the order", ({ signature }) => `0x${ORDER.toString(16)}${signature.slice(66)}`],
    ["of zeroes", () => `0x${"0".repeat(130)}`],
    ["of ones", () => `0x${"f".repeat(128)}1b`],
  ]) {
    test(`${name}: 401, the challenge is used up, and no session is there`, async () => {
      const one = await signed(broker, wallet);
      assertNotSignedIn(await verify(broker, one, await forge(one)));
      assertNotSignedIn(await verify(broker, one, one.signature));
      const { keys } = await (await broker.sessions()).list({ prefix: `wallet/v1/${lower(wallet)}/` });
      assert.deepEqual(keys, []);
    });
  }

  test("the high-s form has the same signer to others, and is refused for its form alone", async () => {
    const { siwe_message: message, signature } = await signed(broker, wallet);
    assert.notEqual(highS(signature), signature);
    assert.equal(await recoverMessageAddress({ message, signature: highS(signature) }), wallet.address);
  });

  test("the twin: the same wallet, unforged, gets in", async () => {
    const one = await signed(broker, wallet);
    assert.equal((await verify(broker, one, one.signature)).status, 200);
  });
});

describe("a malformed verify", () => {
  const wallet = newWallet();
  const body = ({ request_id, signature }, members = {}) => ({ request_id, signature, ...members });
  for (const [name, forge, message] of [
    ["a signature that is too short", (one) => body(one, { signature: one.signature.slice(0, -2) }), /signature/],
    ["a signature that is too long", (one) => body(one, { signature: `${one.signature}00` }), /signature/],
    ["64 bytes (EIP-2098)", (one) => body(one, { signature: one.signature.slice(0, 130) }), /signature/],
    ["a signature without 0x", (one) => body(one, { signature: one.signature.slice(2) }), /signature/],
    ["a signature with 0X", (one) => body(one, { signature: one.signature.replace("0x", "0X") }), /signature/],
    ["a signature that is no hex", (one) => body(one, { signature: one.signature.replace(/..$/, "zz") }), /signature/],
    ["a signature as a list", (one) => body(one, { signature: [one.signature] }), /signature/],
    ["no signature", ({ request_id }) => ({ request_id }), /signature/],
    ["no request_id", ({ signature }) => ({ signature }), /request_id/],
    ["a request_id of another form", (one) => body(one, { request_id: one.request_id.toUpperCase() }), /request_id/],
    ["a request_id that is a path", (one) => body(one, { request_id: `${one.request_id}/../x` }), /request_id/],
    ["null", (one) => body(one, { request_id: null }), /request_id/],
    ["a member twice", (one) => `{"request_id":"${one.request_id}","request_id":"${one.request_id}","signature":"${one.signature}"}`, /once/],
    ["a list", (one) => JSON.stringify([one.request_id, one.signature]), /JSON object/],
    ["no JSON", () => "request_id=x", /JSON object/],
    ["nothing", () => "", /JSON object/],
  ]) {
    test(`${name}: 400, and the challenge is still there`, async () => {
      const one = await signed(broker, wallet);
      assertError(await broker.post(VERIFY, forge(one)), "bad_request", message);
      assert.equal((await verify(broker, one, one.signature)).status, 200);
    });
  }

  test("members that are not known are ignored", async () => {
    const one = await signed(broker, wallet);
    assert.equal((await broker.post(VERIFY, body(one, { identity: "x", omni: null }))).status, 200);
  });
});

describe("a malformed start", () => {
  const { address } = newWallet();
  const mixed = address.replace(/[a-f]|[A-F]/, (letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()));
  for (const [name, body, message] of [
    ["an address whose checksum is wrong", { address: mixed, chain_id: 1 }, /checksum/],
    ["an address that is too short", { address: address.slice(0, -1), chain_id: 1 }, /address/],
    ["an address without 0x", { address: address.slice(2), chain_id: 1 }, /address/],
    ["a name", { address: "vitalik.eth", chain_id: 1 }, /address/],
    ["an address as a number", { address: 1, chain_id: 1 }, /address/],
    ["no address", { chain_id: 1 }, /address/],
    ["no chain", { address }, /chain_id/],
    ["chain 0", { address, chain_id: 0 }, /chain_id/],
    ["a chain below 0", { address, chain_id: -1 }, /chain_id/],
    ["a chain with a fraction", `{"address":"${address}","chain_id":1.0}`, /chain_id/],
    ["a chain as a text", { address, chain_id: "1" }, /chain_id/],
    ["a chain that JavaScript cannot hold", `{"address":"${address}","chain_id":9007199254740992}`, /chain_id/],
    ["a list", "[]", /JSON object/],
  ]) {
    test(`${name}: 400 that says so`, async () => assertError(await broker.post(START, body), "bad_request", message));
  }

  test("in lower case, in upper case and in its checksum an address is taken", async () => {
    for (const form of [address, address.toLowerCase(), `0x${address.slice(2).toUpperCase()}`]) {
      assert.ok((await start(broker, { address: form })).siwe_message.includes(address));
    }
  });
});

describe("bodies", () => {
  for (const path of [START, VERIFY]) {
    test(`${path}: 1 MB is 413, another type 415, other methods 405`, async () => {
      assertError(await broker.post(path, " ".repeat(1_048_576)), "payload_too_large", /4096/);
      assertError(await broker.post(path, JSON.stringify({ address: "x".repeat(5_000) })), "payload_too_large");
      assertError(await broker.post(path, "{}", { "content-type": "text/plain" }), "unsupported_media_type", /application\/json/);
      for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
        const answer = await broker.request(path, { method });
        assert.equal(answer.status, 405, method);
        assert.equal(answer.headers.get("allow"), "POST");
        assert.equal(answer.headers.get("access-control-allow-origin"), null, "no other site's page signs in here");
      }
    });
  }
});

describe("who may sign in", () => {
  after(() => broker.update({ vars: { ISSUER } }));
  const allow = async (wallet, record) => (await broker.sessions()).put(`signin-allow/v1/${lower(wallet)}`, typeof record === "string" ? record : JSON.stringify(record));
  const permission = (wallet) => ({ v: 1, wallet: lower(wallet), added_at: now() });

  test("only those on the list, where there is one; the others hear so once they have proven themselves", async () => {
    await broker.update({ vars: { ISSUER, SIGNIN_ALLOW: "listed" } });
    const [listed, other] = [newWallet(), newWallet()];
    await allow(listed, permission(listed));
    await signIn(broker, listed);
    const one = await signed(broker, other);
    assertError(await verify(broker, one, one.signature), "forbidden", /edge-broker allow add/);
    const forged = await signed(broker, other);
    assertNotSignedIn(await verify(broker, forged, await listed.signMessage({ message: forged.siwe_message })));
    assert.deepEqual((await (await broker.sessions()).list({ prefix: `wallet/v1/${lower(other)}/` })).keys, []);
  });

  test("and no record that is not whole, or is another wallet's, lets anybody in", async () => {
    await broker.update({ vars: { ISSUER, SIGNIN_ALLOW: "listed" } });
    for (const [name, record] of [
      ["nothing", () => ""],
      ["no JSON", () => "yes"],
      ["another wallet's record", () => permission(newWallet())],
      ["a member that may be a condition", (wallet) => ({ ...permission(wallet), until: 1 })],
      ["another version", (wallet) => ({ ...permission(wallet), v: 2 })],
    ]) {
      const wallet = newWallet();
      await allow(wallet, record(wallet));
      const one = await signed(broker, wallet);
      assertError(await verify(broker, one, one.signature), "forbidden", undefined, name);
    }
  });

  test("only on the chains that are listed, where some are", async () => {
    await broker.update({ vars: { ISSUER, SIGNIN_CHAINS: [1, 8453] } });
    const { address } = newWallet();
    for (const chain_id of [1, 8453]) await start(broker, { address }, { chain_id });
    for (const chain_id of [2, 10]) assertError(await broker.post(START, { address, chain_id }), "bad_request", /SIGNIN_CHAINS/);
  });

  test("for the audiences and with the tags that the configuration gives to sign-ins", async () => {
    const AUDIENCES = ["sts.amazonaws.com", "https://iam.example.com/pool"];
    await broker.update({ vars: { ISSUER, AUDIENCES, SIGNIN_AUDIENCES: [AUDIENCES[1]], SIGNIN_TAGS: { origin: "sign-in" } } });
    const { session_token } = await signIn(broker);
    const claims = JSON.parse(Buffer.from((await broker.minted(session_token)).split(".")[1], "base64url"));
    assert.equal(claims.aud, AUDIENCES[1]);
    assert.deepEqual(claims["https://aws.amazon.com/tags"].principal_tags.origin, ["sign-in"]);
    assertError(await broker.mint(session_token, { audience: AUDIENCES[0] }), "forbidden");
  });

  test("for as long, and with the words, that the configuration says", async () => {
    const vars = { ISSUER, SIGNIN_STATEMENT: "Open the gate.", SIGNIN_RESOURCES: ["https://issuer.test/terms", "ipfs://bafy"], SIGNIN_CHALLENGE_TTL_SECONDS: 90, SESSION_TTL_SECONDS: 3600 };
    await broker.update({ vars });
    const wallet = newWallet();
    const started = await start(broker, wallet);
    assert.equal(started.expires_in_seconds, 90);
    const parsed = parseSiweMessage(started.siwe_message);
    assert.deepEqual([parsed.statement, parsed.resources], ["Open the gate.", ["https://issuer.test/terms", "ipfs://bafy"]]);
    const { expires_at } = await signIn(broker, wallet);
    assert.ok(Math.abs(expires_at - now() - 3600) < 5);
  });
});
