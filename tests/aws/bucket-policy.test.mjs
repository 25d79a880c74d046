// The bucket policy, request by request, judged by an IAM evaluator that is not ours. Each row is asked three times:
//
// - of the policy as it is: `expect`;
// - of its grants alone, without the fence: the same answer, since the grants have to be right by themselves;
// - with a grant of everything left on the role: only `evenThen` requests may open, and none of them is another's.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BUCKET_ARN, OTHER, ROLE_ARN, SESSION, TAG, WALLET, anonymousPrincipal, askS3, identity } from './lib/iam.mjs';
import { withoutFence } from './lib/isolation.mjs';
import { ACCOUNT, OBJECT_ACTIONS } from './lib/render.mjs';
import { sources } from './lib/sources.mjs';

const EVERYTHING = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
const CHAINED = `arn:aws:sts::${ACCOUNT}:assumed-role/other/chained`;
const list = (prefix, more = {}) => ({ action: 's3:ListBucket', context: { 's3:prefix': prefix, ...more } });
const get = (key) => ({ action: 's3:GetObject', key });
const as = (tags, request) => ({ ...request, tags });

const allowed = (name, request) => ({ name, request, expect: true, evenThen: true });
const denied = (name, request) => ({ name, request, expect: false, evenThen: false });
/** Not granted, but no business of another wallet's either: the fence leaves it to the role's own policies. */
const notGranted = (name, request) => ({ name, request, expect: false, evenThen: true });

