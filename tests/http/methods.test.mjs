// Methods, versions of HTTP, and changes of protocol.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { DISCOVERY, HOST, JSON_TYPE, MINT, PATHS, ROUTES, bearer, marker, requestOf } from "./support/routes.mjs";
import { world } from "./support/world.mjs";
import { bytes } from "./support/wire.mjs";

const it = world();

/** The methods of a path, and what it answers to others. */
const methodsOf = (path) => ({
  [DISCOVERY]: ["GET", "HEAD", "OPTIONS"],
  "/.well-known/jwks.json": ["GET", "HEAD", "OPTIONS"],
  "/v1/session": ["GET", "DELETE"],
  "/healthz": ["GET", "HEAD"],
  "/readyz": ["GET", "HEAD"],
})[path] ?? ["POST"];

// Those that the runtime knows; what it does not know never reaches the worker.
const KNOWN = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "COPY", "LOCK", "MKCOL", "MOVE", "PROPFIND", "PROPPATCH", "SEARCH", "UNLOCK", "ACL", "REPORT", "PURGE", "QUERY"];
const UNKNOWN = ["get", "Get", "post", "delete", "GETT", "GE", "FOO", "PRI", "LINK", "BREW", "M-FOO", "X", "_", "A".repeat(8_000)];

describe("a method", () => {
  test("that a path does not have is 405 with those that it has, on every path", async () => {
    for (const path of PATHS) {
      for (const method of KNOWN.filter((known) => !methodsOf(path).includes(known))) {
        const [{ status, giver, header }] = await it.ask(method, path, { lines: [HOST, bearer(it.token), "Content-Length: 0"] });
        assert.deepEqual([status, giver, header("allow")], [405, "broker", methodsOf(path).join(", ")], `${method} ${path}`);
      }
    }
  });

  test("on no path is 404, whichever it is", async () => {
    for (const method of KNOWN) {
      const [{ status, giver }] = await it.ask(method, "/nothing", { lines: [HOST, bearer(it.token), "Content-Length: 0"] });
      assert.deepEqual([status, giver], [404, "broker"], method);
    }
  });

  test("that nobody knows, or in lower case, is the runtime's 501, and ends the connection", async () => {
    for (const method of UNKNOWN) {
      for (const path of [MINT, DISCOVERY]) {
        const answers = await it.ask(method, path, { lines: [HOST, bearer(it.token), "Content-Length: 0"] });
        assert.deepEqual(answers.map(({ status, giver }) => [status, giver]), [[501, "runtime"]], method.slice(0, 20));
        assert.ok(answers.closed);
      }
    }
  });

  test("that is no token is the runtime's 400", async () => {
    for (const method of ["G\0ET", "G\x01ET", "GET\t", "\tGET", " GET", "G(ET", "G\xe9T", '"GET"', "GET,", ""]) {
      const [{ status, giver }] = await it.ask(method, DISCOVERY);
      assert.deepEqual([status, giver], [400, "runtime"], JSON.stringify(method));
    }
  });

  test("in a header is not the request's", async () => {
    for (const name of ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"]) {
      const token = await it.server.session();
      const [minted] = await it.ask("POST", MINT, { lines: [HOST, bearer(token), `${name}: DELETE`, "Content-Length: 0"] });
      assert.equal(minted.status, 200, name);
      const [refused] = await it.ask("GET", MINT, { lines: [HOST, bearer(token), `${name}: POST`] });
      assert.equal(refused.status, 405, name);
      const [described] = await it.ask("GET", "/v1/session", { lines: [HOST, bearer(token), `${name}: DELETE`] });
      assert.equal(described.status, 200, name);
    }
  });

  test("TRACE repeats nothing", async () => {
    for (const path of ["/", MINT, DISCOVERY]) {
      const mark = marker();
      const [{ status }] = await it.ask("TRACE", path, { lines: [HOST, bearer(it.token), `X-Secret: ${mark}`, "Max-Forwards: 0"], sent: [mark] });
      assert.ok(status === 404 || status === 405);
    }
  });

  // The one server error that a client can have: workerd's own words, before the worker. It opens no tunnel.
  test("CONNECT opens nothing: the runtime says 500 in its own words, and ends the connection", async () => {
    for (const target of ["issuer.test:443", DISCOVERY, MINT, "127.0.0.1:80"]) {
      const hidden = bytes("GET /v1/session HTTP/1.1", [HOST, bearer(it.token)]);
      const parts = Buffer.concat([bytes(`CONNECT ${target} HTTP/1.1`, [HOST, bearer(it.token)]), hidden]);
      const answers = await it.say(parts, { methods: ["CONNECT"] });
      assert.deepEqual(answers.map(({ status, giver }) => [status, giver]), [[500, "runtime"]], target);
      assert.ok(answers.closed);
    }
  });
});

