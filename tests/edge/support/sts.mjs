// A recording stand-in for AWS STS: it speaks the query protocol of `AssumeRoleWithWebIdentity`, and judges a token the
// way STS does, by discovery, key set and the rules for session tags. It issues fake credentials and keeps what it saw.
import { createServer } from "node:http";

import { createRemoteJWKSet, decodeJwt, errors, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";

import { TAGS_CLAIM, WALLET_TAG } from "./session-tags.mjs";

const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** A refusal by its error code. */
class Refused extends Error {
  constructor(code, message, status = 400) {
    super(message);
    Object.assign(this, { code, status });
  }
}

/**
 * Starts it. `issuer` and `audience` are what its account has registered; `requireWalletTag` is the trust policy's
 * `Null: {"aws:RequestTag/agentkeys_user_wallet": "false"}`.
 */
export async function startSts({ issuer, audience = "sts.amazonaws.com", requireWalletTag = true }) {
  /** Every call: its parameters, and the session tags that the session would have. */
  const calls = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const parameters = Object.fromEntries(new URLSearchParams(body));
    const call = { parameters, headers: request.headers };
    calls.push(call);
    try {
      call.tags = await judge(parameters, { issuer, audience, requireWalletTag });
      response.writeHead(200, { "content-type": "text/xml" }).end(success(parameters));
    } catch (error) {
      const { code = "InternalFailure", status = 500 } = error;
      response.writeHead(status, { "content-type": "text/xml" }).end(failure(code, error.message));
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    calls,
    endpoint: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())),
  };
}

async function judge(parameters, { issuer, audience, requireWalletTag }) {
  if (parameters.Action !== "AssumeRoleWithWebIdentity" || parameters.Version !== "2011-06-15") throw new Refused("InvalidAction", "not this action");
  const token = parameters.WebIdentityToken ?? "";
  if (token.length < 4 || token.length > 20_000) throw new Refused("ValidationError", "the token's length");
  const claims = await verified(token, issuer, audience);
  const tags = sessionTags(claims[TAGS_CLAIM]);
  if (requireWalletTag && !(WALLET_TAG in tags)) throw new Refused("AccessDenied", "the trust policy asks for the wallet's tag", 403);
  return tags;
}

/** Discovery by oauth4webapi, signature and claims by jose: from nothing but the registered issuer. */
async function verified(token, issuer, audience) {
  try {
    if (decodeJwt(token).iss !== issuer) throw new Refused("InvalidIdentityToken", "No OpenIDConnect provider found in your account");
    const url = new URL(issuer);
    const insecure = { [oauth.allowInsecureRequests]: true };
    const metadata = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure));
    const algorithms = metadata.id_token_signing_alg_values_supported;
    const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
    const requiredClaims = ["iss", "sub", "aud", "iat", "exp"];
    return (await jwtVerify(token, keys, { issuer, audience, algorithms, requiredClaims, clockTolerance: 300 })).payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new Refused("ExpiredTokenException", "Token expired");
    throw new Refused("InvalidIdentityToken", error.message);
  }
}

/** The session tags of a tags claim, or its refusal (AWS: id_session-tags). */
function sessionTags(claim) {
  const tags = {};
  for (const [key, values] of Object.entries(claim?.principal_tags ?? {})) {
    const fits = Array.isArray(values) && values.length === 1 && typeof values[0] === "string";
    if (!fits) throw new Refused("InvalidIdentityToken", "principal_tags passed in claim is not in correct format.");
    const [value] = values;
    const allowed = key.length >= 1 && key.length <= 128 && value.length <= 256 && TAG_TEXT.test(key) && TAG_TEXT.test(value);
    if (!allowed || /^aws:/i.test(key) || /^aws:/i.test(value)) throw new Refused("InvalidIdentityToken", "a tag breaks a limit");
    tags[key] = value;
  }
  const keys = Object.keys(tags);
  if (keys.length > 50 || new Set(keys.map((key) => key.toLowerCase())).size < keys.length) throw new Refused("InvalidIdentityToken", "the tags break a limit");
  for (const key of claim?.transitive_tag_keys ?? []) if (!(key in tags)) throw new Refused("InvalidIdentityToken", "a transitive key has no tag");
  return tags;
}

const NAMESPACE = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"';

function success({ RoleArn, RoleSessionName }) {
  return `<AssumeRoleWithWebIdentityResponse ${NAMESPACE}><AssumeRoleWithWebIdentityResult>
    <Credentials><AccessKeyId>ASIAEXAMPLEEXAMPLE00</AccessKeyId><SecretAccessKey>example</SecretAccessKey><SessionToken>example</SessionToken>
    <Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration></Credentials>
    <AssumedRoleUser><Arn>${RoleArn}/${RoleSessionName}</Arn><AssumedRoleId>AROAEXAMPLE:${RoleSessionName}</AssumedRoleId></AssumedRoleUser>
    </AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>`;
}

function failure(code, message) {
  const text = message.replace(/[<>&]/g, "");
  return `<ErrorResponse ${NAMESPACE}><Error><Type>Sender</Type><Code>${code}</Code><Message>${text}</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
}
