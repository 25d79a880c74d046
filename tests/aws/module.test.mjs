// The Terraform module with the real AWS provider, against a local stand-in for AWS (moto): format, validation, apply,
// an empty plan, destroy; what arrives is what the policies folder renders; and a grant that somebody leaves on the role
// is seen by the next plan and taken off by the next apply.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { OTHER, TAG, WALLET, identity } from './lib/iam.mjs';
import { judgeIsolation } from './lib/isolation.mjs';
import { noTools, startMoto } from './lib/moto.mjs';
import { ACCOUNT, DEFAULTS, renderWithTerraform, revocation } from './lib/render.mjs';
import { root, run, temporaryDirectory } from './lib/run.mjs';
import { installProvider, noTerraform, terraform, terraformEnvironment, varFile, workspace } from './lib/terraform.mjs';

const TIME = '2026-03-01T12:00:00Z';

// Both folders are initialised once; each test works in a copy.
const installation = mkdtempSync(join(tmpdir(), 'agentkeys-aws-'));
after(() => rmSync(installation, { recursive: true, force: true }));

async function install() {
  if (noTerraform) return { skip: noTerraform };
  const work = workspace(installation);
  for (const folder of ['', 'example']) {
    const skip = await installProvider(work, folder);
    if (skip) return { skip };
  }
  return { work, skip: false };
}
const installed = await install();

test('terraform fmt has nothing to change', { skip: noTerraform }, async (t) => {
  const env = terraformEnvironment(temporaryDirectory(t));
  const { code, stdout } = await run(terraform, ['fmt', '-check', '-diff', '-recursive', join(root, 'aws')], { env });
  assert.equal(code, 0, stdout);
});

for (const folder of ['', 'example']) {
  test(`terraform validate: aws/${folder}`, { skip: installed.skip }, async () => {
    const { code, stdout, stderr } = await installed.work.tf(folder, 'validate', '-json');
    assert.equal(code, 0, stdout + stderr);
    const { valid, diagnostics } = JSON.parse(stdout);
    assert.ok(valid);
    assert.deepEqual(diagnostics, [], 'no warning either');
  });
}

/** An AWS that a test has for itself: Terraform's commands on a folder with values, and what is stored there. */
async function deployment(t, folder, values) {
  const { environment, call } = await startMoto(t);
  const work = workspace(temporaryDirectory(t), environment, installed.work.dir);
  const tf = async (command, overrides, ...args) => {
    const file = varFile(work, { ...values, ...overrides });
    const result = await work.tf(folder, command, '-input=false', '-no-color', ...args, file);
    if (result.code === 1) throw new Error(`terraform ${command}\n${result.stdout}\n${result.stderr}`);
    return result;
  };
  const outputs = async () => JSON.parse((await work.tf(folder, 'output', '-json')).stdout);
  return {
    work,
    call,
    apply: (overrides) => tf('apply', overrides, '-auto-approve'),
    /** True where there is something to do. */
    changes: async (overrides) => (await tf('plan', overrides, '-detailed-exitcode')).code === 2,
    destroy: (overrides) => tf('destroy', overrides, '-auto-approve'),
    outputs: async () => Object.fromEntries(Object.entries(await outputs()).map(([name, { value }]) => [name, value])),
    role: async (name) => (await call('iam', 'get_role', { RoleName: name })).Role,
    bucketPolicy: async (name) => JSON.parse((await call('s3', 'get_bucket_policy', { Bucket: name })).Policy),
    provider: (url) =>
      call('iam', 'get_open_id_connect_provider', {
        OpenIDConnectProviderArn: `arn:aws:iam::${ACCOUNT}:oidc-provider/${url.slice('https://'.length)}`,
      }),
    /** What hangs on the role: names of inline policies, ARNs of managed ones. */
    carried: async (name) => ({
      inline: (await call('iam', 'list_role_policies', { RoleName: name })).PolicyNames,
      managed: (await call('iam', 'list_attached_role_policies', { RoleName: name })).AttachedPolicies.map((p) => p.PolicyArn),
    }),
    managedPolicy: async (name, policy) =>
      (await call('iam', 'create_policy', { PolicyName: name, PolicyDocument: JSON.stringify(policy) })).Policy.Arn,
  };
}

const allow = (Action) => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });
const skip = installed.skip || noTools;

