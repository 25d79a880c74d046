// The body of a mint request: empty, or a JSON object of at most 4 KiB with audience and ttl_seconds.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";

import { assertError } from "./support/answers.mjs";
import { MINT, startBroker } from "./support/broker.mjs";
import { guard } from "./support/canaries.mjs";
import { ecKey, secrets } from "./support/keys.mjs";
import { rawRequest } from "./support/raw.mjs";
import { sessionToken } from "./support/sessions.mjs";

let broker;
let token;

before(async () => {
  broker = await startBroker({ secrets: secrets({ A: await ecKey() }) });
  token = await broker.session();
});
after(() => broker.close());

const accepted = async (answer) => assert.equal((await answer).status, 200, (await answer).text);

describe("a body that is taken", () => {
  test("none at all", () => accepted(broker.mint(token)));
  test("an empty one, whatever its media type is said to be", async () => {
    for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded"]) await accepted(broker.mint(token, "", { "content-type": type }));
  });
  test("an empty object", () => accepted(broker.mint(token, {})));
  test("one member, or both", async () => {
    for (const body of [{ audience: "sts.amazonaws.com" }, { ttl_seconds: 60 }, { ttl_seconds: 300, audience: "sts.amazonaws.com" }]) await accepted(broker.mint(token, body));
  });
  test("one with white space around it", () => accepted(broker.mint(token, ' \r\n\t{ "ttl_seconds" : 60 }\n ')));
  test("one with escapes in it", () => accepted(broker.mint(token, '{"ttl_s\\u0065conds":60,"audience":"sts.amazonaws\\u002ecom"}')));
  test("one whose media type has parameters or another case", async () => {
    for (const type of ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"]) await accepted(broker.mint(token, {}, { "content-type": type }));
  });
  test("one of exactly 4 KiB", () => accepted(broker.mint(token, `{}${" ".repeat(4094)}`)));
});

describe("a body that is not said to be JSON is 415", () => {
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "text/json", "application/problem+json", "multipart/form-data; boundary=x", "application"]) {
    test(type, async () => assertError(await broker.mint(token, "{}", { "content-type": type }), "unsupported_media_type", /application\/json/));
  }
  test("no media type", async () => {
    const answer = await rawRequest(broker.origin, `POST ${MINT} HTTP/1.1`, { Host: "localhost", Authorization: `Bearer ${token}` }, "{}");
    assert.equal(answer.status, 415);
  });
});

