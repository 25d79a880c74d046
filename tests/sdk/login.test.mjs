// `login`, `logout` and `allow` with the real broker: wallets of viem's sign in and mint, and what the tool keeps and stores is
// what the broker takes.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { fromProcess } from '@aws-sdk/credential-providers';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';

import { root } from '../aws/lib/run.mjs';
import { BUCKET, REGION, startCloud } from './lib/cloud.mjs';
import { TAG, TAGS } from './lib/issuer.mjs';
import { kvOf } from './lib/kv.mjs';
import { runTool, tool } from './lib/tool.mjs';

const ROLE = 'arn:aws:iam::123456789012:role/agentkeys-wallet';
const missing = existsSync(join(root, 'build/worker/entry.js')) ? false : 'build/worker is missing: scripts/build';

describe('login and the worker', { skip: missing }, () => {
  let broker;
  let dir;
  const secrets = [];

  before(async () => {
    const { startBroker } = await import('../edge/support/broker.mjs');
    const keys = await import('../edge/support/keys.mjs');
    dir = mkdtempSync(join(tmpdir(), 'agentkeys-login-'));
    broker = await startBroker({ secrets: keys.secrets({ A: await keys.ecKey() }) });
  });
  after(async () => {
    await broker?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** A new wallet, its key in a private file. */
  function newWallet() {
    const key = generatePrivateKey();
    secrets.push(key.slice(2));
    const { address } = privateKeyToAccount(key);
    const file = join(dir, `${address}.key`);
    writeFileSync(file, `${key}\n`, { mode: 0o600 });
    return { address, wallet: address.toLowerCase(), file };
  }

  /** Somebody with a home of their own, at an issuer. */
  function user(issuer, env = {}) {
    const home = mkdtempSync(join(dir, 'home-'));
    const own = { HOME: home, XDG_STATE_HOME: '', XDG_CACHE_HOME: '', ...env };
    const run = async (...args) => {
      const said = await runTool(args, own);
      for (const secret of secrets) assert.ok(!`${said.stdout}${said.stderr}`.includes(secret), 'a private key is repeated');
      return said;
    };
    const json = async (...args) => {
      const said = await run(...args, '--json');
      assert.equal(said.code, 0, said.stderr);
      return JSON.parse(said.stdout);
    };
    const line = ({ file }, more) => ['login', '--issuer', issuer, '--wallet-key-file', file, ...more];
    return { home, own, run, json, login: (one, ...more) => run(...line(one, more)), loggedIn: (one, ...more) => json(...line(one, more)) };
  }

  /** The claims of the web identity token that `token` writes, verified by a foreign library. */
  async function minted(issuer, { home, run }, ...more) {
    const out = join(home, 'token');
    const said = await run('token', '--issuer', issuer, '--out', out, ...more);
    assert.equal(said.code, 0, said.stderr);
    const keySet = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
    return (await jwtVerify(readFileSync(out, 'utf8'), keySet, { issuer, audience: 'sts.amazonaws.com' })).payload;
  }

  test('a wallet logs in, mints, and logs out', async () => {
    for (const path of ['', '/agents/keys']) {
      const issuer = await broker.becomeItsOwnIssuer(path, { SIGNIN_RESOURCES: ['https://example.com/terms'], SIGNIN_STATEMENT: 'Issued At: any time' });
      const [one, me] = [newWallet(), user(issuer)];
      const result = await me.loggedIn(one);
      assert.deepEqual([result.issuer, result.wallet], [issuer, one.wallet]);
      assert.ok(Math.abs(result.expires_at - Date.now() / 1000 - 2_592_000) < 60);
      assert.equal(statSync(result.session_file).mode & 0o777, 0o600);
      const { session_token: token } = JSON.parse(readFileSync(result.session_file, 'utf8'));
      const session = await broker.request(`${path}/v1/session`, { headers: { authorization: `Bearer ${token}` } });
      assert.deepEqual([session.status, session.json().wallet, session.json().expires_at], [200, one.wallet, result.expires_at]);

      const claims = await minted(issuer, me);
      assert.equal(claims.sub, `agentkeys:agent:${one.wallet}`);
      assert.deepEqual(claims[TAGS].principal_tags, { [TAG]: [one.wallet] });

      assert.equal((await me.json('logout')).session, 'ended');
      assert.ok(!existsSync(result.session_file));
      const out = join(me.home, 'token');
      assert.equal((await me.run('token', '--issuer', issuer, '--out', out)).code, 2, 'nobody is logged in');
      const gone = await runTool(['token', '--issuer', issuer, '--out', out], { ...me.own, EDGE_BROKER_SESSION_TOKEN: token });
      assert.equal(gone.code, 66, gone.stderr);
    }
  });

  test('another name of the same broker gets no signature', async () => {
    const issuer = await broker.becomeItsOwnIssuer();
    const url = new URL(issuer);
    url.hostname = url.hostname === 'localhost' ? '127.0.0.1' : 'localhost';
    const me = user(url.origin);
    const said = await me.login(newWallet());
    assert.equal(said.code, 69, said.stdout);
    assert.match(said.stderr, /nothing was signed.*another domain/);
  });

  test('AWS credentials for a wallet that has logged in, as a profile has them', async (t) => {
    const issuer = await broker.becomeItsOwnIssuer();
    const [one, other, me, cloud] = [newWallet(), newWallet(), user(issuer), await startCloud(t)];
    await me.loggedIn(one);
    await me.loggedIn(other);
    const config = join(me.home, 'config');
    for (const [named, { wallet }] of [[[], other], [['--wallet', one.address], one]]) {
      const args = [tool(), 'credentials', '--issuer', issuer, '--role-arn', ROLE, '--sts-endpoint', cloud.url, ...named];
      const command = ['/usr/bin/env', ...Object.entries(me.own).map(([name, value]) => `${name}=${value}`), ...args];
      writeFileSync(config, `[profile agent]\ncredential_process = ${command.map((word) => `"${word}"`).join(' ')}\n`);
      const credentials = fromProcess({ profile: 'agent', configFilepath: config, filepath: join(me.home, 'none'), ignoreCache: true });
      const s3 = new S3Client({ region: REGION, endpoint: cloud.url, forcePathStyle: true, credentials });
      const put = (prefix) => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `${prefix}/report`, Body: 'x' }));
      await put(wallet);
      await assert.rejects(put(wallet === one.wallet ? other.wallet : one.wallet), { name: 'AccessDenied' });
      s3.destroy();
    }
    assert.deepEqual([...cloud.objects.keys()].sort(), [`${one.wallet}/report`, `${other.wallet}/report`].sort());
  });

  test('isolation is proven with two wallets that have logged in', async (t) => {
    const issuer = await broker.becomeItsOwnIssuer();
    const [one, other, me, cloud] = [newWallet(), newWallet(), user(issuer), await startCloud(t)];
    await me.loggedIn(one);
    await me.loggedIn(other);
    const line = ['prove', '--issuer', issuer, '--role-arn', ROLE, '--bucket', BUCKET, '--sts-endpoint', cloud.url, '--s3-endpoint', cloud.url];
    const proof = await me.json(...line, '--other-wallet', one.address);
    assert.deepEqual([proof.verdict, proof.wallets.toSorted()], ['isolated', [one.wallet, other.wallet].toSorted()]);
    cloud.policy = () => true;
    assert.equal((await me.run(...line, '--wallet', one.address, '--other-wallet', other.address)).code, 3, 'the twin');
  });

  test('where only some may sign in, allow says who', async (t) => {
    const issuer = await broker.becomeItsOwnIssuer('', { SIGNIN_ALLOW: 'listed' });
    const [one, other] = [newWallet(), newWallet()];
    const me = user(issuer, await kvOf(t, broker));
    const refused = async (wallet) => {
      const said = await me.login(wallet);
      assert.equal(said.code, 69, said.stdout);
      assert.match(said.stderr, new RegExp(`403.*edge-broker allow add ${wallet.address}`));
    };
    await refused(one);
    assert.equal((await me.json('allow', 'add', one.address, '--label', 'build agent')).change, 'added');
    assert.equal((await me.json('allow', 'add', one.address)).change, 'unchanged');
    await me.loggedIn(one);
    await refused(other);
    const { wallets } = await me.json('allow', 'list');
    assert.deepEqual(wallets.map(({ wallet, state, label }) => [wallet, state, label]), [[one.wallet, 'listed', 'build agent']]);

    // A record that is broken lets nobody in, until it is written anew.
    const key = `signin-allow/v1/${other.wallet}`;
    await (await broker.sessions()).put(key, JSON.stringify({ v: 1, wallet: one.wallet, added_at: 1 }));
    await refused(other);
    assert.equal((await me.run('allow', 'show', other.address)).code, 65);
    assert.equal((await me.json('allow', 'list')).wallets.find(({ wallet }) => wallet === other.wallet).state, 'broken');
    await me.json('allow', 'add', other.address);
    await me.loggedIn(other);

    assert.equal((await me.json('allow', 'remove', one.address)).removed, true);
    await refused(one);
    await minted(issuer, me, '--wallet', one.address);
    const { sessions } = await me.json('session', 'list', one.address);
    assert.deepEqual(sessions.map(({ state, label }) => [state, label]), [['live', 'sign-in']]);
    assert.equal((await me.json('session', 'show', '--issuer', issuer, '--wallet', one.address)).hash, sessions[0].hash);
    assert.equal((await me.json('session', 'revoke-all', one.address)).revoked, 1);
    const said = await me.run('token', '--issuer', issuer, '--out', join(me.home, 'token'), '--wallet', one.address);
    assert.equal(said.code, 66, 'the session ended too');
    assert.equal((await me.json('logout', '--wallet', one.address)).session, 'gone');
  });

  test('a chain that the broker does not take is named', async () => {
    const issuer = await broker.becomeItsOwnIssuer('', { SIGNIN_CHAINS: [8453] });
    const [one, me] = [newWallet(), user(issuer)];
    const said = await me.login(one);
    assert.deepEqual([said.code, said.stdout], [64, '']);
    assert.match(said.stderr, /--chain-id/);
    await me.loggedIn(one, '--chain-id', '8453');
  });
});
