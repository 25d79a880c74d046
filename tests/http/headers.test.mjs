// Header fields as no client writes them: repeated, folded, broken, huge, and very many.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { DISCOVERY, FORM_TYPE, HOST, JSON_TYPE, JWKS, MINT, ROUTES, SESSION, START, TOKEN, bearer, requestOf } from "./support/routes.mjs";
import { world } from "./support/world.mjs";
import { bytes } from "./support/wire.mjs";

const it = world();
const EMPTY = "Content-Length: 0";

/** A mint with these lines for credentials. */
const mint = async (...lines) => (await it.ask("POST", MINT, { lines: [HOST, ...lines, EMPTY] }))[0];

describe("two credentials", () => {
  test("are 400 on every route that takes one, whichever they are and in whatever order", async () => {
    const mine = bearer(it.token);
    const other = bearer(await it.server.session());
    for (const lines of [[mine, mine], [mine, other], [other, mine], ["Authorization: Basic YTpi", mine], [mine, "Authorization: Basic YTpi"], [mine, "authorization: bearer x"], ["AUTHORIZATION: Bearer x", mine], [`${mine}, Bearer x`], [`${mine},`]]) {
      for (const [method, path] of [["POST", MINT], ["GET", SESSION], ["DELETE", SESSION]]) {
        const [{ status, giver }] = await it.ask(method, path, { lines: [HOST, ...lines, EMPTY] });
        assert.deepEqual([status, giver], [400, "broker"], `${method} ${path} ${lines.map((line) => line.slice(0, 25))}`);
      }
    }
  });

  test("one of which is empty are one, or refused", async () => {
    for (const lines of [["Authorization:", bearer(it.token)], ["Authorization: ", bearer(it.token)]]) {
      const { status } = await mint(...lines);
      assert.ok(status === 200 || status === 400, `${status}`);
    }
  });

  test("in another header are none", async () => {
    for (const name of ["X-Authorization", "Proxy-Authorization", "X_Authorization", "Cookie", "X-Forwarded-Authorization", "X-Api-Key"]) {
      assert.equal((await mint(`${name}: Bearer ${it.token}`)).status, 401, name);
    }
  });

  test("that a Connection header calls hop-by-hop are still the request's", async () => {
    for (const value of ["Authorization", "keep-alive, Authorization", "transfer-encoding", "Host"]) {
      assert.equal((await mint(bearer(it.token), `Connection: ${value}`)).status, 200, value);
    }
  });
});

describe("a field of its own kind sent twice", () => {
  test("two different Content-Lengths, or a list of them, are the runtime's 400, and the body is no request", async () => {
    for (const lines of [["Content-Length: 2", "Content-Length: 0"], ["Content-Length: 0", "Content-Length: 2"], ["Content-Length: 2, 2"], ["Content-Length: 2,0"]]) {
      const answers = await it.say(bytes(`POST ${MINT} HTTP/1.1`, [HOST, bearer(it.token), JSON_TYPE, ...lines], "{}"), { methods: ["POST"] });
      assert.deepEqual(answers.map(({ status, giver }) => [status, giver]), [[400, "runtime"]], lines.join());
    }
  });

  test("two Content-Types are neither", async () => {
    for (const lines of [[JSON_TYPE, "Content-Type: text/plain"], ["Content-Type: text/plain", JSON_TYPE]]) {
      const [{ status }] = await it.ask("POST", MINT, { lines: [HOST, bearer(it.token), ...lines, "Content-Length: 2"], body: "{}" });
      assert.equal(status, 415, lines.join());
    }
    for (const [path, type] of [[TOKEN, FORM_TYPE], [START, JSON_TYPE]]) {
      const route = ROUTES.find((one) => one.path === path);
      const [{ status }] = await it.say(requestOf({ ...route, headers: () => ["Content-Type: text/plain", type] }, it.token), { methods: ["POST"] });
      assert.equal(status, 415, path);
    }
  });

  test("If-None-Match is one list, and a broken one is no match", async () => {
    const [{ header }] = await it.ask("GET", DISCOVERY);
    const etag = header("etag");
    for (const [lines, status] of [[[`If-None-Match: "x"`, `If-None-Match: ${etag}`], 304], [[`If-None-Match: ${etag}`, "If-None-Match:"], 304], [[`If-None-Match: "x"`, `If-None-Match: "y"`], 200], [[`If-None-Match: ${etag.slice(1, -1)}`], 200], [["If-None-Match: \xff"], 200], [["If-None-Match:"], 200]]) {
      const [answer] = await it.ask("GET", DISCOVERY, { lines: [HOST, ...lines] });
      assert.deepEqual([answer.status, answer.giver], [status, "public"], lines.join());
    }
  });

  test("Host is answered as the runtime joins it, with the same document", async () => {
    const [plain] = await it.ask("GET", DISCOVERY);
    for (const lines of [["Host: issuer.test", "Host: other.example"], ["Host: other.example", "Host: issuer.test"], ["Host: issuer.test", "Host: issuer.test"]]) {
      const [answer] = await it.ask("GET", DISCOVERY, { lines });
      assert.ok(answer.giver === "runtime" || answer.body === plain.body, lines.join());
    }
  });
});

