// Wallets with their keys, fresh for every run, and the way in: start, sign, verify. Signatures are viem's.
import assert from "node:assert/strict";

import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

import { START, VERIFY } from "./broker.mjs";
import { guard } from "./canaries.mjs";

/** A wallet that nobody has seen yet. */
export function newWallet() {
  return privateKeyToAccount(guard("the private key of a wallet", generatePrivateKey()));
}

/** A wallet's address as the broker has it. */
export const lower = ({ address }) => address.toLowerCase();

/** A started sign-in, for a wallet that must get one. */
export async function start(broker, wallet, members = {}) {
  const answer = await broker.post(START, { address: wallet.address, chain_id: 1, ...members });
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}

/** A verify with this signature. */
export const verify = (broker, { request_id }, signature) => broker.post(VERIFY, { request_id, signature });

/** Starts and signs; the started sign-in with its `signature`. */
export async function signed(broker, wallet, members) {
  const started = await start(broker, wallet, members);
  return { ...started, signature: await wallet.signMessage({ message: started.siwe_message }) };
}

/** The whole way in, for a wallet that must get in; what verify answered. */
export async function signIn(broker, wallet = newWallet()) {
  const { signature, ...started } = await signed(broker, wallet);
  const answer = await verify(broker, started, signature);
  assert.equal(answer.status, 200, answer.text.slice(0, 40));
  const session = answer.json();
  guard("a session token", session.session_token);
  return session;
}
