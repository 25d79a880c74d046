// The notes of docs/relying-parties: what can be tried without the relying party itself. Their configuration is read, its
// expressions are evaluated on a token of the broker's form and on tokens that must fail, its commands are parsed by their
// own program where that is installed, and Ceph's policies are judged.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { test } from 'node:test';

import { codeBlocks, evaluateCel, parseYaml } from './lib/documents.mjs';
import { OTHER, TAG, WALLET, askS3, askSts, identity } from './lib/iam.mjs';
import { awsCli, noTools, startMoto } from './lib/moto.mjs';
import { ACCOUNT, DEFAULTS } from './lib/render.mjs';
import { onPath, root, run, temporaryDirectory } from './lib/run.mjs';

const folder = join(root, 'docs/relying-parties');
const pages = readdirSync(folder).filter((file) => file !== 'README.md');
const page = (file) => readFileSync(join(folder, file), 'utf8');

/** The named block of a page. */
function block(file, name) {
  const found = codeBlocks(page(file)).filter((b) => b.name === name);
  assert.equal(found.length, 1, `${file}: one block ${name}`);
  return found[0].code;
}
const shell = (file) => codeBlocks(page(file)).filter(({ language }) => language === 'sh').map(({ code }) => code);
/** The commands of a shell block, each on one line. */
const commands = (code) => code.replaceAll('\\\n', ' ').split('\n').filter((line) => line && !line.startsWith('#'));

const ISSUER = DEFAULTS.issuer;

/** The claims that every token of the broker has. */
const token = (more = {}) => ({
  iss: ISSUER,
  sub: `agentkeys:agent:${WALLET}`,
  aud: 'sts.amazonaws.com',
  iat: 1_767_225_600,
  exp: 1_767_225_900,
  jti: 'b1946ac92492d2347c6235b4d2611184',
  agentkeys_user_wallet: WALLET,
  'https://aws.amazon.com/tags': { principal_tags: { [TAG]: [WALLET] }, transitive_tag_keys: [TAG] },
  ...more,
});
const { agentkeys_user_wallet: _, ...withoutWallet } = token();

const AUDIENCE = {
  'google-cloud.md': {
    audience: 'https://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/agentkeys/providers/broker',
  },
  'entra-id.md': { audience: 'api://AzureADTokenExchange', alg: 'RS256' },
  'vault.md': { audience: 'vault' },
  'kubernetes.md': { audience: 'kubernetes' },
  'ceph-rgw.md': { audience: 'rgw', alg: 'RS256' },
};

