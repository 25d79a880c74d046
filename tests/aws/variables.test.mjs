// The module's variables: what is refused, and that the message says what to do. Only variables.tf is run, without a
// provider, so that a refusal can come from nowhere else.

import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { OTHER, WALLET } from './lib/iam.mjs';
import { root, run, temporaryDirectory } from './lib/run.mjs';
import { noTerraform, terraform, terraformEnvironment, varFile } from './lib/terraform.mjs';

const MINIMAL = { issuer: 'https://broker.example.com', bucket_name: 'wallets-bucket' };
const repeat = (count, make) => Array.from({ length: count }, (_, index) => make(index));
const thumbprint = 'a'.repeat(40);

const ACCEPTED = {
  'the least': {},
  'an issuer with a path': { issuer: 'https://id.example.com/tenant/A-1._~x' },
  'an issuer of 255 characters': { issuer: `https://broker.example.com/${'p'.repeat(228)}` },
  'an issuer with a long chain of labels': { issuer: 'https://a-1.b--c.0.example.co' },
  '100 audiences': { other_audiences: repeat(99, (n) => `aud-${n}`) },
  'an audience that is a URI': { audience: 'api://AzureADTokenExchange' },
  'an audience of 255 characters': { audience: 'a'.repeat(255) },
  'five thumbprints': { thumbprints: repeat(5, (n) => `${n}`.repeat(40)) },
  'a thumbprint in upper case': { thumbprints: [thumbprint.toUpperCase()] },
  'a role name of 64 characters': { role_name: `a_+=,.@-${'b'.repeat(56)}` },
  'the longest session': { max_session_duration: 43200 },
  'a subject for one wallet': { subject_pattern: `agentkeys:agent:${WALLET}` },
  'a subject by its start': { subject_pattern: 'agentkeys:agent:0x5290*' },
  'a subject of 40 ?': { subject_pattern: `agentkeys:agent:0x${'?'.repeat(40)}` },
  'no subject': { subject_pattern: null },
  'policies besides': { additional_policy_arns: ['arn:aws:iam::123456789012:policy/kms', 'arn:aws-cn:iam::aws:policy/path/X'] },
  'revoked sessions': { revoked_sessions: { [WALLET]: '2026-03-01T12:00:00Z', [OTHER]: '2026-03-01T12:00:00.5Z' } },
  'a bucket name of 3 characters': { bucket_name: 'a1b' },
  'a bucket name of 63 characters': { bucket_name: 'a'.repeat(63) },
  'a bucket name with dots': { bucket_name: 'wallets.example.com' },
  'a role that only reads': { object_actions: ['s3:GetObject'] },
  'tags of its own': { tags: { team: 'red', agentkeys: 'yes' } },
};

