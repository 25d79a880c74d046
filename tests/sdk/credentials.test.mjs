// `credentials` as AWS's SDKs use it: named in a profile, run by the real boto3 and the real SDK for JavaScript.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { fromProcess } from '@aws-sdk/credential-providers';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

import { noTools, python, startMoto } from '../aws/lib/moto.mjs';
import { run } from '../aws/lib/run.mjs';
import { BUCKET, REGION, s3Error, startCloud, stsError } from './lib/cloud.mjs';
import { WALLETS, sessionToken, startIssuer } from './lib/issuer.mjs';
import { serve } from './lib/server.mjs';
import { privateCa } from './lib/tls.mjs';
import { environment, runTool, start, tool, until } from './lib/tool.mjs';

const ROLE = 'arn:aws:iam::123456789012:role/agentkeys-wallet';
const [WALLET] = WALLETS;

/** An issuer, a cloud, a session of [WALLET] in a file, a place for the cache, and the arguments for all of it. */
async function world(t, options = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'agentkeys-credentials-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const [issuer, cloud] = [await startIssuer(t, options), await startCloud(t, options)];
  const [session] = [...issuer.sessions.keys()];
  const file = join(dir, 'session');
  writeFileSync(file, `${session}\n`, { mode: 0o600 });
  const cache = join(dir, 'cache');
  const args = ['credentials', '--issuer', issuer.url, '--role-arn', ROLE, '--session-token-file', file, '--cache-dir', cache, '--sts-endpoint', cloud.url];
  if (options.tls) args.push('--ca-file', options.tls.caFile);
  return { dir, issuer, cloud, session, file, cache, args };
}

const parse = (said) => {
  assert.equal(said.code, 0, said.stderr);
  return JSON.parse(said.stdout);
};
const oneLine = (said, code) => {
  assert.deepEqual([said.code, said.stdout], [code, ''], said.stderr);
  assert.equal(said.stderr.trim().split('\n').length, 1, said.stderr);
  assert.doesNotMatch(said.stderr, /words-of-the-server|aks_[\w-]{43}|eyJ/);
};

test('version 1 of the contract, kept in a private file', async (t) => {
  const { args, cache, cloud, issuer, session } = await world(t);
  const first = await runTool(args);
  const credentials = parse(first);
  assert.deepEqual(Object.keys(credentials), ['Version', 'AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration']);
  assert.equal(credentials.Version, 1);
  const left = Date.parse(credentials.Expiration) - Date.now();
  assert.ok(left > 3_590_000 && left <= 3_600_000, credentials.Expiration);
  assert.equal([...cloud.sessions.values()][0].wallet, WALLET);
  assert.equal([...cloud.sessions.values()][0].name, WALLET, 'the session is named after the wallet');

  assert.equal((await runTool(args)).stdout, first.stdout);
  assert.deepEqual([cloud.assumed, issuer.requests], [1, ['{}']]);
  assert.equal(statSync(cache).mode & 0o777, 0o700);
  const files = readdirSync(cache);
  for (const name of files) {
    assert.equal(statSync(join(cache, name)).mode & 0o777, 0o600, name);
    assert.match(name, /^[\w-]{43}\.(json|lock)$/);
    assert.ok(!readFileSync(join(cache, name), 'utf8').includes(session));
  }
  assert.equal(files.length, 2);
});

test('every argument that makes a difference has credentials of its own', async (t) => {
  const { args, cloud, issuer, file, dir } = await world(t);
  const [, other] = [...issuer.sessions.keys()];
  writeFileSync(join(dir, 'other'), other);
  const of = async (...more) => parse(await runTool([...args, ...more])).AccessKeyId;
  const seen = new Set([
    await of(),
    await of('--duration', '15m'),
    await of('--session-name', 'somebody'),
    await of('--audience', 'sts.amazonaws.com'),
    await of('--region', 'eu-central-1'),
    parse(await runTool(args.map((argument) => (argument === ROLE ? `${ROLE}-2` : argument)))).AccessKeyId,
    parse(await runTool(args.map((argument) => (argument === file ? join(dir, 'other') : argument)))).AccessKeyId,
  ]);
  assert.deepEqual([seen.size, cloud.assumed], [7, 7]);
  assert.ok(seen.has(await of()));
  assert.equal(cloud.assumed, 7);
});

