//! How long to wait after a failure. Pure functions.
//!
//! Full jitter: a uniform draw between zero and a ceiling that doubles with each
//! attempt (Brooker, "Exponential backoff and jitter", 2015): a crowd of phones
//! that lost the network together does not come back together. The same crowd comes
//! back when the network does, and when a ministry that was busy is not: then each
//! phone draws its share of that time, see [`return_wait_ms`] and [`busy_wait_ms`].

use crate::config::Policy;
use crate::outbox::Lane;

/// Milliseconds until the next attempt. `attempts` counts the failures so far,
/// this one included; `random` is uniform over `u32`.
pub(super) fn delay_ms(lane: Lane, attempts: u32, random: u32, policy: &Policy) -> i64 {
    let last = match lane {
        Lane::Sos => policy.backoff_sos_ms,
        Lane::Safety | Lane::Messages => policy.backoff_people_ms,
        Lane::Registration | Lane::Whereabouts | Lane::Attachments => policy.backoff_other_ms,
    };
    let doublings = attempts.saturating_sub(1).min(30);
    let ceiling = policy
        .backoff_first_ms
        .saturating_mul(1_i64 << doublings)
        .min(last);
    // At least a tenth of a second: a draw of zero would be a busy loop.
    share(ceiling, random).max(100)
}

/// What a ministry that is busy asks for, as it said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Asked {
    /// Not before so many milliseconds (`Retry-After`, RFC 9110).
    pub(crate) after_ms: Option<i64>,
    /// And then anywhere within so many: the stand-by of problem+json.
    pub(crate) spread_ms: Option<i64>,
}

/// Milliseconds until the next attempt after "busy": what was asked for, the share
/// of the spread that `random` draws, and the wait of any failure on top.
///
/// A ministry that names a wait and no spread says the same to all whom it turned
/// away in that second: they spread over as much time again, or they would all be
/// there together once more. Reports are few and do not. One that names a spread
/// knows its crowd: then the wait on top does not grow. Bounded by lane.
pub(crate) fn busy_wait_ms(
    lane: Lane,
    attempts: u32,
    asked: Asked,
    random: u32,
    policy: &Policy,
) -> i64 {
    let after = asked.after_ms.unwrap_or_default();
    let (longest, unsaid) = match lane {
        Lane::Sos => (policy.stand_by_sos_ms, 0),
        _ => (policy.stand_by_other_ms, after),
    };
    let spread = asked.spread_ms.unwrap_or(unsaid).clamp(0, longest);
    let attempts = asked.spread_ms.map_or(attempts, |_| 1);
    asked_ms(lane, after, policy)
        .saturating_add(share(spread, random))
        .saturating_add(delay_ms(lane, attempts, random, policy))
        .min(lane.longest_wait_ms(policy))
}

/// Milliseconds that everything but an SOS waits when the network is back after
/// `cut_ms` without it: a random share of that time, so that a phone which was in
/// a tunnel for a minute waits less than one, and a million phones after a night
/// without a network come over ten.
pub(crate) fn return_wait_ms(cut_ms: i64, random: u32, policy: &Policy) -> i64 {
    if cut_ms < policy.return_grace_ms {
        return 0;
    }
    share(cut_ms.min(policy.return_spread_ms), random)
}

/// The part of `whole` that `random`, uniform over `u32`, stands for.
fn share(whole: i64, random: u32) -> i64 {
    whole.saturating_mul(i64::from(random)) / i64::from(u32::MAX)
}

/// A wait that the ministry asked for, bounded by lane: an SOS is not put off
/// for long by anybody.
pub(super) fn asked_ms(lane: Lane, asked_ms: i64, policy: &Policy) -> i64 {
    let longest = match lane {
        Lane::Sos => policy.retry_after_sos_ms,
        Lane::Safety | Lane::Messages => policy.retry_after_people_ms,
        Lane::Registration | Lane::Whereabouts | Lane::Attachments => policy.retry_after_other_ms,
    };
    asked_ms.clamp(0, longest)
}

