// The members of provider metadata and their types, by the registry of OAuth authorization server metadata (RFC 8414 §7.1),
// OpenID Connect Discovery §3 and the extensions that the suite knows.

const URLS = `issuer jwks_uri authorization_endpoint token_endpoint userinfo_endpoint registration_endpoint revocation_endpoint
  introspection_endpoint end_session_endpoint check_session_iframe device_authorization_endpoint
  pushed_authorization_request_endpoint backchannel_authentication_endpoint service_documentation op_policy_uri op_tos_uri`;

const TEXT_LISTS = `scopes_supported response_types_supported response_modes_supported grant_types_supported acr_values_supported
  subject_types_supported claim_types_supported claims_supported claims_locales_supported ui_locales_supported
  display_values_supported prompt_values_supported code_challenge_methods_supported dpop_signing_alg_values_supported
  id_token_signing_alg_values_supported id_token_encryption_alg_values_supported id_token_encryption_enc_values_supported
  userinfo_signing_alg_values_supported userinfo_encryption_alg_values_supported userinfo_encryption_enc_values_supported
  request_object_signing_alg_values_supported request_object_encryption_alg_values_supported
  request_object_encryption_enc_values_supported authorization_signing_alg_values_supported
  authorization_encryption_alg_values_supported authorization_encryption_enc_values_supported
  token_endpoint_auth_methods_supported token_endpoint_auth_signing_alg_values_supported
  revocation_endpoint_auth_methods_supported revocation_endpoint_auth_signing_alg_values_supported
  introspection_endpoint_auth_methods_supported introspection_endpoint_auth_signing_alg_values_supported
  introspection_signing_alg_values_supported introspection_encryption_alg_values_supported
  introspection_encryption_enc_values_supported backchannel_token_delivery_modes_supported
  backchannel_authentication_request_signing_alg_values_supported authorization_details_types_supported protected_resources`;

const FLAGS = `claims_parameter_supported request_parameter_supported request_uri_parameter_supported
  require_request_uri_registration require_signed_request_object require_pushed_authorization_requests
  frontchannel_logout_supported frontchannel_logout_session_supported backchannel_logout_supported
  backchannel_logout_session_supported backchannel_user_code_parameter_supported
  tls_client_certificate_bound_access_tokens authorization_response_iss_parameter_supported`;

const isText = (value) => typeof value === "string";
const isUrl = (value) => isText(value) && URL.canParse(value);
const isTextList = (value) => Array.isArray(value) && value.every(isText);
const isFlag = (value) => typeof value === "boolean";
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

const all = (names, check) => names.split(/\s+/).map((name) => [name, check]);

/** Whether a value is of its member's type, by the member's name. */
export const MEMBERS = new Map([
  ...all(URLS, isUrl),
  ...all(TEXT_LISTS, isTextList),
  ...all(FLAGS, isFlag),
  ["signed_metadata", isText],
  ["mtls_endpoint_aliases", isObject],
]);
