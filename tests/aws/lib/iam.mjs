// Asks an IAM evaluator that is not ours (@cloud-copilot/iam-simulate) what AWS would answer. Every question is strict:
// a policy that does not validate, an unknown action or a context key that the action does not have is an error, so that
// no test passes because its question was not understood.

import { createRequire } from 'node:module';

import { allowedContextKeysForRequest, anonymousPrincipal, runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate';

import { ACCOUNT, DEFAULTS } from './render.mjs';

export { anonymousPrincipal };

// The evaluator's own policy reader, the copy that it itself uses.
const { createValidatedPolicy, validateTrustPolicy } = createRequire(import.meta.resolve('@cloud-copilot/iam-simulate'))(
  '@cloud-copilot/iam-policy',
);

export const WALLET = '0x52908400098527886e0f7030069857d2e4169ee7';
export const OTHER = '0x8617e340b3d01fa5f11f306f4090fd50e238070d';
export const TAG = 'agentkeys_user_wallet';

export const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/${DEFAULTS.role}`;
export const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/${DEFAULTS.role}/session`;
export const BUCKET_ARN = `arn:aws:s3:::${DEFAULTS.bucket}`;

/** Any policy-shaped object as an identity policy, for the `identity` list below. */
export const identity = (...policies) => policies.map((policy, index) => ({ name: `policy-${index}`, policy }));

async function simulate(simulation) {
  const answer = await runSimulation({ serviceControlPolicies: [], resourceControlPolicies: [], ...simulation }, {});
  if (answer.resultType !== 'single') {
    throw new Error(`the evaluator refused the question: ${JSON.stringify(answer.errors ?? answer.resultType)}`);
  }
  return answer;
}

/**
 * `Allowed`, `ImplicitlyDenied` or `ExplicitlyDenied` for one S3 request.
 *
 * - `key`: object key; without it the request is about the bucket.
 * - `context`: condition keys besides the session's own, `s3:prefix` say.
 * - `tags`: the session's principal tags; `{ }` is an untagged session.
 * - `bucketPolicy`, `identityPolicies`: what is in force.
 */
export async function askS3({
  action,
  key,
  bucket = BUCKET_ARN,
  context = {},
  tags = { [TAG]: WALLET },
  principal = SESSION,
  bucketPolicy,
  identityPolicies = [],
}) {
  const principalContext =
    typeof principal === 'string' ? { 'aws:PrincipalArn': principal.replace(/^arn:aws:sts:(.*):assumed-role\/([^/]+)\/.*$/, 'arn:aws:iam:$1:role/$2') } : {};
  for (const [name, value] of Object.entries(tags)) principalContext[`aws:PrincipalTag/${name}`] = value;

  const answer = await simulate({
    request: {
      principal,
      action,
      resource: { resource: key === undefined ? bucket : `${bucket}/${key}`, accountId: ACCOUNT },
      contextVariables: { ...principalContext, ...context },
    },
    identityPolicies,
    resourcePolicy: bucketPolicy,
  });
  if (answer.result.ignoredContextKeys.length > 0) {
    throw new Error(`${action} has no condition key ${answer.result.ignoredContextKeys.join(', ')}`);
  }
  return answer.overallResult;
}

/** The same for any other service: `resource` is an ARN (or `*`), `context` everything. */
export async function ask({ action, resource, principal = SESSION, context = {}, identityPolicies = [], resourcePolicy }) {
  const answer = await simulate({
    request: { principal, action, resource: { resource, accountId: ACCOUNT }, contextVariables: context },
    identityPolicies,
    resourcePolicy,
  });
  if (answer.result.ignoredContextKeys.length > 0) {
    throw new Error(`${action} has no condition key ${answer.result.ignoredContextKeys.join(', ')}`);
  }
  return answer.overallResult;
}

/**
 * Would STS let this token into the role? The call needs sts:AssumeRoleWithWebIdentity, sts:TagSession where the token
 * has tags, and sts:SetSourceIdentity where it has one; it is allowed if each of them is.
 *
 * The evaluator's strict door knows the condition keys of a few named providers only, so this goes in by the other one,
 * with a policy that its validator has passed. AWS does not say whether the checks see one context or each its own (the
 * keys that its service reference lists, and the provider's): the policy is judged both ways, and a policy whose answer
 * depended on it would be an error.
 */
export async function askSts(trustPolicy, { provider, aud, sub, tags = {}, transitive = [], sourceIdentity, roleAuthorized = false }) {
  const policy = createValidatedPolicy(trustPolicy, validateTrustPolicy, { name: 'trust policy' });
  if (policy.errors.length > 0) throw new Error(`the trust policy is malformed: ${JSON.stringify(policy.errors)}`);

  const host = provider.replace(/^.*:oidc-provider\//, '');
  const context = { 'sts:RoleAuthorizedByIdp': String(roleAuthorized) };
  if (aud !== undefined) context[`${host}:aud`] = aud;
  if (sub !== undefined) context[`${host}:sub`] = sub;
  for (const [name, value] of Object.entries(tags)) context[`aws:RequestTag/${name}`] = value;
  if (Object.keys(tags).length > 0) context['aws:TagKeys'] = Object.keys(tags);
  if (transitive.length > 0) context['sts:TransitiveTagKeys'] = transitive;
  if (sourceIdentity !== undefined) context['sts:SourceIdentity'] = sourceIdentity;

  const actions = ['AssumeRoleWithWebIdentity'];
  if (Object.keys(tags).length > 0) actions.push('TagSession');
  if (sourceIdentity !== undefined) actions.push('SetSourceIdentity');

  const judge = (action, contextVariables) =>
    runUnsafeSimulation(
      {
        request: { principal: provider, action: `sts:${action}`, resource: { resource: ROLE_ARN, accountId: ACCOUNT }, contextVariables },
        identityPolicies: [],
        serviceControlPolicies: [],
        resourceControlPolicies: [{ orgIdentifier: 'default', policies: [{ name: 'RCPFullAWSAccess', policy: EVERYTHING }] }],
        resourcePolicy: policy,
      },
      {},
    ) === 'Allowed';

  let shared = true;
  let separate = true;
  for (const action of actions) {
    shared &&= judge(action, context);
    separate &&= judge(action, await keysOf(action, host, context));
  }
  if (shared !== separate) throw new Error('the answer depends on how AWS hands out the request context');
  return shared;
}

// The resource control policy that AWS puts on every account; the evaluator's strict door adds it by itself.
const EVERYTHING = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }] };

/** What of a context an STS action has, by AWS's service reference; the provider's own keys go with every one. */
async function keysOf(action, host, context) {
  const listed = await allowedContextKeysForRequest('sts', action, ROLE_ARN, false);
  const prefixes = listed.filter((key) => key.endsWith('/${tagkey}')).map((key) => key.slice(0, -'${tagkey}'.length));
  return Object.fromEntries(
    Object.entries(context).filter(([name]) => {
      const key = name.toLowerCase();
      return key.startsWith(`${host.toLowerCase()}:`) || listed.includes(key) || prefixes.some((prefix) => key.startsWith(prefix));
    }),
  );
}
