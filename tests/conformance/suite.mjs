// The suite's conditions on discovery document and key set: every one that its OpenID Provider modules call.
//
// Source: github.com/openid-certification/conformance-suite, commit 12f2a4dac6462f8a4e95968bc7e478e02881e1a7 (MIT), package
// net.openid.conformance.openid: OIDCCDiscoveryEndpointVerification with its ValidateJwksSequence, OIDCCServerRotateKeys,
// AbstractOIDCCServerTest, the discovery modules of the logout profiles, and the request object, userinfo and refresh token
// modules; and the conditions on the same two documents that stand beside them for other profiles and fit any issuer. Names
// only: the judgements are this folder's own.

/** By the module that calls them. */
export const SUITE = {
  OIDCCDiscoveryEndpointVerification: `GetDynamicServerConfiguration EnsureDiscoveryEndpointResponseStatusCodeIs200
    CheckDiscoveryEndpointReturnedJsonContentType OIDCCCheckDiscEndpointResponseTypesSupportedDynamic
    OIDCCCheckDiscEndpointResponseTypesSupported CheckDiscEndpointDiscoveryUrl CheckDiscEndpointIssuer
    CheckDiscEndpointIssuerIsValidUrl ValidateServerMetadataAgainstSchema CheckForUnexpectedParametersInServerMetadata
    CheckDiscEndpointSubjectTypesSupported OIDCCCheckDiscEndpointIdTokenSigningAlgValuesSupported
    OIDCCCheckDiscEndpointUserinfoSigningAlgValuesSupported CheckDiscEndpointAuthorizationEndpoint
    CheckDiscEndpointTokenEndpoint CheckDiscEndpointUserinfoEndpoint CheckDiscEndpointRegistrationEndpoint CheckJwksUri
    FetchServerKeys CheckDiscEndpointRequestParameterSupported CheckDiscEndpointRequestUriParameterSupported
    CheckDiscEndpointRequestObjectSigningAlgValuesSupportedIncludesRS256 CheckDiscEndpointClaimsParameterSupported
    OIDCCCheckDiscEndpointClaimsSupported OIDCCCheckDiscEndpointGrantTypesSupportedDynamic
    OIDCCCheckDiscEndpointGrantTypesSupported CheckDiscEndpointScopesSupportedContainsOpenId
    CheckDiscEndpointScopesSupportedSyntax CheckDiscEndpointLocalesSyntax CheckDiscEndpointLocalesCanonicalCasing
    CheckDiscEndpointAllEndpointsAreHttps EnsureServerConfigurationCodeChallengeMethodsSupportedIsAnArray`,
  ValidateJwksSequence: `EnsureJwksHasNoPrivateOrSymmetricKeyMaterial ValidateJwksStructure ParseUsableJwksKeys
    WarnOnUnusableJwksKeys`,
  AbstractOIDCCServerTest: `CheckServerConfiguration CheckServerKeysIsValid CheckForKeyIdInServerJWKs
    CheckDistinctKeyIdValueInServerJWKs EnsureServerConfigurationSupportsClientAuthNone
    EnsureServerConfigurationSupportsClientSecretBasic EnsureServerConfigurationSupportsClientSecretPost
    EnsureServerConfigurationSupportsPrivateKeyJwt EnsureServerConfigurationSupportsMTLS`,
  OIDCCServerRotateKeys: "VerifyNewJwksHasNewSigningKey VerifyNewJwksStillHasOldSigningKey",
  OIDCCRefreshToken: "EnsureServerConfigurationSupportsRefreshToken EnsureServerConfigurationDoesNotSupportRefreshToken",
  OIDCCUserInfoRS256: "CheckDiscEndpointUserinfoSigningAlgValuesSupportedContainsRS256",
  OIDCCRequestUriSignedRS256: "CheckDiscEndpointRequestObjectSigningAlgValuesSupportedContainsRS256",
  "logout and session management": `CheckDiscEndSessionEndpoint CheckDiscCheckSessionIframe
    CheckDiscEndpointBackchannelLogoutSupported CheckDiscEndpointBackchannelLogoutSessionSupported
    CheckDiscEndpointFrontchannelLogoutSupported CheckDiscEndpointFrontchannelLogoutSessionSupported`,
  "other profiles": `ValidateServerJWKs EnsureServerJwksDoesNotContainPrivateOrSymmetricKeys
    CheckDiscEndpointSubjectTypesSupportedContainsPublic CheckClientCredentialsOnlyServerConfiguration`,
};

/** Every condition, by name. */
export const NAMES = Object.values(SUITE).flatMap((names) => names.split(/\s+/));
