//! A clock that a test moves; the only thing that is faked on the phone beside
//! the network's faults.

use std::sync::atomic::{AtomicI64, Ordering};

use homeline::clock::{Clock, ClockReading, SystemClock};
use homeline::error::HostError;

/// The system's clock, moved: wall time and the counter by amounts of their own,
/// and with another boot once the phone was restarted.
pub struct MovedClock {
    system: SystemClock,
    wall_ms: AtomicI64,
    monotonic_ms: AtomicI64,
    boots: AtomicI64,
}

impl MovedClock {
    /// The system's time.
    pub fn new() -> Self {
        Self {
            system: SystemClock::new(),
            wall_ms: AtomicI64::new(0),
            monotonic_ms: AtomicI64::new(0),
            boots: AtomicI64::new(0),
        }
    }

    /// Time passes: both clocks go on by `ms`.
    pub fn pass(&self, ms: i64) {
        self.wall_ms.fetch_add(ms, Ordering::SeqCst);
        self.monotonic_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock `ms` ahead, or back where it is negative.
    pub fn set_ahead(&self, ms: i64) {
        self.wall_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// The phone is restarted: the counter begins anew.
    pub fn reboot(&self) {
        self.boots.fetch_add(1, Ordering::SeqCst);
    }
}

impl Default for MovedClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for MovedClock {
    fn read(&self) -> Result<ClockReading, HostError> {
        let now = self.system.read()?;
        let boots = self.boots.load(Ordering::SeqCst);
        Ok(ClockReading {
            wall_ms: now.wall_ms + self.wall_ms.load(Ordering::SeqCst),
            monotonic_ms: now.monotonic_ms + self.monotonic_ms.load(Ordering::SeqCst),
            boot_id: format!("{}-{boots}", now.boot_id),
        })
    }
}
