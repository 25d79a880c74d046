// A double of the broker, for what a real one does not do on demand: to fail, to hang, to answer nonsense. It mints real
// JWTs of the wire's form. What the real broker mints is tested where it runs.

import { randomBytes } from 'node:crypto';

import { SignJWT, generateKeyPair } from 'jose';

import { serve } from './server.mjs';

export const TAGS = 'https://aws.amazon.com/tags';
export const TAG = 'agentkeys_user_wallet';
export const WALLETS = ['0x52908400098527886e0f7030069857d2e4169ee7', '0x8617e340b3d01fa5f11f306f4090fd50e238070d'];

const { privateKey } = await generateKeyPair('ES256');

/** A wallet's web identity token. `claims` are put over the usual ones; an undefined one is left out. */
export function webIdentity(wallet, { lifetime = 300, claims = {} } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const all = {
    iss: 'https://broker.example.com',
    sub: `agentkeys:agent:${wallet}`,
    aud: 'sts.amazonaws.com',
    iat: now,
    exp: now + lifetime,
    [TAGS]: { principal_tags: { [TAG]: [wallet] }, transitive_tag_keys: [TAG] },
    ...claims,
  };
  const present = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(present).setProtectedHeader({ alg: 'ES256', kid: 'test', typ: 'JWT' }).sign(privateKey);
}

/** A session token of the wire's form. */
export const sessionToken = () => `aks_${randomBytes(32).toString('base64url')}`;

/**
 * Starts the double. `sessions` maps session tokens to wallets. `script` is shifted for each request: a number is a status,
 * an object `{ status, headers, body }` an answer, 'hang' silence, and nothing left means to mint. `requests` has the bodies.
 */
export async function startIssuer(t, { tls, lifetime = 300, script = [] } = {}) {
  const sessions = new Map(WALLETS.map((wallet) => [sessionToken(), wallet]));
  const issuer = { sessions, script, requests: [], lifetime };
  issuer.url = await serve(
    t,
    async (request, body, response) => {
      issuer.requests.push(body.toString());
      const next = issuer.script.shift() ?? 'mint';
      if (next === 'hang') return;
      const json = (status, value, headers = {}) => response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
      if (next === 'drop') return void request.socket.destroy();
      if (typeof next === 'number') return void json(next, { error: 'words-of-the-server', message: 'words-of-the-server' });
      if (typeof next === 'object') return void response.writeHead(next.status, next.headers ?? {}).end(next.body ?? '');
      const wallet = sessions.get(request.headers.authorization?.replace(/^Bearer /, ''));
      if (request.method !== 'POST' || request.url !== '/v1/mint-oidc-jwt') return void json(404, { error: 'not_found', message: '' });
      if (!wallet) return void json(401, { error: 'unauthorized', message: '' });
      const jwt = await webIdentity(wallet, { lifetime: issuer.lifetime });
      json(200, { jwt, wallet, expiration: Math.floor(Date.now() / 1000) + issuer.lifetime });
    },
    tls,
  );
  return issuer;
}
