use super::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn at(ms: i64) -> ClockReading {
    ClockReading {
        wall_ms: 1_750_000_000_000 + ms,
        monotonic_ms: 1_000 + ms,
        boot_id: "a".into(),
    }
}

/// After a restart, with a wall clock of one's own.
fn rebooted(wall_ms: i64) -> ClockReading {
    ClockReading {
        wall_ms: 1_750_000_000_000 + wall_ms,
        monotonic_ms: 7,
        boot_id: "b".into(),
    }
}

fn held(cause: PauseCause, wait_ms: i64) -> Hold {
    Hold {
        cause,
        since: at(0),
        wait_ms,
    }
}

#[test]
fn a_hold_lets_reports_through_and_always_ends() {
    let policy = Policy::STANDARD;
    use PauseCause::{NotAuthorized, Returned, StandBy};
    for cause in [Returned, StandBy, NotAuthorized] {
        let hold = held(cause, 10 * MINUTE);
        let gate = |now: &ClockReading| hold.gate(now, Acted::No, &policy);
        let (closed, left) = gate(&at(MINUTE));
        assert_eq!((closed.lane, left), (Lane::Sos, 9 * MINUTE), "{cause:?}");
        assert_eq!(gate(&at(10 * MINUTE)), (Gate::OPEN, 0), "{cause:?}");
        // Across a restart wall time tells; one that went back ends it.
        assert_eq!(gate(&rebooted(MINUTE)).1, 9 * MINUTE, "{cause:?}");
        assert_eq!(gate(&rebooted(-1)), (Gate::OPEN, 0), "{cause:?}");
        // A wall clock that is set does not: the counter tells.
        let set = ClockReading {
            wall_ms: 0,
            ..at(MINUTE)
        };
        assert_eq!(gate(&set).1, 9 * MINUTE, "{cause:?}");
    }
}

#[test]
fn answers_and_messages_are_put_off_for_an_hour_and_the_rest_for_a_day() {
    let policy = Policy::STANDARD;
    let hold = held(PauseCause::StandBy, i64::MAX);
    let lane = |ms| hold.gate(&at(ms), Acted::No, &policy).0.lane;
    assert_eq!(lane(64 * MINUTE), Lane::Sos);
    assert_eq!(lane(65 * MINUTE), Lane::Messages);
    assert_eq!(lane(25 * HOUR - 1), Lane::Messages);
    assert_eq!(lane(25 * HOUR), Lane::Attachments);
}

#[test]
fn what_the_traveler_does_now_waits_for_the_ministry_and_not_for_the_crowd() {
    let policy = Policy::STANDARD;
    let gate = |cause, acted| held(cause, HOUR).gate(&at(MINUTE), acted, &policy);
    assert_eq!(gate(PauseCause::Returned, Acted::Yes), (Gate::OPEN, 0));
    for cause in [PauseCause::StandBy, PauseCause::NotAuthorized] {
        let (gate, left) = gate(cause, Acted::Yes);
        assert_eq!((gate.lane, gate.newer_ms), (Lane::Sos, i64::MAX));
        assert_eq!(left, 59 * MINUTE);
    }
    // An answer that was written after the return.
    let (gate, _) = gate(PauseCause::Returned, Acted::No);
    assert_eq!((gate.lane, gate.newer_ms), (Lane::Sos, at(0).wall_ms));
}

fn ended<'a>(
    began: &'a ClockReading,
    now: &'a ClockReading,
    stop: SyncStop,
    answered: bool,
) -> Ended<'a> {
    Ended {
        began,
        now,
        stop,
        next_ms: Some(5_000),
        answered,
    }
}

#[test]
fn a_cut_is_counted_from_its_first_failure_or_from_the_last_contact() {
    let policy = Policy::STANDARD;
    let new = Line::default();
    assert_eq!(new.cut_ms(&at(HOUR), &policy), 0);
    let (t0, t1, t2) = (at(0), at(10 * MINUTE), at(20 * MINUTE));
    let up = new.after(&ended(&t0, &t0, SyncStop::Done, true));
    assert_eq!(up.cut_ms(&t1, &policy), 10 * MINUTE);
    let cut = up.after(&ended(&t1, &t1, SyncStop::Offline, false));
    let cut = cut.after(&ended(&t2, &t2, SyncStop::NotTheMinistry, false));
    assert_eq!(
        (cut.failures, cut.cut_ms(&at(21 * MINUTE), &policy)),
        (2, 11 * MINUTE)
    );
    // No clock can tell: for long.
    assert_eq!(cut.cut_ms(&rebooted(-1), &policy), 10 * MINUTE);
    // A ministry that is busy is there.
    let back = cut.after(&ended(&t2, &t2, SyncStop::Busy, true));
    assert_eq!((back.failures, back.cut_ms(&t2, &policy)), (3, 0));
    // A pass that was put off has learnt nothing.
    let put_off = cut.after(&ended(&t2, &t2, SyncStop::Done, false));
    assert_eq!(put_off, cut);
}

#[test]
fn the_feed_alone_is_tried_again_when_the_back_off_is_over() {
    let (t0, t1) = (at(0), at(2_000));
    let line = Line::default().after(&ended(&t0, &t0, SyncStop::Offline, false));
    assert_eq!(line.feed_ms(&t1), 3_000);
    assert_eq!(line.feed_ms(&at(5_000)), 0);
    assert_eq!(line.feed_ms(&rebooted(-1)), 0);
    let line = line.after(&ended(&t1, &t1, SyncStop::Done, true));
    assert_eq!((line.failures, line.feed_ms(&t1)), (0, 0));
}

#[test]
fn a_network_that_comes_and_goes_draws_once() {
    let policy = Policy::STANDARD;
    let hold = held(PauseCause::Returned, MINUTE);
    assert!(hold.is_this_return(&at(30_000), &policy));
    // It is over, and the host has not run since.
    assert!(hold.is_this_return(&at(5 * MINUTE), &policy));
    assert!(!hold.is_this_return(&at(11 * MINUTE), &policy));
    assert!(!held(PauseCause::StandBy, MINUTE).is_this_return(&at(0), &policy));
}