test('every note has an audience of its own and says what was tried', async (t) => {
  assert.deepEqual(pages.toSorted(), Object.keys(AUDIENCE).toSorted());
  for (const file of pages) {
    await t.test(file, () => {
      const [first, second, ...more] = JSON.parse(block(file, 'AUDIENCES'));
      assert.equal(first, 'sts.amazonaws.com', 'the first is the default, and stays AWS');
      assert.deepEqual(typeof second === 'string' ? { audience: second } : second, AUDIENCE[file]);
      assert.deepEqual(more, []);
      assert.match(page(file), /^## What was tried\n[^]*^- Not tried: /m);
      assert.ok(page('README.md').includes(`](${file})`), 'the overview links to it');
    });
  }
  assert.equal(new Set(Object.values(AUDIENCE).map(({ audience }) => audience)).size, pages.length);
});

test('no note names a claim that the broker does not mint', () => {
  const known = new Set(Object.keys(token()));
  for (const file of pages) {
    for (const [, claim] of page(file).matchAll(/\b(?:claims|assertion)\.(\w+)/g)) assert.ok(known.has(claim), `${file}: ${claim}`);
  }
  const role = JSON.parse(block('vault.md', 'role.json'));
  for (const claim of [role.user_claim, ...Object.keys(role.bound_claims), ...Object.keys(role.claim_mappings)]) {
    assert.ok(known.has(claim), `vault.md: ${claim}`);
  }
});

/** A server on loopback that answers everything and keeps the last request. */
async function recorder(t) {
  const seen = {};
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    Object.assign(seen, { method: request.method, url: request.url, headers: request.headers, body });
    response.end('{}');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { seen, url: `http://127.0.0.1:${server.address().port}` };
}

const noCurl = onPath('curl') ? false : 'curl is not installed';

test("the overview's command asks the broker for an audience", { skip: noCurl }, async (t) => {
  const { seen, url } = await recorder(t);
  const [mint] = shell('README.md');
  await run('sh', ['-eu'], { input: mint, env: { ...process.env, ISSUER: `${url}/tenant`, SESSION_TOKEN: 'aks_x' }, check: true });
  assert.equal(`${seen.method} ${seen.url}`, 'POST /tenant/v1/mint-oidc-jwt');
  assert.equal(seen.headers.authorization, 'Bearer aks_x');
  assert.equal(seen.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(seen.body), { audience: 'AUDIENCE' });
});

test('Google Cloud', async (t) => {
  const [setUp, bind, use] = shell('google-cloud.md');

  await t.test('the condition and the mapping, evaluated', { skip: noTools }, async () => {
    const [, condition] = /--attribute-condition="([^"]+)"/.exec(setUp);
    const [, mapping] = /--attribute-mapping="([^"]+)"/.exec(setUp);
    const mapped = Object.fromEntries(mapping.split(',').map((entry) => entry.split(/=(.*)/, 2)));
    assert.deepEqual(Object.keys(mapped), ['google.subject', 'attribute.wallet']);

    const on = (expression, assertion) => [expression, { assertion }];
    const answers = await evaluateCel([
      on(condition, token()),
      on(mapped['google.subject'], token()),
      on(mapped['attribute.wallet'], token()),
      on(condition, token({ agentkeys_user_wallet: OTHER })),
      on(condition, token({ sub: WALLET })),
      on(condition, withoutWallet),
      on(mapped['attribute.wallet'], withoutWallet),
    ]);
    const missing = { error: 'CELEvalError' };
    assert.deepEqual(answers, [true, `agentkeys:agent:${WALLET}`, WALLET, false, false, missing, missing]);
    assert.ok(Buffer.byteLength(answers[1]) <= 127, "google.subject's limit");
  });

  await t.test('the binding is for one wallet, in its own folder', () => {
    const [create, add] = commands(bind);
    for (const line of [create, add]) assert.match(line, new RegExp(`gs://\\S+/${WALLET}/( |$)`));
    assert.match(add, new RegExp(`principalSet://\\S+/workloadIdentityPools/agentkeys/attribute\\.wallet/${WALLET}"`));
  });

  const gcloud = onPath('gcloud');
  await t.test('gcloud parses every command, and writes the credentials', { skip: gcloud ? false : 'gcloud is not installed' }, async (t) => {
    const cwd = temporaryDirectory(t);
    const env = {
      ...process.env,
      CLOUDSDK_CONFIG: join(cwd, 'config'),
      CLOUDSDK_CORE_CHECK_GCE_METADATA: 'false',
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
      CLOUDSDK_CORE_PROJECT: 'project',
    };
    const gcloudSays = async (line) => run('sh', ['-eu'], { input: line, cwd, env });
    for (const line of [...commands(setUp), ...commands(bind)]) {
      const { code, stderr } = await gcloudSays(line);
      assert.equal(code, 1, `an argument error is 2: ${stderr}`);
      assert.match(stderr, /do not currently have an active account/);
    }
    assert.equal((await gcloudSays(`${commands(bind)[0]} --no-such-flag`)).code, 2, 'and it would tell');

    assert.equal((await gcloudSays(use)).code, 0);
    const credentials = JSON.parse(readFileSync(join(cwd, 'google.json'), 'utf8'));
    assert.equal(`https:${credentials.audience}`, AUDIENCE['google-cloud.md'].audience);
    assert.equal(credentials.subject_token_type, 'urn:ietf:params:oauth:token-type:jwt');
    assert.equal(credentials.credential_source.file, 'token.jwt');
  });
});

