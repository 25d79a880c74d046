//! `doctor`: is this issuer in order, as seen from outside?
//!
//! It looks where STS looks, at the discovery document and the key set, and where this broker promises more, and says of
//! every check pass, warn, fail or skip, why, and what to do. It goes from what others stand on to what stands on them:
//!
//! 1. the connection: TLS, and an answer in time ([`transport`])
//! 2. the two documents as HTTP answers: status, type, form ([`transport`]); caching and its headers ([`caching`])
//! 3. what discovery says ([`discovery`]) and what the key set publishes ([`keys`], [`key`])
//! 4. the routes: what they refuse ([`routes`]), whether the broker calls itself ready ([`readiness`]), its clock ([`clock`])
//! 5. with a session: the mint ([`mint`]) and the token, by the rules of [`crate::check`] ([`token`])
//!
//! A fault is named once: what cannot be judged because of it is skipped, with the reason. Nothing is changed at the
//! issuer. Every call has the five seconds that STS waits, and all of them together half a minute ([`probe`]).
//!
//! What a server sent is never repeated: a reason has this tool's words, numbers, and names of a harmless form.

mod caching;
mod clock;
mod command;
mod discovery;
mod examination;
mod key;
mod keys;
mod mint;
mod outcome;
mod probe;
mod readiness;
mod report;
mod routes;
mod token;
mod transport;

pub(crate) use command::{DoctorArgs, run};
