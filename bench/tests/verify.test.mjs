// The jose peer is fit to be a yardstick, and a peer that skips a part of the work is not let through.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { bundleJose, contender } from "../lib/contenders.mjs";
import { newFixture } from "../lib/fixture.mjs";
import { KV_KINDS } from "../lib/kv.mjs";
import { project } from "../lib/project.mjs";
import { verifyBare, verifyBroker } from "../lib/verify.mjs";
import { serve } from "../lib/workerd.mjs";

const COMPATIBILITY = { date: "2026-09-01", flags: [] };

let scratch;
let fixture;
before(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "edge-broker-bench-test-"));
  fixture = await newFixture();
});
after(() => rm(scratch, { recursive: true, force: true }));

/** Verifies a jose peer whose sources were changed: `[file, from, to]`, where `from` must be there exactly once. */
async function verifyChanged(kv, ...changes) {
  let applied = 0;
  const change = {
    name: "change",
    setup(build) {
      build.onLoad({ filter: /peers\/jose\/\w+\.js$/ }, async ({ path: file }) => {
        let contents = await readFile(file, "utf8");
        for (const [name, from, to] of changes.filter(([name]) => name === path.basename(file))) {
          assert.equal(contents.split(from).length, 2, `${JSON.stringify(from)} is in ${name} exactly once`);
          contents = contents.replace(from, () => to);
          applied += 1;
        }
        return { contents };
      });
    },
  };
  const modules = await bundleJose(await mkdtemp(path.join(scratch, "jose-")), [change]);
  assert.equal(applied, changes.length, "every change was applied");
  const bindings = { kv: "SESSIONS", vars: fixture.vars, ...project().bindings, overLimit: fixture.overLimit };
  const server = await serve({ modules, bindings }, { ...COMPATIBILITY, kv });
  try {
    return await verifyBroker(server, fixture);
  } finally {
    await server.stop();
  }
}

describe("the jose peer", () => {
  for (const kv of KV_KINDS) {
    it(`is let through on the ${kv} store`, async () => {
      const { etag, jwks } = await verifyChanged(kv);
      assert.match(etag, /^"/);
      assert.equal(jwks.keys.length, 1);
    });
  }

  const crippled = [
    ["forgets the expiry", /expired session/, ["session.js", 'if (record.expires_at <= now) throw noSession("expired_session");', ";"]],
    ["tolerates unknown members of a record", /broken record/, ["session.js", "if (!MEMBERS.has(name)) return undefined;", ";"]],
    ["remembers sessions instead of asking the store", /removed session/,
      ["session.js", "const text = await read(store, `session/v1/${hash}`);",
        "const cache = (globalThis.cache ??= new Map()); const text = cache.get(hash) ?? await read(store, `session/v1/${hash}`); cache.set(hash, text);"]],
    ["looks sessions up by the bare token", /status of mint/, ["session.js", "return base64url.encode(new Uint8Array(hash));", "return token;"]],
    ["leaves the tags claim out", /claims/, ["mint.js", '"https://aws.amazon.com/tags": tags(session),', ""]],
    ["tags flat", /claims/, ["mint.js", "[WALLET_TAG]: [wallet]", "[WALLET_TAG]: wallet"]],
    ["repeats its jti", /every token has its own jti/, ["mint.js", "crypto.getRandomValues(new Uint8Array(16))", "new Uint8Array(16)"]],
    ["hands out the token of the request before", /./,
      ["mint.js", "const jwt = await", "const last = globalThis.last; const jwt = last ?? await"],
      ["mint.js", "Object.assign(event,", "globalThis.last = jwt; Object.assign(event,"]],
    ["lets a token outlive its session", /ends with its session/, ["mint.js", "Math.min(now + ttl, session.expires_at)", "now + ttl"]],
    ["allows any lifetime", /too long/, ["mint.js", " || ttl > ceiling", ""]],
    ["allows any audience", /foreign audience/, ["mint.js", "!allowed.includes(chosen) || !broker.audiences.includes(chosen)", "false"]],
    ["never answers 304", /304|status of discovery/, ["published.js", "condition !== null && matches(condition, etag)", "false"]],
    ["always answers 304", /differs/, ["published.js", "matches(condition, etag)", "true"]],
    ["leaves the cache header out", /Cache-Control/, ["published.js", '"cache-control": "public, max-age=900",', ""]],
    ["publishes the private key", /members of the key/, ["broker.js", "published: { kty,", "published: { d: jwk.d, kty,"]],
    ["signs with another key than it publishes", /signature/,
      ["broker.js", 'await importJWK(jwk, "ES256", { extractable: false })',
        '(await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"])).privateKey']],
    ["asks no limit of a session", /status of a session over its limit/,
      ["mint.js", 'await within(env.MINT_LIMIT, "mint_limit", hash, event);', ";"]],
    ["counts no refused client", /status of a client whose session is none over its limit/, ["event.js", "if (refusal.ofNoSession)", "if (false)"]],
    ["counts every IPv6 address for itself", /over its limit/, ["limits.js", 'const [head, tail] = address.split("::");', "return address; let head, tail;"]],
    ["asks no limit of a wallet that starts", /a start by a wallet/,
      ["signin.js", 'await within(env.SIGNIN_WALLET_LIMIT, "signin_wallet_limit", `start ${wallet}`, event);', ";"]],
    ["asks no limit of a wallet that verifies", /a verify by a wallet/,
      ["signin.js", 'await within(env.SIGNIN_WALLET_LIMIT, "signin_wallet_limit", `verify ${wallet}`, event);', ";"]],
    ["takes anybody's signature", /by another wallet/, ["signin.js", 'if (wallet !== challenge.wallet) throw signinFailed("wrong_signer");', ";"]],
    ["recovers no signer", /over another message|by another wallet/,
      ["signin.js", "const wallet = addressOf(challenge.message, signature);", "const wallet = challenge.wallet;"]],
    ["keeps every session of a wallet", /twenty-one/, ["signin.js", "others.length - (SESSIONS_PER_WALLET - 1)", "0"]],
    ["stores no session", /./, ["signin.js", "await sessions.put(`session/v1/${hash}`, JSON.stringify(record), { expiration: expires_at });", ""]],
    ["has no challenge", /challenge|WWW-Authenticate/, ["error.js", `"www-authenticate": 'Bearer error="invalid_token"',`, ""]],
  ];
  for (const [what, why, ...changes] of crippled) {
    it(`is turned away where it ${what}`, () => assert.rejects(verifyChanged("memory", ...changes), why));
  }
});

describe("the bare JavaScript worker", () => {
  const verify = async (bindings) => {
    const bare = await contender("bare-js", { bindings: project().bindings, scratch, fixture }, assert.fail);
    const server = await serve({ ...bare, bindings: { ...bare.bindings, ...bindings } }, { ...COMPATIBILITY, kv: "miniflare" });
    try {
      return await verifyBare(server, fixture, bare.id);
    } finally {
      await server.stop();
    }
  };
  it("is let through", async () => assert.ok(await verify({})));
  it("is turned away where it reads no store", () => assert.rejects(verify({ kv: "OTHER" }), /status|body/));
  it("is turned away where it asks no rate limit", () => assert.rejects(verify({ rateLimits: [] }), /status/));
  it("is turned away where it signs nothing", () => assert.rejects(verify({ vars: {} }), /status/));
});
