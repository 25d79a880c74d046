// `prove` against moto: the calls are AWS's, and since moto denies nothing the verdict has to be that isolation is broken.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { noTools, startMoto } from '../aws/lib/moto.mjs';
import { temporaryDirectory } from '../aws/lib/run.mjs';
import { WALLETS, webIdentity } from './lib/issuer.mjs';
import { runTool } from './lib/tool.mjs';

test('where nothing is denied isolation is broken, and nothing is left', { skip: noTools }, async (t) => {
  const dir = temporaryDirectory(t);
  const moto = await startMoto(t);
  await moto.call('s3', 'create_bucket', { Bucket: 'wallets' });
  const files = await Promise.all(WALLETS.map(async (wallet) => (writeFileSync(join(dir, wallet), await webIdentity(wallet)), join(dir, wallet))));
  const args = ['prove', '--role-arn', 'arn:aws:iam::123456789012:role/agentkeys-wallet', '--bucket', 'wallets', '--json'];
  for (const style of [[], ['--path-style'], ['--addressing', 'path']]) {
    const said = await runTool([...args, ...style, '--token-file', files[0], '--other-token-file', files[1]], { AWS_ENDPOINT_URL: moto.environment.AWS_ENDPOINT_URL });
    assert.equal(said.code, 3, said.stdout + said.stderr);
    const report = JSON.parse(said.stdout);
    assert.equal(report.diagnosis.id, 'broad-grant');
    assert.ok(report.requests.every(({ place, was }) => place === 'dots' || was === 'allowed'), said.stdout);
    assert.deepEqual(report.leftovers, []);
    const { Contents: left = [] } = await moto.call('s3', 'list_objects_v2', { Bucket: 'wallets' });
    assert.deepEqual(left, []);
  }
});

test('a bucket that is not there decides nothing', { skip: noTools }, async (t) => {
  const dir = temporaryDirectory(t);
  const moto = await startMoto(t);
  const files = await Promise.all(WALLETS.map(async (wallet) => (writeFileSync(join(dir, wallet), await webIdentity(wallet)), join(dir, wallet))));
  const args = ['prove', '--role-arn', 'arn:aws:iam::123456789012:role/agentkeys-wallet', '--bucket', 'nothing-here'];
  const said = await runTool([...args, '--token-file', files[0], '--other-token-file', files[1]], { AWS_ENDPOINT_URL: moto.environment.AWS_ENDPOINT_URL });
  assert.equal(said.code, 2, said.stdout + said.stderr);
  assert.match(said.stdout, /NoSuchBucket/);
});
