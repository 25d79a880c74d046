// The README's own text: its commands for the AWS CLI are run as they stand, against a local stand-in for AWS, and leave
// what Terraform leaves; its Terraform block is validated.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { WALLET } from './lib/iam.mjs';
import { awsCli, noTools, startMoto } from './lib/moto.mjs';
import { DEFAULTS, renderWithScript, renderWithTerraform, revocation } from './lib/render.mjs';
import { root, run, temporaryDirectory } from './lib/run.mjs';
import { installProvider, noTerraform, terraform, workspace } from './lib/terraform.mjs';

const readme = readFileSync(join(root, 'aws/README.md'), 'utf8');

/** The code blocks of a language in the section under `heading`. */
function blocks(heading, language) {
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  assert.ok(section, `no section "${heading}"`);
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code);
}

test('the commands for the AWS CLI', { skip: noTools }, async (t) => {
  const { environment, call } = await startMoto(t);
  const { issuer, bucket, role } = DEFAULTS;
  const { dir } = workspace(temporaryDirectory(t));
  const cwd = dirname(dir);
  const env = {
    ...process.env,
    ...environment,
    PATH: `${dirname(awsCli)}:${process.env.PATH}`,
    AWS_CONFIG_FILE: join(cwd, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: join(cwd, 'none'),
    ISSUER: issuer,
    ACCOUNT: '123456789012',
    BUCKET: bucket,
  };
  const sh = (script) => run('sh', ['-eu'], { input: script, cwd, env, check: true });

  const [setUp, look] = blocks('With the AWS CLI', 'sh');
  await sh(setUp);

  const { trust, bucket: bucketPolicy } = noTerraform
    ? await renderWithScript(temporaryDirectory(t))
    : await renderWithTerraform(temporaryDirectory(t));

  await t.test('leave the role, the provider and the bucket that Terraform leaves', async () => {
    const { Role } = await call('iam', 'get_role', { RoleName: role });
    assert.deepEqual(Role.AssumeRolePolicyDocument, trust);
    assert.equal(Role.MaxSessionDuration, 3600);
    assert.deepEqual(JSON.parse((await call('s3', 'get_bucket_policy', { Bucket: bucket })).Policy), bucketPolicy);
    const { OpenIDConnectProviderList: providers } = await call('iam', 'list_open_id_connect_providers');
    assert.deepEqual(providers, [{ Arn: 'arn:aws:iam::123456789012:oidc-provider/broker.example.com' }]);
    const { PublicAccessBlockConfiguration: block } = await call('s3', 'get_public_access_block', { Bucket: bucket });
    assert.deepEqual(Object.values(block), [true, true, true, true]);
    const { OwnershipControls } = await call('s3', 'get_bucket_ownership_controls', { Bucket: bucket });
    assert.deepEqual(OwnershipControls.Rules, [{ ObjectOwnership: 'BucketOwnerEnforced' }]);
  });

  await t.test('show that the role carries nothing', async () => {
    const { stdout } = await sh(look);
    assert.match(stdout, /"PolicyNames": \[\]/);
    assert.match(stdout, /"AttachedPolicies": \[\]/);
  });

  await t.test('end sessions', async () => {
    const policy = revocation(WALLET, '2026-03-01T12:00:00Z');
    writeFileSync(join(cwd, 'revoke-session.json'), JSON.stringify(policy));
    const [revoke] = blocks('Ending AWS sessions', 'sh');
    await sh(revoke);
    const { PolicyDocument } = await call('iam', 'get_role_policy', { RoleName: role, PolicyName: 'agentkeys-revoked-sessions' });
    assert.deepEqual(PolicyDocument, policy);
  });
});

test('the Terraform block is valid', { skip: noTerraform }, async (t) => {
  const work = workspace(temporaryDirectory(t));
  const [block] = blocks('With Terraform', 'hcl');
  writeFileSync(join(dirname(work.dir), 'main.tf'), block);
  const formatted = await run(terraform, ['fmt', '-check', '-diff', '-'], { input: block });
  assert.equal(formatted.code, 0, formatted.stdout);

  const skip = await installProvider(work, '..');
  if (skip) return t.skip(skip);
  const { stdout } = await work.tf('..', 'validate', '-json');
  assert.deepEqual(JSON.parse(stdout).diagnostics, []);
});

test('the README names every statement, and no variable or output that is not there', () => {
  const statements = ['trust', 'bucket'].flatMap((name) => JSON.parse(readFileSync(join(root, `aws/policies/${name}.json`), 'utf8')).Statement);
  for (const { Sid } of statements) assert.ok(readme.includes(`| \`${Sid}\` |`), Sid);
  const variables = [...readFileSync(join(root, 'aws/variables.tf'), 'utf8').matchAll(/^variable "(\w+)"/gm)].map(([, name]) => name);
  const outputs = [...readFileSync(join(root, 'aws/outputs.tf'), 'utf8').matchAll(/^output "(\w+)"/gm)].map(([, name]) => name);
  const table = readme.split('Those that change what is trusted:')[1].split('The outputs')[0];
  for (const [, name] of table.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)) assert.ok([...variables, ...outputs].includes(name), name);
});
