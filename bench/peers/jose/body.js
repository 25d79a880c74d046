// The JSON body of a request, by its own rules and not by the caller's.

import { refused } from "./error.js";

export const MAX_BODY = 4096;

/** The object that was sent; `undefined` where nothing was, and may not be. */
export async function object(request) {
  if (request.body === null) return undefined;
  const text = await request.text();
  if (text === "") return undefined;
  if (text.length > MAX_BODY) throw refused("payload_too_large", `Send at most ${MAX_BODY} bytes.`);
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json *(;|$)/i.test(type)) throw refused("unsupported_media_type", "Send application/json.");
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused("bad_request", "The body is not JSON.");
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw refused("bad_request", "The body is not a JSON object.");
  }
  return value;
}
