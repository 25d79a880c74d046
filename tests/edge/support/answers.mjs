// What every answer of a kind has in common.
import assert from "node:assert/strict";

const STATUS = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
};

/** Asserts an error answer: status, `{"error","message"}`, JSON, never stored; its message. */
export function assertError(answer, kind, message) {
  assert.equal(answer.status, STATUS[kind], answer.text);
  const body = answer.json();
  assert.deepEqual(Object.keys(body), ["error", "message"]);
  assert.equal(body.error, kind);
  assert.equal(answer.headers.get("content-type"), "application/json");
  assert.equal(answer.headers.get("cache-control"), "no-store");
  if (message) assert.match(body.message, message);
  if (kind === "unavailable" || kind === "rate_limited") assert.match(answer.headers.get("retry-after") ?? "", /^[1-9]\d*$/, "Retry-After");
  return body.message;
}

/** Asserts the 401 of a credential that is not a live session. Its words are the same whatever is wrong. */
export function assertNotALiveSession(answer) {
  assertError(answer, "unauthorized");
  assert.equal(answer.headers.get("www-authenticate"), 'Bearer error="invalid_token"');
  assert.equal(answer.text, '{"error":"unauthorized","message":"This is not a live session. Get a new session token and try again."}');
}

/** Asserts the 401 of a sign-in that was not completed. Its words are the same whatever is wrong. */
export function assertNotSignedIn(answer) {
  assertError(answer, "unauthorized");
  assert.equal(answer.headers.get("www-authenticate"), "Bearer");
  assert.match(answer.json().message, /^The sign-in was not completed\. Start again with POST \/v1\/auth\/wallet\/start, /);
}

/** Asserts an error in OAuth's form (RFC 6749 §5.2); its description. */
export function assertOAuthError(answer, status, error) {
  assert.equal(answer.status, status, answer.text);
  const body = answer.json();
  assert.deepEqual(Object.keys(body), ["error", "error_description"]);
  assert.equal(body.error, error);
  assert.match(body.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]{10,}$/);
  assert.equal(answer.headers.get("content-type"), "application/json");
  assert.equal(answer.headers.get("cache-control"), "no-store");
  if (status === 429 || status === 503) assert.match(answer.headers.get("retry-after") ?? "", /^[1-9]\d*$/, "Retry-After");
  return body.error_description;
}

/** Asserts the 401 of a request without a Bearer credential. */
export function assertNoCredential(answer) {
  assertError(answer, "unauthorized");
  assert.equal(answer.headers.get("www-authenticate"), "Bearer");
}
