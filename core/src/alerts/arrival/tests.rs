use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const NOW: i64 = 1_000 * DAY;

/// A fix near a border: minutes after `NOW`, and the countries it may be in.
fn near(minutes: i64, countries: &str) -> LocatedFix {
    LocatedFix {
        time_ms: NOW + minutes * MINUTE,
        candidates: countries.split_whitespace().map(Into::into).collect(),
        confident: true,
        border_m: Some(3_000.0),
        speed_mps: None,
    }
}

fn inland(minutes: i64, country: &str) -> LocatedFix {
    LocatedFix {
        border_m: Some(60_000.0),
        ..near(minutes, country)
    }
}

/// The steps of one traveler, each at the time of its last fix.
#[derive(Default)]
struct Phone {
    state: ArrivalState,
    event: Option<ArrivalEvent>,
}

impl Phone {
    fn at_home() -> Self {
        let mut phone = Self::default();
        assert_eq!(phone.step(&[inland(-60, "CN")]), "");
        phone
    }

    fn step(&mut self, fixes: &[LocatedFix]) -> String {
        let now = fixes.iter().map(|fix| fix.time_ms).max().unwrap();
        self.step_at(fixes, now)
    }

    fn step_at(&mut self, fixes: &[LocatedFix], now_ms: i64) -> String {
        // As it is stored and read again.
        let stored = serde_json::to_string(&self.state).unwrap();
        let state: ArrivalState = serde_json::from_str(&stored).unwrap();
        let (next, event) = step(&state, fixes, "CN", now_ms);
        self.state = next;
        self.event = event.clone();
        match event {
            None => String::new(),
            Some(ArrivalEvent::Home { .. }) => "home".into(),
            Some(ArrivalEvent::Back { country, .. }) => format!("back {country}"),
            Some(ArrivalEvent::Arrived {
                country, passed, ..
            }) => format!("{country} {}", passed.join(" ")).trim().into(),
        }
    }
}

#[test]
fn a_landing_is_announced_at_once_and_once() {
    let mut phone = Phone::at_home();
    assert_eq!(phone.step(&[inland(0, "TR")]), "TR");
    assert_eq!(phone.step(&[inland(10, "TR")]), "");
    assert_eq!(phone.step(&[near(3_000, "TR")]), "");
    assert_eq!(phone.state.country(), Some("TR"));
    assert_eq!(phone.step(&[inland(4_000, "CN")]), "home");
    assert_eq!(phone.step(&[inland(4_010, "CN")]), "");
}

#[test]
fn a_phone_that_is_new_abroad_is_told_and_one_that_is_new_at_home_is_not() {
    assert_eq!(Phone::default().step(&[inland(0, "TR")]), "TR");
    assert_eq!(Phone::default().step(&[inland(0, "CN")]), "");
}

#[test]
fn near_a_border_it_takes_two_fixes_some_time_apart() {
    let mut phone = Phone::at_home();
    for (minutes, countries, said) in [
        (0, "VN", ""),
        // Not long enough.
        (9, "VN", ""),
        // Ambiguous: changes nothing, neither way.
        (10, "VN CN", ""),
        (11, "", ""),
        (12, "VN", "VN"),
    ] {
        assert_eq!(phone.step(&[near(minutes, countries)]), said, "{minutes}");
    }
    // A glimpse of the old country begins the count anew.
    let mut phone = Phone::at_home();
    for (minutes, country, said) in [
        (0, "VN", ""),
        (5, "CN", ""),
        (12, "VN", ""),
        (17, "LA", ""),
        (23, "VN", ""),
        (33, "VN", "VN"),
    ] {
        assert_eq!(phone.step(&[near(minutes, country)]), said, "{minutes}");
    }
}

#[test]
fn unsure_fixes_and_flights_say_nothing() {
    let unsure = LocatedFix {
        confident: false,
        ..inland(0, "TR")
    };
    let in_flight = LocatedFix {
        speed_mps: Some(240.0),
        ..inland(1, "RU")
    };
    let on_the_train = LocatedFix {
        speed_mps: Some(83.0),
        ..inland(2, "FR")
    };
    let mut phone = Phone::at_home();
    assert_eq!(phone.step(&[unsure, in_flight]), "");
    assert_eq!(phone.step(&[on_the_train]), "FR");
}

#[test]
fn a_train_through_a_corner_is_not_announced() {
    let mut phone = Phone::default();
    assert_eq!(phone.step(&[inland(0, "AT")]), "AT");
    assert_eq!(
        phone.step(&[near(60, "LI"), near(68, "LI"), near(70, "CH")]),
        ""
    );
    assert_eq!(phone.step(&[inland(100, "CH")]), "CH");
}

