// One source, two renderings: Terraform and the script for users of the AWS CLI say the same, whatever is asked for.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { DEFAULTS, renderWithScript, renderWithTerraform } from './lib/render.mjs';
import { root, run, temporaryDirectory } from './lib/run.mjs';
import { noTerraform } from './lib/terraform.mjs';

const VARIANTS = {
  'as they come': {},
  'source identity': { sourceIdentity: true },
  'role pinned': { pinRole: true },
  'no subject': { subject: null },
  'all of it': { sourceIdentity: true, pinRole: true, subject: null },
  'one subject': { subject: `agentkeys:agent:0x${'?'.repeat(39)}*` },
  'another partition': { partition: 'aws-us-gov' },
  'an issuer with a path': { issuer: 'https://id.example.com/tenant/A-1._~x' },
  'names with every character': { role: 'a_+=,.@-B', audience: 'api://x/Y:Z+=,@-_~.', bucket: 'a.b-c' },
  'a role that looks like a placeholder': { role: '@BUCKET@', audience: '@SUBJECT@' },
};

for (const [name, options] of Object.entries(VARIANTS)) {
  test(`both renderings are equal: ${name}`, { skip: noTerraform }, async (t) => {
    const { trust, bucket } = await renderWithTerraform(temporaryDirectory(t), options);
    assert.deepEqual(await renderWithScript(temporaryDirectory(t), options), { trust, bucket });
  });
}

test('what is asked for is in, what is not is out', async (t) => {
  const text = async (options) => JSON.stringify(await renderWithScript(temporaryDirectory(t), options));
  const plain = await text({});
  for (const word of ['SetSourceIdentity', 'RoleAuthorizedByIdp']) assert.doesNotMatch(plain, new RegExp(word));
  assert.match(plain, /broker\.example\.com:sub/);
  assert.match(await text({ sourceIdentity: true }), /sts:SetSourceIdentity/);
  assert.match(await text({ pinRole: true }), /"Bool":\{"sts:RoleAuthorizedByIdp":"true"\}/);
  assert.doesNotMatch(await text({ subject: null }), /:sub"/);
});

test('the templates are JSON', () => {
  for (const file of ['trust.json', 'bucket.json', 'revoke-session.json']) {
    assert.equal(JSON.parse(readFileSync(join(root, 'aws/policies', file), 'utf8')).Version, '2012-10-17', file);
  }
});

test('the policies stay below what AWS takes by default', async (t) => {
  // Role trust policy 2,048 characters, bucket policy 20 KB; white space does not count.
  const longest = { issuer: `https://b.example/${'p'.repeat(237)}`, bucket: 'b'.repeat(63), role: 'r'.repeat(64), sourceIdentity: true, pinRole: true };
  assert.equal(longest.issuer.length, 255);
  const { trust, bucket } = await renderWithScript(temporaryDirectory(t), longest);
  assert.ok(JSON.stringify(trust).length <= 2048);
  assert.ok(JSON.stringify(bucket).length <= 20 * 1024);
});

const REFUSED = {
  'no issuer': ['--issuer', null],
  'an issuer by http': ['--issuer', 'http://broker.example.com'],
  'an issuer with a port': ['--issuer', 'https://broker.example.com:443'],
  'an issuer that ends with a slash': ['--issuer', 'https://broker.example.com/'],
  'an issuer with a query': ['--issuer', 'https://broker.example.com?a'],
  'an issuer of 256 characters': ['--issuer', `https://broker.example.com/${'p'.repeat(229)}`],
  'an account of 11 digits': ['--account', '12345678901'],
  'a bucket in capitals': ['--bucket', 'Wallets'],
  'a bucket with a line break': ['--bucket', 'wallets\nbucket'],
  'a role with a quotation mark': ['--role', 'a"b'],
  'a role with what sed would read': ['--role', 'a|b&c'],
  'an audience with a wildcard': ['--audience', '*'],
  'a subject of everything': ['--subject', '*'],
  'no directory': ['--out', null],
  'an option that is not one': ['--bucket-name', 'x'],
};

for (const [name, [option, value]] of Object.entries(REFUSED)) {
  test(`render refuses ${name}`, async (t) => {
    const values = { '--account': '123456789012', '--issuer': DEFAULTS.issuer, '--bucket': DEFAULTS.bucket, '--out': temporaryDirectory(t) };
    values[option] = value;
    const args = Object.entries(values).filter(([, v]) => v !== null).flat();
    const { code, stdout, stderr } = await run(join(root, 'aws/policies/render'), args);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^render: /m);
  });
}

test('render --help says what it takes', async () => {
  const { stdout } = await run(join(root, 'aws/policies/render'), ['--help'], { check: true });
  for (const option of ['--account', '--issuer', '--bucket', '--out', '--pin-role']) assert.ok(stdout.includes(option), option);
});