// name: [values, what the message says]
const REFUSED = {
  'an issuer by http': [{ issuer: 'http://broker.example.com' }, /issuer must start with https:\/\//],
  'an issuer without a scheme': [{ issuer: 'broker.example.com' }, /issuer must start with https:\/\//],
  'an issuer with HTTPS in capitals': [{ issuer: 'HTTPS://broker.example.com' }, /issuer must start with https:\/\//],
  'an issuer of 256 characters': [{ issuer: `https://broker.example.com/${'p'.repeat(229)}` }, /at most 255 characters/],
  'an issuer with a query': [{ issuer: 'https://broker.example.com/a?b=c' }, /no query and no fragment/],
  'an issuer with a fragment': [{ issuer: 'https://broker.example.com#a' }, /no query and no fragment/],
  'an issuer that ends with a slash': [{ issuer: 'https://broker.example.com/' }, /not end with a slash/],
  'an issuer with a path that ends with a slash': [{ issuer: 'https://broker.example.com/a/' }, /not end with a slash/],
  'an issuer with a port': [{ issuer: 'https://broker.example.com:8443' }, /no port/],
  'an issuer with the usual port': [{ issuer: 'https://broker.example.com:443/a' }, /no port/],
  'an issuer with a user': [{ issuer: 'https://user@broker.example.com' }, /no user name or password/],
  'an issuer with a password': [{ issuer: 'https://user:secret@broker.example.com' }, /no user name or password/],
  'an issuer with a capital in its host': [{ issuer: 'https://Broker.example.com' }, /host name in lower case/],
  'an issuer without a host': [{ issuer: 'https://' }, /host name in lower case/],
  'an issuer with two dots in its host': [{ issuer: 'https://broker..example.com' }, /host name in lower case/],
  'an issuer with a blank': [{ issuer: 'https://broker.example.com ' }, /host name in lower case/],
  'an issuer with two slashes in its path': [{ issuer: 'https://broker.example.com//a' }, /issuer's path/],
  'an issuer with dots for a path': [{ issuer: 'https://broker.example.com/a/../b' }, /issuer's path/],
  'an issuer with a wildcard in its path': [{ issuer: 'https://broker.example.com/*' }, /issuer's path/],
  'an issuer with a policy variable in its path': [{ issuer: 'https://broker.example.com/${aws:x}' }, /issuer's path/],
  'no issuer': [{ issuer: undefined }, /issuer/],
  'an empty audience': [{ audience: '' }, /audience must be 1 to 255/],
  'an audience of 256 characters': [{ audience: 'a'.repeat(256) }, /audience must be 1 to 255/],
  'an audience with a wildcard': [{ audience: 'sts.*' }, /audience must be 1 to 255/],
  'an audience with a policy variable': [{ audience: '${aws:username}' }, /audience must be 1 to 255/],
  'an audience with a quotation mark': [{ audience: 'a"b' }, /audience must be 1 to 255/],
  'an audience with a line break': [{ audience: 'a\nb' }, /audience must be 1 to 255/],
  '101 audiences': [{ other_audiences: repeat(100, (n) => `aud-${n}`) }, /a provider registers 100 audiences/],
  'an audience twice': [{ other_audiences: ['a', 'a'] }, /must not repeat an entry/],
  'the audience among the others': [{ other_audiences: ['sts.amazonaws.com'] }, /must not repeat an entry/],
  'an empty audience among the others': [{ other_audiences: [''] }, /other_audiences must each be/],
  'six thumbprints': [{ thumbprints: repeat(6, (n) => `${n}`.repeat(40)) }, /at most 5/],
  'a thumbprint with colons': [{ thumbprints: ['AA:'.repeat(20)] }, /exactly 40 hex digits/],
  'a thumbprint of 39 digits': [{ thumbprints: ['a'.repeat(39)] }, /exactly 40 hex digits/],
  'an empty role name': [{ role_name: '' }, /role_name must be 1 to 64/],
  'a role name of 65 characters': [{ role_name: 'a'.repeat(65) }, /role_name must be 1 to 64/],
  'a role name with a slash': [{ role_name: 'path/role' }, /role_name must be 1 to 64/],
  'a session of less than an hour': [{ max_session_duration: 3599 }, /from 3600 to 43200/],
  'a session of more than half a day': [{ max_session_duration: 43201 }, /from 3600 to 43200/],
  'a session of half a second': [{ max_session_duration: 3600.5 }, /whole number of seconds/],
  'a subject of everything': [{ subject_pattern: '*' }, /subject_pattern must be agentkeys:agent:0x/],
  'a subject of another kind': [{ subject_pattern: 'agentkeys:user:0x*' }, /subject_pattern must be agentkeys:agent:0x/],
  'a subject in capitals': [{ subject_pattern: `agentkeys:agent:0x${'A'.repeat(40)}` }, /lower-case hex digits/],
  'a subject that no wallet has': [{ subject_pattern: 'agentkeys:agent:0x5290' }, /or fewer with \* at the end/],
  'a subject with a wildcard inside': [{ subject_pattern: 'agentkeys:agent:0x5*2' }, /or fewer with \* at the end/],
  'a policy that is no ARN': [{ additional_policy_arns: ['AmazonS3FullAccess'] }, /ARN of a managed policy/],
  'a policy that is a role': [{ additional_policy_arns: ['arn:aws:iam::123456789012:role/x'] }, /ARN of a managed policy/],
  'a revoked wallet in capitals': [{ revoked_sessions: { [`0x${'A'.repeat(40)}`]: '2026-03-01T12:00:00Z' } }, /a wallet is 0x and 40/],
  'a revocation with a date only': [{ revoked_sessions: { [WALLET]: '2026-03-01' } }, /a time looks like/],
  'a revocation in local time': [{ revoked_sessions: { [WALLET]: '2026-03-01T12:00:00+02:00' } }, /a time looks like/],
  'a revocation on a day that is not': [{ revoked_sessions: { [WALLET]: '2026-02-30T12:00:00Z' } }, /a time looks like/],
  'no bucket': [{ bucket_name: undefined }, /bucket_name/],
  'a bucket name of 2 characters': [{ bucket_name: 'ab' }, /bucket_name must be 3 to 63/],
  'a bucket name of 64 characters': [{ bucket_name: 'a'.repeat(64) }, /bucket_name must be 3 to 63/],
  'a bucket name in capitals': [{ bucket_name: 'Wallets' }, /bucket_name must be 3 to 63/],
  'a bucket name with a slash': [{ bucket_name: 'wallets/0x' }, /bucket_name must be 3 to 63/],
  'a bucket name with a wildcard': [{ bucket_name: 'wallets-*' }, /bucket_name must be 3 to 63/],
  'a bucket name with two dots together': [{ bucket_name: 'wallets..example' }, /no two dots together/],
  'a bucket name like an address': [{ bucket_name: '192.168.1.1' }, /not look like an IP address/],
  'no action on objects': [{ object_actions: [] }, /must not be empty/],
  'every action on objects': [{ object_actions: ['s3:*'] }, /object_actions may only have/],
  'an action out of scope': [{ object_actions: ['s3:GetObject', 's3:PutObjectAcl'] }, /object_actions may only have/],
  "a tag that counts as the session's wallet": [{ tags: { agentkeys_user_wallet: WALLET } }, /tags must not have agentkeys_user_wallet/],
  'the same tag in other case': [{ tags: { AgentKeys_User_Wallet: WALLET } }, /tags must not have agentkeys_user_wallet/],
};

test('variables', { skip: noTerraform, concurrency: 2 }, async (t) => {
  const dir = temporaryDirectory(t);
  const work = { dir: join(dir, 'module') };
  cpSync(join(root, 'aws/variables.tf'), join(work.dir, 'variables.tf'));
  const env = terraformEnvironment(dir);

  const plan = async (values) => {
    const file = varFile(work, { ...MINIMAL, ...values });
    const { code, stdout } = await run(terraform, ['plan', '-json', '-input=false', '-lock=false', file], { cwd: work.dir, env });
    const messages = stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
    return { code, errors: messages.filter((m) => m['@level'] === 'error').map((m) => `${m.diagnostic.summary}\n${m.diagnostic.detail}`) };
  };

  const cases = [];
  for (const [name, values] of Object.entries(ACCEPTED)) {
    cases.push(t.test(`accepted: ${name}`, async () => assert.deepEqual(await plan(values), { code: 0, errors: [] })));
  }
  for (const [name, [values, message]] of Object.entries(REFUSED)) {
    cases.push(
      t.test(`refused: ${name}`, async () => {
        const { code, errors } = await plan(values);
        assert.equal(code, 1);
        assert.match(errors.join('\n'), message);
      }),
    );
  }
  await Promise.all(cases);
});
