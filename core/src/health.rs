//! Health: whether the library really runs on this phone, computed from what has
//! happened and never from a switch.
//!
//! A host tells when the platform woke it and when it expects to be woken next,
//! and which permissions it has; each pass of `sync` is a wake too. All of it are
//! times and states, nothing personal, so it lies in the outbox and works
//! before the first unlock. Nothing is written at a start.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::clock::{ClockReading, elapsed_ms};
use crate::config::Policy;
use crate::error::Result;
use crate::outbox::Outbox;
use crate::sync::{Pause, pause, to_json};
use crate::whereabouts::LastKnown;

/// Why the host runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum WakeCause {
    /// The traveler opened the app.
    Foreground,
    /// The platform ran a scheduled job.
    Schedule,
    /// The platform reported a position.
    Location,
    /// The network came back.
    Network,
    /// The phone has started.
    Boot,
    /// A push message came.
    Push,
    /// A pass of `sync`; noted by the library itself.
    Sync,
}

/// What the platform may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Positions while the app is in front.
    Location,
    /// Positions at any time.
    BackgroundLocation,
    /// Jobs in the background, without the limits of a battery saver.
    BackgroundWork,
    /// Notifications.
    Notifications,
    /// Sending text messages.
    Sms,
    /// Radios for phones nearby.
    Nearby,
}

/// What the traveler or the platform decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum PermissionState {
    /// Given.
    Granted,
    /// Given with limits: an approximate position, this once.
    Limited,
    /// Refused.
    Denied,
    /// Not asked yet.
    NotAsked,
    /// This phone does not have it.
    Unavailable,
}

/// A permission as the host found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct PermissionReport {
    /// Which.
    pub permission: Permission,
    /// How it stands.
    pub state: PermissionState,
}

/// Whether the library runs as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Activity {
    /// No wake has been noted on this phone.
    NeverWoke,
    /// It woke, and the next wake is not due or not overdue.
    Active,
    /// The wake that the host expected has not come.
    Late {
        /// For so long, milliseconds.
        by_ms: i64,
    },
}

/// Whether the library really runs on this phone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Health {
    /// Computed from the times below.
    pub activity: Activity,
    /// When it woke last, milliseconds UTC by the phone's clock of then.
    pub last_woke_ms: Option<i64>,
    /// Why it woke then.
    pub last_cause: Option<WakeCause>,
    /// When it should have woken or shall wake next, milliseconds UTC; absent
    /// where the host expects nothing.
    pub next_wake_ms: Option<i64>,
    /// When the last fix was recorded, milliseconds before now; absent where
    /// there is none or no clock can tell.
    pub last_fix_age_ms: Option<i64>,
    /// When the oldest thing that waits to be sent was made, milliseconds UTC;
    /// absent where nothing waits.
    pub oldest_unsent_ms: Option<i64>,
    /// When the ministry last proved that it has something, milliseconds UTC by
    /// the phone's clock.
    pub last_receipt_ms: Option<i64>,
    /// Runs of positions that were deleted unsent, every second one of the oldest,
    /// because too many waited for the space there is; they stay in the record.
    /// Nothing else is ever deleted unsent.
    pub whereabouts_thinned: u64,
    /// What waits though a network is there; absent where nothing does.
    pub pause: Option<Pause>,
    /// The permissions as the host reported them last.
    pub permissions: Vec<PermissionReport>,
    /// When it reported them, milliseconds UTC.
    pub permissions_ms: Option<i64>,
}

/// A wake, as it is kept.
#[derive(Serialize, Deserialize)]
struct Wake {
    at: ClockReading,
    cause: WakeCause,
    /// Milliseconds from then to the next expected wake.
    next_in_ms: Option<i64>,
}

/// Permissions, as they are kept.
#[derive(Default, Serialize, Deserialize)]
struct Permissions {
    at_ms: i64,
    reports: Vec<PermissionReport>,
}

const WAKE: &str = "wake";
const PERMISSIONS: &str = "permissions";

/// What the host has reported of its permissions replaces the report before.
pub(crate) fn note_permissions(
    outbox: &Outbox,
    now: &ClockReading,
    reports: Vec<PermissionReport>,
) -> Result<()> {
    let kept = Permissions {
        at_ms: now.wall_ms,
        reports,
    };
    outbox.set(PERMISSIONS, &to_json(&kept)?)
}

