//! What a stored session is worth now.

use agentkeys_edge_broker::session::{BrokenRecord, SessionRecord};
use agentkeys_edge_broker::time::UnixTime;
use serde::Serialize;

/// The state of a session, as the mint path sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// Tokens are minted for it.
    Live,
    /// Its time has passed; KV has not cleared it away yet.
    Expired,
    /// Its record does not follow the schema, or is another wallet's: nothing is minted for it.
    Broken,
    /// It is listed, and there is no record: it was revoked, or is not seen yet.
    Gone,
}

impl State {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Expired => "expired",
            Self::Broken => "broken",
            Self::Gone => "gone",
        }
    }
}

/// A stored text, and what it is worth.
pub(crate) struct Stored {
    pub(crate) state: State,
    pub(crate) record: Option<SessionRecord>,
    pub(crate) broken: Option<BrokenRecord>,
}

/// Reads a stored text.
pub(crate) fn read(text: Option<&str>, now: UnixTime) -> Stored {
    match text.map(SessionRecord::parse) {
        None => Stored { state: State::Gone, record: None, broken: None },
        Some(Err(broken)) => Stored { state: State::Broken, record: None, broken: Some(broken) },
        Some(Ok(record)) => {
            let state = if now < record.expires_at { State::Live } else { State::Expired };
            Stored { state, record: Some(record), broken: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_live_until_the_second_it_expires_in() {
        let at = |seconds: u64| UnixTime::try_from(seconds).unwrap();
        let wallet = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed".parse().unwrap();
        let json = SessionRecord::new(wallet, at(100), at(200)).unwrap().to_json().unwrap();
        for (text, now, state) in [
            (Some(json.as_str()), 199, State::Live),
            (Some(&json), 200, State::Expired),
            (Some("{}"), 150, State::Broken),
            (Some(""), 150, State::Broken),
            (None, 150, State::Gone),
        ] {
            assert_eq!(read(text, at(now)).state, state, "{text:?} at {now}");
        }
    }
}
