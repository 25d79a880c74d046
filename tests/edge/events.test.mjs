// The record: one log line a request, and the same event as a data point where there is a dataset for it.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";

import { assertNotSignedIn } from "./support/answers.mjs";
import { DISCOVERY, SESSION, startBroker } from "./support/broker.mjs";
import { guard } from "./support/canaries.mjs";
import { ecKey, secrets } from "./support/keys.mjs";
import { WALLET, hashOf, sessionToken } from "./support/sessions.mjs";
import { lower, newWallet, signIn, signed, start, verify } from "./support/wallets.mjs";

const FIELDS = ["event", "outcome", "reason", "degraded", "session", "wallet", "audience", "kid", "jti", "ended", "record", "rule", "ms", "colo", "ray"];
let broker;

before(async () => {
  broker = await startBroker({ entry: "instrumented", secrets: secrets({ A: await ecKey() }) });
});
beforeEach(() => broker.instruments({ faults: {}, canary: guard("an upstream's words", "canary-of-the-words-of-an-upstream") }));
after(() => broker.close());

const short = (token) => hashOf(token).slice(0, 12);
/** An event without what depends on when and where. */
const steady = ({ ms, colo, ray, ...event }) => {
  assert.ok(Number.isInteger(ms) && ms >= 0 && ms < 10_000, `ms is ${ms}`);
  return event;
};

describe("the log line", () => {
  test("of a mint and of an exchange says whose token it is, for whom, and by which key", async () => {
    const token = await broker.session();
    for (const [event, request] of [["mint", () => broker.mint(token)], ["exchange", () => broker.exchange(token)]]) {
      let jwt;
      const [line, ...more] = await broker.eventsOf(async () => {
        const answer = (await request()).json();
        jwt = answer.jwt ?? answer.access_token;
      });
      assert.deepEqual(more, []);
      const [header, claims] = jwt.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
      assert.deepEqual(steady(line), { event, outcome: "ok", session: short(token), wallet: WALLET, audience: "sts.amazonaws.com", kid: header.kid, jti: claims.jti });
    }
  });

  test("of a sign-in has the wallet and the session's hash, and nothing of challenge, signature and token", async () => {
    const wallet = newWallet();
    let session;
    const events = await broker.eventsOf(async () => (session = await signIn(broker, wallet)), 2);
    assert.deepEqual(events.map(steady), [
      { event: "signin_start", outcome: "ok", wallet: lower(wallet) },
      { event: "signin", outcome: "ok", session: short(session.session_token), wallet: lower(wallet) },
    ]);
  });

  test("of a sign-in that fails says why, which the answer does not", async () => {
    const [wallet, other] = [newWallet(), newWallet()];
    const reasons = [];
    for (const forge of [
      ({ siwe_message }) => other.signMessage({ message: siwe_message }),
      ({ signature }) => `${signature.slice(0, -2)}02`,
      () => `0x${"0".repeat(130)}`,
    ]) {
      const one = await signed(broker, wallet);
      const [event] = await broker.eventsOf(async () => assertNotSignedIn(await verify(broker, one, await forge(one))));
      assert.equal(event.wallet, lower(wallet), "whose challenge it was");
      reasons.push(event.reason);
    }
    const one = await signed(broker, wallet);
    await verify(broker, one, one.signature);
    const [replay] = await broker.eventsOf(() => verify(broker, one, one.signature));
    assert.deepEqual([...reasons, replay.reason], ["wrong_signer", "signature_v", "signature_range", "unknown_challenge"]);
  });

  test("of a refusal, of a limit and of a revocation", async () => {
    const token = await broker.session();
    const headers = { authorization: `Bearer ${token}` };
    const events = await broker.eventsOf(async () => {
      await broker.mint(sessionToken());
      await broker.exchange(token, { audience: "https://elsewhere.example" });
      await broker.exchange(token, { grant_type: "password" });
      await broker.instruments({ faults: { limited: ["MINT_LIMIT", "REFUSED_LIMIT"] } });
      await broker.mint(token);
      await broker.mint("malformed");
      await broker.request(SESSION, { method: "DELETE", headers });
    }, 6);
    assert.deepEqual(events.map(({ event, outcome, reason }) => [event, outcome, reason]), [
      ["mint", "refused", "unknown_session"],
      ["exchange", "refused", "forbidden"],
      ["exchange", "refused", "unsupported_grant_type"],
      ["mint", "refused", "mint_limit"],
      ["mint", "refused", "refused_limit"],
      ["revoke", "ok", undefined],
    ]);
  });

  test("has no field besides the ones of the operator's page", async () => {
    const events = await broker.eventsOf(async () => {
      await broker.mint(await broker.session(), undefined, { "cf-ray": "8f2ab4c6d8e0f123" });
      await broker.mint(sessionToken());
      await signIn(broker);
      await broker.request(SESSION);
    }, 5);
    assert.equal(events[0].ray, "8f2ab4c6d8e0f123");
    for (const event of events) for (const field of Object.keys(event)) assert.ok(FIELDS.includes(field), field);
    const { readFile } = await import("node:fs/promises");
    const page = await readFile(new URL("../../docs/operations.md", import.meta.url), "utf8");
    const table = page.slice(page.indexOf("## Log"));
    for (const field of FIELDS) assert.ok(table.includes(`\`${field}\``), `docs/operations.md says nothing of ${field}`);
  });

  test("never has a ray that is not one: locally a client can send anything", async () => {
    const token = guard("a token in a header", `${sessionToken()}`);
    const [event] = await broker.eventsOf(async () => broker.mint(await broker.session(), undefined, { "cf-ray": token }));
    assert.equal(event.ray, undefined);
  });
});

describe("the data point", () => {
  test("has the event's fields in their places, indexed by wallet", async () => {
    const token = await broker.session();
    const points = await broker.eventPoints(async () => {
      await broker.mint(token);
      await broker.mint("malformed");
    });
    const kid = points[0].blobs[5];
    assert.deepEqual(points.map(({ blobs, doubles, ...rest }) => ({ ...rest, blobs: blobs.with(6, "colo"), doubles: doubles.length })), [
      { indexes: [WALLET], blobs: ["mint", "ok", "", WALLET, "sts.amazonaws.com", kid, "colo", short(token), ""], doubles: 1 },
      { indexes: [""], blobs: ["mint", "refused", "malformed_token", "", "", "", "colo", "", ""], doubles: 1 },
    ]);
    assert.match(kid, /^[\w-]{43}$/);
  });

  test("is written for sign-ins, and none for public documents", async () => {
    const points = await broker.eventPoints(async () => {
      await start(broker, newWallet());
      await broker.request(DISCOVERY);
    });
    assert.deepEqual(points.map(({ blobs }) => blobs[0]), ["signin_start"]);
  });

  test("that cannot be written fails no request, and without a dataset there is none", async () => {
    for (const events of ["throw", "unbound"]) {
      await broker.instruments({ faults: { events }, instance: "new" });
      const token = await broker.session();
      const lines = await broker.eventsOf(() => broker.minted(token));
      assert.equal(lines.length, 1);
    }
    await broker.instruments({ faults: {}, instance: "new" });
  });
});
