// The conditions that an issuer without an authorization endpoint does not meet, and those that the suite skips where a member
// is left out: each with the reason, and with a document that would meet it.
//
// What stands here is held by tests: an unmet condition really is not met, and the member of a skipped one really is not there.
import { areUrls, isHttps, isTrue, listHas, sameWords, saying } from "./judgements.mjs";

const NO_AUTHORIZATION = "There is no authorization endpoint: no browser is sent here, and no user is asked.";
const NO_END_USER = "There is no end user's session that could be ended in a browser: `DELETE /v1/session` ends an agent's.";
const NO_CLIENTS = "Clients are not registered and do not authenticate; the subject token is the credential.";
const NO_DYNAMIC = "Only the profile with dynamic registration asks for it, and clients are not registered here.";

const url = "https://issuer.test/x";
const unmet = (reason, judge, meets) => ({ reason, judge, meets: saying(meets) });
const authMethod = (method) => unmet(NO_CLIENTS, listHas("token_endpoint_auth_methods_supported", [method]), { token_endpoint_auth_methods_supported: [method] });

export const UNMET = {
  CheckDiscEndpointAuthorizationEndpoint: unmet(NO_AUTHORIZATION, isHttps("authorization_endpoint"), { authorization_endpoint: url }),
  CheckServerConfiguration: unmet(NO_AUTHORIZATION, areUrls("authorization_endpoint", "token_endpoint", "issuer"), { authorization_endpoint: url }),
  CheckDiscEndpointRequestParameterSupported: unmet(NO_AUTHORIZATION, isTrue("request_parameter_supported", false), { request_parameter_supported: true }),
  CheckDiscEndpointClaimsParameterSupported: unmet(NO_AUTHORIZATION, isTrue("claims_parameter_supported", false), { claims_parameter_supported: true }),
  CheckDiscEndpointRequestObjectSigningAlgValuesSupportedContainsRS256: unmet(
    NO_AUTHORIZATION,
    listHas("request_object_signing_alg_values_supported", ["RS256"]),
    { request_object_signing_alg_values_supported: ["RS256"] },
  ),
  OIDCCCheckDiscEndpointResponseTypesSupportedDynamic: unmet(
    NO_DYNAMIC,
    listHas("response_types_supported", ["code", "id_token", "id_token token"], 3, sameWords),
    { response_types_supported: ["code", "id_token", "token id_token"] },
  ),
  OIDCCCheckDiscEndpointGrantTypesSupportedDynamic: unmet(
    NO_DYNAMIC,
    (context) => context.server.grant_types_supported === undefined || listHas("grant_types_supported", ["authorization_code", "implicit"])(context),
    { grant_types_supported: undefined },
  ),
  CheckDiscEndpointUserinfoSigningAlgValuesSupportedContainsRS256: unmet(
    "There is no userinfo endpoint: what is known of a wallet is in its token.",
    listHas("userinfo_signing_alg_values_supported", ["RS256"]),
    { userinfo_signing_alg_values_supported: ["RS256"] },
  ),
  EnsureServerConfigurationSupportsRefreshToken: unmet(
    "A session is what is refreshed: it is exchanged for a token as often as one is needed.",
    listHas("grant_types_supported", ["refresh_token"]),
    { grant_types_supported: ["refresh_token"] },
  ),
  EnsureServerConfigurationSupportsPrivateKeyJwt: authMethod("private_key_jwt"),
  EnsureServerConfigurationSupportsMTLS: unmet(
    NO_CLIENTS,
    listHas("token_endpoint_auth_methods_supported", ["tls_client_auth", "self_signed_tls_client_auth"], 1),
    { token_endpoint_auth_methods_supported: ["self_signed_tls_client_auth"] },
  ),
  // Left out, it would be what is supported.
  EnsureServerConfigurationSupportsClientSecretBasic: unmet(
    NO_CLIENTS,
    (context) => context.server.token_endpoint_auth_methods_supported === undefined || listHas("token_endpoint_auth_methods_supported", ["client_secret_basic"])(context),
    { token_endpoint_auth_methods_supported: undefined },
  ),
  EnsureServerConfigurationSupportsClientSecretPost: authMethod("client_secret_post"),
  CheckDiscEndSessionEndpoint: unmet(NO_END_USER, isHttps("end_session_endpoint"), { end_session_endpoint: url }),
  CheckDiscCheckSessionIframe: unmet(NO_END_USER, isHttps("check_session_iframe"), { check_session_iframe: url }),
  CheckDiscEndpointBackchannelLogoutSupported: unmet(NO_END_USER, isTrue("backchannel_logout_supported", false), { backchannel_logout_supported: true }),
  CheckDiscEndpointBackchannelLogoutSessionSupported: unmet(NO_END_USER, isTrue("backchannel_logout_session_supported", false), { backchannel_logout_session_supported: true }),
  CheckDiscEndpointFrontchannelLogoutSupported: unmet(NO_END_USER, isTrue("frontchannel_logout_supported", false), { frontchannel_logout_supported: true }),
  CheckDiscEndpointFrontchannelLogoutSessionSupported: unmet(NO_END_USER, isTrue("frontchannel_logout_session_supported", false), { frontchannel_logout_session_supported: true }),
};

/** Skipped by the suite where `member` is left out. */
export const SKIPPED = {
  CheckDiscEndpointUserinfoEndpoint: {
    reason: "There is no userinfo endpoint: what is known of a wallet is in its token.",
    member: "userinfo_endpoint",
    judge: isHttps("userinfo_endpoint"),
    meets: saying({ userinfo_endpoint: url }),
    breaks: saying({ userinfo_endpoint: "http://issuer.test/x" }),
  },
  OIDCCCheckDiscEndpointUserinfoSigningAlgValuesSupported: {
    reason: "There is no userinfo endpoint: what is known of a wallet is in its token.",
    member: "userinfo_signing_alg_values_supported",
    judge: listHas("userinfo_signing_alg_values_supported", []),
    meets: saying({ userinfo_signing_alg_values_supported: ["none"] }),
    breaks: saying({ userinfo_signing_alg_values_supported: "RS256" }),
  },
  CheckDiscEndpointRegistrationEndpoint: {
    reason: NO_CLIENTS,
    member: "registration_endpoint",
    judge: isHttps("registration_endpoint"),
    meets: saying({ registration_endpoint: url }),
    breaks: saying({ registration_endpoint: "x" }),
  },
  CheckDiscEndpointRequestObjectSigningAlgValuesSupportedIncludesRS256: {
    reason: NO_AUTHORIZATION,
    member: "request_object_signing_alg_values_supported",
    judge: listHas("request_object_signing_alg_values_supported", ["RS256"]),
    meets: saying({ request_object_signing_alg_values_supported: ["RS256"] }),
    breaks: saying({ request_object_signing_alg_values_supported: ["none"] }),
  },
};
