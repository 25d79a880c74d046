// A rotation while tokens are minted: the new key is published before it signs, so that no relying party is ever ahead
// of its key set. No token may fail against the key set that was served a moment before it was minted.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { createLocalJWKSet, errors, jwtVerify } from "jose";

import { ISSUER, JWKS, startBroker } from "./support/broker.mjs";
import { ecKey, secrets, thumbprint } from "./support/keys.mjs";
import { now } from "./support/sessions.mjs";

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const expected = { issuer: ISSUER, audience: "sts.amazonaws.com", algorithms: ["ES256"] };
const old = await ecKey();
const next = await ecKey();
let broker;
let session;

before(async () => {
  broker = await startBroker({ secrets: secrets({ A: old }) });
  session = await broker.session();
});
after(() => broker.close());

/** A relying party that fetches the key set, then is handed a token; what the token says. */
async function mintAgainstTheKeySetOfAMomentAgo() {
  const keys = createLocalJWKSet((await broker.request(JWKS)).json());
  const { payload, protectedHeader } = await jwtVerify(await broker.minted(session), keys, expected);
  return { kid: protectedHeader.kid, iat: payload.iat };
}

describe("a new key in the other slot, due in a few seconds", () => {
  test("never makes a token fail, from before it is there until it signs", async () => {
    const minted = [];
    let done = false;
    const relyingParties = Array.from({ length: 4 }, async () => {
      while (!done) minted.push(await mintAgainstTheKeySetOfAMomentAgo());
    });
    const rotation = (async () => {
      await pause(500);
      const nbf = now() + 4;
      await broker.update({ secrets: secrets({ A: old, B: { ...next, nbf } }) });
      assert.ok(now() < nbf, "the machine is too slow for this test: the key was due before it was there");
      await pause(nbf * 1000 - Date.now() + 1_500);
      done = true;
      return nbf;
    })();
    const [nbf] = await Promise.all([rotation, ...relyingParties]);

    const [oldKid, newKid] = [await thumbprint(old), await thumbprint(next)];
    for (const { kid, iat } of minted) assert.equal(kid, iat < nbf ? oldKid : newKid, `iat is ${iat - nbf} s after nbf`);
    const count = (wanted) => minted.filter(({ kid }) => kid === wanted).length;
    assert.ok(count(oldKid) >= 20 && count(newKid) >= 20, `${count(oldKid)} tokens by the old key, ${count(newKid)} by the new one`);
  });

  test("and then makes the old slot free: its tokens verify until the key is overwritten", async () => {
    const before = (await broker.request(JWKS)).json();
    assert.deepEqual(before.keys.map(({ kid }) => kid), [await thumbprint(old), await thumbprint(next)]);
    const third = await ecKey();
    await broker.update({ secrets: secrets({ A: { ...third, nbf: now() + 86_400 }, B: { ...next, nbf: now() - 10 } }) });
    assert.equal((await mintAgainstTheKeySetOfAMomentAgo()).kid, await thumbprint(next));
    const { keys } = (await broker.request(JWKS)).json();
    assert.deepEqual(keys.map(({ kid }) => kid), [await thumbprint(third), await thumbprint(next)]);
  });
});

describe("a new key that is due at once", () => {
  test("makes tokens fail against the key set of a moment ago: this is what nbf is for", async () => {
    await broker.update({ secrets: secrets({ A: old }) });
    const keys = createLocalJWKSet((await broker.request(JWKS)).json());
    await jwtVerify(await broker.minted(session), keys, expected);
    await broker.update({ secrets: secrets({ A: old, B: { ...next, nbf: now() } }) });
    await assert.rejects(jwtVerify(await broker.minted(session), keys, expected), errors.JWKSNoMatchingKey);
  });
});
