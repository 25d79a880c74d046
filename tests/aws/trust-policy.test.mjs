// The trust policy, token by token: who gets a session at all. Judged by an IAM evaluator that is not ours.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { OTHER, TAG, WALLET, ask, askSts, identity, ROLE_ARN } from './lib/iam.mjs';
import { ACCOUNT } from './lib/render.mjs';
import { sources } from './lib/sources.mjs';

const PROVIDER = `arn:aws:iam::${ACCOUNT}:oidc-provider/broker.example.com`;

/** What STS makes of a token that the broker minted, with no more than every token has. */
const TOKEN = {
  provider: PROVIDER,
  aud: 'sts.amazonaws.com',
  sub: `agentkeys:agent:${WALLET}`,
  tags: { [TAG]: WALLET },
  transitive: [TAG],
};

const cases = (options, rows) => ({ options, rows });
const ok = (name, token) => ({ name, token: { ...TOKEN, ...token }, expect: true });
const no = (name, token) => ({ name, token: { ...TOKEN, ...token }, expect: false });

const TABLE = {
  'as it comes': cases({}, [
    ok('a token of the broker'),
    ok('with a tag of its own besides', { tags: { [TAG]: WALLET, team: 'red' } }),
    ok('with the omni besides', { tags: { [TAG]: WALLET, agentkeys_actor_omni: 'a'.repeat(64) }, transitive: [TAG, 'agentkeys_actor_omni'] }),
    ok('with tags that are not transitive', { transitive: [] }),
    ok('that names this role', { roleAuthorized: true }),
    no('without tags', { tags: {}, transitive: [] }),
    no('with other tags only', { tags: { team: 'red' }, transitive: [] }),
    no('with an empty wallet', { tags: { [TAG]: '' } }),
    no('with * for a wallet', { tags: { [TAG]: '*' } }),
    no('with a wallet that is too short', { tags: { [TAG]: WALLET.slice(0, -1) } }),
    no('with a wallet that is too long', { tags: { [TAG]: `${WALLET}0` } }),
    no('with a wallet and a slash', { tags: { [TAG]: `${WALLET}/` } }),
    no('with a wallet that has no 0x', { tags: { [TAG]: WALLET.slice(2) } }),
    no('for another audience', { aud: 'vault' }),
    no('whose audience is in other case', { aud: 'STS.amazonaws.com' }),
    no('without an audience', { aud: undefined }),
    no('of another kind of subject', { sub: `agentkeys:user:${WALLET}` }),
    no('without a subject', { sub: undefined }),
    no('of another issuer', { provider: `arn:aws:iam::${ACCOUNT}:oidc-provider/issuer.example.net` }),
    no('of an issuer with a path below ours', { provider: `${PROVIDER}/tenant` }),
    no("of another account's provider", { provider: PROVIDER.replace(ACCOUNT, '999999999999') }),
    no('with a source identity', { sourceIdentity: 'alice' }),
  ]),
  'subject not looked at': cases({ subject: null }, [
    ok('a token of the broker'),
    ok('without a subject', { sub: undefined }),
    ok('of another kind of subject', { sub: `agentkeys:user:${WALLET}` }),
    no('without tags', { tags: {}, transitive: [] }),
    no('for another audience', { aud: 'vault' }),
  ]),
  'one wallet only': cases({ subject: `agentkeys:agent:${WALLET}` }, [
    ok('of that wallet'),
    no('of another wallet', { sub: `agentkeys:agent:${OTHER}`, tags: { [TAG]: OTHER } }),
  ]),
  'source identity allowed': cases({ sourceIdentity: true }, [
    ok('with a source identity', { sourceIdentity: 'alice' }),
    ok('without one'),
    no('with one, but without tags', { sourceIdentity: 'alice', tags: {}, transitive: [] }),
    no('with one, for another audience', { sourceIdentity: 'alice', aud: 'vault' }),
  ]),
  'role pinned by the token': cases({ pinRole: true }, [
    ok('that names this role', { roleAuthorized: true }),
    no('that names no role', { roleAuthorized: false }),
    no('that names this role, but has no tags', { roleAuthorized: true, tags: {}, transitive: [] }),
    no('that names this role, for another audience', { roleAuthorized: true, aud: 'vault' }),
  ]),
  'role pinned and source identity': cases({ pinRole: true, sourceIdentity: true }, [
    ok('with both', { roleAuthorized: true, sourceIdentity: 'alice' }),
    no('with the source identity only', { sourceIdentity: 'alice' }),
  ]),
  'issuer with a path': cases({ issuer: 'https://id.example.com/tenant/a' }, [
    ok('of that issuer', { provider: `arn:aws:iam::${ACCOUNT}:oidc-provider/id.example.com/tenant/a` }),
    no('of the host alone', { provider: `arn:aws:iam::${ACCOUNT}:oidc-provider/id.example.com` }),
    no('of another path', { provider: `arn:aws:iam::${ACCOUNT}:oidc-provider/id.example.com/tenant/b` }),
  ]),
  'another audience': cases({ audience: 'api://wallets' }, [
    ok('for that audience', { aud: 'api://wallets' }),
    no('for the default one'),
  ]),
};