describe("a version of HTTP", () => {
  test("1.0 is answered as 1.1 is, once a connection", async () => {
    for (const route of ROUTES.filter(({ ends }) => !ends)) {
      const request = requestOf(route, it.token, { version: "HTTP/1.0" });
      const answers = await it.say(Buffer.concat([request, request]), { methods: [route.method, route.method] });
      assert.ok(answers.length === 1 && answers.closed, `${answers.length} answers to ${route.method} ${route.path}`);
      assert.deepEqual([answers[0].status, route.known.test(answers[0].body)], [route.status, true], route.path);
    }
  });

  test("that there is none of, or that is another protocol, is the runtime's 400", async () => {
    for (const version of ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3", "HTTP/1", "HTTP/1.1x", "HTTP/11", "http/1.1", "HTTPS/1.1", "HTTP/1.1 ", "HTTP /1.1", "ICY/1.0", "HTTP/1.1\t", "x"]) {
      const [{ status, giver }] = await it.ask("GET", DISCOVERY, { version });
      assert.deepEqual([status, giver], [400, "runtime"], version);
    }
  });

  test("0.9, which has none, is the runtime's 400", async () => {
    for (const line of [`GET ${DISCOVERY}\r\n`, `GET ${DISCOVERY}\r\n\r\n`, `GET ${DISCOVERY} \r\n\r\n`]) {
      const answers = await it.say(line, { methods: ["GET"] });
      assert.deepEqual(answers.map(({ status, giver }) => [status, giver]), [[400, "runtime"]], JSON.stringify(line));
    }
  });

  test("2 by prior knowledge gets nothing", async () => {
    for (const preface of ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Buffer.alloc(9)])]) {
      const answers = await it.say(preface, { methods: ["GET"] });
      assert.ok(answers.every(({ giver }) => giver === "runtime") && answers.closed);
    }
  });

  test("a request line with other separators is the runtime's 400", async () => {
    for (const line of [`GET  ${DISCOVERY} HTTP/1.1`, `GET\t${DISCOVERY}\tHTTP/1.1`, `GET ${DISCOVERY}  HTTP/1.1`, `GET ${DISCOVERY}`, `GET`, ` GET ${DISCOVERY} HTTP/1.1`, `GET ${DISCOVERY} HTTP/1.1 x`]) {
      const [{ status, giver }] = await it.say(bytes(line, [HOST]), { methods: ["GET"] });
      assert.deepEqual([status, giver], [400, "runtime"], JSON.stringify(line));
    }
  });
});

describe("bytes that are no HTTP", () => {
  test("are refused, and nothing else happens", async () => {
    for (const noise of [Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256)), Buffer.from("16030100c8010000c40303", "hex"), Buffer.alloc(2_000), "SSH-2.0-x\r\n", "EHLO x\r\n", "{}\r\n\r\n", "\x05\x01\x00"]) {
      const answers = await it.say(noise, { methods: ["GET"] });
      assert.ok(answers.length <= 1 && answers.every(({ giver }) => giver === "runtime"));
    }
  });

  test("empty lines before a request are skipped, and alone are nothing", async () => {
    assert.equal((await it.say("\r\n\r\n")).length, 0);
    const [{ status }] = await it.say(Buffer.concat([Buffer.from("\r\n\r\n"), bytes("GET /healthz HTTP/1.1", [HOST])]), { methods: ["GET"] });
    assert.equal(status, 200);
  });
});

describe("a change of protocol", () => {
  const UPGRADES = {
    "a WebSocket": ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
    "a WebSocket without a key": ["Connection: Upgrade", "Upgrade: websocket"],
    "a WebSocket without Connection": ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
    "a WebSocket of version 99": ["Connection: keep-alive, upgrade", "Upgrade: WebSocket", "Sec-WebSocket-Version: 99", "Sec-WebSocket-Key: x"],
    "HTTP/2 in clear text": ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"],
    "TLS": ["Connection: Upgrade", "Upgrade: TLS/1.2"],
    "an invention": ["Connection: Upgrade", "Upgrade: foo/1"],
    "several": ["Connection: Upgrade", "Upgrade: websocket, h2c"],
  };
  for (const [name, lines] of Object.entries(UPGRADES)) {
    test(`to ${name} is answered as if it had not been asked for`, async () => {
      for (const route of ROUTES.filter(({ ends }) => !ends)) {
        const request = requestOf(route, it.token, { lines: [HOST, ...lines] });
        const next = bytes("GET /healthz HTTP/1.1", [HOST]);
        const answers = await it.say(Buffer.concat([request, next]), { methods: [route.method, "GET"] });
        assert.deepEqual([answers[0].status, route.known.test(answers[0].body), answers[1]?.body], [route.status, true, "ok"], route.path);
      }
    });
  }
});

describe("Expect", () => {
  const request = (expect, body = "") => bytes(`POST ${MINT} HTTP/1.1`, [HOST, bearer(it.token), JSON_TYPE, "Content-Length: 2", ...expect], body);
  test("100-continue is told to go on, and then answered", async () => {
    for (const value of ["100-continue", "100-Continue"]) {
      const answers = await it.say([request([`Expect: ${value}`]), 100, "{}"], { methods: ["POST"] });
      assert.deepEqual([answers.interim, answers.map(({ status }) => status)], [1, [200]], value);
    }
  });
  test("100-continue with the body right behind it is answered too", async () => {
    const answers = await it.say([request(["Expect: 100-continue"], "{}"), bytes("GET /healthz HTTP/1.1", [HOST])], { methods: ["POST", "GET"] });
    assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
  });
  test("of anything else changes nothing", async () => {
    for (const value of ["200-ok", "", "100-continue, x", "x".repeat(4_000)]) {
      const answers = await it.say([request([`Expect: ${value}`]), "{}"], { methods: ["POST"] });
      assert.deepEqual(answers.map(({ status }) => status), [200], value);
    }
  });
});