test('refreshed shortly before they expire', async (t) => {
  const { args, cache, cloud } = await world(t);
  const id = async () => parse(await runTool(args)).AccessKeyId;
  const first = await id();
  const file = join(cache, readdirSync(cache).find((name) => name.endsWith('.json')));
  const held = JSON.parse(readFileSync(file, 'utf8'));
  const now = Math.floor(Date.now() / 1000);
  const kept = (expiration, issued = now - 3000) => writeFileSync(file, JSON.stringify({ ...held, issued, expiration }));
  kept(now + 310);
  assert.equal(await id(), first, 'five minutes are left');
  kept(now + 290);
  const second = await id();
  assert.notEqual(second, first);
  assert.equal(await id(), second);
  assert.equal(cloud.assumed, 2);
  kept(now + 100, now - 800);
  assert.equal((await runTool(args)).stdout.includes(first), true, 'of a quarter of an hour the last tenth is short');
});

test('a broken cache is no cache', async (t) => {
  const { args, cache, cloud } = await world(t);
  parse(await runTool(args));
  const file = join(cache, readdirSync(cache).find((name) => name.endsWith('.json')));
  const whole = readFileSync(file);
  for (const broken of ['', '{', '{}', 'null', whole.subarray(0, 50), Buffer.alloc(100_000, 'x')]) {
    writeFileSync(file, broken);
    const before = cloud.assumed;
    parse(await runTool(args));
    parse(await runTool(args));
    assert.equal(cloud.assumed, before + 1, `${broken}`.slice(0, 20));
  }
  chmodSync(cache, 0o777);
  oneLine(await runTool(args), 74);
  assert.equal(statSync(cache).mode & 0o777, 0o777, 'it is left as it is');
});

test('of eight processes at once one asks', async (t) => {
  const { args, cloud, issuer } = await world(t);
  cloud.sts = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  tool();
  const said = await Promise.all(Array.from({ length: 8 }, () => runTool(args)));
  assert.equal(new Set(said.map(parse).map(({ AccessKeyId }) => AccessKeyId)).size, 1);
  assert.deepEqual([cloud.assumed, issuer.requests.length], [1, 1]);
});

test('a process that dies while it refreshes leaves nothing locked', async (t) => {
  const { args, cloud, issuer } = await world(t);
  issuer.script.push('hang');
  const child = start(args);
  await until(() => issuer.requests.length === 1, 'the issuer was asked');
  child.kill('SIGKILL');
  await child.said;
  const said = await runTool(args);
  parse(said);
  assert.ok(said.seconds < 5);
  assert.equal(cloud.assumed, 1);
});

test('what may pass is tried again, of the issuer and of STS', async (t) => {
  const { args, cloud, issuer } = await world(t);
  issuer.script.push(429, 503, 'drop', { status: 500, body: 'words-of-the-server' });
  const answers = [stsError(400, 'IDPCommunicationError'), { status: 502, body: '<html>' }, stsError(429, 'Throttling')];
  cloud.sts = () => answers.shift();
  parse(await runTool(args));
  assert.deepEqual([issuer.requests.length, cloud.assumed, answers.length], [5, 1, 0]);
});

test('Retry-After is kept, and named where it is too long', async (t) => {
  const { args, issuer } = await world(t);
  issuer.script.push({ status: 429, headers: { 'retry-after': '2' } });
  const patient = await runTool(args);
  parse(patient);
  assert.ok(patient.seconds >= 2);
  const { args: others, issuer: busy } = await world(t);
  busy.script.push({ status: 429, headers: { 'retry-after': '60' }, body: 'words-of-the-server' });
  const said = await runTool(others);
  oneLine(said, 69);
  assert.match(said.stderr, /429.*in 60 s/);
  assert.ok(said.seconds < 3);
});

test('what will not pass is said at once', async (t) => {
  for (const [status, code, words] of [
    [400, 64, /lifetime/],
    [401, 66, /expired, was revoked/],
    [403, 64, /audience/],
    [404, 69, /edge broker/],
    [302, 69, /redirect/],
  ]) {
    const { args, issuer } = await world(t);
    issuer.script.push(status);
    const said = await runTool(args);
    oneLine(said, code);
    assert.match(said.stderr, words);
    assert.equal(issuer.requests.length, 1);
  }
  for (const [code, words] of [
    ['AccessDenied', /sts:TagSession/],
    ['InvalidIdentityToken', /edge-broker check/],
    ['ExpiredTokenException', /clock/],
    ['PackedPolicyTooLarge', /tags/],
    ['ValidationError', /duration/],
  ]) {
    const { args, cloud } = await world(t);
    cloud.sts = () => stsError(400, code);
    const said = await runTool(args);
    oneLine(said, 69);
    assert.match(said.stderr, new RegExp(code));
    assert.match(said.stderr, words);
  }
  const { args, cloud } = await world(t);
  cloud.sts = () => s3Error(403, 'AccessDenied');
  const said = await runTool(args);
  oneLine(said, 69);
  assert.match(said.stderr, /AccessDenied/);
});