describe("a body larger than 4 KiB is 413", () => {
  for (const [name, body] of [
    ["by one byte", `{}${" ".repeat(4095)}`],
    ["of 32 KiB", `{"audience":"${"a".repeat(32_768)}"}`],
    ["of 32 KiB that is not JSON", "x".repeat(32_768)],
  ]) {
    test(name, async () => assertError(await broker.mint(token, body), "payload_too_large", /4096/));
  }

  test("of 1 MB, as soon as its length is announced", async () => {
    const headers = { Host: "localhost", Authorization: `Bearer ${token}`, "Content-Type": "application/json", "Content-Length": 1_000_000 };
    const answer = await rawRequest(broker.origin, `POST ${MINT} HTTP/1.1`, headers);
    assert.deepEqual([answer.status, JSON.parse(answer.body).error], [413, "payload_too_large"]);
  });

  test("of 1 MB that is sent nevertheless", async () => {
    const headers = { Host: "localhost", Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    // The runtime may close the connection on a client that goes on sending; what is read until then is the 413.
    const answer = await rawRequest(broker.origin, `POST ${MINT} HTTP/1.1`, headers, `{"audience":"${"a".repeat(1_000_000)}"}`).catch(() => undefined);
    if (answer) assert.equal(answer.status, 413);
  });

  test("of unknown length, sent in pieces", async () => {
    const pieces = new ReadableStream({
      pull(controller) {
        this.sent = (this.sent ?? 0) + 1;
        if (this.sent > 64) controller.close();
        else controller.enqueue(new Uint8Array(1024).fill(0x20));
      },
    });
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    assertError(await broker.request(MINT, { method: "POST", headers, body: pieces, duplex: "half" }), "payload_too_large");
  });

  test("and the broker goes on answering afterwards", () => accepted(broker.mint(token, {})));
});

describe("a body that is not one JSON object is 400 and says what to send", () => {
  for (const [name, body] of [
    ["not JSON", "audience=sts.amazonaws.com"],
    ["a broken object", '{"audience":"sts.amazonaws.com"'],
    ["a trailing comma", '{"ttl_seconds":60,}'],
    ["a comment", '{/* */"ttl_seconds":60}'],
    ["single quotes", "{'ttl_seconds':60}"],
    ["two objects", "{}{}"],
    ["an object and more", "{} x"],
    ["a list", "[]"],
    ["a list of an object", "[{}]"],
    ["null", "null"],
    ["a text", '"sts.amazonaws.com"'],
    ["a number", "300"],
    ["blanks only", "   "],
    ["a byte order mark", "\ufeff{}"],
    ["a control character in a text", '{"audience":"a\u0000b"}'],
    ["half a surrogate pair", '{"audience":"\\ud800"}'],
    ["bytes that are not UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ["UTF-16", new Uint8Array(Buffer.from("{}", "utf16le"))],
    ["a number that overflows", '{"ttl_seconds":1e999}'],
    ["2,000 lists that never end", `{"audience":${"[".repeat(2000)}`],
  ]) {
    test(name, async () => {
      const answer = await broker.mint(token, body);
      assertError(answer, "bad_request", /empty body, or one JSON object/);
    });
  }
});

describe("depth costs nothing: what is deep is passed over, and its member is the one that does not fit", () => {
  for (const [name, body, refusal] of [
    ["2,000 lists inside one another", `{"audience":${"[".repeat(2000)}${"]".repeat(2000)}}`, /^The member audience /],
    ["500 objects inside one another", `${'{"a":'.repeat(500)}1${"}".repeat(500)}`, /^The member a /],
  ]) {
    test(name, async () => {
      assertError(await broker.mint(token, body), "bad_request", refusal);
    });
  }
});

describe("a member that does not fit is 400 and named", () => {
  for (const [name, body, member] of [
    ["an unknown member", { audience: "sts.amazonaws.com", scope: "all" }, "scope"],
    ["an unknown member that is null", { wallet: null }, "wallet"],
    ["the wallet, which is the session's", { wallet: "0x0000000000000000000000000000000000000001" }, "wallet"],
    ["tags, which are the session's", { tags: { agentkeys_user_wallet: "0x0000000000000000000000000000000000000001" } }, "tags"],
    ["prototype names", '{"__proto__":{"audience":"x"}}', "__proto__"],
    ["audience in another case", { Audience: "sts.amazonaws.com" }, ""],
    ["audience null", { audience: null }, "audience"],
    ["audience a number", { audience: 1 }, "audience"],
    ["audience a list", { audience: ["sts.amazonaws.com"] }, "audience"],
    ["audience an object", { audience: {} }, "audience"],
    ["audience empty", { audience: "" }, "audience"],
    ["audience of 256 characters", { audience: "a".repeat(256) }, "audience"],
    ["audience with a blank", { audience: "sts.amazonaws.com " }, "audience"],
    ["audience with a line break", { audience: "sts.amazonaws.com\n" }, "audience"],
    ["audience not ASCII", { audience: "stś.amazonaws.com" }, "audience"],
    ["ttl_seconds null", { ttl_seconds: null }, "ttl_seconds"],
    ["ttl_seconds a text", { ttl_seconds: "300" }, "ttl_seconds"],
    ["ttl_seconds a fraction", { ttl_seconds: 300.5 }, "ttl_seconds"],
    ["ttl_seconds a whole number written as a fraction", '{"ttl_seconds":300.0}', "ttl_seconds"],
    ["ttl_seconds with an exponent", '{"ttl_seconds":3e2}', "ttl_seconds"],
    ["ttl_seconds negative", { ttl_seconds: -300 }, "ttl_seconds"],
    ["ttl_seconds minus zero", '{"ttl_seconds":-0}', "ttl_seconds"],
    ["ttl_seconds above 64 bits", '{"ttl_seconds":18446744073709551616}', "ttl_seconds"],
    ["ttl_seconds true", { ttl_seconds: true }, "ttl_seconds"],
    ["ttl_seconds a list", { ttl_seconds: [300] }, "ttl_seconds"],
    ["audience 2,000 lists inside one another", `{"audience":${"[".repeat(2000)}${"]".repeat(2000)}}`, "audience"],
    ["an unknown member with 500 objects inside one another", `${'{"a":'.repeat(500)}1${"}".repeat(500)}`, "a"],
    ["audience twice", '{"audience":"sts.amazonaws.com","audience":"sts.amazonaws.com"}', "audience"],
    ["audience twice, once by an escape", '{"audience":"sts.amazonaws.com","audi\\u0065nce":"sts.amazonaws.com"}', "audience"],
    ["ttl_seconds twice", '{"ttl_seconds":60,"ttl_seconds":300}', "ttl_seconds"],
    ["ttl_seconds twice with another member between", '{"ttl_seconds":60,"audience":"sts.amazonaws.com","ttl_seconds":60}', "ttl_seconds"],
  ]) {
    test(name, async () => {
      const message = assertError(await broker.mint(token, body), "bad_request");
      assert.ok(message.includes(member), message);
      assert.match(message, /^(The|A) member/);
    });
  }

  test("and a member whose name may be a secret is not repeated", async () => {
    const name = guard("the name of an unknown member", `aks_${"canary".repeat(8)}`);
    assertError(await broker.mint(token, { [name]: 1 }), "bad_request", /^A member is not known/);
    assertError(await broker.mint(token, { [token]: token }), "bad_request");
    assertError(await broker.mint(token, { audience: token }), "forbidden");
  });
});

describe("a body that breaks off", () => {
  test("leaves the broker as it was", async () => {
    const { hostname, port } = new URL(broker.origin);
    const head = `POST ${MINT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
    for (const start of [`${head}Content-Length: 4000\r\n\r\n{"audience":`, `${head}Transfer-Encoding: chunked\r\n\r\n5\r\n{"aud\r\n`, `${head}Transfer-Encoding: chunked\r\n\r\nZZ\r\n`]) {
      await new Promise((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.write(start, () => setTimeout(() => socket.destroy(), 50)));
        socket.on("error", () => {});
        socket.on("close", resolve);
      });
    }
    await accepted(broker.mint(token, {}));
    for (const line of broker.logs()) assert.notEqual(JSON.parse(line).event, "panic");
  });
});

describe("the order of refusals", () => {
  test("a wrong body is told before an unknown session is, and tells nothing about sessions", async () => {
    const unknown = await broker.mint(sessionToken(), { scope: 1 });
    const known = await broker.mint(token, { scope: 1 });
    assert.deepEqual([unknown.status, unknown.text], [known.status, known.text]);
  });

  test("a missing credential is told before a wrong body", async () => {
    assertError(await broker.mint(undefined, "x".repeat(32_768)), "unauthorized");
  });
});
