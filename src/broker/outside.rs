//! What a request needs from outside, as one value.

use crate::error::{Fault, Refusal};
use crate::event::{Degraded, Event};
use crate::limit::Limit;
use crate::time::UnixTime;
use crate::{LimiterError, Ports, RateLimiter};

/// The ports, the time, and randomness.
pub struct Outside<'a, P: Ports> {
    /// The session store.
    pub store: &'a P::Store,
    /// The signer.
    pub signer: &'a P::Signer,
    /// The store of challenges.
    pub challenges: &'a P::Challenges,
    /// The rate limits.
    pub limiter: &'a P::Limiter,
    /// The time.
    pub now: UnixTime,
    /// Fills a buffer with random bits.
    pub random: fn(&mut [u8]) -> Result<(), Fault>,
}

impl<P: Ports> Outside<'_, P> {
    /// So many random bytes.
    pub(super) fn random<const N: usize>(&self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        (self.random)(&mut bytes).map(|()| bytes)
    }

    /// Counts one more under a limit, and refuses what is over it. A limit that does not answer refuses nobody: it is a
    /// brake, and isolation does not rest on it.
    pub(super) async fn within(&self, limit: Limit, key: &str, event: &mut Event) -> Result<(), Refusal> {
        match self.limiter.count(limit, key).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refusal::RateLimited(limit)),
            Err(LimiterError) => {
                event.degraded = Some(Degraded::Limiter);
                Ok(())
            }
        }
    }
}
