// No cache confusion: under every spelling of a path and whatever a request says of caching, only the two public documents
// may be kept, and they are the same for everybody.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { privateKeyToAccount } from "viem/accounts";

import { guard } from "../edge/support/canaries.mjs";
import { DISCOVERY, HOST, JSON_TYPE, JWKS, ROUTES, START, VERIFY, requestOf } from "./support/routes.mjs";
import { storable } from "./support/judge.mjs";
import { world } from "./support/world.mjs";

const it = world();
const PUBLIC = [DISCOVERY, JWKS];

/** What a request may say of caching, ranges and variants. */
const SAYS = {
  "nothing": [],
  "any tag": ["If-None-Match: *"],
  "a weak tag": ['If-None-Match: W/"x"'],
  "broken tags": ['If-None-Match: "', "If-None-Match: ,,,"],
  "a date": ["If-Modified-Since: Wed, 21 Oct 2065 07:28:00 GMT"],
  "a date that must not have changed": ["If-Unmodified-Since: Wed, 21 Oct 1965 07:28:00 GMT"],
  "a tag that must match": ['If-Match: "x"'],
  "a range": ["Range: bytes=0-10"],
  "several ranges": ["Range: bytes=0-1,5-6,-1"],
  "a range with a condition": ["Range: bytes=0-10", 'If-Range: "x"'],
  "that it may be kept": ["Cache-Control: public, max-age=31536000, immutable"],
  "that only a kept one is wanted": ["Cache-Control: only-if-cached, max-stale=99999"],
  "that none is wanted": ["Cache-Control: no-cache, no-store", "Pragma: no-cache"],
  "an expiry": ["Expires: Wed, 21 Oct 2065 07:28:00 GMT", "Age: 0", "Date: Wed, 21 Oct 2065 07:28:00 GMT"],
  "what a cache of its own would say": ["CDN-Cache-Control: public, max-age=600", "Surrogate-Control: max-age=600", "Cloudflare-CDN-Cache-Control: max-age=600", "X-Accel-Expires: 600"],
  "that it wants a picture": ["Accept: image/png,*/*;q=0.8", "Sec-Fetch-Dest: image"],
  "that it wants it small": ["Accept-Encoding: gzip, br, zstd"],
  "that it is another origin": ["Origin: https://other.example", "Referer: https://other.example/x.css"],
  "another host": ["X-Forwarded-Host: other.example", "Forwarded: host=other.example", "X-Host: other.example", "X-Forwarded-Proto: http", "X-Forwarded-Prefix: /evil"],
  "another path": ["X-Original-URL: /.well-known/jwks.json", "X-Rewrite-URL: /.well-known/jwks.json", "X-Forwarded-Path: /.well-known/jwks.json"],
};

/** Other words for the same target, and other paths that a cache may take for something to keep. */
const SPELLINGS = {
  "as it is": (path) => path,
  "with a query": (path) => `${path}?x=y.css`,
  "with a fragment": (path) => `${path}#x.png`,
  "in absolute form": (path) => `http://other.example${path}`,
  "with an extension": (path) => `${path}.css`,
  "with an extension behind a slash": (path) => `${path}/x.js`,
  "with an extension behind a parameter": (path) => `${path};x.jpg`,
  "with an encoded slash": (path) => `${path}%2fx.css`,
  "as a parent of a public document": (path) => `${DISCOVERY}/../..${path}`,
  "as an encoded parent of a public document": (path) => `${DISCOVERY}%2f..%2f..${path}`,
  "in upper case": (path) => path.toUpperCase(),
};

async function told(route, { spell = (path) => path, says = [], token = it.token } = {}) {
  const target = spell(route.path);
  const [answer] = await it.say(requestOf(route, token, { target, lines: [HOST, ...says] }), { methods: [route.method] });
  return { ...answer, target };
}