describe("a field that is broken", () => {
  const BROKEN = {
    "a folded credential": () => [`Authorization: Bearer\r\n ${it.token}`],
    "a folded field beside it": () => ["X-Folded: a\r\n b", bearer(it.token)],
    "a folded field, with a tabulator": () => ["X-Folded: a\r\n\tb", bearer(it.token)],
    "a blank before the first field": () => [" X-First: a", bearer(it.token)],
    "a blank before the colon": () => [`Authorization : Bearer ${it.token}`],
    "a tabulator before the colon": () => [`Authorization\t: Bearer ${it.token}`],
    "no colon": () => ["X-Nothing", bearer(it.token)],
    "no name": () => [": x", bearer(it.token)],
    "a NUL in a value": () => ["X-Nul: a\0b", bearer(it.token)],
    "a NUL in the credential": () => [`Authorization: Bearer ${it.token}\0`],
    "a carriage return in a value": () => ["X-Cr: a\rb", bearer(it.token)],
    "a carriage return before the line's end": () => ["X-Cr: a\r", bearer(it.token)],
    "a control character in a name": () => ["X\x01: a", bearer(it.token)],
    "a blank in a name": () => ["X Y: a", bearer(it.token)],
    "a letter above ASCII in a name": () => ["X\xe9: a", bearer(it.token)],
  };
  for (const [name, lines] of Object.entries(BROKEN)) {
    test(`${name}: the runtime's 400`, async () => {
      const { status, giver } = await mint(...lines());
      assert.deepEqual([status, giver], [400, "runtime"]);
    });
  }

  test("a line feed alone ends a line (RFC 9112 §2.2), so that what follows is a field of its own and not a value", async () => {
    assert.equal((await mint(`X-Line: a\nAuthorization: Bearer ${it.token}`, bearer(it.token))).status, 400, "two credentials");
    assert.equal((await mint(`X-Line: a\nX-Other: b`, bearer(it.token))).status, 200);
  });

  test("letters above ASCII in a value: the credential is none, and other fields do not matter", async () => {
    assert.equal((await mint(`${bearer(it.token)}\xe9`)).status, 401);
    assert.equal((await mint("X-Latin: \xe9\xff", bearer(it.token))).status, 200);
  });

  test("white space around a value is not the value's (RFC 9112 §5)", async () => {
    for (const line of [`Authorization:Bearer ${it.token}`, `Authorization: \t Bearer ${it.token} \t `]) assert.equal((await mint(line)).status, 200, JSON.stringify(line.slice(0, 30)));
  });
});

