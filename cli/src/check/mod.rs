//! `check`: will STS take this token?
//!
//! The rules are those of `AssumeRoleWithWebIdentity`, each a small function in the file of its subject, with the limits
//! of [`agentkeys_edge_broker::aws`] that the worker mints from. [`judge()`] looks at all of them, so that one run names
//! everything that is wrong. Which of several broken rules STS would name first is not recorded. This is the order here:
//!
//! 1. the length of the token ([`token_form`]): the API's own check, before STS reads anything
//! 2. its form, its header, its claims; nothing else can be said of a token that fails here
//! 3. the claims that must be there
//! 4. the issuer ([`issuer`])
//! 5. the key ([`keys`], [`jwk`]) and the signature ([`signature`])
//! 6. `iat`, `nbf`, `exp` ([`times`])
//! 7. the audience ([`audience`])
//! 8. the subject ([`subject`])
//! 9. the session tags ([`tags`]), the source identity ([`source_identity`]), the roles ([`roles`])
//!
//! A rule that is not recorded steps behind one that is. Where the broken rules have different codes, the verdict says
//! that its code is not recorded. What lies behind the token is not judged: the role's trust policy, and the packed size
//! of tags and session policy.
//!
//! Everything but `command` and `fetch` is pure, and names nothing of the tool but `loopback`: the fuzz targets compile it so.

mod audience;
mod command;
mod fetch;
mod issuer;
mod jose;
mod json;
mod judge;
mod jwk;
mod keys;
mod report;
mod roles;
mod rule;
mod signature;
mod source_identity;
mod subject;
mod tags;
mod times;
mod token_form;
mod verdict;
mod warnings;
#[cfg(test)]
#[allow(clippy::string_slice, clippy::arithmetic_side_effects, reason = "a test fails by a panic")]
mod wycheproof;
mod x5c;

pub(crate) use command::{CheckArgs, run};
pub(crate) use jose::Alg;
pub(crate) use judge::{Expectations, Token, judge};
pub(crate) use keys::KeySet;
pub(crate) use rule::Finding;
pub(crate) use verdict::Verdict;
