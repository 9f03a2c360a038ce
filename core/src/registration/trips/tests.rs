//! The decisions about trips, as tables, and the checks of their form.

use proptest::prelude::*;

use super::current::{Phase, phase};
use super::*;
use crate::registration::date::Date;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const POLICY: Policy = Policy::STANDARD;

/// Milliseconds UTC of an hour of a day in UTC.
fn at(date: &str, hour: i64) -> i64 {
    Date::parse(date).unwrap().begins_ms() + (14 + hour) * HOUR
}

fn stay(place: &str, from: &str, to: &str) -> Stay {
    Stay {
        country: "TR".into(),
        place: place.into(),
        from: from.into(),
        to: to.into(),
        ..Stay::default()
    }
}

fn trip(departs: &str, returns: Option<&str>, stays: Vec<Stay>) -> Trip {
    Trip {
        title: None,
        departs: departs.into(),
        returns: returns.map(str::to_owned),
        stays,
    }
}

#[test]
fn what_is_wrong_with_a_trip_is_named() {
    let good = || {
        let stay = stay("Van", "2026-06-02", "2026-06-05");
        trip("2026-06-01", Some("2026-06-10"), vec![stay])
    };
    type Spoil = fn(&mut Trip);
    let rows: [(Spoil, &str, Problem); 15] = [
        (
            |t| t.departs = "2026-02-30".into(),
            "trip.departs",
            Problem::Malformed,
        ),
        (
            |t| t.departs = String::new(),
            "trip.departs",
            Problem::Empty,
        ),
        (
            |t| t.returns = Some("2026-05-31".into()),
            "trip.returns",
            Problem::OutOfRange,
        ),
        (
            |t| t.returns = Some("June".into()),
            "trip.returns",
            Problem::Malformed,
        ),
        (
            |t| t.title = Some("a\0b".into()),
            "trip.title",
            Problem::ControlCharacter,
        ),
        (
            |t| t.stays[0].to = "2026-06-01".into(),
            "trip.stays[0].to",
            Problem::OutOfRange,
        ),
        (
            |t| t.stays[0].to = "2026-06-12".into(),
            "trip.stays[0].to",
            Problem::OutOfRange,
        ),
        (
            |t| t.stays[0].from = "2026-05-30".into(),
            "trip.stays[0].from",
            Problem::OutOfRange,
        ),
        (
            |t| t.stays[0].from = "2026-13-01".into(),
            "trip.stays[0].from",
            Problem::Malformed,
        ),
        (
            |t| t.stays[0].country = "UK".into(),
            "trip.stays[0].country",
            Problem::Malformed,
        ),
        (
            |t| t.stays[0].country = String::new(),
            "trip.stays[0].country",
            Problem::Empty,
        ),
        (
            |t| t.stays[0].place = " ".into(),
            "trip.stays[0].place",
            Problem::Empty,
        ),
        (
            |t| t.stays = vec![t.stays[0].clone(); 10_000],
            "trip.stays",
            Problem::TooLong,
        ),
        (
            |t| t.stays[0].companions = vec!["李".repeat(500); 3],
            "trip.stays[0]",
            Problem::TooLong,
        ),
        (
            |t| t.stays[0].companions = vec!["李".into(); 61],
            "trip.stays[0].companions",
            Problem::TooLong,
        ),
    ];
    for (spoil, field, problem) in rows {
        let mut trip = good();
        spoil(&mut trip);
        match trip.validated(&POLICY) {
            Err(HomelineError::Invalid {
                field: f,
                problem: p,
                ..
            }) => {
                assert_eq!((f.as_str(), p), (field, problem));
            }
            other => panic!("{field}: {other:?}"),
        }
    }
    let mut trip = good();
    // The date line: the day before, and the day after.
    trip.stays[0].from = " 2026-05-31 ".into();
    trip.stays.push(stay("Kars", "2026-05-31", "2026-06-11"));
    trip.stays.push(stay("Ağrı", "2026-05-31", "2026-05-31"));
    trip.stays[0].country = "tr".into();
    let kept = trip.validated(&POLICY).unwrap();
    assert_eq!(
        (kept.stays.len(), kept.stays[0].country.as_str()),
        (3, "TR")
    );
    assert_eq!(kept.stays[0].from, "2026-05-31");
}