describe("a huge field", () => {
  const KIB = 1024;
  // The runtime takes a head of up to 496 KiB; the worker answers what it hands on.
  const OK = { "8 KiB": 8 * KIB, "60 KiB": 60 * KIB, "128 KiB": 128 * KIB, "240 KiB": 240 * KIB };
  const TOO_LARGE = { "512 KiB": 512 * KIB, "1 MiB": 1024 * KIB };

  for (const [name, length] of Object.entries(OK)) {
    test(`of ${name} is answered: any field, a credential, a tag`, async () => {
      const long = "a".repeat(length);
      assert.equal((await mint(`X-Long: ${long}`, bearer(it.token))).status, 200);
      assert.equal((await mint(`Authorization: Bearer ${long}`)).status, 401);
      assert.equal((await mint(`Authorization: Bearer aks_${long}`)).status, 401);
      assert.equal((await mint(`Authorization: ${",".repeat(length)}`)).status, 401);
      for (const tags of [`"${long}"`, '"a",'.repeat(length / 4), ",".repeat(length), "W/".repeat(length / 2)]) {
        assert.equal((await it.ask("GET", JWKS, { lines: [HOST, `If-None-Match: ${tags}`] }))[0].status, 200);
      }
      const [{ status }] = await it.ask("POST", MINT, { lines: [HOST, bearer(it.token), `Content-Type: ${long}`, "Content-Length: 2"], body: "{}" });
      assert.equal(status, 415);
    });
  }
  for (const [name, length] of Object.entries(TOO_LARGE)) {
    test(`of ${name} is the runtime's 431, before the worker`, async () => {
      for (const line of [`X-Long: ${"a".repeat(length)}`, `Authorization: Bearer ${"a".repeat(length)}`, `${"a".repeat(length)}: x`, `Host: ${"a".repeat(length)}`]) {
        const [{ status, giver }] = await it.ask("GET", DISCOVERY, { lines: [HOST, line] });
        assert.deepEqual([status, giver], [431, "runtime"], line.slice(0, 20));
      }
    });
  }

  test("name is the runtime's 431, and a huge target its 414 or 431", async () => {
    const [named] = await it.ask("GET", DISCOVERY, { lines: [HOST, `${"a".repeat(100 * KIB)}: x`] });
    assert.deepEqual([named.status, named.giver], [431, "runtime"]);
    for (const [length, status] of [[70 * KIB, 414], [200 * KIB, 414], [1024 * KIB, 431]]) {
      for (const target of [`/${"a".repeat(length)}`, `${DISCOVERY}?${"a".repeat(length)}`, `${MINT}?${"a".repeat(length)}`]) {
        const [answer] = await it.ask("GET", target);
        assert.deepEqual([answer.status, answer.giver], [status, "runtime"], target.slice(0, 40));
      }
    }
    const [long] = await it.ask("GET", `/${"%2e%2e/".repeat(8 * KIB)}`);
    assert.deepEqual([long.status, long.giver], [404, "broker"]);
  });
});

describe("very many fields", () => {
  for (const count of [100, 1_000, 4_000]) {
    test(`${count} of them are answered: different ones, the same one, credentials, tags`, async () => {
      const many = (line) => Array.from({ length: count }, (_, i) => line(i));
      assert.equal((await mint(...many((i) => `X-${i}: a`), bearer(it.token))).status, 200);
      assert.equal((await mint(...many(() => "X-Same: a"), bearer(it.token))).status, 200);
      assert.equal((await mint(...many(() => "Authorization: Bearer x"))).status, 400);
      assert.equal((await it.ask("GET", JWKS, { lines: [HOST, ...many((i) => `If-None-Match: "${i}"`)] }))[0].status, 200);
    });
  }
  test("20000 of them are the runtime's 431", async () => {
    const { status, giver } = await mint(...Array.from({ length: 20_000 }, (_, i) => `X-${i}: a`), bearer(it.token));
    assert.deepEqual([status, giver], [431, "runtime"]);
  });
});
