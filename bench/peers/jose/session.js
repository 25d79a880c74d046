// The session: from the Authorization header to the checked record, with one KV read.

import { base64url } from "jose";
import { failure, noCredential, noSession } from "./error.js";

const TOKEN = /^aks_[A-Za-z0-9_-]{43}$/;
const WALLET = /^0x[0-9a-f]{40}$/;
const MEMBERS = new Set([
  "v", "wallet", "created_at", "expires_at", "label", "audiences", "tags", "transitive_tags", "roles", "source_identity",
  "max_token_ttl",
]);

const encoder = new TextEncoder();

/** The session token of the request. Throws the refusal as a response. */
export function bearer(request) {
  const header = request.headers.get("authorization");
  const [, credential] = /^bearer +(.*)$/i.exec(header ?? "") ?? [];
  if (credential === undefined) throw noCredential();
  if (credential.includes(",")) throw failure("bad_request", "Send one Authorization header.");
  // A malformed token is refused before it costs a KV read.
  if (!TOKEN.test(credential)) throw noSession();
  return credential;
}

/** SHA-256 of a session token in base64url: the store's name for it, and what may be logged. */
export async function hashOf(token) {
  const hash = await crypto.subtle.digest("SHA-256", encoder.encode(token));
  return base64url.encode(new Uint8Array(hash));
}

/** The live session of that hash at `now` (Unix seconds). Throws the refusal as a response. */
export async function lookUp(hash, store, now) {
  const text = await store.get(`session/v1/${hash}`);
  if (text === null) throw noSession();
  const record = parse(text);
  if (record === undefined || record.expires_at <= now) throw noSession();
  return record;
}

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