#[test]
fn the_current_stay_is_told_by_the_dates_of_the_whole_world() {
    use Certainty::{Certain, Possible};
    let stays = [
        stay("Van", "2026-06-01", "2026-06-09"),
        stay("Kars", "2026-06-10", "2026-06-20"),
        // An excursion, while the room in Kars is kept.
        stay("Ani", "2026-06-14", "2026-06-16"),
        stay("Izmir", "2026-06-25", "2026-06-30"),
    ];
    for (date, hour, place, certainty, next) in [
        // 09:59 UTC on the 31st: nowhere is it June. At 10:00 it is in Kiritimati.
        ("2026-05-31", 9, None, Certain, Some("Van")),
        ("2026-05-31", 10, Some("Van"), Possible, Some("Kars")),
        ("2026-06-01", 11, Some("Van"), Possible, Some("Kars")),
        ("2026-06-01", 12, Some("Van"), Certain, Some("Kars")),
        ("2026-06-05", 0, Some("Van"), Certain, Some("Kars")),
        // Two dates of three are Van's; then one and one, and the later begins.
        ("2026-06-09", 11, Some("Van"), Possible, Some("Kars")),
        ("2026-06-09", 13, Some("Kars"), Possible, Some("Ani")),
        ("2026-06-12", 0, Some("Kars"), Certain, Some("Ani")),
        ("2026-06-15", 12, Some("Ani"), Certain, Some("Izmir")),
        ("2026-06-18", 12, Some("Kars"), Certain, Some("Izmir")),
        ("2026-06-21", 11, Some("Kars"), Possible, Some("Izmir")),
        ("2026-06-21", 12, None, Certain, Some("Izmir")),
        ("2026-06-28", 12, Some("Izmir"), Certain, None),
        ("2026-07-02", 12, None, Certain, None),
        ("1970-01-01", 0, None, Certain, Some("Van")),
        ("2090-01-01", 0, None, Certain, None),
    ] {
        let found = stay_at(&stays, at(date, hour));
        let name = |stay: Option<&Stay>| stay.map(|stay| stay.place.clone());
        let expected = (place.map(str::to_owned), certainty, next.map(str::to_owned));
        let found = (name(found.stay), found.certainty, name(found.next));
        assert_eq!(found, expected, "{date} {hour}");
    }
}

#[test]
fn the_trip_of_now_is_the_running_one_then_the_overdue_then_the_next() {
    let past = trip("2026-01-01", Some("2026-01-10"), vec![]);
    let long = trip("2025-09-01", None, vec![]);
    let weekend = trip("2026-06-05", Some("2026-06-08"), vec![]);
    let next = trip("2026-08-01", None, vec![]);
    let far = trip("2026-12-01", None, vec![]);
    let all = [&far, &past, &weekend, &long, &next].map(Clone::clone);
    let june = at("2026-06-06", 12);
    assert_eq!(trip_at(&all, june), Some(&weekend));
    assert_eq!(trip_at(&all, at("2026-06-20", 12)), Some(&long));
    let without = [far.clone(), next.clone(), past.clone()];
    assert_eq!(trip_at(&without, june), Some(&past));
    assert_eq!(trip_at(&[far.clone(), next.clone()], june), Some(&next));
    assert_eq!(trip_at(&[], june), None);
    // What another version may have written is skipped.
    assert_eq!(trip_at(&[trip("soon", None, vec![])], june), None);
}

