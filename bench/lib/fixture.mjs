// What one run is made of: a signing key, sessions that are live, and sessions that must be refused. All of it fresh, so
// nothing here is a secret worth keeping.

import { createHash, randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { kvDelete, kvPut } from "./kv.mjs";

const LIVE = 64;
const UNKNOWN = 64;
const DAY = 86_400;

export const ISSUER = "https://broker.example";
export const AUDIENCE = "sts.amazonaws.com";
export const TOKEN_TTL = 300;

/** Where every request comes from, as Cloudflare tells a worker; and a client that has used up its limits. */
export const CLIENT = "192.0.2.7";
export const BUSY_CLIENT = "2001:db8:0:7::1";
const BUSY_NETWORK = "2001:db8:0:7::/64";

const newToken = () => `aks_${randomBytes(32).toString("base64url")}`;
const newWallet = () => `0x${randomBytes(20).toString("hex")}`;
const hashOf = (token) => createHash("sha256").update(token).digest("base64url");
/** The key that the session of a token is stored under. */
export const storeKey = (token) => `session/v1/${hashOf(token)}`;

/** A live session with these members in its record: `{ token, wallet, record }`. */
export const newSession = (members = {}) => session(Math.floor(Date.now() / 1000), members);

/** A fresh signing key, as a secret holds it. */
export async function newSigningKey() {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return JSON.stringify(await exportJWK(privateKey));
}

function session(now, changes = {}) {
  const record = { v: 1, wallet: newWallet(), created_at: now, expires_at: now + DAY, label: "bench", ...changes };
  return { token: newToken(), wallet: record.wallet, record };
}

/** A fresh fixture. Times are Unix seconds. */
export async function newFixture() {
  const now = Math.floor(Date.now() / 1000);
  const busy = { session: newToken(), starting: newKeyholder(), verifying: newKeyholder() };
  return {
    vars: { ISSUER, SIGNING_KEY_A: await newSigningKey() },
    live: Array.from({ length: LIVE }, () => session(now)),
    unknown: Array.from({ length: UNKNOWN }, newToken),
    malformed: newToken().slice(0, -1),
    // Stored without a KV expiration: it is the record that says no.
    expired: session(now, { created_at: now - DAY, expires_at: now - 1 }),
    // A member that the schema does not know may be a restriction.
    broken: session(now, { only_on_mondays: true }),
    removed: session(now),
    // Lives less long than a token would.
    short: session(now, { expires_at: now + 120 }),
    // Over their limits: a session that is not even stored, a wallet that starts too often, one that verifies too often.
    busy,
    overLimit: [
      hashOf(busy.session), BUSY_NETWORK, `start ${BUSY_NETWORK}`, `verify ${BUSY_NETWORK}`,
      `start ${busy.starting.wallet}`, `verify ${busy.verifying.wallet}`,
    ],
  };
}

/** A wallet with its private key, which nobody has used before. */
export function newKeyholder() {
  const { address, signMessage } = privateKeyToAccount(generatePrivateKey());
  return { wallet: address.toLowerCase(), sign: (message) => signMessage({ message }) };
}

/** Stores everything that a contender of this run may find. */
export async function seed(kvOrigin, fixture) {
  const put = ({ token, record }, expiration) => kvPut(kvOrigin, storeKey(token), JSON.stringify(record), expiration);
  await kvPut(kvOrigin, "bench/probe", JSON.stringify(fixture.live[0].record));
  await Promise.all([
    ...fixture.live.map((live) => put(live, live.record.expires_at)),
    ...[fixture.expired, fixture.broken, fixture.removed, fixture.short].map((odd) => put(odd)),
  ]);
}

/** Takes the session of `token` out of the store. */
export const remove = (kvOrigin, { token }) => kvDelete(kvOrigin, storeKey(token));
