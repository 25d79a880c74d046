// `token`: the file of AWS_WEB_IDENTITY_TOKEN_FILE, as the real SDKs read it.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { fromTokenFile } from '@aws-sdk/credential-providers';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { decodeJwt } from 'jose';

import { noTools, python } from '../aws/lib/moto.mjs';
import { run } from '../aws/lib/run.mjs';
import { BUCKET, REGION, startCloud } from './lib/cloud.mjs';
import { WALLETS, startIssuer } from './lib/issuer.mjs';
import { serve } from './lib/server.mjs';
import { environment, runTool, start, until } from './lib/tool.mjs';

const ROLE = 'arn:aws:iam::123456789012:role/agentkeys-wallet';

async function world(t, options) {
  const dir = mkdtempSync(join(tmpdir(), 'agentkeys-token-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const issuer = await startIssuer(t, options);
  const [session] = [...issuer.sessions.keys()];
  writeFileSync(join(dir, 'session'), session);
  const out = join(dir, 'token');
  return { dir, issuer, out, session, args: ['token', '--issuer', issuer.url, '--session-token-file', join(dir, 'session'), '--out', out] };
}

/** Watches; ended with the test. */
function watch(t, args) {
  const child = start([...args, '--watch']);
  t.after(() => child.exitCode ?? child.kill('SIGKILL'));
  return child;
}

test('one token, in a private file', async (t) => {
  const { args, out, dir, issuer } = await world(t);
  const said = await runTool([...args, '--audience', 'sts.amazonaws.com', '--ttl', '2m']);
  assert.deepEqual([said.code, said.stdout], [0, ''], said.stderr);
  assert.match(said.stderr, new RegExp(`token of ${WALLETS[0]} written, expires `));
  assert.equal(decodeJwt(readFileSync(out, 'utf8')).sub, `agentkeys:agent:${WALLETS[0]}`);
  assert.equal(statSync(out).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(issuer.requests[0]), { audience: 'sts.amazonaws.com', ttl_seconds: 120 });
  assert.deepEqual(readdirSync(dir).sort(), ['session', 'token']);
});

test('a failure leaves the token that is there', async (t) => {
  const { args, out, issuer, dir } = await world(t);
  writeFileSync(out, 'the old token');
  for (const [answer, code] of [[401, 66], [403, 64], [{ status: 200, body: '<html>' }, 69], [{ status: 200, body: '{"jwt":"no token"}' }, 69]]) {
    issuer.script.push(answer);
    const said = await runTool(args);
    assert.equal(said.code, code);
    assert.equal(said.stderr.trim().split('\n').length, 1);
    assert.equal(readFileSync(out, 'utf8'), 'the old token');
  }
  assert.equal((await runTool(args.with(-1, join(dir, 'no/such/token')))).code, 74);
  assert.equal((await runTool(args.with(-1, dir))).code, 74);
});

test('a watch replaces it whole, at two thirds of its life, until it is told to stop', async (t) => {
  const { args, out, issuer, dir } = await world(t, { lifetime: 3 });
  const child = watch(t, args);
  await until(() => existsSync(out), 'the first token');
  const seen = new Set();
  const began = Date.now();
  while (Date.now() - began < 7_000) {
    const text = readFileSync(out, 'utf8');
    const { exp } = decodeJwt(text);
    assert.ok(exp * 1000 > Date.now() - 1_000, 'it lives');
    seen.add(text);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  child.kill('SIGTERM');
  const said = await child.said;
  assert.deepEqual([said.code, said.stdout], [0, ''], said.stderr);
  assert.ok(seen.size >= 3 && seen.size <= 5, `${seen.size} tokens`);
  assert.equal(said.stderr.match(/^token of /gm).length, issuer.requests.length, 'a line for each');
  assert.match(said.stderr, /stopped/);
  assert.deepEqual(readdirSync(dir).sort(), ['session', 'token']);
});

test('a watch outlives failures, and keeps the file', async (t) => {
  const { args, out, issuer } = await world(t, { lifetime: 6 });
  const child = watch(t, args);
  await until(() => existsSync(out), 'the first token');
  const first = readFileSync(out, 'utf8');
  issuer.script.push(401, 403);
  await until(() => /next try in/.test(child.output.stderr), 'a failure was said');
  assert.equal(readFileSync(out, 'utf8'), first);
  issuer.script.length = 0;
  await until(() => readFileSync(out, 'utf8') !== first, 'another token');
  child.kill('SIGINT');
  assert.equal((await child.said).code, 0);
});

test('a watch ends when the session is gone and its last token has expired', async (t) => {
  const { args, out, issuer, session } = await world(t, { lifetime: 2 });
  const child = watch(t, args);
  await until(() => existsSync(out), 'the first token');
  issuer.sessions.delete(session);
  const said = await child.said;
  assert.equal(said.code, 66);
  assert.match(said.stderr, /expired, was revoked/);
});

test('a watch reads a session that was renewed', async (t) => {
  const { args, out, issuer, session, dir } = await world(t, { lifetime: 3 });
  const child = watch(t, args);
  await until(() => existsSync(out), 'the first token');
  const [, other] = [...issuer.sessions.keys()];
  writeFileSync(join(dir, 'session'), other);
  issuer.sessions.delete(session);
  await until(() => decodeJwt(readFileSync(out, 'utf8')).sub.endsWith(WALLETS[1]), "the other session's token");
  child.kill('SIGTERM');
  assert.equal((await child.said).code, 0);
});

test('a watch that cannot start ends', async (t) => {
  const { args, issuer, out } = await world(t);
  issuer.script.push(401);
  assert.equal((await runTool([...args, '--watch'])).code, 66);
  assert.ok(!existsSync(out));
  const hanging = await serve(t, () => {});
  const said = await runTool(args.map((argument) => (argument === issuer.url ? hanging : argument)));
  assert.equal(said.code, 69);
  assert.ok(said.seconds < 20, `${said.seconds}`);
});

const BOTO = `
import boto3, botocore.config, sys
config = botocore.config.Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required", response_checksum_validation="when_required")
boto3.client("s3", config=config).put_object(Bucket=sys.argv[1], Key=sys.argv[2], Body=b"mine")
`;

test('boto3 and the SDK for JavaScript assume the role with the file', async (t) => {
  const { args, out, dir } = await world(t);
  const cloud = await startCloud(t);
  assert.equal((await runTool(args)).code, 0);
  const credentials = fromTokenFile({ webIdentityTokenFile: out, roleArn: ROLE, roleSessionName: 'agent', clientConfig: { endpoint: cloud.url, region: REGION } });
  const client = new S3Client({ region: REGION, endpoint: cloud.url, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED', credentials });
  t.after(() => client.destroy());
  await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: `${WALLETS[0]}/javascript`, Body: 'mine' }));
  assert.deepEqual([...cloud.objects.keys()], [`${WALLETS[0]}/javascript`]);
  await t.test('boto3', { skip: noTools }, async () => {
    const env = environment({
      AWS_WEB_IDENTITY_TOKEN_FILE: out,
      AWS_ROLE_ARN: ROLE,
      AWS_ENDPOINT_URL: cloud.url,
      AWS_DEFAULT_REGION: REGION,
      AWS_CONFIG_FILE: join(dir, 'none'),
      AWS_SHARED_CREDENTIALS_FILE: join(dir, 'none'),
    });
    await run(python, ['-c', BOTO, BUCKET, `${WALLETS[0]}/boto3`], { env, check: true });
    assert.ok(cloud.objects.has(`${WALLETS[0]}/boto3`));
  });
});
