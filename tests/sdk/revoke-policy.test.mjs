// `aws revoke-policy`: what it prints, judged by an IAM evaluator that is not ours.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { OTHER, TAG, WALLET, askS3, identity } from '../aws/lib/iam.mjs';
import { renderWithScript, revocation } from '../aws/lib/render.mjs';
import { temporaryDirectory } from '../aws/lib/run.mjs';
import { runTool } from './lib/tool.mjs';

const TIME = '2026-03-01T12:00:00Z';
const unix = Date.parse(TIME) / 1000;

async function policy(...more) {
  const said = await runTool(['aws', 'revoke-policy', '--wallet', WALLET, ...more]);
  assert.equal(said.code, 0, said.stderr);
  return JSON.parse(said.stdout);
}

test('the statement ends the sessions of one wallet that were issued before the time', async (t) => {
  const { bucket } = await renderWithScript(temporaryDirectory(t));
  for (const [what, time] of [['RFC 3339', TIME], ['another zone', '2026-03-01T13:00:00+01:00'], ['Unix seconds', String(unix)]]) {
    await t.test(what, async () => {
      const printed = await policy('--before', time);
      assert.deepEqual(printed, revocation(WALLET, TIME), "the document of aws/policies");
      assert.deepEqual(await policy('--before', time, '--json'), printed);
      const identityPolicies = identity(printed);
      const reads = (wallet, issued) =>
        askS3({ action: 's3:GetObject', key: `${wallet}/note`, tags: { [TAG]: wallet }, context: { 'aws:TokenIssueTime': issued }, bucketPolicy: bucket, identityPolicies });
      assert.equal(await reads(WALLET, '2026-03-01T11:59:59Z'), 'ExplicitlyDenied');
      assert.equal(await reads(WALLET, TIME), 'Allowed');
      assert.equal(await reads(WALLET, '2026-03-01T12:00:01Z'), 'Allowed');
      assert.equal(await reads(OTHER, '2026-03-01T11:59:59Z'), 'Allowed');
    });
  }
});

test('without a time it is now, and + is ahead of now', async () => {
  const time = (printed) => Date.parse(printed.Statement[0].Condition.DateLessThan['aws:TokenIssueTime']);
  assert.ok(Math.abs(time(await policy()) - Date.now()) < 3_000);
  assert.ok(Math.abs(time(await policy('--before', '+15m')) - Date.now() - 900_000) < 3_000);
});

test('a wallet in any case is the one in the tag; anything else is refused', async () => {
  const upper = `0x${WALLET.slice(2).toUpperCase()}`;
  const said = await runTool(['aws', 'revoke-policy', '--wallet', upper, '--before', TIME]);
  assert.deepEqual(JSON.parse(said.stdout), revocation(WALLET, TIME));
  for (const [args, code] of [
    [['--wallet', 'agent'], 64],
    [['--wallet', `${WALLET}*`], 64],
    [['--wallet', WALLET, '--before', 'yesterday'], 64],
    [['--wallet', WALLET, '--before', '2026-03-01'], 64],
    [[], 2],
  ]) {
    const refused = await runTool(['aws', 'revoke-policy', ...args]);
    assert.deepEqual([refused.code, refused.stdout], [code, ''], args.join(' '));
    assert.ok(refused.stderr.length > 20);
  }
});