test('Entra ID', async (t) => {
  await t.test('the credential is what a token says, within the limits', () => {
    const credential = JSON.parse(block('entra-id.md', 'credential.json'));
    assert.deepEqual(Object.keys(credential).toSorted(), ['audiences', 'issuer', 'name', 'subject']);
    assert.match(credential.name, /^[A-Za-z0-9][A-Za-z0-9_-]{2,119}$/);
    assert.equal(credential.issuer, token().iss);
    assert.equal(credential.subject, token().sub);
    assert.ok(credential.issuer.length <= 600 && credential.subject.length <= 600);
    assert.deepEqual(credential.audiences, [AUDIENCE['entra-id.md'].audience]);
  });

  await t.test('the exchange sends the token as a client assertion', { skip: noCurl }, async (t) => {
    const { seen, url } = await recorder(t);
    const [, exchange] = shell('entra-id.md');
    const local = exchange.replace('https://login.microsoftonline.com', url);
    assert.notEqual(local, exchange);
    const env = { ...process.env, TENANT: 'tenant', APPLICATION_ID: 'app', TOKEN: 'a.b-c_d+/=.e' };
    await run('sh', ['-eu'], { input: local, env, check: true });
    assert.equal(`${seen.method} ${seen.url}`, 'POST /tenant/oauth2/v2.0/token');
    assert.deepEqual(Object.fromEntries(new URLSearchParams(seen.body)), {
      grant_type: 'client_credentials',
      client_id: 'app',
      scope: 'https://storage.azure.com/.default',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'a.b-c_d+/=.e',
    });
  });
});

test('Vault', async (t) => {
  const role = JSON.parse(block('vault.md', 'role.json'));

  await t.test('the role has fields of the API only, and those that it needs', () => {
    const fields = ['role_type', 'bound_audiences', 'user_claim', 'bound_claims_type', 'bound_claims', 'claim_mappings'];
    const tokenFields = ['token_policies', 'token_no_default_policy', 'token_ttl', 'token_max_ttl'];
    assert.deepEqual(Object.keys(role).toSorted(), [...fields, ...tokenFields].toSorted());
    assert.equal(role.role_type, 'jwt');
    assert.equal(role.bound_claims_type, 'glob');
    assert.deepEqual(role.bound_audiences, [AUDIENCE['vault.md'].audience]);
  });

  await t.test('it takes a token of the broker and no other', () => {
    const glob = (pattern) => new RegExp(`^${pattern.split('*').map((text) => text.replace(/[^\w]/g, '\\$&')).join('.*')}$`);
    const takes = (claims) => Object.entries(role.bound_claims).every(([name, pattern]) => name in claims && glob(pattern).test(claims[name]));
    assert.equal(takes(token()), true);
    assert.equal(takes(withoutWallet), false);
    assert.equal(takes(token({ sub: `agentkeys:user:${WALLET}` })), false);
    assert.equal(takes(token({ agentkeys_user_wallet: '' })), false);
    assert.equal(takes(token({ agentkeys_user_wallet: '../0x' })), false);
  });

  await t.test("the policy's paths hang on the metadata that the role writes, and end there", () => {
    const paths = [...block('vault.md', 'wallet.hcl').matchAll(/^path "([^"]+)"/gm)].map(([, path]) => path);
    assert.equal(paths.length, 2);
    const metadata = role.claim_mappings.agentkeys_user_wallet;
    for (const path of paths) {
      assert.match(path, new RegExp(`^secret/(data|metadata)/wallets/\\{\\{identity\\.entity\\.aliases\\.ACCESSOR\\.metadata\\.${metadata}\\}\\}/\\*$`));
    }
    assert.deepEqual(role.token_policies, ['wallet']);
    assert.match(shell('vault.md').join(''), /vault policy write wallet -/);
  });
});

