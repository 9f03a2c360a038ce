//! Time: a phone's clock may be off by years, so no single one is trusted.
//!
//! Every stored event carries a [`ClockReading`]: wall time, and a monotonic
//! counter with the id of the boot it counts from. The offset to the
//! ministry's clock is learnt by `sync` and kept in the outbox. A difference of
//! two readings of one boot is taken from the monotonic counter; only across a
//! reboot is wall time compared, and then a negative age is "unknown", never
//! a fix from the future.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

use crate::error::HostError;

/// One reading of the phone's clocks.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Record)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClockReading {
    /// Wall time, milliseconds since 1970-01-01T00:00:00Z, as the phone has it.
    pub wall_ms: i64,
    /// Milliseconds since the phone started, deep sleep included.
    pub monotonic_ms: i64,
    /// Names the boot that `monotonic_ms` counts from.
    pub boot_id: String,
}

/// Where the time comes from. Hosts leave it out; tests move it.
#[uniffi::export(with_foreign)]
pub trait Clock: Send + Sync {
    /// Reads all clocks at one moment.
    fn read(&self) -> Result<ClockReading, HostError>;
}

/// The clocks of the operating system.
#[derive(Debug)]
pub struct SystemClock {
    boot_id: String,
}

impl SystemClock {
    /// Reads the boot id once; it does not change while the process lives.
    pub fn new() -> Self {
        Self { boot_id: boot_id() }
    }

    fn now(&self) -> ClockReading {
        ClockReading {
            wall_ms: wall_ms(),
            monotonic_ms: monotonic_ms(),
            boot_id: self.boot_id.clone(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn read(&self) -> Result<ClockReading, HostError> {
        Ok(self.now())
    }
}

fn wall_ms() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_millis()).map_or(i64::MIN, std::ops::Neg::neg)
        }
    }
}

fn monotonic_ms() -> i64 {
    use rustix::time::{ClockId, clock_gettime};
    // Instant stops in deep sleep on Linux and Android; this clock does not.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let clock = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let clock = ClockId::Monotonic;
    let time = clock_gettime(clock);
    time.tv_sec
        .saturating_mul(1000)
        .saturating_add(time.tv_nsec / 1_000_000)
}

/// A name for this boot; where the kernel's may not be read, the wall time of the
/// boot to the minute stands in for it.
fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map_or_else(
        |_| format!("boot-{}", (wall_ms() - monotonic_ms()) / 60_000),
        |id| boot_name(&id),
    )
}

/// The kernel's name is the same for all apps of the phone and would tie them
/// together; a hash of our own does not, and is a third as long in each report.
fn boot_name(kernels: &str) -> String {
    let named = format!("homeline/boot/v1 {}", kernels.trim());
    let hash = digest(&SHA256, named.as_bytes());
    let (short, _) = hash.as_ref().split_at(8);
    BASE64URL_NOPAD.encode(short)
}

/// The clock that the rest of the core reads: the host's, or the system's
/// where the host's fails.
#[derive(Clone)]
pub(crate) struct Time {
    host: Option<Arc<dyn Clock>>,
    system: Arc<SystemClock>,
}

impl Time {
    pub(crate) fn new(host: Option<Arc<dyn Clock>>) -> Self {
        Self {
            host,
            system: Arc::new(SystemClock::new()),
        }
    }

    pub(crate) fn now(&self) -> ClockReading {
        self.host
            .as_ref()
            .and_then(|clock| clock.read().ok())
            .unwrap_or_else(|| self.system.now())
    }
}

/// Milliseconds from `earlier` to `later`; `None` where no clock can tell.
pub fn elapsed_ms(earlier: &ClockReading, later: &ClockReading) -> Option<i64> {
    let (from, to) = if earlier.boot_id == later.boot_id {
        (earlier.monotonic_ms, later.monotonic_ms)
    } else {
        (earlier.wall_ms, later.wall_ms)
    };
    to.checked_sub(from).filter(|elapsed| *elapsed >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(wall_ms: i64, monotonic_ms: i64, boot: &str) -> ClockReading {
        ClockReading {
            wall_ms,
            monotonic_ms,
            boot_id: boot.into(),
        }
    }

    #[test]
    fn a_wall_clock_that_goes_back_does_not_change_an_age() {
        let then = reading(1_700_000_000_000, 5_000, "a");
        let now = reading(1_600_000_000_000, 65_000, "a");
        assert_eq!(elapsed_ms(&then, &now), Some(60_000));
    }

    #[test]
    fn across_a_reboot_a_negative_age_is_unknown() {
        let then = reading(1_700_000_000_000, 5_000, "a");
        let now = reading(1_600_000_000_000, 65_000, "b");
        assert_eq!(elapsed_ms(&then, &now), None);
        let later = reading(1_700_000_060_000, 100, "b");
        assert_eq!(elapsed_ms(&then, &later), Some(60_000));
    }

    #[test]
    fn the_monotonic_clock_moves_and_the_boot_has_a_name() {
        let clock = SystemClock::new();
        let first = clock.now();
        std::thread::sleep(std::time::Duration::from_millis(5));
        let second = clock.now();
        assert!(second.monotonic_ms > first.monotonic_ms);
        assert!(!first.boot_id.is_empty());
        assert_eq!(first.boot_id, SystemClock::new().now().boot_id);
    }

    #[test]
    fn the_name_of_a_boot_is_short_and_not_the_kernels() {
        let kernels = "5f0c1e7a-93d2-4b8e-a1f6-2c7d90e4b358\n";
        assert_eq!(boot_name(kernels).len(), 11);
        assert_eq!(boot_name(kernels), boot_name(kernels.trim()));
        assert_ne!(boot_name(kernels), boot_name("another"));
    }
}
