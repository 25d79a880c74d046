// Ending AWS sessions that are out already: a denial by wallet and time of issue, on the role.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { OTHER, TAG, WALLET, ask, askS3, identity } from './lib/iam.mjs';
import { renderWithScript, renderWithTerraform, revocation } from './lib/render.mjs';
import { temporaryDirectory } from './lib/run.mjs';
import { noTerraform } from './lib/terraform.mjs';

const TIME = '2026-03-01T12:00:00Z';
const BEFORE = '2026-03-01T11:59:59Z';
const AFTER = '2026-03-01T12:00:01Z';

const SOURCES = {
  'the template filled in': { skip: false, render: () => revocation(WALLET, TIME) },
  "Terraform's revoked_sessions": {
    skip: noTerraform,
    render: async (t) => (await renderWithTerraform(temporaryDirectory(t), { revoked: { [WALLET]: TIME } })).revoked,
  },
};

for (const [source, { skip, render }] of Object.entries(SOURCES)) {
  test(`revocation: ${source}`, { skip }, async (t) => {
    const { bucket } = await renderWithScript(temporaryDirectory(t));
    const identityPolicies = identity(await render(t));

    const reads = (wallet, issued, tags = { [TAG]: wallet }) =>
      askS3({
        action: 's3:GetObject',
        key: `${wallet}/note`,
        tags,
        context: issued ? { 'aws:TokenIssueTime': issued } : {},
        bucketPolicy: bucket,
        identityPolicies,
      });

    await t.test('a session issued before the time is denied', async () => {
      assert.equal(await reads(WALLET, BEFORE), 'ExplicitlyDenied');
      assert.equal(await reads(WALLET, '2025-01-01T00:00:00Z'), 'ExplicitlyDenied');
    });
    await t.test('a session issued at the time or after it is not', async () => {
      assert.equal(await reads(WALLET, TIME), 'Allowed');
      assert.equal(await reads(WALLET, AFTER), 'Allowed');
    });
    await t.test("another wallet's session is not, whenever it was issued", async () => {
      assert.equal(await reads(OTHER, BEFORE), 'Allowed');
      assert.equal(await reads(OTHER, AFTER), 'Allowed');
    });
    await t.test('a second tag neither revokes nor saves', async () => {
      assert.equal(await reads(WALLET, BEFORE, { [TAG]: WALLET, team: OTHER }), 'ExplicitlyDenied');
      assert.equal(await reads(OTHER, BEFORE, { [TAG]: OTHER, team: WALLET }), 'Allowed');
    });
    await t.test('it ends the session for every service', async () => {
      const granted = identity({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });
      const decrypt = (issued) =>
        ask({
          action: 'dynamodb:GetItem',
          resource: 'arn:aws:dynamodb:us-east-1:123456789012:table/t',
          context: { [`aws:PrincipalTag/${TAG}`]: WALLET, 'aws:TokenIssueTime': issued },
          identityPolicies: [...identityPolicies.map((p) => ({ ...p, name: 'revocation' })), ...granted],
        });
      assert.equal(await decrypt(BEFORE), 'ExplicitlyDenied');
      assert.equal(await decrypt(AFTER), 'Allowed');
    });
    await t.test('it denies only, it grants nothing', async () => {
      const without = await askS3({ action: 's3:GetObject', key: `${WALLET}/note`, identityPolicies });
      assert.equal(without, 'ImplicitlyDenied');
    });
  });
}

test('two revocations stand side by side', { skip: noTerraform }, async (t) => {
  const { revoked } = await renderWithTerraform(temporaryDirectory(t), { revoked: { [WALLET]: TIME, [OTHER]: BEFORE } });
  assert.equal(revoked.Statement.length, 2);
  assert.deepEqual(
    revoked.Statement.map((statement) => ({ Version: '2012-10-17', Statement: [{ Sid: 'RevokeSessionsIssuedBefore', ...statement }] })),
    [revocation(WALLET, TIME), revocation(OTHER, BEFORE)],
  );
});

test('nothing revoked, no policy', { skip: noTerraform }, async (t) => {
  assert.equal((await renderWithTerraform(temporaryDirectory(t))).revoked, null);
});
