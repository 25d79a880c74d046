//! The floor in Rust: the least that a workers-rs worker can do. `/kv` adds one KV read, and nothing else.
//! The twin of `../bare-js/index.js`, with the entry macro and the shim that every workers-rs worker has by default.

#![forbid(unsafe_code)]

use worker::{Context, Env, Request, Response, Result, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    if request.inner().url().ends_with("/kv") {
        let value = env.kv("SESSIONS")?.get("bench/probe").text().await?;
        return match value {
            Some(_) => Response::ok("ok"),
            None => Response::error("missing", 500),
        };
    }
    Response::ok("ok")
}