test('the example: apply, an empty plan, destroy', { skip }, async (t) => {
  const { issuer, bucket, role } = DEFAULTS;
  const aws = await deployment(t, 'example', { issuer, bucket });
  await aws.apply();
  const rendered = await renderWithTerraform(temporaryDirectory(t));

  await t.test('the outputs are those that the tools read', async () => {
    const role_arn = 'arn:aws:iam::123456789012:role/agentkeys-wallet';
    assert.deepEqual(await aws.outputs(), { issuer, audience: 'sts.amazonaws.com', role_arn, bucket, region: 'us-east-1' });
  });

  await t.test('AWS has the policies that the policies folder renders', async () => {
    const { AssumeRolePolicyDocument, MaxSessionDuration } = await aws.role(role);
    assert.deepEqual(AssumeRolePolicyDocument, rendered.trust);
    assert.equal(MaxSessionDuration, 3600);
    assert.deepEqual(await aws.bucketPolicy(bucket), rendered.bucket);
  });

  await t.test('and they isolate', async () => {
    assert.equal((await judgeIsolation({ bucketPolicy: await aws.bucketPolicy(bucket) })).verdict, 'isolated');
  });

  await t.test('the provider is registered with the issuer and one audience', async () => {
    const { Url, ClientIDList } = await aws.provider(issuer);
    assert.equal(`https://${Url.replace(/^https:\/\//, '')}`, issuer);
    assert.deepEqual(ClientIDList, ['sts.amazonaws.com']);
  });

  await t.test('the role carries nothing', async () => {
    assert.deepEqual(await aws.carried(role), { inline: [], managed: [] });
  });

  await t.test('nothing of the bucket can be made public', async () => {
    const { PublicAccessBlockConfiguration } = await aws.call('s3', 'get_public_access_block', { Bucket: bucket });
    const block = { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true };
    assert.deepEqual(PublicAccessBlockConfiguration, block);
    const { OwnershipControls } = await aws.call('s3', 'get_bucket_ownership_controls', { Bucket: bucket });
    assert.deepEqual(OwnershipControls.Rules, [{ ObjectOwnership: 'BucketOwnerEnforced' }]);
  });

  await t.test('a second plan is empty', async () => assert.equal(await aws.changes(), false));

  await t.test('a broad grant left on the role: the plan shows it, the next apply takes it off', async () => {
    const PolicyDocument = JSON.stringify(allow('s3:*'));
    await aws.call('iam', 'put_role_policy', { RoleName: role, PolicyName: 'left-over', PolicyDocument });
    await aws.call('iam', 'attach_role_policy', { RoleName: role, PolicyArn: await aws.managedPolicy('left-over', allow('s3:*')) });

    const meanwhile = { bucketPolicy: await aws.bucketPolicy(bucket), identityPolicies: identity(allow('s3:*')) };
    assert.equal((await judgeIsolation(meanwhile)).verdict, 'isolated', 'the fence holds meanwhile');

    const { stdout } = await aws.apply();
    assert.match(stdout, /^Plan: 0 to add, 2 to change, 0 to destroy\.$/m);
    assert.match(stdout, /^ +- "left-over",$/m);
    assert.deepEqual(await aws.carried(role), { inline: [], managed: [] });
  });

  await t.test('destroy leaves nothing', async () => {
    await aws.destroy();
    assert.deepEqual((await aws.call('iam', 'list_roles')).Roles, []);
    assert.deepEqual((await aws.call('iam', 'list_open_id_connect_providers')).OpenIDConnectProviderList, []);
    assert.deepEqual((await aws.call('s3', 'list_buckets')).Buckets, []);
  });
});