test('a failed refresh hands out what still lives', async (t) => {
  const { args, cache, issuer } = await world(t);
  const first = parse(await runTool(args)).AccessKeyId;
  const file = join(cache, readdirSync(cache).find((name) => name.endsWith('.json')));
  const held = JSON.parse(readFileSync(file, 'utf8'));
  const now = Math.floor(Date.now() / 1000);
  writeFileSync(file, JSON.stringify({ ...held, issued: now - 3400, expiration: now + 200 }));
  issuer.script.push(401, 401);
  const said = await runTool(args);
  assert.equal(parse(said).AccessKeyId, first);
  assert.match(said.stderr, /could not be refreshed/);
  writeFileSync(file, JSON.stringify({ ...held, issued: now - 3600, expiration: now - 1 }));
  oneLine(await runTool(args), 66);
});

test('an STS that names no end, and one that issues what has ended', async (t) => {
  const { args, cloud } = await world(t);
  cloud.credentials = { Expiration: undefined };
  const left = Date.parse(parse(await runTool(args)).Expiration) - Date.now();
  assert.ok(left > 890_000 && left <= 900_000, `${left} ms`);
  const { args: others, cloud: late } = await world(t);
  late.lifetime = -60;
  oneLine(await runTool(others), 69);
  late.lifetime = undefined;
  late.credentials = { AccessKeyId: undefined };
  oneLine(await runTool(others), 69);
});

test('over TLS with a private CA', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'agentkeys-credentials-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const [tls, another] = [await privateCa(dir), await privateCa(dir, 'another')];
  const { args } = await world(t, { tls });
  const without = args.slice(0, -2);
  oneLine(await runTool(without), 69);
  oneLine(await runTool([...without, '--ca-file', another.caFile]), 69);
  parse(await runTool(without, { AWS_CA_BUNDLE: tls.caFile }));
});

test('wrong input ends at once, in one line', async (t) => {
  const { args, dir, cache, issuer, session } = await world(t);
  const put = (option, value) => args.map((argument, index) => (args[index - 1] === option ? value : argument));
  const without = (option) => args.filter((argument, index) => argument !== option && args[index - 1] !== option);
  writeFileSync(join(dir, 'empty'), '');
  mkdirSync(join(dir, 'locked'), { mode: 0o500 });
  for (const [given, code, env] of [
    [put('--session-token-file', join(dir, 'none')), 74],
    [put('--session-token-file', dir), 74],
    [put('--session-token-file', join(dir, 'empty')), 64],
    [without('--session-token-file'), 2],
    [without('--session-token-file'), 64, { EDGE_BROKER_SESSION_TOKEN: 'aks_short' }],
    [put('--issuer', 'http://keys.example.com'), 64],
    [put('--issuer', 'http://127.0.0.1:1'), 69],
    [put('--issuer', 'https://no-such-host.invalid'), 69],
    [put('--sts-endpoint', 'nonsense'), 64],
    [put('--sts-endpoint', 'http://127.0.0.1:1'), 69],
    [put('--cache-dir', join(dir, 'empty')), 74],
    [[...args, '--ca-file', join(dir, 'none')], 74],
    [[...args, '--ca-file', join(dir, 'empty')], 74],
    [args, 74, { AWS_CA_BUNDLE: join(dir, 'none') }],
  ]) {
    const said = await runTool(given, env);
    oneLine(said, code);
    assert.ok(said.seconds < 15, `${given}: ${said.seconds} s`);
  }
  for (const given of [put('--role-arn', 'admin'), [...args, '--duration', '1s'], [...args, '--duration', '13h'], [...args, '--session-name', 'a b'], [...args, session]]) {
    const said = await runTool(given);
    assert.deepEqual([said.code, said.stdout], [2, '']);
    assert.ok(!said.stderr.includes(session));
  }
  assert.equal(issuer.requests.length, 1, 'but for the STS that is not there');
});