const ROWS = [
  // What a wallet is for.
  ...OBJECT_ACTIONS.map((action) => allowed(`${action} on an own object`, { action, key: `${WALLET}/notes/1` })),
  allowed('an own object at the top of the prefix', get(`${WALLET}/n`)),
  allowed('the own folder marker', get(`${WALLET}/`)),
  allowed('an own object whose name is odd', get(`${WALLET}/a b+ü=%2F/..%2f//x`)),
  allowed('list the own prefix', list(`${WALLET}/`)),
  allowed('list the own prefix by folder', list(`${WALLET}/`, { 's3:delimiter': '/' })),
  allowed('list a folder of the own prefix', list(`${WALLET}/notes/`, { 's3:delimiter': '/' })),
  allowed('list by the start of an own name', list(`${WALLET}/no`)),

  // Another wallet's objects.
  ...OBJECT_ACTIONS.map((action) => denied(`${action} on another wallet's object`, { action, key: `${OTHER}/notes/1` })),
  denied("the source of a copy from another wallet's object", get(`${OTHER}/from`)),
  denied("a version of another wallet's object", { action: 's3:GetObjectVersion', key: `${OTHER}/notes/1` }),
  denied("the ACL of another wallet's object", { action: 's3:PutObjectAcl', key: `${OTHER}/notes/1` }),
  denied("the tags of another wallet's object", { action: 's3:PutObjectTagging', key: `${OTHER}/notes/1` }),
  denied("list another wallet's prefix", list(`${OTHER}/`)),
  denied("list another wallet's prefix by folder", list(`${OTHER}/`, { 's3:delimiter': '/' })),
  denied("list versions under another wallet's prefix", { action: 's3:ListBucketVersions', context: { 's3:prefix': `${OTHER}/` } }),

  // The bucket itself.
  denied('an object at the root', get('readme')),
  denied('write an object at the root', { action: 's3:PutObject', key: 'readme' }),
  denied('an object named as the wallet', get(WALLET)),
  denied('list the whole bucket', { action: 's3:ListBucket' }),
  denied('list with an empty prefix', list('')),
  denied('list the wallets by folder', list('', { 's3:delimiter': '/' })),
  denied('list by what all wallets start with', list('0x')),
  denied('list the own prefix without its slash', list(WALLET)),
  denied('list a prefix that begins with a slash', list(`/${WALLET}/`)),
  denied('list uploads in progress', { action: 's3:ListBucketMultipartUploads' }),
  denied('list all versions', { action: 's3:ListBucketVersions' }),
  denied('read the bucket policy', { action: 's3:GetBucketPolicy' }),
  denied('replace the bucket policy', { action: 's3:PutBucketPolicy' }),
  denied('delete the bucket policy', { action: 's3:DeleteBucketPolicy' }),
  denied('turn versioning off', { action: 's3:PutBucketVersioning' }),
  denied('set a lifecycle rule', { action: 's3:PutLifecycleConfiguration' }),
  denied('delete the bucket', { action: 's3:DeleteBucket' }),

  // Names that almost are the own prefix. S3 keys are not paths: `..` is two dots, and the key below is an own object.
  // A client that resolves the dots before it signs asks for another key, and that is the row after it.
  allowed('dots inside the own prefix are part of the name', get(`${WALLET}/../${OTHER}/notes/1`)),
  denied("dots that lead into the own prefix from another's", get(`${OTHER}/../${WALLET}/notes/1`)),
  denied('dots at the front', get(`../${WALLET}/notes/1`)),
  denied('list through dots', list(`../${WALLET}/`)),
  denied('a longer wallet that begins with the own one', get(`${WALLET}0/notes/1`)),
  denied('the own wallet with more text before the slash', get(`${WALLET}-old/notes/1`)),
  denied('a shorter wallet, the start of the own one', get(`${WALLET.slice(0, -1)}/notes/1`)),
  denied('list a longer wallet that begins with the own one', list(`${WALLET}0/`)),
  denied('the own wallet as a folder of something else', get(`backup/${WALLET}/notes/1`)),
  denied('the own wallet after a slash', get(`/${WALLET}/notes/1`)),
  denied('the own wallet in upper case', get(`0x${WALLET.slice(2).toUpperCase()}/notes/1`)),
  denied('the own wallet with 0X', get(`0X${WALLET.slice(2)}/notes/1`)),
  denied('the own wallet without 0x', get(`${WALLET.slice(2)}/notes/1`)),
  denied('list the own wallet in upper case', list(`0x${WALLET.slice(2).toUpperCase()}/`)),
  denied('the policy variable by its name', get(`\${aws:PrincipalTag/${TAG}}/notes/1`)),

  // Out of scope on own objects.
  notGranted('an own ACL', { action: 's3:PutObjectAcl', key: `${WALLET}/notes/1` }),
  notGranted('own tags', { action: 's3:PutObjectTagging', key: `${WALLET}/notes/1` }),
  notGranted('an own old version', { action: 's3:GetObjectVersion', key: `${WALLET}/notes/1` }),
  notGranted('delete an own old version', { action: 's3:DeleteObjectVersion', key: `${WALLET}/notes/1` }),
  notGranted('list own versions', { action: 's3:ListBucketVersions', context: { 's3:prefix': `${WALLET}/` } }),

  // Sessions whose tag is not what it should be.
  denied('untagged: own-looking object', as({}, get(`${WALLET}/notes/1`))),
  denied('untagged: an object at the root', as({}, get('readme'))),
  denied('untagged: an object below an empty name', as({}, get('/notes/1'))),
  denied('untagged: list the bucket', as({}, { action: 's3:ListBucket' })),
  denied('untagged: list below an empty name', as({}, list('/'))),
  denied('empty tag: an object below an empty name', as({ [TAG]: '' }, get('/notes/1'))),
  denied('empty tag: list below an empty name', as({ [TAG]: '' }, list('/'))),
  denied('empty tag: any wallet', as({ [TAG]: '' }, get(`${WALLET}/notes/1`))),
  denied('tag *: any wallet', as({ [TAG]: '*' }, get(`${OTHER}/notes/1`))),
  denied('tag *: list any wallet', as({ [TAG]: '*' }, list(`${OTHER}/`))),
  denied('tag 0x*: any wallet', as({ [TAG]: '0x*' }, get(`${OTHER}/notes/1`))),
  denied('tag of 40 ?: any wallet', as({ [TAG]: `0x${'?'.repeat(40)}` }, get(`${OTHER}/notes/1`))),
  denied('tag that names a variable: any wallet', as({ [TAG]: '${s3:prefix}' }, list(`${OTHER}/`))),
  denied('another tag that names a wallet', as({ agentkeys_actor_omni: WALLET }, get(`${WALLET}/notes/1`))),
  allowed('a second tag changes nothing for own objects', as({ [TAG]: WALLET, team: OTHER }, get(`${WALLET}/notes/1`))),
  denied("a second tag opens nothing of another's", as({ [TAG]: WALLET, team: OTHER }, get(`${OTHER}/notes/1`))),

  // Other principals.
  // A role that the session chains into: it is not granted anything here, and the transitive tag keeps it fenced in.
  notGranted('chained into another role, own object', { ...get(`${WALLET}/notes/1`), principal: CHAINED }),
  notGranted('chained into another role, list the own prefix', { ...list(`${WALLET}/`), principal: CHAINED }),
  denied("chained into another role, another's object", { ...get(`${OTHER}/notes/1`), principal: CHAINED }),
  denied("chained into another role, list another's prefix", { ...list(`${OTHER}/`), principal: CHAINED }),
  denied('chained into another role, list the bucket', { action: 's3:ListBucket', principal: CHAINED }),
  denied('a role of the same name in another account', { ...get(`${WALLET}/notes/1`), principal: SESSION.replace(ACCOUNT, '999999999999') }),
];

const open = async (request, policies) => (await askS3({ ...request, ...policies })) === 'Allowed';

/** What is wrong with a row's answers, or an empty list. */
async function mistakes({ request, expect, evenThen }, bucketPolicy) {
  const answers = {
    'as it is': [expect, await open(request, { bucketPolicy })],
    'without the fence': [expect, await open(request, { bucketPolicy: withoutFence(bucketPolicy) })],
    // In another account a grant of everything still needs the bucket's own consent.
    'with a grant of everything on the role': [
      evenThen && (request.principal ?? SESSION).includes(ACCOUNT),
      await open(request, { bucketPolicy, identityPolicies: identity(EVERYTHING) }),
    ],
  };
  return Object.entries(answers)
    .filter(([, [wanted, got]]) => wanted !== got)
    .map(([when, [wanted]]) => `${when}: should be ${wanted ? 'allowed' : 'denied'}`);
}

