// Where a request ends: lengths, chunks, trailers. What is hidden in a body is never a request.
//
// Every conversation carries a request that would be seen if it were answered: a DELETE of a session of its own, which must
// be alive afterwards, and a path with a mark.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { HOST, JSON_TYPE, MINT, ROUTES, SESSION, bearer, requestOf } from "./support/routes.mjs";
import { world } from "./support/world.mjs";
import { bytes } from "./support/wire.mjs";

const it = world();
const NEXT = bytes("GET /healthz HTTP/1.1", [HOST]);
const text = (buffer) => buffer.toString("latin1");
const chunk = (content) => `${content.length.toString(16)}\r\n${content}\r\n`;

/** A session, the request that would end it, and the proof that nothing did. */
async function hostage() {
  const token = await it.server.session();
  return {
    request: text(bytes("DELETE /v1/session HTTP/1.1", [HOST, bearer(token), "Content-Length: 0"])),
    token,
    isAlive: async () => {
      const [{ status }] = await it.say(bytes(`GET ${SESSION} HTTP/1.1`, [HOST, bearer(token)]), { methods: ["GET"] });
      assert.equal(status, 200, "a hidden request was carried out");
    },
  };
}

/** The answers to a mint with these framing lines and this body, and a plain request behind it. */
const mint = (lines, body, next = NEXT) =>
  it.say(Buffer.concat([bytes(`POST ${MINT} HTTP/1.1`, [HOST, bearer(it.token), JSON_TYPE, ...lines], body), Buffer.from(next)]), { methods: ["POST", "GET"] });
const seen = (answers) => answers.map(({ status, giver }) => `${status} ${giver}`);

const BOTH = ["200 broker", "200 broker"];
const REFUSED = ["400 runtime"];

describe("Content-Length", () => {
  for (const value of ["2", "2 ", " 2", "02", "0000000000000002"]) {
    test(`${JSON.stringify(value)} is two bytes`, async () => assert.deepEqual(seen(await mint([`Content-Length: ${value}`], "{}")), BOTH));
  }
  for (const value of ["", "+2", "-2", "-0", "0x2", "2.0", "1e0", "2;", "two", "2 2", "٢", "99999999999999999999", "18446744073709551618", "NaN"]) {
    test(`${JSON.stringify(value)} is the runtime's 400, and what follows is no request`, async () => {
      assert.deepEqual(seen(await mint([`Content-Length: ${value}`], "{}")), REFUSED);
    });
  }
  test("that is too short leaves bytes that are no request", async () => {
    assert.deepEqual(seen(await mint(["Content-Length: 1"], "{}")), ["400 broker", "400 runtime"]);
    assert.deepEqual(seen(await mint(["Content-Length: 0"], "{}")), ["200 broker", "400 runtime"]);
  });
  test("that is too long takes the next request for the body, and answers neither with a token", async () => {
    const hidden = await hostage();
    assert.deepEqual(seen(await mint([`Content-Length: ${2 + hidden.request.length}`], "{}", hidden.request)), ["400 broker"]);
    assert.deepEqual(seen(await mint(["Content-Length: 4000"], "{}", hidden.request)), ["400 broker"], "broken off");
    await hidden.isAlive();
  });
  test("of a gigabyte is 413 without waiting for it", async () => {
    assert.deepEqual(seen(await mint(["Content-Length: 1000000000"], "{}")), ["413 broker"]);
  });
});