test('the module with every variable set', { skip }, async (t) => {
  const options = { issuer: 'https://id.example.com/tenant/a', audience: 'api://wallets', bucket: 'wallets-2', role: 'wallet_1' };
  const kms = `arn:aws:iam::${ACCOUNT}:policy/kms`;
  const values = {
    issuer: options.issuer,
    audience: options.audience,
    other_audiences: ['sts.amazonaws.com'],
    thumbprints: ['AB'.repeat(20)],
    role_name: options.role,
    max_session_duration: 7200,
    subject_pattern: null,
    allow_source_identity: true,
    pin_role: true,
    additional_policy_arns: [kms],
    revoked_sessions: { [WALLET]: TIME, [OTHER]: TIME },
    bucket_name: options.bucket,
    object_actions: ['s3:PutObject', 's3:GetObject'],
    force_destroy: true,
    tags: { team: 'red' },
  };
  const aws = await deployment(t, '', values);
  assert.equal(await aws.managedPolicy('kms', allow('kms:Decrypt')), kms);
  await aws.apply();

  await t.test('AWS has the policies that the policies folder renders', async () => {
    const want = { ...options, subject: null, sourceIdentity: true, pinRole: true, objectActions: values.object_actions };
    const { trust, bucket } = await renderWithTerraform(temporaryDirectory(t), want);
    const { AssumeRolePolicyDocument, MaxSessionDuration, Tags } = await aws.role(options.role);
    assert.deepEqual(AssumeRolePolicyDocument, trust);
    assert.equal(MaxSessionDuration, 7200);
    assert.deepEqual(Tags, [{ Key: 'team', Value: 'red' }]);
    assert.deepEqual(await aws.bucketPolicy(options.bucket), bucket);
    const { trust_policy, bucket_policy } = await aws.outputs();
    assert.deepEqual([trust_policy, bucket_policy].map((text) => JSON.parse(text)), [trust, bucket]);
  });

  await t.test('both audiences and the thumbprint are registered', async () => {
    const { ClientIDList, ThumbprintList } = await aws.provider(options.issuer);
    assert.deepEqual(ClientIDList.toSorted(), ['api://wallets', 'sts.amazonaws.com']);
    assert.deepEqual(ThumbprintList, ['ab'.repeat(20)]);
  });

  await t.test('the role carries the revocations and the policy besides, and nothing else', async () => {
    assert.deepEqual(await aws.carried(options.role), { inline: ['agentkeys-revoked-sessions'], managed: [kms] });
    const name = { RoleName: options.role, PolicyName: 'agentkeys-revoked-sessions' };
    const { PolicyDocument } = await aws.call('iam', 'get_role_policy', name);
    const templates = [WALLET, OTHER].map((wallet) => revocation(wallet, TIME).Statement[0]);
    assert.deepEqual(PolicyDocument.Statement, templates.map(({ Sid, ...statement }) => (assert.ok(Sid), statement)));
  });

  await t.test('a second plan is empty', async () => assert.equal(await aws.changes(), false));

  await t.test('a revocation put by hand stays, once it is in revoked_sessions; those that are over come off', async () => {
    const PolicyDocument = JSON.stringify(revocation(OTHER, TIME));
    await aws.call('iam', 'put_role_policy', { RoleName: options.role, PolicyName: 'agentkeys-revoked-sessions', PolicyDocument });
    const revoked = { revoked_sessions: { [OTHER]: TIME } };
    await aws.apply(revoked);
    assert.deepEqual(await aws.carried(options.role), { inline: ['agentkeys-revoked-sessions'], managed: [kms] });
    const name = { RoleName: options.role, PolicyName: 'agentkeys-revoked-sessions' };
    const { Statement } = (await aws.call('iam', 'get_role_policy', name)).PolicyDocument;
    assert.deepEqual(Statement.map(({ Condition }) => Condition.StringEquals), [{ [`aws:PrincipalTag/${TAG}`]: OTHER }]);
    await aws.destroy(revoked);
    assert.deepEqual((await aws.call('iam', 'list_roles')).Roles, []);
  });
});

test('a provider and a bucket that are there already', { skip }, async (t) => {
  const { issuer, bucket, role } = DEFAULTS;
  const aws = await deployment(t, '', { issuer, bucket_name: bucket, create_oidc_provider: false, create_bucket: false });
  await aws.call('iam', 'create_open_id_connect_provider', { Url: issuer, ClientIDList: ['sts.amazonaws.com'] });
  await aws.call('s3', 'create_bucket', { Bucket: bucket });
  const rendered = await renderWithTerraform(temporaryDirectory(t));

  await aws.apply({ manage_bucket_policy: false });
  await assert.rejects(aws.bucketPolicy(bucket), /NoSuchBucketPolicy/, 'the policy is left to its owner');
  assert.deepEqual(JSON.parse((await aws.outputs()).bucket_policy), rendered.bucket, 'who finds it in the output');

  await aws.apply();
  assert.deepEqual(await aws.bucketPolicy(bucket), rendered.bucket);
  assert.deepEqual((await aws.role(role)).AssumeRolePolicyDocument, rendered.trust);

  await aws.destroy();
  assert.equal((await aws.call('s3', 'list_buckets')).Buckets.length, 1);
  assert.equal((await aws.call('iam', 'list_open_id_connect_providers')).OpenIDConnectProviderList.length, 1);
});

test("a wallet tag on the role, by way of the provider's default_tags, is refused", { skip }, async (t) => {
  const { issuer, bucket } = DEFAULTS;
  const aws = await deployment(t, 'example', { issuer, bucket });
  const main = join(aws.work.dir, 'example/main.tf');
  const before = readFileSync(main, 'utf8');
  const tagged = before.replace('region = var.region\n', `$&  default_tags {\n    tags = { Agentkeys_User_Wallet = "${WALLET}" }\n  }\n`);
  assert.notEqual(tagged, before);
  writeFileSync(main, tagged);
  await assert.rejects(aws.apply(), /must not be tagged agentkeys_user_wallet/);
});
