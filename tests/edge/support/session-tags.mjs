// The promise of this project, as two judgements that every suite may call.
import assert from "node:assert/strict";

export const TAGS_CLAIM = "https://aws.amazon.com/tags";
export const WALLET_TAG = "agentkeys_user_wallet";

/** Fails unless AWS STS would turn these claims into the session tag that isolates this wallet. */
export function assertIsolates(claims, wallet) {
  const tags = claims[TAGS_CLAIM];
  assert.ok(tags, `no claim ${TAGS_CLAIM}: STS would accept the token untagged, and no policy would isolate anybody`);
  assert.ok(tags.principal_tags, "no principal_tags");
  assert.deepEqual(tags.principal_tags[WALLET_TAG], [wallet], `the tag ${WALLET_TAG} is not exactly [the wallet]`);
  for (const [key, value] of Object.entries(tags.principal_tags)) {
    assert.ok(Array.isArray(value) && value.length === 1 && typeof value[0] === "string", `the tag ${key} is not an array of one text`);
  }
  assert.ok(tags.transitive_tag_keys?.includes(WALLET_TAG), `${WALLET_TAG} does not survive role chaining`);
  for (const key of tags.transitive_tag_keys) assert.ok(key in tags.principal_tags, `the transitive key ${key} has no tag`);
}

/** Fails unless discovery says that tokens carry session tags. */
export function assertAdvertisesTags(document) {
  assert.ok(document.claims_supported?.includes(TAGS_CLAIM), `claims_supported does not name ${TAGS_CLAIM}`);
}
