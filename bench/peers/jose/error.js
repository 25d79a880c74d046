// Refusals: `{"error": kind, "message": text}`, the status that goes with the kind, and the challenge of a 401.

const STATUS = {
  bad_request: 400, unauthorized: 401, forbidden: 403, not_found: 404, method_not_allowed: 405, payload_too_large: 413,
  unsupported_media_type: 415, rate_limited: 429, internal: 500, unavailable: 503,
};

export function failure(kind, message, headers) {
  return new Response(JSON.stringify({ error: kind, message }), {
    status: STATUS[kind],
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });
}

/** What a route's steps throw: the answer, and the reason for the log. */
export class Refusal {
  constructor(reason, response, ofNoSession = false) {
    Object.assign(this, { reason, response, ofNoSession });
  }
}

/** The caller's fault, by its kind. */
export const refused = (kind, message) => new Refusal(kind, failure(kind, message));

/** Ours, or a service's that we need. */
export const unavailable = (reason, message, seconds = "5") =>
  new Refusal(reason, failure("unavailable", message, { "retry-after": seconds }));

/** Too many of one kind. */
export const rateLimited = (reason) =>
  new Refusal(reason, failure("rate_limited", "Too many requests. Wait a minute and try again.", { "retry-after": "60" }));

/** No Bearer credential at all: a bare challenge (RFC 6750 §3.1). */
export const noCredential = () => new Refusal("no_credential",
  failure("unauthorized", "Send the session token: Authorization: Bearer aks_…", { "www-authenticate": "Bearer" }));

/** A Bearer credential that is no live session. The words never say which way it is wrong; the reason does. */
export const noSession = (reason) => new Refusal(reason,
  failure("unauthorized", "This is not a live session. Get a new session token and try again.", {
    "www-authenticate": 'Bearer error="invalid_token"',
  }), true);

/** A sign-in that fails, whatever is wrong with it. */
export const signinFailed = (reason) =>
  new Refusal(reason, failure("unauthorized", "This sign-in failed. Start a new one and sign its message with the wallet that it names."));
