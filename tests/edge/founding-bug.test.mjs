// The regression that started it all: a broker that minted valid tokens without the claim `https://aws.amazon.com/tags`.
// STS accepted them, untagged, and `${aws:PrincipalTag/agentkeys_user_wallet}` isolated nobody.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { decodeJwt } from "jose";

import { DISCOVERY, ISSUER, startBroker } from "./support/broker.mjs";
import { ecKey, rsaKey, secrets } from "./support/keys.mjs";
import { TAGS_CLAIM, WALLET_TAG, assertAdvertisesTags, assertIsolates } from "./support/session-tags.mjs";
import { WALLET, now } from "./support/sessions.mjs";

const STS = "sts.amazonaws.com";
const AZURE = "api://AzureADTokenExchange";
const ROLE = "arn:aws:iam::123456789012:role/agent";
const keys = secrets({ A: await ecKey(), B: await rsaKey() });

const CONFIGURATIONS = {
  "the default one": {},
  "several audiences, one of them signed RS256": { AUDIENCES: [STS, { audience: AZURE, alg: "RS256" }] },
  "another default audience": { AUDIENCES: [AZURE, STS] },
  "with the omni": { PRINCIPAL_TAGS: [WALLET_TAG, "agentkeys_actor_omni"] },
  "an issuer with a path": { ISSUER: `${ISSUER}/tenants/blue` },
  "a long lifetime": { TOKEN_TTL_SECONDS: 3600 },
};

const sessions = () => ({
  "a plain one": {},
  "of another wallet": { wallet: `0x${"0123456789abcdef".repeat(2)}01234567` },
  "with tags of its own": { tags: { team: "blue", env: "" }, transitive_tags: ["team"] },
  "with empty tags": { tags: {}, transitive_tags: [] },
  "with 48 tags": { tags: Object.fromEntries(Array.from({ length: 48 }, (_, n) => [`tag-${n}`, "x"])) },
  "with roles and a source identity": { roles: [ROLE], source_identity: "agent-7" },
  "with a label, audiences and a ceiling": { label: "laptop", audiences: [STS, AZURE], max_token_ttl: 60 },
  "about to expire": { expires_at: now() + 90 },
});

const BODIES = [undefined, {}, { audience: STS }, { ttl_seconds: 60 }, { audience: AZURE }, { audience: STS, ttl_seconds: 60 }];

let broker;
before(async () => {
  broker = await startBroker({ entry: "instrumented", secrets: keys });
});
after(() => broker.close());

for (const [name, vars] of Object.entries(CONFIGURATIONS)) {
  describe(`with the configuration: ${name}`, () => {
    const base = new URL(vars.ISSUER ?? ISSUER).pathname.replace(/\/$/, "");
    before(() => broker.redeploy({ ISSUER, ...keys, ...vars }));

    test("a_discovery_that_does_not_advertise_the_tags_claim_fails", async () => {
      assertAdvertisesTags((await broker.request(base + DISCOVERY)).json());
    });

    test("a_token_without_the_tags_claim_fails, whatever the session and the request", async () => {
      let minted = 0;
      for (const members of Object.values(sessions())) {
        const token = await broker.session(members);
        for (const body of BODIES) {
          const answer = await broker.request(`${base}/v1/mint-oidc-jwt`, {
            method: "POST",
            headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
            body: body && JSON.stringify(body),
          });
          if (answer.status !== 200) {
            assert.equal(answer.status, 403, "nothing but the audience may be refused here");
            continue;
          }
          minted += 1;
          assertIsolates(decodeJwt(answer.json().jwt), members.wallet ?? WALLET);
        }
      }
      assert.ok(minted >= 4 * Object.keys(sessions()).length, `only ${minted} tokens were looked at`);
    });
  });
}

describe("the judges themselves fail what they must", () => {
  const good = { [TAGS_CLAIM]: { principal_tags: { [WALLET_TAG]: [WALLET] }, transitive_tag_keys: [WALLET_TAG] } };
  test("and pass what they may", () => {
    assertIsolates(good, WALLET);
    assertAdvertisesTags({ claims_supported: ["iss", TAGS_CLAIM] });
  });

  for (const [name, claims] of Object.entries({
    "no tags claim, though the wallet is a claim of its own: the founding bug": { [WALLET_TAG]: WALLET, sub: `agentkeys:agent:${WALLET}` },
    "the claim null": { [TAGS_CLAIM]: null },
    "the claim empty": { [TAGS_CLAIM]: {} },
    "no principal tags": { [TAGS_CLAIM]: { principal_tags: {}, transitive_tag_keys: [] } },
    "another tag alone": { [TAGS_CLAIM]: { principal_tags: { team: ["blue"] }, transitive_tag_keys: ["team"] } },
    "the wallet as a bare text": { [TAGS_CLAIM]: { principal_tags: { [WALLET_TAG]: WALLET }, transitive_tag_keys: [WALLET_TAG] } },
    "the wallet of somebody else": { [TAGS_CLAIM]: { principal_tags: { [WALLET_TAG]: [`0x${"1".repeat(40)}`] }, transitive_tag_keys: [WALLET_TAG] } },
    "two wallets": { [TAGS_CLAIM]: { principal_tags: { [WALLET_TAG]: [WALLET, WALLET] }, transitive_tag_keys: [WALLET_TAG] } },
    "the wallet not transitive": { [TAGS_CLAIM]: { principal_tags: { [WALLET_TAG]: [WALLET] } } },
    "the claim under a name that is almost it": { "https://aws.amazon.com/tags/": good[TAGS_CLAIM] },
  })) {
    test(name, () => assert.throws(() => assertIsolates(claims, WALLET), assert.AssertionError));
  }

  test("a discovery without claims, or without this one", () => {
    for (const document of [{}, { claims_supported: [] }, { claims_supported: ["iss", "sub", WALLET_TAG] }, { claims_supported: [`${TAGS_CLAIM}/`] }]) {
      assert.throws(() => assertAdvertisesTags(document), assert.AssertionError);
    }
  });
});