/// One row of the review: who was seen where and when, and what comes of it.
struct Row {
    name: &'static str,
    returns: Option<&'static str>,
    now: i64,
    trust: TimeTrust,
    seen: Option<(&'static str, i64, i64)>,
    confirmed: Option<i64>,
    expected: Option<TripOutcome>,
}

#[test]
fn a_trip_is_closed_on_two_signs_and_asked_about_on_one() {
    use TimeTrust::{Confirmed, PhoneOnly};
    const AWAY: Option<TripOutcome> = Some(TripOutcome::Away);
    const CLOSED: Option<TripOutcome> = Some(TripOutcome::Closed {
        reason: CloseReason::SeenAtHome,
    });
    let ask = |question| Some(TripOutcome::Ask { question });
    let row = |name, now, expected| Row {
        name,
        returns: Some("2026-06-20"),
        now,
        trust: Confirmed,
        seen: None,
        confirmed: None,
        expected,
    };
    let (j5, j10, j22) = (
        at("2026-06-05", 12),
        at("2026-06-10", 12),
        at("2026-06-22", 12),
    );
    let rows = [
        row("not begun", at("2026-05-31", 9), None),
        row("just begun", at("2026-05-31", 10), AWAY),
        row("away", j10, AWAY),
        Row {
            seen: Some(("TR", j5, j10)),
            ..row("seen abroad", j10, AWAY)
        },
        Row {
            seen: Some(("CN", at("2026-05-01", 0), at("2026-06-01", 3))),
            ..row("at the airport on the day", at("2026-06-01", 3), AWAY)
        },
        Row {
            seen: Some(("CN", at("2026-05-01", 0), at("2026-06-03", 11))),
            ..row("the plane was late", at("2026-06-03", 11), AWAY)
        },
        Row {
            seen: Some(("CN", j5, j10)),
            ..row("home early", j10, ask(TripQuestion::HomeEarly))
        },
        Row {
            seen: Some(("CN", j5, j10)),
            confirmed: Some(j5 + HOUR),
            ..row("home early, but asked lately", j10, AWAY)
        },
        Row {
            seen: Some(("CN", j5, j5 + 8 * DAY)),
            confirmed: Some(j5 + HOUR),
            ..row(
                "home still, a week on",
                j5 + 8 * DAY,
                ask(TripQuestion::HomeEarly),
            )
        },
        Row {
            seen: Some(("CN", j5, j10)),
            confirmed: Some(j5 - HOUR),
            ..row("confirmed before that", j10, ask(TripQuestion::HomeEarly))
        },
        Row {
            seen: Some(("CN", at("2026-06-21", 0), j22)),
            ..row("home after the return", j22, CLOSED)
        },
        Row {
            seen: Some(("CN", at("2026-06-20", 12), at("2026-06-20", 13))),
            ..row("home on the day itself", at("2026-06-20", 13), CLOSED)
        },
        Row {
            seen: Some(("CN", at("2026-06-20", 11), at("2026-06-20", 11))),
            ..row(
                "home, the day before in Hawaii",
                at("2026-06-20", 11),
                ask(TripQuestion::HomeEarly),
            )
        },
        Row {
            seen: Some(("CN", at("2026-06-21", 0), j22)),
            trust: PhoneOnly,
            ..row(
                "home after it, by a clock nobody confirmed",
                j22,
                ask(TripQuestion::PastReturn),
            )
        },
        Row {
            seen: Some(("CN", j5, j10)),
            ..row(
                "home early, never seen since",
                j22,
                ask(TripQuestion::PastReturn),
            )
        },
        row(
            "past the return, seen nowhere",
            j22,
            ask(TripQuestion::PastReturn),
        ),
        Row {
            seen: Some(("TR", j5, j22)),
            ..row(
                "past the return, seen abroad",
                j22,
                ask(TripQuestion::PastReturn),
            )
        },
        Row {
            confirmed: Some(at("2026-06-21", 13)),
            ..row("past the return, and confirmed since", j22, AWAY)
        },
        Row {
            confirmed: Some(j10),
            ..row(
                "past the return, confirmed before",
                j22,
                ask(TripQuestion::PastReturn),
            )
        },
        row("not past in Hawaii yet", at("2026-06-21", 11), AWAY),
        row(
            "past everywhere",
            at("2026-06-21", 12),
            ask(TripQuestion::PastReturn),
        ),
        Row {
            returns: None,
            ..row("open, a month is not over", at("2026-06-30", 9), AWAY)
        },
        Row {
            returns: None,
            ..row(
                "open, silent for a month",
                at("2026-06-30", 10),
                ask(TripQuestion::LongSilence),
            )
        },
        Row {
            returns: None,
            seen: Some(("TR", j5, j10)),
            ..row("open, seen since", at("2026-07-05", 12), AWAY)
        },
        Row {
            returns: None,
            confirmed: Some(j22),
            ..row("open, confirmed since", at("2026-07-05", 12), AWAY)
        },
        Row {
            returns: None,
            seen: Some(("CN", j5, j10)),
            ..row("open, home", j10, ask(TripQuestion::HomeEarly))
        },
        Row {
            seen: Some(("CN", j22, j22 + 3_650 * DAY)),
            ..row("seen in the future", j22, ask(TripQuestion::PastReturn))
        },
        Row {
            returns: None,
            confirmed: Some(j22 + 3_650 * DAY),
            ..row(
                "confirmed in the future",
                at("2026-07-05", 12),
                ask(TripQuestion::LongSilence),
            )
        },
    ];
    for row in rows {
        let trip = trip("2026-06-01", row.returns, vec![]);
        let seen = row.seen.map(|(country, since_ms, last_ms)| Seen {
            country: country.into(),
            since_ms,
            last_ms,
        });
        let known = Known {
            now_ms: row.now,
            trust: row.trust,
            home: "CN",
            seen: seen.as_ref(),
            confirmed_ms: row.confirmed,
        };
        let found = review(&trip, &known, &POLICY);
        assert_eq!(found.map(|found| found.0), row.expected, "{}", row.name);
        // It cannot have been so for less than no time.
        assert!(found.is_none_or(|found| found.1 <= row.now), "{}", row.name);
    }
}

#[test]
fn sightings_are_runs_of_one_country() {
    let seen = |country: &str, since_ms, last_ms| Seen {
        country: country.into(),
        since_ms,
        last_ms,
    };
    let step = POLICY.seen_step_ms;
    let next = |before, country: &str, now_ms| seen_next(before, country.into(), now_ms, step);
    assert!(next(None, "TR", 5) == Some(seen("TR", 5, 5)));
    let first = || Some(seen("TR", 5, 5));
    assert!(next(first(), "TR", 5 + step - 1).is_none());
    assert!(next(first(), "TR", 5 + step) == Some(seen("TR", 5, 5 + step)));
    assert!(next(first(), "CN", 6) == Some(seen("CN", 6, 6)));
    // The clock went back: what was known is worth nothing.
    assert!(next(first(), "TR", 4) == Some(seen("TR", 4, 4)));
    assert!(next(first(), "TR", i64::MIN) == Some(seen("TR", i64::MIN, i64::MIN)));
}

#[test]
fn another_versions_trip_is_skipped_and_not_a_panic() {
    let known = Known {
        now_ms: i64::MAX,
        trust: TimeTrust::Confirmed,
        home: "CN",
        seen: None,
        confirmed_ms: Some(i64::MIN),
    };
    assert_eq!(
        review(&trip("2026-W23", None, vec![]), &known, &POLICY),
        None
    );
    let odd = [
        stay("Van", "?", "2026-06-01"),
        stay("Kars", "2026-06-09", "2026-06-01"),
    ];
    assert!(stay_at(&odd, at("2026-06-05", 0)).stay.is_none());
}

fn any_day() -> impl Strategy<Value = String> {
    (20_000_i64..21_000).prop_map(|days| Date::at(days * DAY).to_string())
}

fn any_date() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any_day(),
        1 => "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        1 => ".{0,12}",
    ]
}

