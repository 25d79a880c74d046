// Sessions as the broker finds them in Workers KV: a token, its hash, a record.
import { createHash, randomBytes } from "node:crypto";

import { guard } from "./canaries.mjs";

/** A wallet of the tests; the broker's form is lower case. */
export const WALLET = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";

export const now = () => Math.floor(Date.now() / 1000);

/** A fresh session token. */
export function sessionToken() {
  return guard("a session token", `aks_${randomBytes(32).toString("base64url")}`);
}

/** Base64url of SHA-256 of the token's text. */
export function hashOf(token) {
  return createHash("sha256").update(token).digest("base64url");
}

export const recordKey = (token) => `session/v1/${hashOf(token)}`;
export const indexKey = (wallet, token) => `wallet/v1/${wallet}/${hashOf(token)}`;

/** A record that is valid for an hour, with these members instead of or besides its own; `undefined` leaves one out. */
export function record(members = {}) {
  return { v: 1, wallet: WALLET, created_at: now(), expires_at: now() + 3600, ...members };
}

/** The omni of a wallet: SHA-256 of `agentkeys` ‖ `evm` ‖ wallet, in hex. */
export function omniOf(wallet) {
  return createHash("sha256").update(`agentkeysevm${wallet}`).digest("hex");
}
