// The session: from the Authorization header to the checked record, with one KV read.

import { base64url } from "jose";
import { STORES, inTime } from "./deadline.js";
import { noCredential, noSession, refused, unavailable } from "./error.js";

const TOKEN = /^aks_[A-Za-z0-9_-]{43}$/;
const WALLET = /^0x[0-9a-f]{40}$/;
const MEMBERS = new Set([
  "v", "wallet", "created_at", "expires_at", "label", "audiences", "tags", "transitive_tags", "roles", "source_identity",
  "max_token_ttl",
]);

const encoder = new TextEncoder();

/** The session token of the request. Throws the refusal. */
export function bearer(request) {
  const header = request.headers.get("authorization");
  const [, credential] = /^bearer +(.*)$/i.exec(header ?? "") ?? [];
  if (credential === undefined) throw noCredential();
  if (credential.includes(",")) throw refused("bad_request", "Send one Authorization header.");
  // A malformed token is refused before it costs a KV read.
  if (!TOKEN.test(credential)) throw noSession("malformed_token");
  return credential;
}

/** SHA-256 of a session token in base64url: the store's name for it, and what may be logged. */
export async function hashOf(token) {
  const hash = await crypto.subtle.digest("SHA-256", encoder.encode(token));
  return base64url.encode(new Uint8Array(hash));
}

/** The live session of that hash at `now` (Unix seconds). Throws the refusal. */
export async function lookUp(hash, store, now, event) {
  const text = await read(store, `session/v1/${hash}`);
  if (text === null) throw noSession("unknown_session");
  const record = parse(text);
  if (record === undefined) throw noSession("broken_record");
  event.wallet = record.wallet;
  if (record.expires_at <= now) throw noSession("expired_session");
  return record;
}

/** One value of the store, which has to answer in time. */
const read = (store, key) => inTime(store.get(key), STORES).catch(() => {
  throw unavailable("store", "The store of sessions does not answer. Try again.");
});

// An unknown member may be a restriction, so a record with one is broken.
function parse(text) {
  let record;
  try {
    record = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (record === null || typeof record !== "object") return undefined;
  for (const name of Object.keys(record)) if (!MEMBERS.has(name)) return undefined;
  const sound = record.v === 1
    && typeof record.wallet === "string" && WALLET.test(record.wallet)
    && Number.isSafeInteger(record.created_at) && Number.isSafeInteger(record.expires_at)
    && (record.max_token_ttl === undefined || Number.isSafeInteger(record.max_token_ttl))
    && isTexts(record.audiences) && isTexts(record.transitive_tags) && isTexts(record.roles)
    && (record.source_identity === undefined || typeof record.source_identity === "string")
    && (record.tags === undefined || isTags(record.tags));
  return sound ? record : undefined;
}

const isTexts = (value) =>
  value === undefined || (Array.isArray(value) && value.every((entry) => typeof entry === "string"));

const isTags = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value)
  && Object.values(value).every((entry) => typeof entry === "string");