/// `Retry-After` in milliseconds (RFC 9110, section 10.2.3): seconds, or a date
/// that is read against the response's own `Date`, for the phone's clock may be
/// years off. `None` where it is absent or unreadable.
pub(super) fn retry_after_ms(retry_after: Option<&str>, date: Option<&str>) -> Option<i64> {
    let value = retry_after?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(i64::from(seconds) * 1_000);
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(date?.trim()).ok()?;
    let wait = until.duration_since(now).unwrap_or_default();
    i64::try_from(wait.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_and_ends_by_lane() {
        let policy = Policy::STANDARD;
        let top = |lane, attempts| delay_ms(lane, attempts, u32::MAX, &policy);
        assert_eq!(top(Lane::Sos, 1), 2_000);
        assert_eq!(top(Lane::Sos, 2), 4_000);
        assert_eq!(top(Lane::Sos, 5), 32_000);
        assert_eq!(top(Lane::Sos, 6), 60_000);
        assert_eq!(top(Lane::Sos, u32::MAX), 60_000);
        assert_eq!(top(Lane::Safety, u32::MAX), 300_000);
        assert_eq!(top(Lane::Messages, u32::MAX), 300_000);
        assert_eq!(top(Lane::Whereabouts, u32::MAX), 1_800_000);
        assert_eq!(top(Lane::Attachments, u32::MAX), 1_800_000);
    }

    #[test]
    fn the_draw_is_uniform_below_the_ceiling_and_never_zero() {
        let policy = Policy::STANDARD;
        assert_eq!(delay_ms(Lane::Sos, 1, 0, &policy), 100);
        assert_eq!(delay_ms(Lane::Sos, 1, u32::MAX / 2, &policy), 999);
    }

    #[test]
    fn retry_after_in_both_forms() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(retry_after_ms(Some("120"), None), Some(120_000));
        assert_eq!(
            retry_after_ms(Some("Sun, 06 Nov 1994 08:50:07 GMT"), date),
            Some(30_000)
        );
        assert_eq!(
            retry_after_ms(Some("Sun, 06 Nov 1994 08:49:00 GMT"), date),
            Some(0)
        );
        for bad in ["-1", "soon", "", "99999999999999999999"] {
            assert_eq!(retry_after_ms(Some(bad), date), None, "{bad}");
        }
        assert_eq!(
            retry_after_ms(Some("Sun, 06 Nov 1994 08:50:07 GMT"), None),
            None
        );
        assert_eq!(retry_after_ms(None, date), None);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_bounded_by_lane() {
        let policy = Policy::STANDARD;
        assert_eq!(asked_ms(Lane::Sos, i64::MAX, &policy), 300_000);
        assert_eq!(asked_ms(Lane::Safety, i64::MAX, &policy), 3_600_000);
        assert_eq!(asked_ms(Lane::Registration, i64::MAX, &policy), 86_400_000);
        assert_eq!(asked_ms(Lane::Sos, 5_000, &policy), 5_000);
    }

    #[test]
    fn those_who_were_cut_off_come_back_over_the_time_that_they_were() {
        let policy = Policy::STANDARD;
        let wait = |cut_ms, random| return_wait_ms(cut_ms, random, &policy);
        // A lift, a change of cells.
        assert_eq!(wait(29_999, u32::MAX), 0);
        assert_eq!(wait(60_000, u32::MAX), 60_000);
        assert_eq!(wait(60_000, u32::MAX / 2), 29_999);
        assert_eq!(wait(60_000, 0), 0);
        assert_eq!(wait(4 * 3_600_000, u32::MAX), 600_000);
        assert_eq!(wait(i64::MAX, u32::MAX), 600_000);
        assert_eq!(wait(-1, u32::MAX), 0);
    }

    #[test]
    fn a_busy_ministry_is_obeyed_within_bounds_and_those_turned_away_spread() {
        let policy = Policy::STANDARD;
        let busy = |lane, after_ms, spread_ms, random| {
            let asked = Asked {
                after_ms,
                spread_ms,
            };
            busy_wait_ms(lane, 1, asked, random, &policy)
        };
        // Nothing asked for: as any failure.
        assert_eq!(busy(Lane::Sos, None, None, u32::MAX), 2_000);
        // Never before the time that was asked for, and not all at it.
        let lane = Lane::Registration;
        assert_eq!(busy(lane, Some(30_000), None, 0), 30_100);
        assert_eq!(busy(lane, Some(30_000), None, u32::MAX), 62_000);
        assert_eq!(busy(lane, Some(5_000), Some(600_000), 0), 5_100);
        assert_eq!(busy(lane, Some(5_000), Some(600_000), u32::MAX), 607_000);
        assert_eq!(busy(Lane::Sos, Some(30_000), None, u32::MAX), 32_000);
        // An SOS hardly spreads, and nobody puts it off for longer than this.
        assert_eq!(
            busy(Lane::Sos, Some(5_000), Some(600_000), u32::MAX),
            22_000
        );
        let day = Some(24 * 3_600_000);
        let all = [Lane::Sos, Lane::Safety, Lane::Registration];
        let waits = all.map(|lane| busy(lane, day, day, u32::MAX));
        assert_eq!(waits, [317_000, 3_900_000, 90_000_000]);
        for lane in Lane::ALL {
            let wait = busy(lane, Some(i64::MAX), Some(i64::MAX), u32::MAX);
            assert!(wait <= lane.longest_wait_ms(&policy), "{lane:?}");
        }
        assert_eq!(busy(Lane::Sos, Some(-9), Some(-9), 0), 100);
    }
}
