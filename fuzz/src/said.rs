//! What no message, log line or error may do: repeat what came from outside.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher};

/// Words that the broker's own messages have, and that an input may have as well. They say nothing.
const OWN_WORDS: [&str; 15] = [
    "agentkeys_user_wallet",
    "agentkeys_actor_omni",
    "sts.amazonaws.com",
    "application/x-www-form-urlencoded",
    "application/json",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:token-type:access_token",
    "urn:ietf:params:oauth:token-type:id_token",
    "urn:ietf:params:oauth:token-type:jwt",
    "requested_token_type",
    "subject_token_type",
    "transitive_tag_keys",
    "transitive_tags",
    "principal_tags",
    "source_identity",
];

/// The bytes that a message may have in common with an input by chance, or because they are a word.
pub(crate) const COMMON: usize = 20;

/// A part of an input, of at least so many bytes, that a message repeats.
///
/// Parts are compared by their hashes: the fuzzer watches comparisons, and would write the broker's own words into its inputs.
pub fn repeated(message: &str, input: &[u8], least: usize) -> Option<String> {
    let message = OWN_WORDS.iter().fold(message.to_owned(), |message, word| message.replace(word, "\0"));
    let parts: HashSet<u64> = message.as_bytes().windows(least).filter(|part| !part.contains(&0)).map(hash).collect();
    let found = input.windows(least).find(|part| parts.contains(&hash(part)));
    found.map(|part| String::from_utf8_lossy(part).into_owned())
}

fn hash(part: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(part);
    hasher.finish()
}

/// Panics where a message repeats more of an input than words have in common.
pub(crate) fn says_nothing_of(message: &str, input: &[u8]) {
    says_nothing_longer(message, input, COMMON);
}

/// The same for messages that may repeat a name of fewer bytes.
pub(crate) fn says_nothing_longer(message: &str, input: &[u8], least: usize) {
    let part = repeated(message, input, least);
    assert!(part.is_none(), "a message repeats {part:?}: {message}");
}
