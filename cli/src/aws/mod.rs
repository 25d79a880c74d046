//! AWS: what `credentials` and `prove` share: the SDK over the tool's own HTTP client, its endpoints, and
//! `AssumeRoleWithWebIdentity`.

pub(crate) mod endpoints;
pub(crate) mod sts;
pub(crate) mod transport;