test('a network that hangs ends in seconds', async (t) => {
  const hanging = await serve(t, () => {});
  const { args } = await world(t);
  for (const [option, limit] of [['--issuer', 20], ['--sts-endpoint', 25]]) {
    const said = await runTool(args.map((argument, index) => (args[index - 1] === option ? hanging : argument)));
    oneLine(said, 69);
    assert.match(said.stderr, /did not answer within/);
    assert.ok(said.seconds < limit, `${said.seconds} s`);
  }
});

/** A profile that names the tool; returns the environment that points SDKs at it. */
function profile({ dir, args, cloud }, extra = {}) {
  const quoted = [tool(), ...args].map((argument) => `"${argument}"`).join(' ');
  const config = join(dir, 'config');
  writeFileSync(config, `[profile agent]\nregion = ${REGION}\ncredential_process = ${quoted}\n`);
  return { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: join(dir, 'none'), AWS_PROFILE: 'agent', AWS_ENDPOINT_URL_S3: cloud.url, ...extra };
}

const BOTO = `
import boto3, botocore.config, botocore.exceptions, sys
wallet, other, bucket = sys.argv[1:]
config = botocore.config.Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required", response_checksum_validation="when_required")
s3 = boto3.Session(profile_name="agent").client("s3", config=config)
s3.put_object(Bucket=bucket, Key=wallet + "/boto3", Body=b"mine")
assert s3.get_object(Bucket=bucket, Key=wallet + "/boto3")["Body"].read() == b"mine"
try:
    s3.list_objects_v2(Bucket=bucket, Prefix=other + "/")
    print("allowed")
except botocore.exceptions.ClientError as error:
    print(error.response["Error"]["Code"])
`;

test('boto3 reads a profile that names it', { skip: noTools }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'agentkeys-credentials-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const tls = await privateCa(dir);
  const here = await world(t, { tls });
  const env = environment(profile(here, { AWS_CA_BUNDLE: tls.caFile }));
  const said = await run(python, ['-c', BOTO, ...WALLETS, BUCKET], { env, check: true });
  assert.equal(said.stdout.trim(), 'AccessDenied');
  assert.deepEqual([[...here.cloud.objects.keys()], here.cloud.assumed], [[`${WALLET}/boto3`], 1]);
});

test('the SDK for JavaScript reads a profile that names it', async (t) => {
  const here = await world(t);
  const env = profile(here);
  const client = new S3Client({
    region: REGION,
    endpoint: here.cloud.url,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    credentials: fromProcess({ profile: 'agent', configFilepath: env.AWS_CONFIG_FILE, filepath: env.AWS_SHARED_CREDENTIALS_FILE }),
  });
  t.after(() => client.destroy());
  await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: `${WALLET}/javascript`, Body: 'mine' }));
  await assert.rejects(client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: `${WALLETS[1]}/` })), { name: 'AccessDenied' });
  assert.deepEqual([[...here.cloud.objects.keys()], here.cloud.assumed], [[`${WALLET}/javascript`], 1]);
});

test('a whole agent in a process of its own: the SDK for JavaScript with the profile in its environment', async (t) => {
  const here = await world(t);
  const script = `
    import { S3Client, PutObjectCommand } from '@aws-sdk/client-s3';
    const client = new S3Client({ forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' });
    await client.send(new PutObjectCommand({ Bucket: '${BUCKET}', Key: '${WALLET}/agent', Body: 'mine' }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env: environment(profile(here)), stdio: 'inherit' });
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.deepEqual([code, [...here.cloud.objects.keys()]], [0, [`${WALLET}/agent`]]);
});

test("moto's STS, and boto3 against its S3", { skip: noTools }, async (t) => {
  const here = await world(t);
  const moto = await startMoto(t);
  await moto.call('s3', 'create_bucket', { Bucket: BUCKET });
  here.args = here.args.map((argument, index) => (here.args[index - 1] === '--sts-endpoint' ? moto.environment.AWS_ENDPOINT_URL : argument));
  const env = environment(profile(here, { AWS_ENDPOINT_URL_S3: moto.environment.AWS_ENDPOINT_URL, AWS_DEFAULT_REGION: 'us-east-1' }));
  const said = await run(python, ['-c', BOTO, ...WALLETS, BUCKET], { env, check: true });
  assert.equal(said.stdout.trim(), 'allowed', 'moto denies nothing');
});
