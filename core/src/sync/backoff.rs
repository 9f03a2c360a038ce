//! How long to wait after a failure. Pure functions.
//!
//! Full jitter: a uniform draw between zero and a ceiling that doubles with each
//! attempt (Brooker, "Exponential backoff and jitter", 2015): a crowd of phones
//! that lost the network together does not come back together.

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
    (ceiling.saturating_mul(i64::from(random)) / i64::from(u32::MAX)).max(100)
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
}
