// Every route of the worker, each with a request that it answers with success or, where that takes a wallet, with words of
// its own: if an odd spelling reached it, that is what would come back.

export const DISCOVERY = "/.well-known/openid-configuration";
export const JWKS = "/.well-known/jwks.json";
export const MINT = "/v1/mint-oidc-jwt";
export const TOKEN = "/v1/token";
export const SESSION = "/v1/session";
export const START = "/v1/auth/wallet/start";
export const VERIFY = "/v1/auth/wallet/verify";

export const HOST = "Host: issuer.test";
export const JSON_TYPE = "Content-Type: application/json";
export const FORM_TYPE = "Content-Type: application/x-www-form-urlencoded";

/** The header of a session token. */
export const bearer = (token) => `Authorization: Bearer ${token}`;

const form = (token) =>
  new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: token,
    subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
  }).toString();
const start = JSON.stringify({ address: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", chain_id: 1 });
const verify = JSON.stringify({ request_id: `siwe-${"0".repeat(32)}`, signature: `0x${"0".repeat(128)}1b` });

/**
 * `method`, `path`, `headers` and `body` for a live session `token`, the `status` of the plain request, and what its body is
 * recognised by.
 */
export const ROUTES = [
  { method: "GET", path: DISCOVERY, status: 200, known: /"jwks_uri"/ },
  { method: "HEAD", path: DISCOVERY, status: 200, known: /^$/ },
  { method: "OPTIONS", path: JWKS, status: 204, known: /^$/ },
  { method: "GET", path: JWKS, status: 200, known: /^\{"keys":/ },
  { method: "POST", path: MINT, headers: (token) => [bearer(token)], status: 200, known: /^\{"jwt":/ },
  { method: "POST", path: TOKEN, headers: () => [FORM_TYPE], body: form, status: 200, known: /^\{"access_token":/ },
  { method: "POST", path: START, headers: () => [JSON_TYPE], body: () => start, status: 200, known: /"siwe_message"/ },
  { method: "POST", path: VERIFY, headers: () => [JSON_TYPE], body: () => verify, status: 401, known: /sign-in was not completed/ },
  { method: "GET", path: SESSION, headers: (token) => [bearer(token)], status: 200, known: /^\{"wallet":/ },
  { method: "DELETE", path: SESSION, headers: (token) => [bearer(token)], status: 204, known: /^$/, ends: true },
  { method: "GET", path: "/healthz", status: 200, known: /^ok$/ },
  { method: "GET", path: "/readyz", status: 200, known: /"checks"/ },
];

/** The paths of the worker, each once. */
export const PATHS = [...new Set(ROUTES.map(({ path }) => path))];

/** A text that nobody else sends, to be searched for in answers. */
export const marker = () => `zq${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`;

/** The bytes of a route's request to another target; `lines` are the header lines before the route's own. */
export function requestOf(route, token, { target = route.path, method = route.method, version = "HTTP/1.1", lines = [HOST] } = {}) {
  const body = route.body?.(token) ?? "";
  const length = body.length > 0 || method === "POST" ? [`Content-Length: ${Buffer.byteLength(body)}`] : [];
  const head = [`${method} ${target} ${version}`, ...lines, ...(route.headers?.(token) ?? []), ...length, "", ""].join("\r\n");
  return Buffer.from(head + body, "latin1");
}
