// Requests in pieces and in heaps: whatever the network does to the bytes, the answers are the same, in order, each its own.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { startServer } from "./support/server.mjs";
import { DISCOVERY, HOST, JSON_TYPE, MINT, ROUTES, SESSION, bearer, requestOf } from "./support/routes.mjs";
import { world } from "./support/world.mjs";
import { bytes, talk } from "./support/wire.mjs";

const it = world();
const NEXT = bytes("GET /healthz HTTP/1.1", [HOST]);

/** A request cut into packets of so many bytes, with a millisecond between them. */
function packets(request, size) {
  const parts = [];
  for (let at = 0; at < request.length; at += size) parts.push(request.subarray(at, at + size), 1);
  return parts;
}

describe("a request in packets", () => {
  for (const size of [1, 2, 3, 7, 64]) {
    test(`of ${size} bytes is answered on every route, and the one behind it too`, async () => {
      for (const route of ROUTES.filter(({ ends }) => !ends)) {
        const answers = await it.say(packets(Buffer.concat([requestOf(route, it.token), NEXT]), size), { methods: [route.method, "GET"] });
        assert.deepEqual(answers.map(({ status }) => status), [route.status, 200], route.path);
        assert.match(answers[0].body, route.known);
      }
    });
  }

  test("byte by byte is answered by an isolate that has answered nothing yet", async () => {
    const server = await startServer();
    try {
      const token = await server.session();
      const request = bytes(`POST ${MINT} HTTP/1.1`, [HOST, bearer(token), JSON_TYPE, "Content-Length: 2"], "{}");
      const { answers } = await talk(server.origin, packets(Buffer.concat([request, NEXT]), 1));
      assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
    } finally {
      await server.stop();
    }
  });

  test("cut at every place in its head is answered", async () => {
    const request = bytes(`POST ${MINT} HTTP/1.1`, [HOST, bearer(it.token), JSON_TYPE, "Content-Length: 2"], "{}");
    for (let at = 1; at < request.length; at += 1) {
      const [{ status }] = await it.say([request.subarray(0, at), 2, request.subarray(at)], { methods: ["POST"] });
      assert.equal(status, 200, `cut at ${at}`);
    }
  });

  test("whose head breaks off is not answered", async () => {
    const request = bytes(`POST ${MINT} HTTP/1.1`, [HOST, bearer(it.token), "Content-Length: 0"]);
    for (const end of [1, 10, request.length - 4, request.length - 2, request.length - 1]) {
      const answers = await it.say(request.subarray(0, end), { methods: ["POST"] });
      assert.ok(answers.every(({ giver }) => giver === "runtime"), `broken off at ${end}`);
    }
  });

  test("whose client goes away at any point leaves the next client its answer", async () => {
    const request = bytes(`POST ${MINT} HTTP/1.1`, [HOST, bearer(it.token), JSON_TYPE, "Content-Length: 2"], "{}");
    for (const end of [10, request.length - 2, request.length - 1, request.length]) {
      for (let times = 0; times < 5; times += 1) await talk(it.server.origin, request.subarray(0, end), { halfClose: false, patience: 1 });
      await it.works();
    }
  });
});

