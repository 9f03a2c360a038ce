//! When a text message is worth sending, and when not: pure functions of what the
//! platform said before.
//!
//! A message costs the traveler money, and a network that sees a flood of them
//! blocks the SIM. So each part is sent a few times with time between, whatever
//! happens, and one SIM sends no more in a day than the policy says.

use super::{SmsNext, SmsResult};
use crate::config::Policy;
use crate::outbox::SmsTry;

const DAY_MS: i64 = 24 * 3_600_000;

/// Messages that a result may have cost.
pub(super) fn cost(result: SmsResult, messages: u32) -> u32 {
    match result {
        SmsResult::Sent | SmsResult::Failed => messages,
        // Nothing left the phone, or what left is counted already.
        SmsResult::Delivered
        | SmsResult::NoService
        | SmsResult::RadioOff
        | SmsResult::LimitExceeded => 0,
    }
}

/// What to do with a part of `messages` messages on the SIM `sim`. `tries` are those
/// of this part, `of_sim` all of that SIM.
pub(super) fn next(
    tries: &[SmsTry],
    of_sim: &[SmsTry],
    sim: u32,
    messages: u32,
    now_ms: i64,
    policy: &Policy,
) -> SmsNext {
    let count = |result: SmsResult| tries.iter().filter(|it| it.result == result).count();
    let sent = count(SmsResult::Sent);
    if count(SmsResult::Delivered) > 0
        || sent >= policy.sms_sends
        || tries.len() >= policy.sms_tries
    {
        return SmsNext::Enough;
    }
    let waits = tries
        .iter()
        // One that is ahead was sent before the clock went back.
        .filter(|it| it.at_ms <= now_ms)
        .map(|it| until(it, sim, policy))
        .chain([budget(of_sim, messages, now_ms, policy)]);
    match waits.max() {
        Some(until_ms) if until_ms > now_ms => SmsNext::Wait { until_ms },
        _ => SmsNext::SendNow,
    }
}

/// Until when a try says to wait.
fn until(tried: &SmsTry, sim: u32, policy: &Policy) -> i64 {
    let wait = match tried.result {
        // The network has it: another SIM would cost the same again.
        SmsResult::Sent => policy.sms_repeat_ms,
        // Another SIM may have what this one lacks.
        _ if tried.sim != sim => 0,
        SmsResult::NoService | SmsResult::RadioOff | SmsResult::Failed => policy.sms_retry_ms,
        SmsResult::LimitExceeded => policy.sms_limit_ms,
        SmsResult::Delivered => 0,
    };
    tried.at_ms.saturating_add(wait)
}

/// Until when the SIM has sent too much of late; 0: it has not.
fn budget(of_sim: &[SmsTry], messages: u32, now_ms: i64, policy: &Policy) -> i64 {
    let mut recent: Vec<&SmsTry> = of_sim
        .iter()
        .filter(|it| {
            (now_ms.saturating_sub(DAY_MS)..=now_ms.saturating_add(DAY_MS)).contains(&it.at_ms)
        })
        .collect();
    recent.sort_by_key(|it| it.at_ms);
    let mut used: u32 = recent
        .iter()
        .fold(messages, |sum, it| sum.saturating_add(it.messages));
    let mut until = 0;
    for it in recent {
        if used <= policy.sms_per_day {
            break;
        }
        used = used.saturating_sub(it.messages);
        // One that is ahead was sent before the clock went back: a day from now.
        until = it.at_ms.min(now_ms).saturating_add(DAY_MS);
    }
    until
}

#[cfg(test)]
mod tests {
    use super::SmsResult as R;
    use super::*;

    const NOW: i64 = 1_790_000_000_000;
    const MINUTE: i64 = 60_000;
    const POLICY: Policy = Policy::STANDARD;

    /// Minutes ago, by which SIM, what.
    type Said = (i64, u32, R);

    fn tried(minutes_ago: i64, sim: u32, result: R) -> SmsTry {
        SmsTry {
            part: 1,
            sim,
            at_ms: NOW - minutes_ago * MINUTE,
            messages: cost(result, 1),
            result,
        }
    }

    fn wait(minutes: i64) -> SmsNext {
        SmsNext::Wait {
            until_ms: NOW + minutes * MINUTE,
        }
    }

    #[test]
    fn what_to_do_by_what_was_said() {
        let table: &[(&[Said], SmsNext)] = &[
            (&[], SmsNext::SendNow),
            (&[(0, 0, R::Sent)], wait(10)),
            (&[(9, 0, R::Sent)], wait(1)),
            (&[(10, 0, R::Sent)], SmsNext::SendNow),
            // On the other SIM it would cost the same again.
            (&[(0, 1, R::Sent)], wait(10)),
            (
                &[(30, 0, R::Sent), (20, 0, R::Sent), (10, 0, R::Sent)],
                SmsNext::Enough,
            ),
            (&[(1, 0, R::Sent), (0, 0, R::Delivered)], SmsNext::Enough),
            (&[(0, 0, R::NoService)], wait(1)),
            (&[(0, 0, R::RadioOff)], wait(1)),
            (&[(0, 0, R::Failed)], wait(1)),
            (&[(1, 0, R::NoService)], SmsNext::SendNow),
            (&[(0, 0, R::LimitExceeded)], wait(30)),
            // The other SIM may have service.
            (&[(0, 1, R::NoService)], SmsNext::SendNow),
            (&[(0, 1, R::LimitExceeded)], SmsNext::SendNow),
            (&[(0, 0, R::NoService), (0, 0, R::LimitExceeded)], wait(30)),
            // A clock that went back by years does not silence it.
            (&[(-3_000_000, 0, R::Sent)], SmsNext::SendNow),
        ];
        for (tries, expected) in table {
            let tries: Vec<_> = tries.iter().map(|(m, s, r)| tried(*m, *s, *r)).collect();
            assert_eq!(
                next(&tries, &[], 0, 1, NOW, &POLICY),
                *expected,
                "{tries:?}"
            );
        }
        let often = vec![tried(100, 0, R::NoService); POLICY.sms_tries];
        assert_eq!(next(&often, &[], 0, 1, NOW, &POLICY), SmsNext::Enough);
    }

    #[test]
    fn one_sim_sends_no_more_in_a_day_than_it_may() {
        let most = i64::from(POLICY.sms_per_day);
        let day =
            |count: i64| -> Vec<SmsTry> { (0..count).map(|n| tried(60 + n, 0, R::Sent)).collect() };
        let of = |of_sim: &[SmsTry], messages| next(&[], of_sim, 0, messages, NOW, &POLICY);
        assert_eq!(of(&day(most - 1), 1), SmsNext::SendNow);
        // The oldest one of twenty leaves the day first.
        assert_eq!(of(&day(most), 1), wait(24 * 60 - (60 + most - 1)));
        assert_eq!(of(&day(most - 1), 3), wait(24 * 60 - (60 + most - 3)));
        let yesterday: Vec<_> = (0..most)
            .map(|n| tried(24 * 60 + 1 + n, 0, R::Sent))
            .collect();
        assert_eq!(of(&yesterday, 1), SmsNext::SendNow);
        let nothing_left: Vec<_> = (0..100).map(|n| tried(n, 0, R::NoService)).collect();
        assert_eq!(of(&nothing_left, 1), SmsNext::SendNow);
        let years_ahead = vec![tried(-3_000_000, 0, R::Sent); 100];
        assert_eq!(of(&years_ahead, 1), SmsNext::SendNow);
    }
}
