// Clients that take their time: what is never finished is cut off, costs the others nothing, and says nothing that it should
// not. A body has ten seconds in the worker, a head and an idle connection fifteen in the runtime.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { HOST, JSON_TYPE, MINT, ROUTES, START, TOKEN, VERIFY, bearer } from "./support/routes.mjs";
import { world } from "./support/world.mjs";
import { bytes } from "./support/wire.mjs";

const it = world();
const LONG = 30_000;
/** What a body may have. */
const KIBIBYTES = { [MINT]: 4, [TOKEN]: 8, [START]: 4, [VERIFY]: 4 };

/** What is answered, and after how many milliseconds the connection was over; the client's side stays open. */
async function timed(parts, methods = ["POST"]) {
  const begun = performance.now();
  const answers = await it.say(parts, { methods, halfClose: false, patience: LONG });
  return { answers, closed: answers.closed, milliseconds: performance.now() - begun };
}

/** The head of a route's request, its own header lines but the length included. */
function headOf(path, ...lines) {
  const route = ROUTES.find((one) => one.path === path && one.method === "POST");
  return bytes(`POST ${path} HTTP/1.1`, [HOST, ...(route.headers?.(it.token) ?? []), ...(path === MINT ? [JSON_TYPE] : []), ...lines]);
}

const drip = (what, every, times) => Array.from({ length: times }, () => [what, every]).flat();

describe("a body that does not arrive", { concurrency: true }, () => {
  const TAKES_A_BODY = [MINT, TOKEN, START, VERIFY];
  for (const path of TAKES_A_BODY) {
    for (const [name, lines, sent] of [
      ["stops after a byte", ["Content-Length: 10"], ["{"]],
      ["stops after a chunk", ["Transfer-Encoding: chunked"], ["1\r\n{\r\n"]],
      ["drips, a byte every half a second", ["Content-Length: 200"], drip(" ", 500, 60)],
      ["drips, a chunk every half a second", ["Transfer-Encoding: chunked"], drip("1\r\n \r\n", 500, 60)],
    ]) {
      test(`and ${name}, is 400 after ten seconds: ${path}`, async () => {
        const { answers, milliseconds, closed } = await timed([headOf(path, ...lines), ...sent]);
        assert.deepEqual(answers.map(({ status, giver }) => [status, giver]), [[400, "broker"]]);
        assert.ok(closed && milliseconds > 9_000 && milliseconds < 18_000, `${milliseconds} ms`);
      });
    }
  }

  test("is not waited for where nobody asks for it", async () => {
    for (const [method, path, lines] of [["POST", MINT, []], ["POST", "/nothing", []], ["GET", "/healthz", []], ["DELETE", MINT, [bearer(it.token)]], ["GET", "/v1/session", [bearer(it.token)]]]) {
      const { answers, milliseconds } = await timed([bytes(`${method} ${path} HTTP/1.1`, [HOST, ...lines, "Content-Length: 10"], "{")], [method]);
      assert.ok(answers.length === 1 && milliseconds < 8_000, `${method} ${path}: ${milliseconds} ms`);
    }
  });

  test("and is announced as too large, is 413 at once", async () => {
    for (const path of TAKES_A_BODY) {
      const { answers, milliseconds } = await timed([headOf(path, "Content-Length: 1000000000"), "{"]);
      assert.deepEqual([answers[0].status, milliseconds < 8_000], [413, true], path);
    }
  });

  test("and never ends, is 413 as soon as it is more than the route takes", async () => {
    for (const path of TAKES_A_BODY) {
      // The chunk that is too much is the last one: whoever writes on to a connection that is closed may lose its answer.
      const chunks = drip(`400\r\n${" ".repeat(1024)}\r\n`, 5, KIBIBYTES[path] + 1);
      const { answers, milliseconds } = await timed([headOf(path, "Transfer-Encoding: chunked"), ...chunks]);
      assert.deepEqual([answers[0]?.status, milliseconds < 8_000], [413, true], path);
    }
  });

  test("but takes its time and ends, is answered", async () => {
    const { answers } = await timed([headOf(MINT, "Content-Length: 8", "Connection: close"), ...drip(" ", 400, 6), "{}"]);
    assert.deepEqual(answers.map(({ status }) => status), [200]);
  });

  test("two hundred times at once, leaves the others their answers at once", async () => {
    const slow = Array.from({ length: 200 }, () => it.say([headOf(MINT, "Content-Length: 10"), "{"], { methods: ["POST"], halfClose: false, patience: LONG }));
    for (let times = 0; times < 20; times += 1) {
      const begun = performance.now();
      const [{ status }] = await it.ask("POST", MINT, { lines: [HOST, bearer(it.token), "Content-Length: 0"] });
      assert.equal(status, 200);
      assert.ok(performance.now() - begun < 5_000);
    }
    for (const answers of await Promise.all(slow)) assert.deepEqual(answers.map(({ status }) => status), [400]);
  });
});

describe("a connection that says nothing more", { concurrency: true }, () => {
  for (const [name, parts, count] of [
    ["and has said nothing", [], 0],
    ["after half a head", ["GET /healthz HTTP/1.1\r\nHost: issuer.test\r\n"], 0],
    ["after one request", ["GET /healthz HTTP/1.1\r\nHost: issuer.test\r\n\r\n"], 1],
    ["but a field every half a second", ["GET /healthz HTTP/1.1\r\nHost: issuer.test\r\n", ...drip("X: y\r\n", 500, 56)], 0],
  ]) {
    test(`${name}, is ended by the runtime`, async () => {
      const { answers, closed, milliseconds } = await timed(parts, ["GET"]);
      assert.deepEqual([answers.length, closed], [count, true]);
      assert.ok(milliseconds < 25_000, `${milliseconds} ms`);
    });
  }
});
