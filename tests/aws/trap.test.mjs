// The trap: a broad grant left on the role, or added to the bucket, turns isolation off without a sound. Where the
// grants stand alone it is detected; behind the fence it opens nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BUCKET_ARN, OTHER, ROLE_ARN, TAG, WALLET, identity } from './lib/iam.mjs';
import { judgeIsolation, withoutFence } from './lib/isolation.mjs';
import { sources } from './lib/sources.mjs';

const allow = (Action, Resource, more = {}) => ({ Effect: 'Allow', Action, Resource, ...more });
const policy = (...Statement) => ({ Version: '2012-10-17', Statement });

const ON_THE_ROLE = {
  'everything (AdministratorAccess)': policy(allow('*', '*')),
  'all of S3 (AmazonS3FullAccess)': policy(allow(['s3:*', 's3-object-lambda:*'], '*')),
  'reading S3 (AmazonS3ReadOnlyAccess)': policy(allow(['s3:Get*', 's3:List*', 's3:Describe*'], '*')),
  'all objects of the bucket': policy(allow('s3:*', `${BUCKET_ARN}/*`)),
  'reading all wallets': policy(allow('s3:GetObject', `${BUCKET_ARN}/0x*`)),
  'writing all wallets': policy(allow('s3:PutObject', `${BUCKET_ARN}/*`)),
  'listing the bucket': policy(allow('s3:ListBucket', BUCKET_ARN)),
  'everything but one wallet': policy({ Effect: 'Allow', Action: 's3:*', NotResource: `${BUCKET_ARN}/0x00*` }),
  'one other wallet': policy(allow('s3:DeleteObject', `${BUCKET_ARN}/${OTHER}/*`)),
  'own prefix with a tag that nobody checks': policy(
    allow('s3:GetObject', `${BUCKET_ARN}/\${aws:PrincipalTag/${TAG}}*`),
    allow('s3:ListBucket', BUCKET_ARN, { Condition: { StringNotEquals: { [`aws:PrincipalTag/${TAG}`]: '' } } }),
  ),
};

const IN_THE_BUCKET_POLICY = {
  'all objects for the role': allow('s3:GetObject', `${BUCKET_ARN}/*`, { Principal: { AWS: ROLE_ARN } }),
  'the list for the role': allow('s3:ListBucket', BUCKET_ARN, { Principal: { AWS: ROLE_ARN } }),
  'all objects for everybody': allow('s3:GetObject', `${BUCKET_ARN}/*`, { Principal: '*' }),
};

for (const { name: source, skip, render } of sources) {
  test(`the trap, policies ${source}`, { skip }, async (t) => {
    const { bucket } = await render(t);

    await t.test('nothing left over: isolated, with the fence and without', async () => {
      assert.deepEqual(await judgeIsolation({ bucketPolicy: bucket }), { verdict: 'isolated', leaks: [] });
      assert.deepEqual(await judgeIsolation({ bucketPolicy: withoutFence(bucket) }), { verdict: 'isolated', leaks: [] });
    });

    for (const [name, grant] of Object.entries(ON_THE_ROLE)) {
      await t.test(`on the role: ${name}`, async () => {
        const identityPolicies = identity(grant);
        const bare = await judgeIsolation({ bucketPolicy: withoutFence(bucket), identityPolicies });
        assert.equal(bare.verdict, 'isolation off', 'without the fence it is detected');
        assert.notDeepEqual(bare.leaks, []);
        assert.equal((await judgeIsolation({ bucketPolicy: bucket, identityPolicies })).verdict, 'isolated', 'behind the fence');
      });
    }

    for (const [name, statement] of Object.entries(IN_THE_BUCKET_POLICY)) {
      await t.test(`in the bucket policy: ${name}`, async () => {
        const added = (base) => ({ ...base, Statement: [...base.Statement, statement] });
        assert.equal((await judgeIsolation({ bucketPolicy: added(withoutFence(bucket)) })).verdict, 'isolation off');
        assert.equal((await judgeIsolation({ bucketPolicy: added(bucket) })).verdict, 'isolated');
      });
    }

    await t.test('a grant that is not S3 is no leak', async () => {
      const identityPolicies = identity(policy(allow('kms:Decrypt', '*')));
      assert.equal((await judgeIsolation({ bucketPolicy: withoutFence(bucket), identityPolicies })).verdict, 'isolated');
    });

    await t.test('where nothing is granted, nothing is proven', async () => {
      const fenceOnly = { ...bucket, Statement: bucket.Statement.filter(({ Effect }) => Effect === 'Deny') };
      assert.equal((await judgeIsolation({ bucketPolicy: fenceOnly })).verdict, 'not working');
      assert.equal((await judgeIsolation({ bucketPolicy: undefined })).verdict, 'not working');
    });

    await t.test('a prefix without its variable is a leak', async () => {
      const text = JSON.stringify(withoutFence(bucket)).replaceAll(`\${aws:PrincipalTag/${TAG}}`, '0x*');
      assert.equal((await judgeIsolation({ bucketPolicy: JSON.parse(text) })).verdict, 'isolation off');
    });
  });
}

test('the two wallets of the proof differ', () => assert.notEqual(WALLET, OTHER));
