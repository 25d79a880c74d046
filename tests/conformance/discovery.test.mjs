// The OpenID conformance suite's conditions on discovery document and key set, one by one, each under its own name, judged on
// the built worker in workerd.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { before, describe, test } from "node:test";

import { DISCOVERY, ISSUER, startBroker } from "../edge/support/broker.mjs";
import { ecKey, rsaKey, secrets, withCertificate } from "../edge/support/keys.mjs";
import { JWKS_CONDITIONS, ROTATION_CONDITIONS } from "./jwks-conditions.mjs";
import { METADATA_CONDITIONS } from "./metadata-conditions.mjs";
import { NAMES } from "./suite.mjs";
import { SKIPPED, UNMET } from "./unmet-conditions.mjs";

const MET = { ...METADATA_CONDITIONS, ...JWKS_CONDITIONS };
const ISSUERS = [ISSUER, `${ISSUER}/tenants/blue`];
const keys = { A: await ecKey(), B: await withCertificate(await rsaKey()) };

/** What a relying party of each issuer sees. */
const contexts = [];
const rotation = {};
let ec;

before(async () => {
  const broker = await startBroker({ secrets: secrets(keys) });
  try {
    for (const issuer of ISSUERS) {
      await broker.update({ vars: { ISSUER: issuer } });
      contexts.push(await seen(broker, issuer));
    }
    await broker.update({ vars: {} });
    // A new key in the slot of the old RSA key; the EC key stays.
    rotation.before = (await seen(broker, ISSUER)).jwks;
    await broker.update({ secrets: secrets({ A: keys.A, B: await ecKey() }) });
    rotation.after = (await seen(broker, ISSUER)).jwks;
    await broker.update({ secrets: secrets({ A: keys.A }) });
    ec = await seen(broker, ISSUER);
  } finally {
    await broker.close();
  }
});

/** Discovery from nothing but the issuer; its host is the loopback's. */
async function seen(broker, issuer) {
  const fetched = (url) => broker.request(url.replace(ISSUER, ""));
  const discoveryUrl = `${issuer}${DISCOVERY}`;
  const { status, headers, text } = await fetched(discoveryUrl);
  const server = JSON.parse(text);
  const { text: jwksBody } = await fetched(server.jwks_uri);
  return { discoveryUrl, response: { status, contentType: headers.get("content-type"), body: text }, server, jwksBody, jwks: JSON.parse(jwksBody) };
}

const judged = async (judge, context) => judge(context);
const refuses = (judge, context) => assert.rejects(judged(judge, context));

describe("conditions that are met", () => {
  for (const [name, { judge, breaks }] of Object.entries(MET)) {
    describe(name, () => {
      test(name, async () => {
        for (const context of contexts) await judged(judge, context);
      });
      for (const [what, broken] of Object.entries(breaks)) {
        test(`refuses ${what}`, async () => {
          for (const context of contexts) await refuses(judge, broken(context));
        });
      }
    });
  }
});

describe("conditions on a rotation that are met", () => {
  for (const [name, { judge, breaks }] of Object.entries(ROTATION_CONDITIONS)) {
    describe(name, () => {
      test(name, () => judged(judge, rotation));
      for (const [what, broken] of Object.entries(breaks)) test(`refuses ${what}`, () => refuses(judge, broken(rotation)));
    });
  }
});

describe("conditions that an issuer without an authorization endpoint does not meet", () => {
  for (const [name, { judge, meets }] of Object.entries(UNMET)) {
    test(`${name} is not met, and would be by another document`, async () => {
      for (const context of contexts) {
        await refuses(judge, context);
        await judged(judge, meets(context));
      }
    });
  }
});

describe("conditions that the suite skips here", () => {
  for (const [name, { member, judge, meets, breaks }] of Object.entries(SKIPPED)) {
    test(`${name}: ${member} is left out`, async () => {
      for (const context of contexts) {
        assert.ok(!(member in context.server));
        await judged(judge, meets(context));
        await refuses(judge, breaks(context));
      }
    });
  }
});

describe("the list", () => {
  test("has every condition of the suite's modules once", () => {
    const here = [MET, ROTATION_CONDITIONS, UNMET, SKIPPED].flatMap((conditions) => Object.keys(conditions));
    assert.deepEqual(here.toSorted(), NAMES.toSorted());
  });
  test("has a reason for each that is not met, and the README has the same", () => {
    const readme = readFileSync(path.join(import.meta.dirname, "README.md"), "utf8");
    const rows = [...readme.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, name, reason]) => [name, reason]);
    const data = Object.entries({ ...UNMET, ...SKIPPED }).map(([name, { reason }]) => [name, reason]);
    assert.deepEqual(rows.toSorted(), data.toSorted());
  });
  test("has a way to break each that is met", () => {
    for (const [name, { breaks }] of Object.entries({ ...MET, ...ROTATION_CONDITIONS })) assert.ok(Object.keys(breaks).length > 0, name);
  });
});

test("an issuer with an ES256 key alone meets all of them but the one that wants RS256", async () => {
  for (const [name, { judge }] of Object.entries(MET)) {
    if (name === "OIDCCCheckDiscEndpointIdTokenSigningAlgValuesSupported") await refuses(judge, ec);
    else await judged(judge, ec);
  }
});
