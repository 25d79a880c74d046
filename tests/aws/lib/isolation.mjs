// The verdict "isolated", "isolation off" or "not working" for a set of policies. Both halves are needed: that another
// wallet's objects are refused proves nothing where everything is refused.

import { OTHER, TAG, WALLET, askS3 } from './iam.mjs';

const tags = { [TAG]: WALLET };

const OWN = [
  { action: 's3:PutObject', key: `${WALLET}/note`, tags },
  { action: 's3:GetObject', key: `${WALLET}/note`, tags },
  { action: 's3:ListBucket', context: { 's3:prefix': `${WALLET}/` }, tags },
];

const FOREIGN = [
  { action: 's3:GetObject', key: `${OTHER}/note`, tags },
  { action: 's3:PutObject', key: `${OTHER}/note`, tags },
  { action: 's3:DeleteObject', key: `${OTHER}/note`, tags },
  { action: 's3:GetObject', key: 'note', tags },
  { action: 's3:ListBucket', context: { 's3:prefix': `${OTHER}/` }, tags },
  { action: 's3:ListBucket', context: { 's3:prefix': '' }, tags },
  { action: 's3:ListBucket', tags },
  { action: 's3:GetObject', key: `${WALLET}/note`, tags: {} },
  { action: 's3:ListBucket', tags: {} },
];

/** `{ verdict, leaks }`: leaks are the requests that should have been refused. */
export async function judgeIsolation({ bucketPolicy, identityPolicies = [] }) {
  const allowed = async (request) => (await askS3({ ...request, bucketPolicy, identityPolicies })) === 'Allowed';

  const leaks = [];
  for (const request of FOREIGN) if (await allowed(request)) leaks.push(request);
  if (leaks.length > 0) return { verdict: 'isolation off', leaks };

  for (const request of OWN) if (!(await allowed(request))) return { verdict: 'not working', leaks };
  return { verdict: 'isolated', leaks };
}

/** The bucket policy without its denials: what is left if somebody thinks the grants are enough. */
export const withoutFence = (policy) => ({ ...policy, Statement: policy.Statement.filter(({ Effect }) => Effect !== 'Deny') });
