// A small STS and S3 that are not AWS's and can be made faulty: `AssumeRoleWithWebIdentity` with session tags, path-style
// list, put, get and delete with signatures checked (AWS: Signature Version 4), and a policy that is a function. It is
// there for what an emulator does not do: to deny by tag, and to go wrong in one place.

import { createHash, createHmac, randomBytes } from 'node:crypto';

import { TAG, TAGS } from './issuer.mjs';
import { serve } from './server.mjs';

export const BUCKET = 'wallets';
export const REGION = 'default';

/** The policy of an isolated bucket: of a key, or of the prefix of a list. */
export const own = (wallet, action, key) => wallet !== undefined && key.startsWith(`${wallet}/`);

const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const text = (value) => value.replace(/[<&>]/g, (c) => `&#${c.charCodeAt(0)};`);
const errorXml = (code) => `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>words-of-the-server</Message><Resource>/</Resource></Error>`;

/**
 * Starts it. Every part can be changed while it runs:
 *
 * - `policy(wallet, action, key)`: whether a wallet may list, put, get, delete;
 * - `fault(wallet, action, key)`: an answer in place of S3's, `{ status, body }`, `'hang'`, `'drop'`, or undefined;
 * - `sts(claims)`: the same in place of STS's;
 * - `credentials`: what of the credentials STS answers with is left out, `{ Expiration: undefined }` say; `lifetime` of them.
 *
 * `objects` is the bucket, `assumed` counts the sessions.
 */
export async function startCloud(t, { tls, policy = own, fault = () => undefined, sts = () => undefined } = {}) {
  const cloud = { policy, fault, sts, credentials: {}, lifetime: undefined, objects: new Map(), assumed: 0, resolve: (key) => key, log: [], sessions: new Map() };
  cloud.url = await serve(
    t,
    async (request, body, response) => {
      const answer = request.url === '/' ? assume(cloud, new URLSearchParams(body.toString())) : s3(cloud, request, body);
      const { status = 200, body: content = '', headers = {} } = await answer.then((value) => (typeof value === 'string' ? { status: value } : value));
      if (status === 'hang') return;
      if (status === 'drop') return void request.socket.destroy();
      response.writeHead(status, { 'content-type': 'application/xml', 'x-amz-request-id': 'test', ...headers }).end(content);
    },
    tls,
  );
  return cloud;
}

async function assume(cloud, form) {
  if (form.get('Action') !== 'AssumeRoleWithWebIdentity') return { status: 400, body: errorXml('InvalidAction') };
  const claims = JSON.parse(Buffer.from(form.get('WebIdentityToken').split('.')[1], 'base64url'));
  const wrong = cloud.sts(claims, form);
  if (wrong) return wrong;
  cloud.assumed += 1;
  const seconds = cloud.lifetime ?? Number(form.get('DurationSeconds') ?? 3600);
  const id = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const credentials = {
    AccessKeyId: id,
    SecretAccessKey: randomBytes(20).toString('hex'),
    SessionToken: randomBytes(32).toString('base64'),
    Expiration: new Date(Date.now() + seconds * 1000).toISOString(),
    ...cloud.credentials,
  };
  cloud.sessions.set(id, { ...credentials, wallet: claims[TAGS]?.principal_tags?.[TAG]?.[0], name: form.get('RoleSessionName') });
  const members = Object.entries(credentials).filter(([, value]) => value !== undefined).map(([name, value]) => `<${name}>${value}</${name}>`);
  // Neither AssumedRoleUser nor ResponseMetadata: some STS leave them out.
  const result = `<AssumeRoleWithWebIdentityResult><Credentials>${members.join('')}</Credentials></AssumeRoleWithWebIdentityResult>`;
  return { body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${result}</AssumeRoleWithWebIdentityResponse>` };
}

async function s3(cloud, request, body) {
  const [path, query = ''] = request.url.split('?');
  const session = signer(cloud, request, path, query, body);
  if (!session) return { status: 403, body: errorXml('SignatureDoesNotMatch') };
  const [, bucket, ...rest] = path.split('/');
  if (bucket !== BUCKET) return { status: 404, body: errorXml('NoSuchBucket') };
  const key = cloud.resolve(rest.map(decodeURIComponent).join('/'));
  const parameters = new URLSearchParams(query);
  const action = rest.join('/') === '' ? 'list' : { GET: 'get', PUT: 'put', DELETE: 'delete' }[request.method];
  const about = action === 'list' ? (parameters.get('prefix') ?? '') : key;
  cloud.log.push([session.wallet, action, about]);
  const wrong = await cloud.fault(session.wallet, action, about);
  if (wrong) return wrong;
  if (!cloud.policy(session.wallet, action, about)) return { status: 403, body: errorXml('AccessDenied') };
  if (action === 'list') {
    const keys = [...cloud.objects.keys()].filter((name) => name.startsWith(about)).sort();
    const contents = keys.map((name) => `<Contents><Key>${text(name)}</Key><Size>1</Size></Contents>`).join('');
    return { body: `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name><KeyCount>${keys.length}</KeyCount><IsTruncated>false</IsTruncated>${contents}</ListBucketResult>` };
  }
  if (action === 'put') cloud.objects.set(key, body);
  if (action === 'delete') cloud.objects.delete(key);
  if (action === 'delete') return { status: 204 };
  if (action === 'get' && !cloud.objects.has(key)) return { status: 404, body: errorXml('NoSuchKey') };
  return { headers: { etag: '"x"' }, body: action === 'get' ? cloud.objects.get(key) : '' };
}

/** The session whose signature this is, or undefined. */
function signer(cloud, { method, headers }, path, query, body) {
  const match = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(headers.authorization ?? '');
  const session = cloud.sessions.get(match?.[1]);
  if (!session || headers['x-amz-security-token'] !== session.SessionToken) return undefined;
  const [, , date, region, signed, signature] = match;
  const payload = headers['x-amz-content-sha256'];
  if (payload !== 'UNSIGNED-PAYLOAD' && payload !== sha256(body)) return undefined;
  const pairs = query.split('&').filter(Boolean).map((pair) => (pair.includes('=') ? pair : `${pair}=`)).sort();
  const named = signed.split(';').map((name) => `${name}:${headers[name]?.trim().replace(/ +/g, ' ')}\n`).join('');
  const canonical = [method, path, pairs.join('&'), named, signed, payload].join('\n');
  const scope = `${date}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = [date, region, 's3', 'aws4_request'].reduce(hmac, `AWS4${session.SecretAccessKey}`);
  return hmac(key, toSign).toString('hex') === signature ? session : undefined;
}

/** An STS error in the form of AWS's protocol, and in S3's form, which some others use. */
export const stsError = (status, code) => ({
  status,
  body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>words-of-the-server</Message></Error></ErrorResponse>`,
});
export const s3Error = (status, code) => ({ status, body: errorXml(code) });
