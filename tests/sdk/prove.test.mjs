// `prove` against an STS and S3 that deny by tag and can go wrong in one place: a verdict and a diagnosis for each.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { BUCKET, REGION, own, s3Error, startCloud, stsError } from './lib/cloud.mjs';
import { TAGS, WALLETS, startIssuer, webIdentity } from './lib/issuer.mjs';
import { serve } from './lib/server.mjs';
import { privateCa } from './lib/tls.mjs';
import { runTool, start, until } from './lib/tool.mjs';

const [ONE, OTHER] = WALLETS;
const ROLE = 'arn:aws:iam:::role/wallet';

function directory(t) {
  const dir = mkdtempSync(join(tmpdir(), 'agentkeys-prove-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Two tokens in files, as arguments. */
async function tokens(t, ...options) {
  const dir = directory(t);
  const files = await Promise.all(
    WALLETS.map(async (wallet, index) => {
      const file = join(dir, `${index}.jwt`);
      writeFileSync(file, `${await webIdentity(wallet, options[index] ?? options[0])}\n`);
      return file;
    }),
  );
  return ['--token-file', files[0], '--other-token-file', files[1]];
}

const arguments_ = (url, more) => ['prove', '--role-arn', ROLE, '--bucket', BUCKET, '--region', REGION, '--sts-endpoint', url, '--s3-endpoint', url, ...more];

/** Runs a proof with two tokens: what it said, with its JSON as `report`. */
async function prove(t, cloud, { token, more = [], env } = {}) {
  const said = await runTool([...arguments_(cloud.url, [...(token ?? (await tokens(t))), ...more]), '--json'], env);
  return { ...said, report: JSON.parse(said.stdout || 'null') };
}

const is = (said, code, verdict, id) => {
  assert.deepEqual([said.code, said.report.verdict, said.report.diagnosis?.id], [code, verdict, id], `${said.stdout}${said.stderr}`);
  assert.doesNotMatch(said.stdout + said.stderr, /words-of-the-server/);
};

test('an isolated bucket is isolated, and left as it was', async (t) => {
  const cloud = await startCloud(t);
  cloud.objects.set(`${ONE}/note`, 'mine');
  const said = await prove(t, cloud);
  is(said, 0, 'isolated', undefined);
  assert.deepEqual([...cloud.objects.keys()], [`${ONE}/note`]);
  assert.deepEqual(said.report.leftovers, []);
  assert.deepEqual(said.report.wallets, WALLETS);
  assert.equal(said.report.requests.length, 26);
  assert.ok(said.report.requests.every(({ must_be: mustBe, was }) => mustBe === was));
  for (const wallet of WALLETS) {
    const asked = (action, start) => assert.ok(cloud.log.some(([by, did, key]) => by === wallet && did === action && key.startsWith(start)), `${wallet} ${action} ${start}`);
    const other = wallet === ONE ? OTHER : ONE;
    for (const action of ['list', 'put', 'get', 'delete']) for (const prefix of [`${wallet}/`, `${other}/`]) asked(action, prefix);
    for (const action of ['list', 'put']) asked(action, `${wallet}x/`);
    asked('put', 'edge-broker-proof-');
    asked('put', `${wallet}/../${other}/`);
    assert.ok(cloud.log.some(([by, action, key]) => by === wallet && action === 'list' && key === ''));
  }
});

test('people read the verdict', async (t) => {
  const cloud = await startCloud(t);
  const token = await tokens(t);
  const good = await runTool(arguments_(cloud.url, token));
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /\nISOLATED: /);
  cloud.policy = () => true;
  const bad = await runTool(arguments_(cloud.url, token));
  assert.equal(bad.code, 3);
  assert.match(bad.stdout, /\nISOLATION BROKEN\nbroad-grant: .*a broad grant is left on the role[^]*\nremedy: /);
  assert.doesNotMatch(bad.stdout, /ISOLATED/);
  cloud.fault = () => ({ status: 400, body: '' });
  const open = await runTool(arguments_(cloud.url, token));
  assert.equal(open.code, 2);
  assert.match(open.stdout, /\nUNDECIDED: /);
  assert.doesNotMatch(open.stdout, /ISOLATED/);
});

const POLICIES = {
  'broad-grant': () => true,
  'broad-object-grant': (wallet, action, key) => action !== 'list' || own(wallet, action, key),
  'broad-list': (wallet, action, key) => action === 'list' || own(wallet, action, key),
  'broad-grant-of-some-actions': (wallet, action, key) => action === 'get' || own(wallet, action, key),
  'one-way': (wallet, action, key) => wallet === ONE || own(wallet, action, key),
  'open-root': (wallet, action, key) => !key.includes('/') || own(wallet, action, key),
  'no-slash-after-the-tag': (wallet, action, key) => key.startsWith(wallet),
  'nobody-let-in': () => false,
  'one-wallet-shut-out': (wallet, action, key) => wallet === ONE && own(wallet, action, key),
  'own-prefix-incomplete': (wallet, action, key) => action !== 'list' && own(wallet, action, key),
  'own-denied-other-allowed': (wallet, action, key) => !own(wallet, action, key),
};
for (const [id, policy] of Object.entries(POLICIES)) {
  test(`broken: ${id}`, async (t) => {
    const cloud = await startCloud(t, { policy });
    const said = await prove(t, cloud);
    is(said, 3, 'broken', id);
    assert.deepEqual([[...cloud.objects.keys()], said.report.leftovers], [[], []]);
  });
}

test('broken: a wallet may not read its own prefix', async (t) => {
  const cloud = await startCloud(t, { policy: (wallet, action, key) => action !== 'get' && own(wallet, action, key) });
  is(await prove(t, cloud), 3, 'broken', 'own-prefix-incomplete');
});

test('broken: an S3 that takes keys for paths', async (t) => {
  const cloud = await startCloud(t);
  cloud.resolve = (key) => new URL(`http://x/${key}`).pathname.slice(1);
  // Such an S3 asks its policy about the name as it was sent.
  cloud.policy = (wallet, action, key) => own(wallet, action, key) || key.endsWith('/through-dots');
  is(await prove(t, cloud), 3, 'broken', 'dots-resolved');
  assert.equal(cloud.objects.size, 0);
});

test('broken: a token without the tag', async (t) => {
  const cloud = await startCloud(t);
  const said = await prove(t, cloud, { token: await tokens(t, { claims: { [TAGS]: undefined } }) });
  is(said, 3, 'broken', 'no-tag');
  assert.equal(said.report.warnings.length, 2);
});

test('STS denies', async (t) => {
  const cloud = await startCloud(t);
  for (const denial of [stsError(403, 'AccessDenied'), s3Error(403, 'AccessDenied')]) {
    cloud.sts = () => denial;
    const said = await prove(t, cloud);
    is(said, 3, 'broken', 'no-entry');
    assert.match(said.report.diagnosis.remedy, /sts:TagSession/);
    cloud.sts = (claims) => (claims.sub.endsWith(OTHER) ? denial : undefined);
    is(await prove(t, cloud), 3, 'broken', 'no-entry-for-one');
  }
});

test('what STS refuses otherwise is undecided, with what to do', async (t) => {
  const cloud = await startCloud(t);
  for (const [answer, remedy] of [
    [stsError(400, 'InvalidIdentityToken'), /InvalidIdentityToken.*edge-broker check/],
    [stsError(400, 'ExpiredTokenException'), /ExpiredTokenException.*mint another/],
    [stsError(400, 'PackedPolicyTooLarge'), /PackedPolicyTooLarge.*fewer or shorter/],
    [{ status: 200, body: '<html>words-of-the-server</html>' }, /none of this service/],
    [{ status: 403, body: '' }, /status 403/],
    [{ status: 404, body: 'words-of-the-server' }, /404/],
  ]) {
    cloud.sts = () => answer;
    const said = await prove(t, cloud);
    is(said, 2, 'undecided', undefined);
    assert.match(said.report.cause, remedy);
  }
});

test('what may pass is tried again', async (t) => {
  const cloud = await startCloud(t);
  const answers = [stsError(400, 'IDPCommunicationError'), stsError(503, 'ServiceUnavailable'), stsError(429, 'Throttling')];
  cloud.sts = () => answers.shift();
  let failures = 2;
  cloud.fault = (wallet, action) => (action === 'get' && failures-- > 0 ? s3Error(503, 'SlowDown') : undefined);
  is(await prove(t, cloud), 0, 'isolated', undefined);
  assert.ok(failures <= 0 && answers.length === 0);
});

// One answer that decides nothing, in one place: never isolated.
const FAULTS = {
  'the other object is said not to be there': (wallet, action, key) => action === 'get' && !own(wallet, action, key) && s3Error(404, 'NoSuchKey'),
  'a list of the other prefix is empty': (wallet, action, key) => action === 'list' && /^0x\w{40}\//.test(key) && !own(wallet, action, key) && { body: '<ListBucketResult/>' },
  'a put is a bad request': (wallet, action, key) => action === 'put' && !own(wallet, action, key) && s3Error(400, 'InvalidRequest'),
  'a deletion is not implemented': (wallet, action, key) => action === 'delete' && !own(wallet, action, key) && s3Error(501, 'NotImplemented'),
  'a 403 has no code': (wallet, action, key) => action === 'get' && !own(wallet, action, key) && { status: 403 },
  'a 403 is of another kind': (wallet, action, key) => action === 'get' && !own(wallet, action, key) && s3Error(403, 'RequestTimeTooSkewed'),
  'a proxy answers 403 in HTML': (wallet, action, key) => !own(wallet, action, key) && { status: 403, body: '<html>words-of-the-server</html>' },
  'the own object comes back different': (wallet, action, key) => action === 'get' && own(wallet, action, key) && { body: 'words-of-the-server' },
  'the own list is empty': (wallet, action, key) => action === 'list' && own(wallet, action, key) && { body: '<ListBucketResult/>' },
  'the bucket is not there': () => s3Error(404, 'NoSuchBucket'),
  'the bucket is in another region': () => s3Error(301, 'PermanentRedirect'),
  'the connection is dropped': (wallet, action, key) => action === 'list' && key === '' && 'drop',
  'nothing but 500': () => ({ status: 500 }),
};
for (const [what, fault] of Object.entries(FAULTS)) {
  test(`undecided: ${what}`, async (t) => {
    const cloud = await startCloud(t);
    cloud.fault = (...about) => fault(...about) || undefined;
    const said = await prove(t, cloud);
    is(said, 2, 'undecided', undefined);
    assert.ok(said.seconds < 30, `${said.seconds} s`);
  });
}

test('a network that hangs ends in seconds, at every place', async (t) => {
  const hanging = await serve(t, () => {});
  const token = await tokens(t);
  const cloud = await startCloud(t);
  const none = await runTool([...arguments_(hanging, token), '--json']);
  assert.equal(none.code, 2);
  const half = await runTool(['prove', '--role-arn', ROLE, '--bucket', BUCKET, '--sts-endpoint', cloud.url, '--s3-endpoint', hanging, ...token, '--json']);
  assert.equal(half.code, 2);
  for (const { stdout, seconds } of [none, half]) {
    assert.match(JSON.parse(stdout).cause, /did not answer within 10 seconds/);
    assert.ok(seconds < 25, `${seconds} s`);
  }
  assert.equal(JSON.parse(half.stdout).leftovers.length, 1);
});

test('over TLS with a private CA, by option and by variable', async (t) => {
  const dir = directory(t);
  const tls = await privateCa(dir);
  const cloud = await startCloud(t, { tls });
  is(await prove(t, cloud, { more: ['--ca-file', tls.caFile] }), 0, 'isolated', undefined);
  is(await prove(t, cloud, { env: { AWS_CA_BUNDLE: tls.caFile } }), 0, 'isolated', undefined);
  const token = await tokens(t);
  const byVariables = await runTool(['prove', '--role-arn', ROLE, '--bucket', BUCKET, ...token], {
    AWS_CA_BUNDLE: tls.caFile,
    AWS_ENDPOINT_URL_STS: cloud.url,
    AWS_ENDPOINT_URL_S3: `${cloud.url}/`,
    AWS_REGION: 'eu-central-1',
  });
  assert.equal(byVariables.code, 0, byVariables.stdout + byVariables.stderr);

  const another = await privateCa(dir, 'another');
  for (const more of [[], ['--ca-file', another.caFile]]) {
    const said = await prove(t, cloud, { more });
    is(said, 2, 'undecided', undefined);
    assert.match(said.report.cause, /no TLS certificate that is trusted/);
  }
});

test('a session each, through the issuer', async (t) => {
  const [cloud, issuer, dir] = [await startCloud(t), await startIssuer(t), directory(t)];
  const [one, other] = issuer.sessions.keys();
  writeFileSync(join(dir, 'one'), `${one}\n`);
  writeFileSync(join(dir, 'other'), other);
  const files = ['--issuer', issuer.url, '--session-token-file', join(dir, 'one'), '--other-session-token-file', join(dir, 'other')];
  is(await prove(t, cloud, { token: files }), 0, 'isolated', undefined);
  const env = { EDGE_BROKER_SESSION_TOKEN: one, EDGE_BROKER_OTHER_SESSION_TOKEN: other, EDGE_BROKER_ISSUER: issuer.url };
  is(await prove(t, cloud, { token: [], env }), 0, 'isolated', undefined);
  is(await prove(t, cloud, { token: [], env: { ...env, EDGE_BROKER_OTHER_SESSION_TOKEN: one } }), 2, 'undecided', undefined);
});

test('an interrupt puts away what was put', async (t) => {
  const cloud = await startCloud(t);
  // Slow from the third request on, so that there is something to put away.
  cloud.fault = async () => void (cloud.log.length > 2 && (await new Promise((resolve) => setTimeout(resolve, 300))));
  const child = start(arguments_(cloud.url, await tokens(t)));
  await until(() => cloud.objects.size > 0 && cloud.log.length > 4, 'objects were put');
  child.kill('SIGINT');
  const { code, stdout } = await child.said;
  assert.equal(code, 130);
  assert.match(stdout, /UNDECIDED: interrupted/);
  assert.equal(cloud.objects.size, 0);
});

test('what cannot be deleted is named', async (t) => {
  const cloud = await startCloud(t, { policy: (wallet, action, key) => action !== 'delete' && own(wallet, action, key) });
  const said = await prove(t, cloud);
  is(said, 3, 'broken', 'own-prefix-incomplete');
  assert.deepEqual(said.report.leftovers.toSorted(), [...cloud.objects.keys()].sort());
  assert.ok(cloud.objects.size >= 2);
});

test('wrong input ends at once, in one line', async (t) => {
  const cloud = await startCloud(t);
  const dir = directory(t);
  const good = await tokens(t);
  const file = (name, content) => (writeFileSync(join(dir, name), content), join(dir, name));
  const nobody = file('nobody', await webIdentity(ONE, { claims: { sub: 'somebody', [TAGS]: undefined } }));
  for (const token of [
    ['--token-file', join(dir, 'none'), ...good.slice(2)],
    ['--token-file', dir, ...good.slice(2)],
    ['--token-file', good[1], '--other-token-file', good[1]],
    ['--token-file', file('empty', ''), ...good.slice(2)],
    ['--token-file', file('html', '<html>'), ...good.slice(2)],
    ['--token-file', file('long', 'a'.repeat(100_000)), ...good.slice(2)],
    ['--token-file', nobody, ...good.slice(2)],
    [],
    ['--issuer', 'http://keys.example.com'],
    [...good, '--ca-file', join(dir, 'none')],
    [...good, '--ca-file', file('key.pem', 'no certificate')],
    [...good, '--sts-endpoint', 'nonsense'],
  ]) {
    const args = arguments_(cloud.url, token).filter((argument, index, all) => !(token.includes('nonsense') && (argument === '--sts-endpoint' || all[index - 1] === '--sts-endpoint')));
    const said = await runTool([...args, ...(token.includes('nonsense') ? ['--sts-endpoint', 'nonsense'] : [])]);
    assert.equal(said.code, 2, `${token}: ${said.stderr}`);
    assert.equal(said.stdout, '');
    assert.equal(said.stderr.trim().split('\n').length, 1, said.stderr);
    assert.match(said.stderr, /^edge-broker: undecided: .{20}/);
    assert.ok(said.seconds < 5);
  }
  assert.equal(cloud.assumed, 0);
});