fn any_trip() -> impl Strategy<Value = Trip> {
    let stay = ("[A-Za-z]{0,3}", ".{0,8}", any_date(), any_date()).prop_map(
        |(country, place, from, to)| Stay {
            country,
            place,
            from,
            to,
            ..Stay::default()
        },
    );
    let stays = prop::collection::vec(stay, 0..4);
    (any_date(), prop::option::of(any_date()), stays).prop_map(|(departs, returns, stays)| Trip {
        title: None,
        departs,
        returns,
        stays,
    })
}

proptest! {
    #[test]
    fn any_trip_is_kept_or_named_and_a_kept_one_stays_as_it_is(trip in any_trip()) {
        match trip.validated(&POLICY) {
            Ok(kept) => prop_assert_eq!(kept.clone().validated(&POLICY), Ok(kept)),
            Err(HomelineError::Invalid { field, .. }) => {
                prop_assert!(field.starts_with("trip."));
            }
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn no_trip_and_no_clock_is_too_much(
        trip in any_trip(), now_ms in any::<i64>(), seen_ms in any::<i64>(), since_ms in any::<i64>()
    ) {
        let seen = Seen { country: "CN".into(), since_ms, last_ms: seen_ms };
        let known = Known {
            now_ms, trust: TimeTrust::Confirmed, home: "CN",
            seen: Some(&seen), confirmed_ms: Some(since_ms),
        };
        let _ = review(&trip, &known, &POLICY);
        let _ = stay_at(&trip.stays, now_ms);
    }

    #[test]
    fn a_sure_stay_is_right_in_every_time_zone(
        from in 20_000_i64..20_040, days in 0_i64..9, hour in 19_990_i64 * 24..20_060 * 24,
        quarters in -48_i64..=56
    ) {
        let (first, last) = (Date::at(from * DAY), Date::at((from + days) * DAY));
        let stays = [stay("Van", &first.to_string(), &last.to_string())];
        let now_ms = hour * HOUR;
        let found = stay_at(&stays, now_ms);
        let local = Date::at(now_ms + quarters * 15 * 60_000);
        let there = first <= local && local <= last;
        // Whoever is there is found, and who is surely found is there.
        prop_assert!(!there || found.stay.is_some());
        prop_assert!(there || found.stay.is_none() || found.certainty == Certainty::Possible);
    }

    #[test]
    fn nothing_is_closed_before_the_return_nor_without_home(
        departs in 20_000_i64..20_030, length in 0_i64..30, now in 19_990_i64 * 24..20_090 * 24,
        since in 0_i64..40 * 24, abroad in any::<bool>(), trusted in any::<bool>()
    ) {
        let returns = Date::at((departs + length) * DAY);
        let trip = trip(&Date::at(departs * DAY).to_string(), Some(&returns.to_string()), vec![]);
        let now_ms = now * HOUR;
        let country = if abroad { "TR" } else { "CN" };
        let seen = Seen { country: country.into(), since_ms: now_ms - since * HOUR, last_ms: now_ms };
        let trust = if trusted { TimeTrust::Confirmed } else { TimeTrust::PhoneOnly };
        let known = Known { now_ms, trust, home: "CN", seen: Some(&seen), confirmed_ms: None };
        if let Some((TripOutcome::Closed { .. }, _)) = review(&trip, &known, &POLICY) {
            prop_assert!(!abroad && trusted);
            prop_assert!(Today::at(now_ms).first >= returns);
            prop_assert!(phase(&trip, Today::at(now_ms)) != Some(Phase::Ahead));
        }
    }
}
