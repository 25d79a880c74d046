// The yardstick: the broker's measured routes as a JavaScript Worker with `jose`.
//
// Same wire as the Rust worker (same KV records and look-ups, same rate limits in the same places, same checks, claims,
// headers and log line), written the way one writes a fast Worker: configuration, documents and keys are made once per
// isolate, a request does only its own work. It is a measuring instrument, not a product: no token exchange, ES256 only.

import { load } from "./broker.js";
import { failure } from "./error.js";
import { logged } from "./event.js";
import { mint } from "./mint.js";
import { serveDocument } from "./published.js";
import { startSignin, verifySignin } from "./signin.js";

// The broker's own object, which is JavaScript there too.
export { SigninChallenge } from "../../../src/edge/challenge.js";

// Only the finished value is shared between requests. A promise is not: workerd cancels a request that waits for a promise
// of another one, so each of the first few requests loads for itself.
let broker;

const POSTS = {
  "/v1/mint-oidc-jwt": ["mint", mint],
  "/v1/auth/wallet/start": ["signin_start", startSignin],
  "/v1/auth/wallet/verify": ["signin", verifySignin],
};

export default {
  async fetch(request, env) {
    broker ??= await load(env);
    const { pathname } = new URL(request.url);
    try {
      switch (pathname) {
        case "/.well-known/openid-configuration":
          return published(request, broker.discovery);
        case "/.well-known/jwks.json":
          return published(request, broker.jwks);
        case "/healthz":
          return new Response("ok");
        default: {
          const post = POSTS[pathname];
          if (post === undefined) return failure("not_found", "There is nothing here.");
          if (request.method !== "POST") return notAllowed("POST");
          const [name, steps] = post;
          return await logged(name, request, env, (event) => steps(request, env, broker, event));
        }
      }
    } catch (error) {
      console.error(error);
      return failure("internal", "The broker failed; try again.");
    }
  },
};

function published(request, document) {
  switch (request.method) {
    case "GET":
    case "HEAD": return serveDocument(request, document);
    case "OPTIONS": return new Response(null, {
      status: 204,
      headers: {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET, HEAD, OPTIONS",
        "access-control-allow-headers": "if-none-match",
        "access-control-max-age": "86400",
      },
    });
    default: return notAllowed("GET, HEAD, OPTIONS");
  }
}

function notAllowed(allow) {
  const response = failure("method_not_allowed", `Use ${allow}.`);
  response.headers.set("allow", allow);
  return response;
}
