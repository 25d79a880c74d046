// The contract with clients of the existing agentkeys broker: they are pointed here by nothing but a URL. What they send,
// the members they read, and the errors they branch on, as the wire table of the design has them. Members may be added;
// none of these may go, or change its type.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { startBroker } from "./support/broker.mjs";
import { ecKey, secrets } from "./support/keys.mjs";
import { now, sessionToken } from "./support/sessions.mjs";
import { newWallet } from "./support/wallets.mjs";

let broker;

before(async () => {
  broker = await startBroker({ secrets: secrets({ A: await ecKey() }) });
});
after(() => broker.close());

const HEX = (digits) => new RegExp(`^[0-9a-f]{${digits}}$`);
const WALLET = /^0x[0-9a-f]{40}$/;

/** Asserts that an answer has these members, each of this form; others may be there. */
function assertMembers(answer, members) {
  const body = answer.json();
  for (const [name, form] of Object.entries(members)) {
    if (form instanceof RegExp) assert.match(body[name], form, name);
    else if (form === Number) assert.ok(Number.isSafeInteger(body[name]), name);
    else assert.equal(body[name], form, name);
  }
  return body;
}

const START = { request_id: /^siwe-[0-9a-f]{32}$/, expires_in_seconds: Number, siwe_message: /^[\s\S]+ wants you to sign in with your Ethereum account:\n/, nonce: HEX(32), expires_at_iso: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ };
const VERIFY = { session_jwt: /^\S+$/, session_jwt_kid: /^\S+$/, expires_at: Number, omni_account: HEX(64), wallet_address: WALLET, identity_type: "evm", identity_value: WALLET };
const MINT = { jwt: /^[\w-]+\.[\w-]+\.[\w-]+$/, wallet: WALLET, expiration: Number };
const ERROR = { error: /^[a-z_]+$/, message: /^.+$/ };

describe("a daemon of the existing broker", () => {
  test("signs in, keeps session_jwt, and mints with it", async () => {
    const wallet = newWallet();
    const body = { address: wallet.address, chain_id: 1, client: "daemon", version: "1.2.3" };
    const started = assertMembers(await broker.post("/v1/auth/wallet/start", body), START);
    assert.equal(started.expires_in_seconds, 600);
    const signature = await wallet.signMessage({ message: started.siwe_message });
    const session = assertMembers(await broker.post("/v1/auth/wallet/verify", { request_id: started.request_id, signature, extra: 1 }), VERIFY);
    const answer = await broker.request("/v1/mint-oidc-jwt", { method: "POST", headers: { authorization: `Bearer ${session.session_jwt}` } });
    const minted = assertMembers(answer, MINT);
    assert.equal(answer.status, 200);
    assert.equal(minted.wallet, session.wallet_address);
    assert.ok(minted.expiration > now() && minted.expiration <= now() + 300);
  });

  test("mints with an empty JSON object, too", async () => {
    assertMembers(await broker.mint(await broker.session(), {}), MINT);
  });

  test("branches on the error kinds", async () => {
    for (const [answer, status, error] of [
      [await broker.post("/v1/auth/wallet/start", {}), 400, "bad_request"],
      [await broker.post("/v1/auth/wallet/verify", { request_id: `siwe-${"0".repeat(32)}`, signature: `0x${"1".repeat(130)}` }), 401, "unauthorized"],
      [await broker.mint(sessionToken()), 401, "unauthorized"],
      [await broker.mint(undefined), 401, "unauthorized"],
      [await broker.request("/v1/nothing"), 404, "not_found"],
      [await broker.request("/v1/mint-oidc-jwt"), 405, "method_not_allowed"],
    ]) {
      assert.equal(answer.status, status);
      assert.equal(assertMembers(answer, ERROR).error, error);
    }
  });

  test("the twin: the same search misses a member that is gone, or of another type", () => {
    const answer = (body) => ({ json: () => body });
    for (const broken of [{}, { error: 1, message: "x" }, { error: "bad_request" }, { error: "Bad Request", message: "x" }]) {
      assert.throws(() => assertMembers(answer(broken), ERROR));
    }
  });
});