#[test]
fn of_a_week_offline_the_last_country_is_told() {
    let fixes = [
        inland(0, "TR"),
        inland(2_000, "GR"),
        inland(4_000, "MK"),
        inland(4_100, "GR"),
        inland(6_000, "BG"),
    ];
    for turned in 0..fixes.len() {
        let mut phone = Phone::at_home();
        let mut lump = fixes.to_vec();
        lump.rotate_left(turned);
        assert_eq!(phone.step_at(&lump, NOW + 7 * DAY), "BG TR GR MK");
        // Handed over again.
        assert_eq!(phone.step_at(&lump, NOW + 8 * DAY), "");
        // What was passed through was not announced: it is when it comes to that.
        assert_eq!(phone.step(&[inland(6_100, "GR")]), "GR");
    }
    let mut phone = Phone::at_home();
    let lump = [inland(0, "TR"), inland(2_000, "CN")];
    assert_eq!(phone.step_at(&lump, NOW + 7 * DAY), "home");
}

#[test]
fn who_works_across_the_border_is_told_once() {
    let mut phone = Phone::at_home();
    assert_eq!(phone.step(&[inland(0, "HK")]), "HK");
    for day in 1..5 {
        assert_eq!(phone.step(&[inland(day * 1_440 - 800, "CN")]), "home");
        assert_eq!(phone.step(&[inland(day * 1_440 - 300, "HK")]), "back HK");
    }
    assert_eq!(phone.step(&[inland(4 * 1_440 + 100, "CN")]), "home");
    // After more than a day it is an arrival again.
    assert_eq!(phone.step(&[inland(6 * 1_440, "HK")]), "HK");
}

#[test]
fn after_a_month_of_silence_the_same_country_is_new() {
    let mut phone = Phone::default();
    assert_eq!(phone.step(&[inland(0, "TR")]), "TR");
    assert_eq!(phone.step(&[inland(29 * 1_440, "TR")]), "");
    assert_eq!(phone.step(&[inland(60 * 1_440, "TR")]), "TR");
}

#[test]
fn wrong_clocks_do_no_harm() {
    let mut phone = Phone::at_home();
    // A fix from 2036, and one from before: neither counts.
    let future = inland(10 * 365 * 1_440, "US");
    assert_eq!(phone.step_at(&[future], NOW), "");
    assert_eq!(phone.step_at(&[inland(-3_000, "US")], NOW), "");
    assert_eq!(phone.state.country(), Some("CN"));
    // The best time known was years ahead once, and is right again.
    let year = 365 * DAY;
    assert_eq!(
        phone.step_at(&[inland(365 * 1_440, "TR")], NOW + year),
        "TR"
    );
    assert_eq!(phone.step_at(&[inland(10, "GR")], NOW + 5 * MINUTE), "GR");
    assert_eq!(phone.state.country(), Some("GR"));
    for time_ms in [i64::MIN, i64::MAX] {
        let fix = LocatedFix {
            time_ms,
            ..inland(0, "TR")
        };
        step(&phone.state, std::slice::from_ref(&fix), "CN", i64::MAX);
        step(&phone.state, &[fix], "CN", i64::MIN);
    }
}

proptest! {
    /// In whatever portions the fixes of a journey come, the traveler ends in one country,
    /// and nothing is announced twice within a day of being there.
    #[test]
    fn portions_do_not_matter(
        track in prop::collection::vec((1_i64..400, 0_usize..4, any::<bool>()), 1..25),
        cut in 1_usize..25,
    ) {
        let countries = ["CN", "TR", "GR", "CN TR"];
        let mut minutes = 0;
        let fixes: Vec<LocatedFix> = track
            .iter()
            .map(|(wait, country, is_inland)| {
                minutes += wait;
                let country = countries[*country];
                if *is_inland { inland(minutes, country) } else { near(minutes, country) }
            })
            .collect();
        let now = fixes.last().unwrap().time_ms;
        let mut whole = Phone::default();
        whole.step_at(&fixes, now);
        let mut pieces = Phone::default();
        let mut arrivals: Vec<(String, i64)> = Vec::new();
        for piece in fixes.chunks(cut) {
            let at = piece.last().unwrap().time_ms;
            pieces.step_at(piece, at);
            if let Some(ArrivalEvent::Arrived { country, since_ms, .. }) = pieces.event.clone() {
                arrivals.push((country, since_ms));
            }
        }
        prop_assert_eq!(whole.state.country(), pieces.state.country());
        for (at, (country, time)) in arrivals.iter().enumerate() {
            let again = arrivals[at + 1..].iter().find(|(other, _)| other == country);
            prop_assert!(again.is_none_or(|(_, later)| later - time > DAY), "{arrivals:?}");
        }
    }
}