describe("requests in one packet", () => {
  /** Ten requests, good and bad, each with an answer that is its own. */
  async function ten() {
    const sessions = await Promise.all(["1", "2", "3"].map(async (digit) => {
      const wallet = `0x${digit.repeat(40)}`;
      return { wallet, token: await it.server.session({ wallet }) };
    }));
    const [one, two, three] = sessions;
    const get = (path, ...lines) => ["GET", bytes(`GET ${path} HTTP/1.1`, [HOST, ...lines])];
    const post = (lines, body = "") => ["POST", bytes(`POST ${MINT} HTTP/1.1`, [HOST, ...lines, `Content-Length: ${body.length}`], body)];
    return [
      [post([bearer(one.token)]), ({ status, body }) => status === 200 && JSON.parse(body).wallet === one.wallet],
      [get("/nothing"), ({ status }) => status === 404],
      [get(SESSION, bearer(two.token)), ({ status, body }) => status === 200 && JSON.parse(body).wallet === two.wallet],
      [post([bearer("aks_nobody")]), ({ status }) => status === 401],
      [["HEAD", bytes(`HEAD ${DISCOVERY} HTTP/1.1`, [HOST])], ({ status, body }) => status === 200 && body === ""],
      [post([bearer(three.token), JSON_TYPE], '{"ttl_seconds":60}'), ({ status, body }) => status === 200 && JSON.parse(body).wallet === three.wallet],
      [post([bearer(three.token), JSON_TYPE], '{"ttl_seconds":"x"}'), ({ status }) => status === 400],
      [get(DISCOVERY), ({ status, giver }) => status === 200 && giver === "public"],
      [["DELETE", bytes(`DELETE ${MINT} HTTP/1.1`, [HOST])], ({ status }) => status === 405],
      [post([bearer(two.token)]), ({ status, body }) => status === 200 && JSON.parse(body).wallet === two.wallet],
    ];
  }
  const inOrder = (answers, expected) => answers.length === expected.length && expected.every(([, isIts], place) => isIts(answers[place]));

  test("are answered in order, good and bad, none with another's answer", async () => {
    for (let times = 0; times < 20; times += 1) {
      const requests = await ten();
      const answers = await it.say(Buffer.concat(requests.map(([[, request]]) => request)), { methods: requests.map(([[method]]) => method) });
      assert.ok(inOrder(answers, requests), answers.map(({ status }) => status).join());
    }
  });

  test("on many connections at once are answered in order, none with another's answer", async () => {
    await Promise.all(Array.from({ length: 20 }, async () => {
      const requests = await ten();
      const answers = await it.say(Buffer.concat(requests.map(([[, request]]) => request)), { methods: requests.map(([[method]]) => method) });
      assert.ok(inOrder(answers, requests), answers.map(({ status }) => status).join());
    }));
  });

  test("the twin: answers out of order, or one of another's, are found", async () => {
    const requests = await ten();
    const answers = await it.say(Buffer.concat(requests.map(([[, request]]) => request)), { methods: requests.map(([[method]]) => method) });
    assert.ok(inOrder(answers, requests));
    assert.ok(!inOrder(answers.toReversed(), requests));
    assert.ok(!inOrder([answers[9], ...answers.slice(1)], requests), "another wallet's token");
    assert.ok(!inOrder(answers.slice(1), requests));
  });

  test("end with the first that is broken: the ones before it are answered, the ones behind it are not", async () => {
    const good = bytes(`POST ${MINT} HTTP/1.1`, [HOST, bearer(it.token), "Content-Length: 0"]);
    for (const broken of ["GET / HTTP/1.1\r\nHost : x\r\n\r\n", "FOO / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: x\r\n\r\n", "\0\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"]) {
      const answers = await it.say(Buffer.concat([good, Buffer.from(broken), good]), { methods: ["POST", broken.split(" ")[0], "POST"] });
      assert.deepEqual(answers.map(({ giver }) => giver), ["broker", "runtime"], JSON.stringify(broken));
      assert.ok(answers.closed);
    }
  });

  test("end with one that says Connection: close", async () => {
    const close = bytes("GET /healthz HTTP/1.1", [HOST, "Connection: close"]);
    const answers = await it.say(Buffer.concat([NEXT, close, NEXT]), { methods: ["GET", "GET", "GET"] });
    assert.deepEqual([answers.length, answers.closed], [2, true]);
  });

  test("in packets that split them anywhere are answered in order", async () => {
    const requests = await ten();
    const all = Buffer.concat(requests.map(([[, request]]) => request));
    for (const size of [11, 97, 401]) {
      const answers = await it.say(packets(all, size), { methods: requests.map(([[method]]) => method) });
      assert.ok(inOrder(answers, requests), `packets of ${size} bytes: ${answers.map(({ status }) => status)}`);
    }
  });

  test("a hundred of them are answered", async () => {
    const request = bytes(`POST ${MINT} HTTP/1.1`, [HOST, bearer(it.token), "Content-Length: 0"]);
    const answers = await it.say(Buffer.concat(Array(100).fill(request)), { methods: Array(100).fill("POST") });
    const tokens = new Set(answers.map(({ body }) => JSON.parse(body).jwt));
    assert.deepEqual([answers.length, tokens.size], [100, 100]);
  });
});
