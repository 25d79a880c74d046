// The policies as people get them: rendered by Terraform, and by the script for users of the AWS CLI.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { root, run } from './run.mjs';
import { varFile, workspace } from './terraform.mjs';

export const ACCOUNT = '123456789012';
export const OBJECT_ACTIONS = [
  's3:AbortMultipartUpload',
  's3:DeleteObject',
  's3:GetObject',
  's3:ListMultipartUploadParts',
  's3:PutObject',
];

/** What both renderers are asked for, where a test does not say otherwise. */
export const DEFAULTS = {
  issuer: 'https://broker.example.com',
  bucket: 'wallets-bucket',
  role: 'agentkeys-wallet',
  audience: 'sts.amazonaws.com',
  subject: 'agentkeys:agent:0x*', // null: not looked at
  sourceIdentity: false,
  pinRole: false,
  partition: 'aws',
};

const providerArn = ({ partition, issuer }) => `arn:${partition}:iam::${ACCOUNT}:oidc-provider/${issuer.slice('https://'.length)}`;
const roleArn = ({ partition, role }) => `arn:${partition}:iam::${ACCOUNT}:role/${role}`;

/** `{ trust, bucket, revoked }` as the module's own `policies` folder renders them. */
export async function renderWithTerraform(dir, options = {}) {
  const want = { ...DEFAULTS, ...options };
  const work = workspace(dir);
  const values = {
    partition: want.partition,
    provider_arn: providerArn(want),
    audience: want.audience,
    subject_pattern: want.subject,
    source_identity: want.sourceIdentity,
    pin_role: want.pinRole,
    role_arn: roleArn(want),
    bucket: want.bucket,
    object_actions: want.objectActions ?? OBJECT_ACTIONS,
    revoked_sessions: want.revoked ?? {},
  };
  const applied = await work.tf('policies', 'apply', '-auto-approve', '-no-color', varFile(work, values));
  if (applied.code !== 0) throw new Error(`terraform apply failed in policies\n${applied.stderr}`);
  const { stdout } = await work.tf('policies', 'output', '-json');
  const outputs = JSON.parse(stdout);
  return Object.fromEntries(['trust', 'bucket', 'revoked'].map((name) => [name, JSON.parse(outputs[name]?.value ?? 'null')]));
}

/** `{ trust, bucket }` as `aws/policies/render` writes them. */
export async function renderWithScript(dir, options = {}) {
  const want = { ...DEFAULTS, ...options };
  const args = ['--account', ACCOUNT, '--issuer', want.issuer, '--bucket', want.bucket, '--out', dir];
  args.push('--role', want.role, '--audience', want.audience, '--partition', want.partition);
  args.push(...(want.subject === null ? ['--any-subject'] : ['--subject', want.subject]));
  if (want.sourceIdentity) args.push('--source-identity');
  if (want.pinRole) args.push('--pin-role');
  const { stdout } = await run(join(root, 'aws/policies/render'), args, { check: true });
  if (stdout !== `${providerArn(want)}\n`) throw new Error(`render printed ${stdout}`);
  return Object.fromEntries(['trust', 'bucket'].map((name) => [name, JSON.parse(readFileSync(join(dir, `${name}.json`), 'utf8'))]));
}

/** The statement that ends sessions, filled in as its users do: two plain replacements in the file's text. */
export function revocation(wallet, time) {
  const template = readFileSync(join(root, 'aws/policies/revoke-session.json'), 'utf8');
  return JSON.parse(template.replaceAll('@WALLET@', wallet).replaceAll('@TIME@', time));
}
