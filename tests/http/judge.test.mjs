// The judges of this folder, judged: each finds the bad answer that it is there for.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { assertNoEcho, giver, judged, storable } from "./support/judge.mjs";
import { PATHS } from "./support/routes.mjs";
import { OTHER } from "./support/spellings.mjs";
import { read } from "./support/wire.mjs";

const ETAG = ["etag", '"abc"'];
const NO_STORE = ["cache-control", "no-store"];
const KEPT = ["cache-control", "public, max-age=900"];
const JSON_BODY = ["content-type", "application/json"];
const DOCUMENT = '{"issuer":"https://issuer.test","jwks_uri":"x","claims_supported":[]}';

function answer(status, headers, body = "") {
  return { status, headers, body, header: (name) => headers.find(([known]) => known === name)?.[1] };
}

describe("what a cache may keep", () => {
  const KEEPS = {
    "an answer without a word on caching": ["GET", answer(200, [])],
    "a 404 without a word on caching": ["GET", answer(404, [])],
    "a token that is public": ["POST", answer(200, [["cache-control", "public, max-age=60"]])],
    "a private one": ["GET", answer(200, [["cache-control", "private"]])],
    "one that must be asked for again": ["GET", answer(200, [["cache-control", "no-cache"]])],
    "one with a date": ["POST", answer(200, [["expires", "Wed, 21 Oct 2065 07:28:00 GMT"]])],
    "one for shared caches": ["POST", answer(401, [["cache-control", "s-maxage=1"]])],
    "one for one network's caches": ["POST", answer(200, [["cdn-cache-control", "max-age=1"]])],
    "a 401 that says how long": ["GET", answer(401, [["cache-control", "max-age=1"]])],
  };
  for (const [name, [method, one]] of Object.entries(KEEPS)) test(`${name}: yes`, () => assert.ok(storable(method, one)));
  const KEEPS_NOT = {
    "no-store": ["GET", answer(200, [NO_STORE])],
    "no-store in another case, among others": ["GET", answer(200, [["cache-control", "Private , No-Store"]])],
    "no-store beside a field that says otherwise": ["GET", answer(200, [KEPT, NO_STORE])],
    "a POST without a word on caching": ["POST", answer(200, [])],
    "a 401 without a word on caching": ["GET", answer(401, [])],
    "an OPTIONS": ["OPTIONS", answer(204, [])],
  };
  for (const [name, [method, one]] of Object.entries(KEEPS_NOT)) test(`${name}: no`, () => assert.ok(!storable(method, one)));
});

describe("who gave an answer", () => {
  const GOOD = [
    ["broker", "GET", answer(404, [JSON_BODY, NO_STORE], "{}")],
    ["broker", "POST", answer(200, [JSON_BODY, NO_STORE], '{"jwt":"x"}')],
    ["public", "GET", answer(200, [JSON_BODY, KEPT, ETAG], DOCUMENT)],
    ["public", "GET", answer(200, [JSON_BODY, KEPT, ETAG], '{"keys":[{"kid":"a","kty":"EC"}]}')],
    ["public", "HEAD", answer(200, [JSON_BODY, KEPT, ETAG])],
    ["public", "GET", answer(304, [KEPT, ETAG])],
    ["public", "OPTIONS", answer(204, [])],
    ["runtime", "GET", answer(400, [], "invalid URI")],
    ["runtime", "CONNECT", answer(500, [], "Internal Server Error")],
    ["runtime", "FOO", answer(501, [], "ERROR: Unrecognized request method.")],
  ];
  test("is told of good ones", () => {
    for (const [expected, method, one] of GOOD) assert.equal(giver(method, one), expected);
  });

  const BAD = {
    "a token that a cache may keep": ["POST", answer(200, [JSON_BODY, KEPT, ETAG], '{"jwt":"x"}')],
    "a session that a cache may keep": ["GET", answer(200, [JSON_BODY, KEPT, ETAG], '{"wallet":"0x"}')],
    "a challenge without a word on caching": ["POST", answer(200, [JSON_BODY], '{"nonce":"x"}')],
    "an error without a word on caching": ["GET", answer(404, [JSON_BODY], "{}")],
    "an error with the words of a public document": ["GET", answer(404, [JSON_BODY, KEPT, ETAG], DOCUMENT)],
    "no-store and then something else": ["GET", answer(200, [JSON_BODY, NO_STORE, KEPT], "{}")],
    "a public document for a year": ["GET", answer(200, [JSON_BODY, ["cache-control", "public, max-age=31536000"], ETAG], DOCUMENT)],
    "a public document without a tag": ["GET", answer(200, [JSON_BODY, KEPT], DOCUMENT)],
    "a public document as an answer to POST": ["POST", answer(200, [JSON_BODY, KEPT, ETAG], DOCUMENT)],
    "an unchanged token": ["POST", answer(304, [KEPT, ETAG])],
    "a part of a document": ["GET", answer(206, [JSON_BODY, KEPT, ETAG], DOCUMENT)],
    "an allowance with a lifetime": ["OPTIONS", answer(204, [KEPT])],
    "our own server error": ["POST", answer(500, [JSON_BODY, NO_STORE], "{}")],
    "our own unavailability": ["POST", answer(503, [JSON_BODY, NO_STORE], "{}")],
    "the runtime's server error to a request that is not CONNECT": ["POST", answer(500, [], "Internal Server Error")],
    "words of the runtime that nobody knows": ["GET", answer(400, [], "invalid something")],
    "a tag twice": ["GET", answer(200, [JSON_BODY, KEPT, ETAG, ETAG], DOCUMENT)],
  };
  for (const [name, [method, one]] of Object.entries(BAD)) test(`${name}: fails`, () => assert.throws(() => giver(method, one), assert.AssertionError));
});