describe("Transfer-Encoding", () => {
  const body = `${chunk("{}")}0\r\n\r\n`;
  const chunked = {
    "as it is written": ["Transfer-Encoding: chunked"],
    "in another case": ["transfer-encoding: CHUNKED"],
    "with white space around it": ["Transfer-Encoding: \t chunked \t"],
    "behind another coding, which nobody undoes": ["Transfer-Encoding: gzip, chunked"],
    "behind identity": ["Transfer-Encoding: identity, chunked"],
    "twice in a list": ["Transfer-Encoding: chunked, chunked"],
    "twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "behind identity, in two fields": ["Transfer-Encoding: identity", "Transfer-Encoding: chunked"],
  };
  for (const [name, lines] of Object.entries(chunked)) {
    test(`chunked ${name} ends with the last chunk`, async () => assert.deepEqual(seen(await mint(lines, body)), BOTH));
  }
  const refused = ["chunked, identity", "chunked,", "xchunked", "chunkedx", "chunked;q=1", '"chunked"', "chu\tnked", "\x0bchunked", "identity", "gzip", "", ",", "chunked\0", "chunked\r\n x", "chunked gzip"];
  for (const value of refused) {
    test(`${JSON.stringify(value)} is the runtime's 400, and what follows is no request`, async () => {
      const hidden = await hostage();
      assert.deepEqual(seen(await mint([`Transfer-Encoding: ${value}`], body, hidden.request)), REFUSED);
      await hidden.isAlive();
    });
  }
  test("chunked and then another, in two fields, is the runtime's 400", async () => {
    assert.deepEqual(seen(await mint(["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], body)), REFUSED);
  });
  test("with a blank before its colon, or on a folded line, is the runtime's 400", async () => {
    for (const line of ["Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", "Transfer-Encoding:\r\n chunked", "X: x\r\n Transfer-Encoding: chunked"]) {
      assert.deepEqual(seen(await mint([line], body)), REFUSED, JSON.stringify(line));
    }
  });
  test("under another name is none: the chunks are no request", async () => {
    const hidden = await hostage();
    for (const name of ["Transfer_Encoding", "X-Transfer-Encoding", "Content-Encoding"]) {
      assert.deepEqual(seen(await mint([`${name}: chunked`, "Content-Length: 0"], `${chunk("x".repeat(4))}0\r\n\r\n`, hidden.request)), ["200 broker", "400 runtime"], name);
    }
    await hidden.isAlive();
  });
  test("in a request of HTTP/1.0 is the runtime's 400", async () => {
    const answers = await it.say(bytes(`POST ${MINT} HTTP/1.0`, [HOST, bearer(it.token), JSON_TYPE, "Transfer-Encoding: chunked"], body), { methods: ["POST"] });
    assert.deepEqual(seen(answers), REFUSED);
  });
});

describe("both lengths at once", () => {
  test("Content-Length that ends later: the chunks count, and what it covers is no request", async () => {
    const hidden = await hostage();
    const lengths = [`Content-Length: ${5 + hidden.request.length}`, "Transfer-Encoding: chunked"];
    for (const lines of [lengths, lengths.toReversed()]) {
      const answers = await mint(lines, "0\r\n\r\n", hidden.request);
      assert.ok(answers.length === 1 && answers.closed, seen(answers).join());
      await hidden.isAlive();
    }
  });
  test("Content-Length that ends earlier: the chunks count, and what is in them is no request", async () => {
    const hidden = await hostage();
    for (const length of ["4", "0", "1000000"]) {
      const answers = await mint([`Content-Length: ${length}`, "Transfer-Encoding: chunked"], `${chunk(hidden.request)}0\r\n\r\n`);
      assert.ok(answers.length === 1 && answers[0].status >= 400, seen(answers).join());
      await hidden.isAlive();
    }
  });
});

describe("chunks", () => {
  const GOOD = {
    "in pieces": `${chunk("{")}${chunk("}")}0\r\n\r\n`,
    "with an extension": "2;name=value\r\n{}\r\n0;last\r\n\r\n",
    "with a long extension": `2;${"x".repeat(4_000)}\r\n{}\r\n0\r\n\r\n`,
    "with an extension that looks like a chunk": '2;a="0"\r\n{}\r\n0\r\n\r\n',
    "with leading zeros": "0000000000000000000002\r\n{}\r\n000\r\n\r\n",
    "with a blank behind the size": "2 \r\n{}\r\n0\r\n\r\n",
  };
  for (const [name, body] of Object.entries(GOOD)) {
    test(`${name} are a body`, async () => assert.deepEqual(seen(await mint(["Transfer-Encoding: chunked"], body)), BOTH));
  }
  const hidden = text(bytes("DELETE /v1/session HTTP/1.1", [HOST]));
  const BROKEN = {
    "a size that is no number": "g\r\n{}\r\n0\r\n\r\n",
    "a size with a sign": "+2\r\n{}\r\n0\r\n\r\n",
    "a negative size": "-2\r\n{}\r\n0\r\n\r\n",
    "a size with a prefix": "0x2\r\n{}\r\n0\r\n\r\n",
    "a size with a blank before it": " 2\r\n{}\r\n0\r\n\r\n",
    "a size with an underscore": "0_2\r\n{}\r\n0\r\n\r\n",
    "no size": "\r\n{}\r\n0\r\n\r\n",
    "a size of more than 64 bits": "10000000000000002\r\n{}\r\n0\r\n\r\n",
    "the largest size": "ffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "lines that a line feed alone ends": "2\n{}\n0\n\n",
    "an extension with a line break in it": '2;x="\r\n"\r\n{}\r\n0\r\n\r\n',
    "no line break behind the data": "2\r\n{}0\r\n\r\n",
    "more data than its size": "2\r\n{}xx\r\n0\r\n\r\n",
    "less data than its size": "8\r\n{}\r\n0\r\n\r\n",
    "no last chunk": "2\r\n{}\r\n",
    "half a last chunk": "2\r\n{}\r\n0\r\n",
    "half a size": "2",
  };
  for (const [name, body] of Object.entries(BROKEN)) {
    test(`with ${name} are a body that broke off: 400, and what follows is no request`, async () => {
      const answers = await mint(["Transfer-Encoding: chunked"], body, ["no last chunk", "half a last chunk", "half a size"].includes(name) ? "" : hidden);
      assert.deepEqual(seen(answers), ["400 broker"]);
      assert.ok(answers.closed);
    });
  }
  test("that are more than a route takes are 413, and what follows is no request", async () => {
    const hostaged = await hostage();
    const answers = await mint(["Transfer-Encoding: chunked"], chunk(" ".repeat(4_000)).repeat(3) + chunk(hostaged.request) + "0\r\n\r\n", "");
    assert.deepEqual(seen(answers), ["413 broker"]);
    await hostaged.isAlive();
  });
});

describe("trailers", () => {
  const trailed = (trailers) => `${chunk("{}")}0\r\n${trailers.map((line) => `${line}\r\n`).join("")}\r\n`;
  const post = (lines, trailers) => it.say(Buffer.concat([bytes(`POST ${MINT} HTTP/1.1`, [HOST, JSON_TYPE, "Transfer-Encoding: chunked", ...lines], trailed(trailers)), NEXT]), { methods: ["POST", "GET"] });

  test("carry no credential: a request without one is 401", async () => {
    for (const lines of [[], ["Trailer: Authorization"], ["TE: trailers", "Trailer: authorization"]]) {
      assert.deepEqual(seen(await post(lines, [bearer(it.token)])), ["401 broker", "200 broker"]);
    }
  });
  test("change nothing: credential, length, host and method are the head's", async () => {
    const other = bearer(await it.server.session());
    for (const trailers of [[other], ["Authorization: Basic YTpi"], ["Content-Length: 0"], ["Transfer-Encoding: identity"], ["Host: other.example"], ["Content-Type: text/plain"], ["X: y", "X: z"]]) {
      assert.deepEqual(seen(await post([bearer(it.token)], trailers)), BOTH, trailers.join());
    }
  });
  test("that are a request are none", async () => {
    const hidden = await hostage();
    const answers = await post([bearer(it.token)], hidden.request.trimEnd().split("\r\n"));
    assert.ok(answers.length <= 2);
    await hidden.isAlive();
  });
});

describe("a body that nobody reads", () => {
  for (const route of ROUTES.filter(({ ends, body }) => !ends && !body)) {
    test(`${route.method} ${route.path}: a request in it is not answered, and the next one is`, async () => {
      const hidden = await hostage();
      const head = (...lines) => bytes(`${route.method} ${route.path} HTTP/1.1`, [HOST, ...lines]);
      for (const request of [
        Buffer.concat([head(`Content-Length: ${hidden.request.length}`), Buffer.from(hidden.request), NEXT]),
        Buffer.concat([head("Transfer-Encoding: chunked"), Buffer.from(`${chunk(hidden.request)}0\r\n\r\n`), NEXT]),
      ]) {
        const answers = await it.say(request, { methods: [route.method, "GET"] });
        assert.equal(answers.length, 2, seen(answers).join());
        assert.equal(answers[1].body, "ok");
      }
      // Cut off in the middle: the answer may come, and nothing after it.
      const cut = await it.say(Buffer.concat([head(`Content-Length: ${hidden.request.length + 500}`), Buffer.from(hidden.request)]), { methods: [route.method] });
      assert.ok(cut.length <= 1);
      await hidden.isAlive();
    });
  }
  test("on a path that is no route, or a method that it does not have, is no request either", async () => {
    for (const [method, path] of [["POST", "/nothing"], ["GET", "/nothing"], ["PUT", MINT], ["DELETE", "/healthz"], ["POST", SESSION]]) {
      const hidden = await hostage();
      const answers = await it.say(Buffer.concat([bytes(`${method} ${path} HTTP/1.1`, [HOST, `Content-Length: ${hidden.request.length}`]), Buffer.from(hidden.request), NEXT]), { methods: [method, "GET"] });
      assert.deepEqual([answers.length, answers[1]?.body], [2, "ok"], `${method} ${path}`);
      await hidden.isAlive();
    }
  });
});

describe("the twin: a hidden request would be seen", () => {
  test("a request that is really there is answered, and ends its session", async () => {
    const hidden = await hostage();
    const answers = await mint(["Content-Length: 2"], "{}", hidden.request);
    assert.deepEqual(answers.map(({ status }) => status), [200, 204]);
    await assert.rejects(hidden.isAlive(), /carried out/);
  });
  test("a body with a session token in it is a body", async () => {
    const route = ROUTES.find(({ path }) => path === "/v1/token");
    const [{ status }] = await it.say(requestOf(route, it.token), { methods: ["POST"] });
    assert.equal(status, 200);
  });
});