test('Kubernetes', { skip: noTools }, async (t) => {
  const [configuration] = await parseYaml(block('kubernetes.md', 'authentication.yaml'));
  const [jwt] = configuration.jwt;

  await t.test('the configuration has fields of the API only, and those that it needs', () => {
    assert.deepEqual(Object.keys(configuration), ['apiVersion', 'kind', 'jwt']);
    assert.equal(configuration.apiVersion, 'apiserver.config.k8s.io/v1');
    assert.equal(configuration.kind, 'AuthenticationConfiguration');
    assert.equal(configuration.jwt.length, 1);
    assert.deepEqual(Object.keys(jwt).toSorted(), ['claimMappings', 'claimValidationRules', 'issuer', 'userValidationRules']);
    assert.deepEqual(jwt.issuer, { url: ISSUER, audiences: [AUDIENCE['kubernetes.md'].audience] });
    for (const rule of [...jwt.claimValidationRules, ...jwt.userValidationRules]) {
      assert.deepEqual(Object.keys(rule).toSorted(), ['expression', 'message']);
    }
    assert.deepEqual(Object.keys(jwt.claimMappings), ['username', 'groups', 'uid']);
    for (const mapping of Object.values(jwt.claimMappings)) assert.deepEqual(Object.keys(mapping), ['expression']);
  });

  const rules = jwt.claimValidationRules.map(({ expression }) => expression);
  const holds = async (claims) => (await evaluateCel(rules.map((rule) => [rule, { claims }]))).every((answer) => answer === true);

  await t.test('the rules let a token of the broker pass, and no other', async () => {
    assert.equal(await holds(token()), true);
    assert.equal(await holds(token({ exp: token().iat + 3600 })), true);
    assert.equal(await holds(token({ exp: token().iat + 3601 })), false, 'too long');
    assert.equal(await holds(token({ agentkeys_user_wallet: OTHER })), false, 'two wallets');
    assert.equal(await holds(withoutWallet), false, 'no wallet');
  });

  await t.test('the mappings give a user, a group and a uid; the rule on users passes agents only', async () => {
    const { username, groups, uid } = jwt.claimMappings;
    const answers = await evaluateCel([username, groups, uid].map(({ expression }) => [expression, { claims: token() }]));
    assert.deepEqual(answers, [`agentkeys:agent:${WALLET}`, 'agentkeys:agents', WALLET]);

    const [{ expression }] = jwt.userValidationRules;
    const users = [answers[0], `agentkeys:agent:${WALLET.toUpperCase()}`, `agentkeys:agent:${WALLET}0`, 'system:masters', ''];
    const passed = await evaluateCel(users.map((name) => [expression, { user: { username: name } }]));
    assert.deepEqual(passed, [true, false, false, false, false]);
  });

  await t.test('the binding is for that user, in a namespace of its own', async () => {
    const [namespace, binding] = await parseYaml(block('kubernetes.md', 'wallet.yaml'));
    assert.match(namespace.metadata.name, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
    assert.equal(binding.metadata.namespace, namespace.metadata.name);
    assert.deepEqual(binding.subjects, [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: token().sub }]);
    assert.deepEqual(Object.keys(binding.roleRef).toSorted(), ['apiGroup', 'kind', 'name']);
  });
});