describe("what is repeated", () => {
  test("is found in any case, in headers and bodies", () => {
    for (const text of ["HTTP/1.1 404\r\nx: ZQMARK\r\n\r\n", "\r\n\r\nhello zqmark"]) assert.throws(() => assertNoEcho(text, ["zqmark"]), /repeats/);
    assertNoEcho("HTTP/1.1 404 Not Found", ["zqmark"]);
  });
});

describe("a conversation", () => {
  const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: no-store\r\n\r\nok";
  test("is read answer by answer: lengths, chunks, HEAD, interim answers", () => {
    const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n";
    const head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    const { answers, rest } = read(`HTTP/1.1 100 Continue\r\n\r\n${ok}${head}${chunked}${ok}`, ["GET", "HEAD", "GET", "GET"]);
    assert.deepEqual([answers.map(({ status, body }) => `${status}${body}`), rest], [["100", "200ok", "200", "200ok", "200ok"], ""]);
  });
  test("with an answer too many has one more", () => assert.equal(judged({ ...read(ok + ok), text: ok }, ["GET"]).length, 2));
  for (const [name, text] of Object.entries({
    "bytes behind the last answer": `${ok}x`,
    "a body that is cut off": ok.slice(0, -1),
    "a chunk that is cut off": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\no",
    "no status line": "ok",
    "a second body": `${ok}ok`,
  })) {
    test(`with ${name} fails`, () => assert.throws(() => judged({ ...read(text, ["GET"]), text }, ["GET"]), /no answer/));
  }
});

describe("the table of other paths", () => {
  const pathOf = (target) => new URL(target, "http://issuer.test").pathname;
  const decoded = (target) => target.replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
  const SLOPPY = {
    "resolves dot segments": (target) => pathOf(target),
    "decodes": (target) => decoded(target),
    "decodes twice": (target) => decoded(decoded(target)),
    "joins slashes": (target) => target.replace(/\/+/g, "/"),
    "cuts off the last slash": (target) => target.replace(/\/$/, ""),
    "folds case": (target) => target.toLowerCase(),
    "cuts off parameters": (target) => target.replace(/;[^/]*/g, ""),
    "cuts off an extension": (target) => target.replace(/\.css$/, ""),
    "cuts off at a NUL": (target) => decoded(target).split("\0")[0],
    "takes a backslash for a slash": (target) => target.replaceAll("\\", "/"),
    "takes the last URL for the target": (target) => target.slice(target.lastIndexOf("http://issuer.test") + "http://issuer.test".length),
    "takes the query for the path": (target) => target.replace(/^.*\?/, ""),
    "looks at the end only": (target) => target.slice(-"/v1/session".length),
  };
  for (const [name, sloppy] of Object.entries(SLOPPY)) {
    test(`finds a router that ${name}`, () => {
      const confused = Object.values(OTHER).flatMap((spell) => PATHS.filter((path) => spell(path) !== path && sloppy(spell(path)) === path));
      assert.ok(confused.length > 0);
    });
  }
  test("finds nothing in one that compares byte for byte", () => {
    const exact = (target) => target.replace(/^http:\/\/[^/?#]*/, "").split(/[?#]/)[0];
    for (const [name, spell] of Object.entries(OTHER)) {
      for (const path of PATHS.filter((one) => spell(one) !== one)) assert.notEqual(exact(spell(path)), path, name);
    }
  });
});