for (const { name: source, skip, render } of sources) {
  test(`bucket policy ${source}`, { skip }, async (t) => {
    const { bucket } = await render(t);
    assert.ok(ROWS.length >= 40);

    for (const row of ROWS) {
      await t.test(row.name, async () => assert.deepEqual(await mistakes(row, bucket), []));
    }

    await t.test('the public gets nothing', async () => {
      for (const request of [get(`${WALLET}/notes/1`), { action: 's3:ListBucket' }]) {
        assert.equal(await open({ ...request, principal: anonymousPrincipal, tags: {} }, { bucketPolicy: bucket }), false);
      }
    });

    await t.test("the fence does not stand in an administrator's way", async () => {
      const principal = `arn:aws:iam::${ACCOUNT}:user/admin`;
      for (const request of [get(`${WALLET}/notes/1`), { action: 's3:DeleteBucketPolicy' }]) {
        const policies = { bucketPolicy: bucket, identityPolicies: identity(EVERYTHING) };
        assert.equal(await open({ ...request, principal, tags: {} }, policies), true);
      }
    });

    await t.test('other buckets are none of its business', async () => {
      const request = { ...get(`${WALLET}/notes/1`), bucket: 'arn:aws:s3:::another-bucket' };
      assert.equal(await open(request, {}), false);
    });

    await t.test('it names the role and the bucket, and no placeholder is left', () => {
      const text = JSON.stringify(bucket);
      assert.ok(text.includes(ROLE_ARN) && text.includes(BUCKET_ARN));
      assert.doesNotMatch(text, /@[A-Z_]+@/);
    });
  });
}

// The table itself is tested: a policy that is wrong in one place has to turn at least one row.
const MUTATIONS = {
  'objects of everybody': (own) => (own.OwnObjects.Resource = `${BUCKET_ARN}/*`),
  'objects without the slash': (own) => (own.OwnObjects.Resource = own.OwnObjects.Resource.replace('/*', '*')),
  'every action on objects': (own) => (own.OwnObjects.Action = ['s3:*']),
  'one action too few': (own) => own.OwnObjects.Action.pop(),
  'objects for every principal': (own) => (own.OwnObjects.Principal = '*'),
  'list for every principal': (own) => (own.OwnList.Principal = '*'),
  'list without a prefix': (own) => delete own.OwnList.Condition.StringLike,
  'list without the slash': (own) => (own.OwnList.Condition.StringLike['s3:prefix'] = `\${aws:PrincipalTag/${TAG}}*`),
  'list of exactly the prefix': (own) => (own.OwnList.Condition.StringLike['s3:prefix'] = `\${aws:PrincipalTag/${TAG}}/`),
  'list and uploads': (own) => own.OwnList.Action.push('s3:ListBucketVersions'),
  'no fence around objects': (own) => (own.FenceObjects.Action = ['s3:GetBucketAcl']),
  'no fence around the bucket': (own) => (own.FenceBucket.Action = ['s3:GetBucketAcl']),
  'no fence against sessions without a wallet': (own) => (own.FenceNoWallet.Action = ['s3:GetBucketAcl']),
  'a fence around the role only': (own) => (own.FenceObjects.Principal = own.OwnObjects.Principal),
  'a fence that shuts the own prefix out': (own) => own.FenceObjects.NotResource.pop(),
};

for (const [name, mutate] of Object.entries(MUTATIONS)) {
  test(`the table notices: ${name}`, async (t) => {
    const { bucket } = await sources[1].render(t);
    mutate(Object.fromEntries(bucket.Statement.map((statement) => [statement.Sid, statement])));
    for (const row of ROWS) if ((await mistakes(row, bucket)).length > 0) return;
    assert.fail('no row turned');
  });
}

test('a statement that names the tag also asks that the session has it', async (t) => {
  // AWS leaves open what becomes of a variable that has no value, and the evaluator cannot show it; the condition can.
  const { bucket } = await sources[1].render(t);
  const using = bucket.Statement.filter((statement) => JSON.stringify(statement).includes('${aws:PrincipalTag/'));
  assert.equal(using.length, 4);
  for (const { Sid, Condition } of using) assert.equal(Condition.Null?.[`aws:PrincipalTag/${TAG}`], 'false', Sid);
});

test('object_actions narrows what a wallet may do', { skip: sources[0].skip }, async (t) => {
  const { bucket } = await sources[0].render(t, { objectActions: ['s3:GetObject'] });
  assert.equal(await open(get(`${WALLET}/notes/1`), { bucketPolicy: bucket }), true);
  for (const action of OBJECT_ACTIONS.filter((name) => name !== 's3:GetObject')) {
    assert.equal(await open({ action, key: `${WALLET}/notes/1` }, { bucketPolicy: bucket }), false, action);
  }
  assert.equal(await open(list(`${WALLET}/`), { bucketPolicy: bucket }), true);
});
