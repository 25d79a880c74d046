//! Trying again: after a pause that doubles, of which a part is chance, until patience ends.
//!
//! The chance keeps many agents that failed together from coming back together.

use std::time::{Duration, Instant};

/// The first pause at its longest; each next one may be twice as long.
const FIRST: Duration = Duration::from_millis(250);
/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(4);

/// How long somebody goes on trying.
pub(crate) struct Patience {
    pauses: Pauses,
    started: Instant,
    limit: Duration,
}

impl Patience {
    /// New tries start within `limit` from now.
    pub(crate) fn of(limit: Duration) -> Self {
        #[allow(clippy::disallowed_methods, reason = "a time limit needs a clock that does not jump")]
        let started = Instant::now();
        Self { pauses: Pauses::new(FIRST, LONGEST), started, limit }
    }

    /// Pauses before another try, at least as long as the server asked for. `false`, at once, where patience would end before.
    pub(crate) fn pause(&mut self, asked_for: Option<u64>) -> bool {
        let pause = self.pauses.next().max(asked_for.map_or(Duration::ZERO, Duration::from_secs));
        if self.started.elapsed().saturating_add(pause) > self.limit {
            return false;
        }
        std::thread::sleep(pause);
        true
    }
}

/// Pauses that double up to a longest one; each is between a half and the whole of its turn's length.
pub(crate) struct Pauses {
    next: Duration,
    longest: Duration,
}

impl Pauses {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { next: first, longest }
    }

    /// The next pause.
    pub(crate) fn next(&mut self) -> Duration {
        let whole = self.next;
        self.next = whole.saturating_mul(2).min(self.longest);
        let half = whole.mul_f64(0.5);
        half.saturating_add(half.mul_f64(chance()))
    }
}

/// A number from 0 to 1; a half where the system has no randomness, which here is no secret.
fn chance() -> f64 {
    let mut byte = [0];
    if getrandom::fill(&mut byte).is_err() {
        return 0.5;
    }
    f64::from(byte[0]) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_differ() {
        let mut firsts = std::collections::BTreeSet::new();
        for _ in 0..64 {
            let mut pauses = Pauses::new(Duration::from_millis(100), Duration::from_millis(300));
            for whole in [100, 200, 300, 300] {
                let (pause, whole) = (pauses.next(), Duration::from_millis(whole));
                assert!(pause >= whole / 2 && pause <= whole, "{pause:?} of {whole:?}");
            }
            firsts.insert(Pauses::new(Duration::from_secs(1), LONGEST).next());
        }
        assert!(firsts.len() > 8, "{firsts:?}");
    }

    #[test]
    fn patience_ends_before_a_pause_that_is_too_long() {
        assert!(!Patience::of(Duration::ZERO).pause(None));
        assert!(!Patience::of(Duration::from_secs(2)).pause(Some(60)), "at once");
        assert!(!Patience::of(Duration::from_secs(2)).pause(Some(u64::MAX)));
        let mut patience = Patience::of(Duration::from_millis(600));
        let tries = std::iter::repeat_with(|| patience.pause(None)).take_while(|again| *again).count();
        assert!((1..=3).contains(&tries), "{tries}");
    }
}
