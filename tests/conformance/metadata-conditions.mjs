// The conditions on the discovery endpoint and its document that an issuer without an authorization endpoint meets.
//
// Each by the suite's name: `requires` is the clause that the suite names, `judge` throws where the condition is not met, and
// `breaks` are documents that are broken in that one way.
import assert from "node:assert/strict";

import { answering, areUrls, isHttps, isTrue, listHas, sameWords, saying } from "./judgements.mjs";
import { MEMBERS } from "./metadata-members.mjs";

const WELL_KNOWN = "/.well-known/openid-configuration";
const withoutSlash = (url) => url.replace(/\/$/, "");
const RESPONSE_TYPES = ["code", "id_token", "code id_token", "id_token token", "code token", "code id_token token"];

export const METADATA_CONDITIONS = {
  GetDynamicServerConfiguration: {
    judge: ({ response }) => {
      const document = JSON.parse(response.body);
      assert.ok(typeof document === "object" && document !== null && !Array.isArray(document), "no JSON object");
    },
    breaks: { "an empty answer": answering({ body: "" }), "half a document": answering({ body: '{"issuer":' }), "a list": answering({ body: "[]" }) },
  },
  EnsureDiscoveryEndpointResponseStatusCodeIs200: {
    requires: "OIDCD-4",
    judge: ({ response }) => assert.equal(response.status, 200),
    breaks: { "a redirect": answering({ status: 302 }), "another success": answering({ status: 203 }), "an error": answering({ status: 503 }) },
  },
  CheckDiscoveryEndpointReturnedJsonContentType: {
    requires: "OIDCD-4",
    judge: ({ response }) => assert.equal(response.contentType?.split(";")[0].trim(), "application/json"),
    breaks: { "plain text": answering({ contentType: "text/plain" }), "a JWK set's": answering({ contentType: "application/jwk-set+json" }), "none": answering({ contentType: null }) },
  },
  OIDCCCheckDiscEndpointResponseTypesSupported: {
    requires: "OIDCD-3, OIDCC-3",
    judge: listHas("response_types_supported", RESPONSE_TYPES, 1, sameWords),
    breaks: { "none": saying({ response_types_supported: undefined }), "a text": saying({ response_types_supported: "id_token" }), "only OAuth's": saying({ response_types_supported: ["token"] }) },
  },
  CheckDiscEndpointDiscoveryUrl: {
    judge: ({ discoveryUrl }) => {
      const url = new URL(discoveryUrl);
      assert.ok(url.pathname.endsWith(WELL_KNOWN), "no well-known path");
      assert.equal(url.protocol, "https:");
    },
    breaks: {
      "http": (context) => ({ ...context, discoveryUrl: context.discoveryUrl.replace("https:", "http:") }),
      "another path": (context) => ({ ...context, discoveryUrl: `${context.discoveryUrl}/x` }),
      "no URL": (context) => ({ ...context, discoveryUrl: WELL_KNOWN }),
    },
  },
  CheckDiscEndpointIssuer: {
    requires: "OIDCD-4.3, OIDCD-7.2",
    judge: ({ server, discoveryUrl }) => {
      assert.equal(typeof server.issuer, "string");
      assert.equal(withoutSlash(server.issuer), discoveryUrl.slice(0, discoveryUrl.lastIndexOf(WELL_KNOWN)));
    },
    breaks: { "another host": saying({ issuer: "https://other.example" }), "another path": saying({ issuer: "https://issuer.test/x" }), "none": saying({ issuer: undefined }) },
  },
  CheckDiscEndpointIssuerIsValidUrl: {
    requires: "RFC8414-2",
    judge: ({ server }) => {
      assert.equal(typeof server.issuer, "string");
      const url = new URL(server.issuer);
      assert.deepEqual([url.protocol, url.search, url.hash, url.username, url.password], ["https:", "", "", "", ""]);
      assert.ok(url.hostname && !/[?#@]/.test(server.issuer));
    },
    breaks: {
      "http": saying({ issuer: "http://issuer.test" }),
      "a query": saying({ issuer: "https://issuer.test?x" }),
      "an empty query": saying({ issuer: "https://issuer.test?" }),
      "a fragment": saying({ issuer: "https://issuer.test#x" }),
      "user information": saying({ issuer: "https://user@issuer.test" }),
      "a port that is none": saying({ issuer: "https://issuer.test:70000" }),
      "no host": saying({ issuer: "https://" }),
      "a number": saying({ issuer: 1 }),
    },
  },
  ValidateServerMetadataAgainstSchema: {
    requires: "OIDCD-3, RFC8414-2",
    judge: ({ server }) => {
      for (const [name, value] of Object.entries(server)) assert.ok(MEMBERS.get(name)?.(value) ?? true, `${name} is not of its type`);
    },
    breaks: { "a text for a list": saying({ scopes_supported: "openid" }), "a number in a list": saying({ claims_supported: ["iss", 1] }), "a text for a flag": saying({ claims_parameter_supported: "false" }), "no URL": saying({ jwks_uri: "jwks.json" }) },
  },
  CheckForUnexpectedParametersInServerMetadata: {
    requires: "OIDCD-3, RFC8414-2",
    judge: ({ server }) => {
      for (const name of Object.keys(server)) assert.ok(MEMBERS.has(name), `nobody has defined ${name}`);
    },
    breaks: { "an invention": saying({ wallets_supported: true }), "a misspelling": saying({ claims_suported: [] }) },
  },
  CheckDiscEndpointSubjectTypesSupported: {
    requires: "OIDCD-3",
    judge: listHas("subject_types_supported", ["public", "pairwise"], 1),
    breaks: { "none": saying({ subject_types_supported: undefined }), "an empty list": saying({ subject_types_supported: [] }), "another": saying({ subject_types_supported: ["private"] }) },
  },
  CheckDiscEndpointSubjectTypesSupportedContainsPublic: {
    requires: "OIDCD-3",
    judge: listHas("subject_types_supported", ["public"]),
    breaks: { "pairwise": saying({ subject_types_supported: ["pairwise"] }) },
  },
  OIDCCCheckDiscEndpointIdTokenSigningAlgValuesSupported: {
    requires: "OIDCD-3",
    judge: listHas("id_token_signing_alg_values_supported", ["RS256"]),
    breaks: { "ES256 alone": saying({ id_token_signing_alg_values_supported: ["ES256"] }), "none": saying({ id_token_signing_alg_values_supported: undefined }), "a text": saying({ id_token_signing_alg_values_supported: "RS256" }) },
  },
  CheckDiscEndpointTokenEndpoint: {
    requires: "OIDCD-3",
    judge: isHttps("token_endpoint"),
    breaks: { "none": saying({ token_endpoint: undefined }), "http": saying({ token_endpoint: "http://issuer.test/v1/token" }), "a path": saying({ token_endpoint: "/v1/token" }) },
  },
  CheckJwksUri: {
    requires: "OIDCD-3",
    judge: isHttps("jwks_uri"),
    breaks: { "none": saying({ jwks_uri: undefined }), "http": saying({ jwks_uri: "http://issuer.test/jwks.json" }), "a list": saying({ jwks_uri: ["https://issuer.test/jwks.json"] }) },
  },
  CheckDiscEndpointRequestUriParameterSupported: {
    // Left out, it is true (OIDCD-3). Nobody can ask: there is no authorization endpoint.
    judge: isTrue("request_uri_parameter_supported", true),
    breaks: { "false": saying({ request_uri_parameter_supported: false }), "a text": saying({ request_uri_parameter_supported: "true" }) },
  },
  OIDCCCheckDiscEndpointClaimsSupported: {
    requires: "OIDCD-3",
    judge: listHas("claims_supported", []),
    breaks: { "none": saying({ claims_supported: undefined }), "a text": saying({ claims_supported: "iss" }) },
  },
  OIDCCCheckDiscEndpointGrantTypesSupported: {
    requires: "OIDCD-3",
    judge: ({ server: { grant_types_supported: grants } }) => assert.ok(grants === undefined || (Array.isArray(grants) && grants.length > 0)),
    breaks: { "an empty list": saying({ grant_types_supported: [] }), "a text": saying({ grant_types_supported: "implicit" }) },
  },
  CheckDiscEndpointScopesSupportedContainsOpenId: {
    requires: "OIDCD-3",
    judge: listHas("scopes_supported", ["openid"]),
    breaks: { "another": saying({ scopes_supported: ["email"] }), "in upper case": saying({ scopes_supported: ["OpenID"] }) },
  },
  CheckDiscEndpointScopesSupportedSyntax: {
    requires: "RFC6749-3.3",
    judge: ({ server: { scopes_supported: scopes = [] } }) => {
      assert.ok(Array.isArray(scopes));
      for (const scope of scopes) assert.match(scope, /^[\x21\x23-\x5b\x5d-\x7e]+$/);
    },
    breaks: { "two in one": saying({ scopes_supported: ["openid email"] }), "an empty one": saying({ scopes_supported: ["openid", ""] }), "a quote": saying({ scopes_supported: ['"openid"'] }), "a backslash": saying({ scopes_supported: ["a\\b"] }) },
  },
  CheckDiscEndpointLocalesSyntax: {
    requires: "RFC8414-2",
    judge: ({ server }) => {
      for (const tag of locales(server)) assert.ok(isRegistered(tag), `${tag} is no language tag`);
    },
    breaks: { "a text": saying({ ui_locales_supported: "de" }), "an underscore": saying({ ui_locales_supported: ["de_CH"] }), "a language that nobody has registered": saying({ claims_locales_supported: ["en", "qq-XY"] }) },
  },
  CheckDiscEndpointLocalesCanonicalCasing: {
    requires: "RFC8414-2",
    judge: ({ server }) => {
      for (const tag of locales(server)) assert.equal(tag, Intl.getCanonicalLocales(tag)[0]);
    },
    breaks: { "a region in lower case": saying({ ui_locales_supported: ["de-ch"] }), "a language in upper case": saying({ claims_locales_supported: ["DE"] }) },
  },
  CheckDiscEndpointAllEndpointsAreHttps: {
    judge: (context) => {
      for (const name of Object.keys(context.server).filter((member) => member.endsWith("_endpoint"))) isHttps(name)(context);
    },
    breaks: { "one that is http": saying({ revocation_endpoint: "http://issuer.test/x" }), "one that is no URL": saying({ userinfo_endpoint: "x" }) },
  },
  EnsureServerConfigurationCodeChallengeMethodsSupportedIsAnArray: {
    requires: "RFC8414-2, RFC7636-4.3",
    judge: (context) => {
      const { code_challenge_methods_supported: methods } = context.server;
      if (methods === undefined || (Array.isArray(methods) && methods.length === 0)) return;
      listHas("code_challenge_methods_supported", ["S256", "plain"], 1)(context);
    },
    breaks: { "a text": saying({ code_challenge_methods_supported: "S256" }), "another": saying({ code_challenge_methods_supported: ["S512"] }) },
  },
  CheckClientCredentialsOnlyServerConfiguration: {
    judge: areUrls("token_endpoint", "issuer"),
    breaks: { "no token endpoint": saying({ token_endpoint: undefined }), "an issuer that is no URL": saying({ issuer: "issuer.test" }) },
  },
  EnsureServerConfigurationSupportsClientAuthNone: {
    judge: listHas("token_endpoint_auth_methods_supported", ["none"]),
    breaks: { "a secret": saying({ token_endpoint_auth_methods_supported: ["client_secret_basic"] }), "the default": saying({ token_endpoint_auth_methods_supported: undefined }) },
  },
  EnsureServerConfigurationDoesNotSupportRefreshToken: {
    judge: ({ server: { grant_types_supported: grants = [] } }) => assert.ok(Array.isArray(grants) && !grants.includes("refresh_token")),
    breaks: { "one that does": saying({ grant_types_supported: ["refresh_token"] }), "a text": saying({ grant_types_supported: "implicit" }) },
  },
};

function locales({ ui_locales_supported: ui = [], claims_locales_supported: claims = [] }) {
  assert.ok(Array.isArray(ui) && Array.isArray(claims), "locales are lists");
  return [...ui, ...claims];
}

/** Whether a language tag is well-formed and its language and region are registered (RFC 5646), by the runtime's tables. */
function isRegistered(tag) {
  let locale;
  try {
    locale = new Intl.Locale(tag);
  } catch {
    return false;
  }
  const known = (type, code) => code === undefined || new Intl.DisplayNames("en", { type, fallback: "none" }).of(code) !== undefined;
  return known("language", locale.language) && known("script", locale.script) && known("region", locale.region);
}
