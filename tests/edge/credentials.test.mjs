// The credential (RFC 6750): what counts as one, and what every wrong one is answered with.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { assertError, assertNoCredential, assertNotALiveSession } from "./support/answers.mjs";
import { MINT, SESSION, startBroker } from "./support/broker.mjs";
import { ecKey, secrets } from "./support/keys.mjs";
import { rawRequest } from "./support/raw.mjs";
import { now, recordKey, record, sessionToken } from "./support/sessions.mjs";

let broker;
let live;

before(async () => {
  broker = await startBroker({ secrets: secrets({ A: await ecKey() }) });
  live = await broker.session();
});
after(() => broker.close());

/** The routes that take a credential. */
const ROUTES = [
  ["POST", MINT],
  ["GET", SESSION],
  ["DELETE", SESSION],
];

const onEveryRoute = async (authorization, check) => {
  for (const [method, path] of ROUTES) check(await broker.request(path, { method, headers: authorization === undefined ? {} : { authorization } }));
};

/** As bytes, for headers that an HTTP client would not send. */
const raw = async (...values) => {
  const { status, headers, body } = await rawRequest(broker.origin, `POST ${MINT} HTTP/1.1`, [
    ["Host", "localhost"],
    ...values.map((value) => ["Authorization", value]),
  ]);
  return { status, text: body, headers: new Headers(headers), json: () => JSON.parse(body) };
};

describe("no Bearer credential is 401 with a bare challenge", () => {
  for (const [name, authorization] of [
    ["no header", undefined],
    ["an empty header", ""],
    ["Basic", `Basic ${btoa("agent:secret")}`],
    ["Digest, whose parameters have commas", 'Digest username="a", realm="b", nonce="c"'],
    ["another scheme that starts like it", "Bearerish abc"],
    ["the scheme and the token run together", "Beareraks_abc"],
    ["a token without a scheme", `aks_${"A".repeat(43)}`],
    ["only commas", ",,"],
  ]) {
    test(name, () => onEveryRoute(authorization, assertNoCredential));
  }
});

describe("the scheme's case does not matter", () => {
  for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR"]) {
    test(scheme, async () => {
      assert.equal((await broker.request(MINT, { method: "POST", headers: { authorization: `${scheme} ${live}` } })).status, 200);
    });
  }

  test("and blanks around the token do not either", async () => {
    for (const authorization of [`Bearer   ${live}`, `Bearer\t${live}`, `  Bearer ${live}  `]) assert.equal((await raw(authorization)).status, 200);
  });
});

describe("more than one credential is 400, even where each alone would do", () => {
  for (const [name, ...values] of [
    ["the same header twice", "Bearer LIVE", "Bearer LIVE"],
    ["two tokens in two headers", "Bearer LIVE", `Bearer aks_${"A".repeat(43)}`],
    ["Basic, then Bearer", "Basic YTpi", "Bearer LIVE"],
    ["Bearer, then Basic", "Bearer LIVE", "Basic YTpi"],
    ["two in one header", "Bearer LIVE, Bearer LIVE"],
    ["two in one header without a blank", "Bearer LIVE,Bearer LIVE"],
    ["a token and a trailing comma", "Bearer LIVE,"],
    ["Bearer and an empty second header", "Bearer LIVE", ""],
  ]) {
    test(name, async () => assertError(await raw(...values.map((value) => value.replaceAll("LIVE", live))), "bad_request", /one credential/i));
  }
});

describe("a Bearer credential that is not a live session is 401 invalid_token, always in the same words", () => {
  const token = () => `aks_${randomBytes(32).toString("base64url")}`;
  const changed = (from, to) => live.replace(from, to);
  for (const [name, credential] of [
    ["no token at all", () => ""],
    ["a token that was never issued", token],
    ["the prefix alone", () => "aks_"],
    ["another prefix", () => changed("aks_", "akt_")],
    ["the prefix in upper case", () => changed("aks_", "AKS_")],
    ["no prefix", () => changed("aks_", "")],
    ["one character less", () => live.slice(0, -1)],
    ["one character more", () => `${live}A`],
    ["padding", () => `${live}=`],
    ["the alphabet of plain base64", () => `aks_${"+/".repeat(21)}A`],
    ["a last character that is not canonical", () => `${live.slice(0, -1)}B`],
    ["two tokens with a blank", () => `${live} ${live}`],
    ["10 KB", () => "a".repeat(10_240)],
    ["10 KB that start like a token", () => `aks_${"A".repeat(10_240)}`],
    ["a path", () => "../../session/v1/x"],
    ["the key under which the record is stored", () => recordKey(live)],
    ["quotes", () => `"${live}"`],
    ["something percent-encoded", () => live.replace("_", "%5F")],
  ]) {
    test(name, () => onEveryRoute(`Bearer ${credential()}`, assertNotALiveSession));
  }

  test("a JWT that this broker minted", async () => onEveryRoute(`Bearer ${await broker.minted(live)}`, assertNotALiveSession));

  test("a session that has expired by its record", async () => {
    const expired = await broker.session({ created_at: now() - 120, expires_at: now() - 60 });
    await onEveryRoute(`Bearer ${expired}`, assertNotALiveSession);
  });

  test("a session that expires this very second", async () => {
    const expiring = await broker.session({ expires_at: now() });
    await onEveryRoute(`Bearer ${expiring}`, assertNotALiveSession);
  });

  test("a session that was revoked", async () => {
    const token = await broker.session();
    assert.equal((await broker.request(SESSION, { method: "DELETE", headers: { authorization: `Bearer ${token}` } })).status, 204);
    await onEveryRoute(`Bearer ${token}`, assertNotALiveSession);
  });

  test("a session whose record is broken", async () => {
    const token = sessionToken();
    await broker.store(token, record({ wallet: undefined }));
    await onEveryRoute(`Bearer ${token}`, assertNotALiveSession);
  });

  test("a session token in the query string or the body, where none is looked for", async () => {
    assertNoCredential(await broker.request(`${MINT}?access_token=${live}`, { method: "POST" }));
    const form = { "content-type": "application/x-www-form-urlencoded" };
    assertNoCredential(await broker.request(MINT, { method: "POST", headers: form, body: `access_token=${live}` }));
    assertNoCredential(await broker.request(MINT, { method: "POST", headers: { cookie: `session=${live}` } }));
  });
});

describe("control characters and other bytes", () => {
  test("inside a token are never a live session", async () => {
    for (const byte of ["\x01", "\x0b", "\x1f", "\x7f", "\x80", "\xff"]) {
      const answer = await raw(`Bearer ${live.slice(0, 20)}${byte}${live.slice(21)}`);
      // The runtime may refuse the request before the broker sees it.
      if (answer.status !== 400) assertNotALiveSession(answer);
    }
  });

  test("that would end the header's line do not smuggle a second header in", async () => {
    const answer = await raw(`Bearer ${"A".repeat(10)}\r\nAuthorization: Bearer ${live}`);
    assertError(answer, "bad_request", /one credential/i);
    assert.notEqual((await raw(`Bearer x\r\n Bearer ${live}`)).status, 200);
    assert.notEqual((await raw(`Bearer ${live}\0`)).status, 200);
  });
});