describe("what is not public is never kept", () => {
  for (const [spelling, spell] of Object.entries(SPELLINGS)) {
    test(`${spelling}, whatever the request says of caching`, async () => {
      for (const route of ROUTES.filter(({ path, ends }) => !PUBLIC.includes(path) && !ends)) {
        for (const [name, says] of Object.entries(SAYS)) {
          const answer = await told(route, { spell, says });
          assert.deepEqual([answer.giver, storable(route.method, answer)], ["broker", false], `${route.method} ${answer.target}, ${name}`);
          assert.ok(![206, 304, 412, 416].includes(answer.status), `${answer.status} to ${route.method} ${answer.target}, ${name}`);
          assert.equal(answer.header("etag"), undefined);
        }
      }
    });
  }

  test("the end of a session", async () => {
    const route = ROUTES.find(({ ends }) => ends);
    for (const says of Object.values(SAYS)) {
      const answer = await told(route, { says, token: await it.server.session() });
      assert.deepEqual([answer.status, answer.giver], [204, "broker"]);
    }
  });

  test("a sign-in, from the challenge to the session, in any spelling that reaches it", async () => {
    const account = privateKeyToAccount(`0x${"5".repeat(64)}`);
    const post = (path, body) => ({ method: "POST", path, headers: () => [JSON_TYPE], body: () => JSON.stringify(body) });
    for (const spelling of ["as it is", "with a query", "with a fragment", "in absolute form"]) {
      const spell = SPELLINGS[spelling];
      const says = SAYS["that it may be kept"];
      const challenge = await told(post(START, { address: account.address, chain_id: 1 }), { spell, says });
      assert.deepEqual([challenge.status, challenge.giver], [200, "broker"], spelling);
      const { request_id, siwe_message } = JSON.parse(challenge.body);
      const signature = await account.signMessage({ message: siwe_message });
      const session = await told(post(VERIFY, { request_id, signature }), { spell, says });
      assert.deepEqual([session.status, session.giver, storable("POST", session)], [200, "broker", false], spelling);
      guard("the token of a sign-in", JSON.parse(session.body).session_token);
    }
  });

  test("errors, on public paths too", async () => {
    for (const path of PUBLIC) {
      for (const method of ["POST", "PUT", "DELETE", "PATCH", "TRACE"]) {
        for (const says of Object.values(SAYS)) {
          const answer = await told({ method, path }, { says });
          assert.deepEqual([answer.status, answer.giver], [405, "broker"], `${method} ${path}`);
        }
      }
      for (const spelling of ["with an extension", "with an extension behind a slash", "with an encoded slash", "in upper case"]) {
        for (const method of ["GET", "HEAD"]) {
          const answer = await told({ method, path }, { spell: SPELLINGS[spelling], says: SAYS["any tag"] });
          assert.deepEqual([answer.status, answer.giver], [404, "broker"], answer.target);
        }
      }
    }
  });
});

describe("what is public is the same for everybody", () => {
  for (const path of PUBLIC) {
    test(`${path}: whole, with the same headers, whatever the request says`, async () => {
      const plain = await told({ method: "GET", path });
      for (const [name, says] of Object.entries(SAYS)) {
        for (const spelling of ["as it is", "with a query", "with a fragment", "in absolute form"]) {
          const answer = await told({ method: "GET", path }, { spell: SPELLINGS[spelling], says });
          if (name === "any tag") assert.deepEqual([answer.status, answer.body, answer.header("etag")], [304, "", plain.header("etag")]);
          else assert.deepEqual([answer.status, answer.body, answer.headers], [200, plain.body, plain.headers], `${name}, ${spelling}`);
        }
      }
    });

    test(`${path}: unchanged only to who names its tag`, async () => {
      const etag = (await told({ method: "GET", path })).header("etag");
      const other = (await told({ method: "GET", path: PUBLIC.find((one) => one !== path) })).header("etag");
      for (const [tags, status] of [[etag, 304], [`W/${etag}`, 304], [`"a", ${etag}`, 304], [other, 200], [`"${etag}"`, 200], [`w/${etag}`, 200], [`${etag}x`, 200], [`* , "a"`, 200], [`"*"`, 200]]) {
        const answer = await told({ method: "GET", path }, { says: [`If-None-Match: ${tags}`] });
        assert.deepEqual([answer.status, answer.giver], [status, "public"], tags);
      }
    });

    test(`${path}: OPTIONS allows the same to every origin, and is kept by no cache`, async () => {
      for (const says of Object.values(SAYS)) {
        const answer = await told({ method: "OPTIONS", path }, { says });
        assert.deepEqual([answer.status, answer.header("access-control-allow-origin"), storable("OPTIONS", answer)], [204, "*", false]);
      }
    });
  }
});
