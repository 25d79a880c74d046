//! Being told to stop: a flag, so that whoever holds something that must be put away puts it away first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often a sleeper looks up.
const PAUSE: Duration = Duration::from_millis(50);

/// A flag that an interrupt, a hang-up or a request to end raises, from the first call on.
#[cfg(unix)]
pub(crate) fn interrupts() -> Arc<AtomicBool> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    static RAISED: std::sync::OnceLock<Arc<AtomicBool>> = std::sync::OnceLock::new();
    let raised = RAISED.get_or_init(|| {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // Where it cannot be caught, the signal ends this process as it always did.
            let _ = signal_hook::flag::register(signal, Arc::clone(&flag));
        }
        flag
    });
    Arc::clone(raised)
}

/// Signals end the process where they cannot be caught.
#[cfg(not(unix))]
pub(crate) fn interrupts() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}

/// Sleeps, and wakes up early when the flag is raised; whether it was.
pub(crate) fn sleep_unless(interrupted: &AtomicBool, time: Duration) -> bool {
    #[allow(clippy::disallowed_methods, reason = "a pause needs a clock that does not jump")]
    let start = Instant::now();
    loop {
        if interrupted.load(Ordering::Relaxed) {
            return true;
        }
        let left = time.saturating_sub(start.elapsed());
        if left.is_zero() {
            return false;
        }
        std::thread::sleep(left.min(PAUSE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeper_wakes_up_when_it_is_told_to() {
        assert!(!sleep_unless(&AtomicBool::new(false), Duration::from_millis(1)));
        assert!(sleep_unless(&AtomicBool::new(true), Duration::from_mins(10)));
        let flag = Arc::new(AtomicBool::new(false));
        let raised = Arc::clone(&flag);
        let thread = std::thread::spawn(move || raised.store(true, Ordering::Relaxed));
        assert!(sleep_unless(&flag, Duration::from_mins(10)));
        thread.join().unwrap();
    }
}