for (const { name: source, skip, render } of sources) {
  for (const [variant, { options, rows }] of Object.entries(TABLE)) {
    test(`trust policy ${source}: ${variant}`, { skip }, async (t) => {
      const { trust } = await render(t, options);
      for (const { name, token, expect } of rows) {
        await t.test(`a token ${name.replace(/^a token /, '')}`, async () => assert.equal(await askSts(trust, token), expect));
      }
    });
  }

  test(`trust policy ${source}: nobody else assumes the role`, { skip }, async (t) => {
    const { trust } = await render(t);
    const everything = identity({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });
    for (const principal of [`arn:aws:iam::${ACCOUNT}:user/admin`, `arn:aws:sts::${ACCOUNT}:assumed-role/other/session`]) {
      const request = { action: 'sts:AssumeRole', resource: ROLE_ARN, principal, identityPolicies: everything, resourcePolicy: trust };
      assert.notEqual(await ask(request), 'Allowed', principal);
    }
  });
}

// The table itself is tested: without a line of the policy, at least one row has to turn.
const MUTATIONS = {
  'no audience': ({ gate, carry }) => [gate, carry].forEach(({ Condition }) => delete Condition.StringEquals),
  'no subject': ({ gate, host }) => delete gate.Condition.StringLike[`${host}:sub`],
  'no wallet pattern': ({ gate }) => delete gate.Condition.StringLike[`aws:RequestTag/${TAG}`],
  'no TagSession': ({ carry }) => (carry.Action = ['sts:SetSourceIdentity']),
  'SetSourceIdentity left in': ({ carry }) => carry.Action.push('sts:SetSourceIdentity'),
  'no tag asked for': ({ gate }) => ['Null', 'StringLike'].forEach((operator) => delete gate.Condition[operator]),
  'presence by StringNotEquals': ({ gate }) => {
    // The mistake the rules warn of: a negated operator is true where the key is missing.
    delete gate.Condition.Null;
    delete gate.Condition.StringLike[`aws:RequestTag/${TAG}`];
    gate.Condition.StringNotEquals = { [`aws:RequestTag/${TAG}`]: '' };
  },
};

for (const [name, mutate] of Object.entries(MUTATIONS)) {
  test(`the table notices: ${name}`, async (t) => {
    const { trust } = await sources[1].render(t);
    const [gate, carry] = trust.Statement;
    mutate({ gate, carry, host: 'broker.example.com' });
    for (const { token, expect } of TABLE['as it comes'].rows) if ((await askSts(trust, token)) !== expect) return;
    assert.fail('no row turned');
  });
}

test('the pattern alone would do, and so would Null: each stands in for the other', async (t) => {
  const untagged = { ...TOKEN, tags: {}, transitive: [] };
  for (const operator of ['Null', 'StringLike']) {
    const { trust } = await sources[1].render(t, { subject: null });
    delete trust.Statement[0].Condition[operator];
    assert.equal(await askSts(trust, untagged), false, operator);
    assert.equal(await askSts(trust, TOKEN), true, operator);
  }
  const { trust } = await sources[1].render(t, { subject: null });
  delete trust.Statement[0].Condition.Null;
  delete trust.Statement[0].Condition.StringLike;
  assert.equal(await askSts(trust, untagged), true, 'without both, the founding bug is back');
});