test('Ceph RGW', async (t) => {
  const trust = JSON.parse(block('ceph-rgw.md', 'trust.json'));
  const walletPolicy = JSON.parse(block('ceph-rgw.md', 'wallet.json'));

  await t.test('the policies have nothing that RGW reads differently', () => {
    for (const policy of [trust, walletPolicy]) {
      const text = JSON.stringify(policy);
      assert.doesNotMatch(text, /"Null"|\$\{|"Not|StringNot|"Deny"/);
    }
    assert.equal(trust.Statement.length, 1, 'no second statement that asks for less');
  });

  await t.test('the trust policy lets in a token with a wallet, and no other', async () => {
    // IAM has an account in the ARN where RGW has a tenant, or nothing.
    const asIam = JSON.parse(JSON.stringify(trust).replaceAll('arn:aws:iam:::', `arn:aws:iam::${ACCOUNT}:`));
    const [provider] = asIam.Statement[0].Principal.Federated;
    const good = { provider, aud: 'rgw', sub: token().sub, tags: { [TAG]: WALLET, transitive_tag_keys: TAG } };
    assert.equal(await askSts(asIam, good), true);
    for (const bad of [{ tags: {} }, { tags: { [TAG]: '' } }, { tags: { team: 'red' } }, { aud: 'sts.amazonaws.com' }, { sub: 'agentkeys:user:x' }]) {
      assert.equal(await askSts(asIam, { ...good, ...bad }), false, JSON.stringify(bad));
    }
  });

  await t.test("the wallets' policies keep them apart", async () => {
    const forOther = JSON.parse(JSON.stringify(walletPolicy).replaceAll(WALLET, OTHER));
    const identityPolicies = identity(walletPolicy, forOther);
    const allowed = async (request) => (await askS3({ ...request, identityPolicies })) === 'Allowed';
    const list = (prefix) => ({ action: 's3:ListBucket', context: prefix === undefined ? {} : { 's3:prefix': prefix } });
    for (const [wallet, other] of [[WALLET, OTHER], [OTHER, WALLET]]) {
      const tags = { [TAG]: wallet };
      for (const action of walletPolicy.Statement[0].Action) {
        assert.equal(await allowed({ action, key: `${wallet}/note`, tags }), true, action);
        assert.equal(await allowed({ action, key: `${other}/note`, tags }), false, action);
        assert.equal(await allowed({ action, key: `${wallet}/note`, tags: {} }), false, `${action}, untagged`);
      }
      assert.equal(await allowed({ ...list(`${wallet}/`), tags }), true);
      for (const prefix of [`${other}/`, '', wallet, undefined]) assert.equal(await allowed({ ...list(prefix), tags }), false, prefix);
    }
  });

  await t.test('the commands leave the provider, the role and its policy', { skip: noTools }, async (t) => {
    const { environment, call } = await startMoto(t);
    const cwd = temporaryDirectory(t);
    writeFileSync(join(cwd, 'trust.json'), JSON.stringify(trust));
    writeFileSync(join(cwd, 'wallet.json'), JSON.stringify(walletPolicy));
    const { AWS_ENDPOINT_URL: RGW, ...keys } = environment;
    const env = { ...process.env, ...keys, RGW, THUMBPRINT: 'ab'.repeat(20), PATH: `${dirname(awsCli)}:${process.env.PATH}` };
    await run('sh', ['-eu'], { input: shell('ceph-rgw.md')[1], cwd, env, check: true });

    const [{ Arn }] = (await call('iam', 'list_open_id_connect_providers')).OpenIDConnectProviderList;
    assert.deepEqual((await call('iam', 'get_open_id_connect_provider', { OpenIDConnectProviderArn: Arn })).ThumbprintList, ['ab'.repeat(20)]);
    assert.deepEqual((await call('iam', 'get_role', { RoleName: 'agentkeys-wallet' })).Role.AssumeRolePolicyDocument, trust);
    const name = { RoleName: 'agentkeys-wallet', PolicyName: `wallet-${WALLET}` };
    assert.deepEqual((await call('iam', 'get_role_policy', name)).PolicyDocument, walletPolicy);
  });

  const openssl = onPath('openssl');
  await t.test('the thumbprint is that of the last certificate in the chain', { skip: openssl ? false : 'openssl is not installed' }, async (t) => {
    const cwd = temporaryDirectory(t);
    const make = (...args) => run(openssl, ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', ...args], { cwd, check: true });
    await make('-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca');
    await make('-keyout', 'leaf.key', '-out', 'leaf.pem', '-subj', '/CN=localhost', '-CA', 'ca.pem', '-CAkey', 'ca.key');
    const [key, leaf, ca] = ['leaf.key', 'leaf.pem', 'ca.pem'].map((file) => readFileSync(join(cwd, file), 'utf8'));
    const server = createTlsServer({ key, cert: leaf + ca }, (socket) => socket.on('error', () => {}).end());
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());

    const [fingerprint] = shell('ceph-rgw.md');
    const local = fingerprint.replace('broker.example.com:443', `127.0.0.1:${server.address().port}`);
    const { stdout } = await run('sh', ['-eu'], { input: local, check: true });
    assert.equal(stdout.trim(), new X509Certificate(ca).fingerprint.replaceAll(':', ''));
  });
});