/// What happened, when, and what is overdue.
pub(crate) fn read(
    outbox: &Outbox,
    last: &LastKnown,
    now: &ClockReading,
    policy: &Policy,
) -> Result<Health> {
    let wake: Option<Wake> = kept(outbox, WAKE)?;
    let permissions: Option<Permissions> = kept(outbox, PERMISSIONS)?;
    let newest = last.recent(now).into_iter().next();
    Ok(Health {
        activity: activity(wake.as_ref(), now, policy.wake_grace_ms),
        last_woke_ms: wake.as_ref().map(|wake| wake.at.wall_ms),
        last_cause: wake.as_ref().map(|wake| wake.cause),
        next_wake_ms: wake
            .as_ref()
            .and_then(|wake| Some(wake.at.wall_ms.saturating_add(wake.next_in_ms?))),
        last_fix_age_ms: newest.and_then(|known| known.age_ms),
        oldest_unsent_ms: outbox.oldest_waiting()?,
        last_receipt_ms: outbox.get_number("receipt_ms")?,
        whereabouts_thinned: outbox.thinned()?,
        pause: pause(outbox, now, policy)?,
        permissions_ms: permissions.as_ref().map(|kept| kept.at_ms),
        permissions: permissions.unwrap_or_default().reports,
    })
}

/// Notes a wake. Where nothing is said of the next one, what was expected before
/// stays expected, unless this wake was it.
pub(crate) fn note_wake(
    outbox: &Outbox,
    now: &ClockReading,
    cause: WakeCause,
    next_in_ms: Option<i64>,
) -> Result<()> {
    let before: Option<Wake> = kept(outbox, WAKE)?;
    let next_in_ms = next_in_ms
        .map(|ms| ms.max(0))
        .or_else(|| still_expected(before.as_ref()?, now));
    outbox.set(
        WAKE,
        &to_json(&Wake {
            at: now.clone(),
            cause,
            next_in_ms,
        })?,
    )
}

/// Milliseconds from `now` to the wake that was expected, where it is to come.
fn still_expected(before: &Wake, now: &ClockReading) -> Option<i64> {
    let left = before
        .next_in_ms?
        .saturating_sub(elapsed_ms(&before.at, now)?);
    (left > 0).then_some(left)
}

/// Pure: overdue by more than the grace that platforms take for themselves.
fn activity(wake: Option<&Wake>, now: &ClockReading, grace_ms: i64) -> Activity {
    let Some(wake) = wake else {
        return Activity::NeverWoke;
    };
    let late = wake.next_in_ms.and_then(|next_in_ms| {
        // A clock that went back cannot tell: then nothing is held to be late.
        let by_ms = elapsed_ms(&wake.at, now)?.saturating_sub(next_in_ms);
        (by_ms > grace_ms).then_some(by_ms)
    });
    late.map_or(Activity::Active, |by_ms| Activity::Late { by_ms })
}

/// A value of the outbox; one of another form is as good as none.
fn kept<T: DeserializeOwned>(outbox: &Outbox, key: &str) -> Result<Option<T>> {
    let bytes = outbox.get(key)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
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

    fn wake(next_in_ms: Option<i64>) -> Wake {
        Wake {
            at: reading(1_000_000, 1_000, "a"),
            cause: WakeCause::Schedule,
            next_in_ms,
        }
    }

    #[test]
    fn late_is_what_was_expected_and_did_not_come() {
        let now = |after: i64| reading(0, 1_000 + after, "a");
        let table = [
            (None, 500, Activity::NeverWoke),
            (Some(wake(None)), 1_000_000, Activity::Active),
            (Some(wake(Some(100))), 100, Activity::Active),
            (Some(wake(Some(100))), 110, Activity::Active),
            (Some(wake(Some(100))), 111, Activity::Late { by_ms: 11 }),
        ];
        for (wake, after, expected) in table {
            assert_eq!(activity(wake.as_ref(), &now(after), 10), expected);
        }
        // After a reboot wall time tells, and a clock that went back does not.
        let wake = wake(Some(100));
        let rebooted = |wall_ms| activity(Some(&wake), &reading(wall_ms, 5, "b"), 10);
        assert_eq!(rebooted(1_000_200), Activity::Late { by_ms: 100 });
        assert_eq!(rebooted(900_000), Activity::Active);
    }

    #[test]
    fn another_wake_does_not_forget_the_one_that_is_to_come() {
        let before = wake(Some(100));
        let left = |after: i64| still_expected(&before, &reading(0, 1_000 + after, "a"));
        assert_eq!(left(30), Some(70));
        assert_eq!(left(100), None);
        assert_eq!(left(500), None);
    }
}
