// Refusals: `{"error": kind, "message": text}`, the status that goes with the kind, and the challenge of a 401.

const STATUS = {
  bad_request: 400, unauthorized: 401, forbidden: 403, not_found: 404, method_not_allowed: 405, payload_too_large: 413,
  unsupported_media_type: 415, internal: 500, unavailable: 503,
};

export function failure(kind, message, headers) {
  return new Response(JSON.stringify({ error: kind, message }), {
    status: STATUS[kind],
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });
}

/** No Bearer credential at all: a bare challenge (RFC 6750 §3.1). */
export const noCredential = () =>
  failure("unauthorized", "Send the session token: Authorization: Bearer aks_…", { "www-authenticate": "Bearer" });

/** A Bearer credential that is no live session. The words never say which way it is wrong. */
export const noSession = () =>
  failure("unauthorized", "This is not a live session. Get a new session token and try again.", {
    "www-authenticate": 'Bearer error="invalid_token"',
  });
