// Discovery and JWKS: made once, served with a strong ETag, 304 where the caller already has them.

import { base64url } from "jose";

/** The body of a document with its two sets of headers: for 200 and for 304. */
export async function publish(document) {
  const body = JSON.stringify(document);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body));
  const etag = `"${base64url.encode(new Uint8Array(digest))}"`;
  const cache = {
    "cache-control": "public, max-age=900",
    etag,
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "etag",
  };
  return { body, etag, notModified: new Headers(cache), headers: new Headers({ "content-type": "application/json", ...cache }) };
}

/** GET and HEAD of a published document. workerd itself drops the body of an answer to HEAD. */
export function serveDocument(request, { body, etag, headers, notModified }) {
  const condition = request.headers.get("if-none-match");
  return condition !== null && matches(condition, etag)
    ? new Response(null, { status: 304, headers: notModified })
    : new Response(body, { headers });
}

// RFC 9110 §13.1.2: a list, compared weakly.
const matches = (condition, etag) =>
  condition === etag || condition === "*" || condition.split(",").some((entry) => entry.trim().replace(/^W\//, "") === etag);
