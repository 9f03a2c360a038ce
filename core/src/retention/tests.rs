//! What is too old is gone, with its bytes; and a clock that jumps wipes nothing.
//! Real files, a clock that the test moves, no network.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::KeepAtMost;
use crate::clock::{Clock, ClockReading};
use crate::error::HostError;
use crate::keys::FileVault;
use crate::record::RecordState;
use crate::registration::{Purpose, Trip};
use crate::sos::{SosKind, SosRequest};
use crate::testing::config;
use crate::whereabouts::{Fix, FixSource, Position};
use crate::{Homeline, HomelineError};

const DAY: i64 = 24 * 3_600_000;
const NOW: i64 = 1_790_000_000_000;

/// A phone's clocks; a day that passes is a day on all of them.
struct Hands(Mutex<ClockReading>);

impl Hands {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(ClockReading {
            wall_ms: NOW,
            monotonic_ms: 0,
            boot_id: "a".into(),
        })))
    }

    fn pass(&self, days: i64) {
        let mut now = self.0.lock().unwrap();
        now.wall_ms += days * DAY;
        now.monotonic_ms += days * DAY;
    }

    /// Somebody sets the date.
    fn set(&self, days: i64) {
        self.0.lock().unwrap().wall_ms += days * DAY;
    }
}

impl Clock for Hands {
    fn read(&self) -> Result<ClockReading, HostError> {
        Ok(self.0.lock().unwrap().clone())
    }
}

struct Phone {
    base: tempfile::TempDir,
    vault: Arc<FileVault>,
    clock: Arc<Hands>,
}

impl Phone {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let vault = base.path().join("vault.key");
        Self {
            vault: FileVault::open(vault.to_string_lossy().into_owned()).unwrap(),
            base,
            clock: Hands::new(),
        }
    }

    fn files(&self) -> std::path::PathBuf {
        self.base.path().join("files")
    }

    fn open(&self) -> Arc<Homeline> {
        let clock: Arc<dyn Clock> = Arc::<Hands>::clone(&self.clock);
        let vault = Arc::<FileVault>::clone(&self.vault);
        let home = Homeline::open(config(&self.files()), vault, None, Some(clock)).unwrap();
        assert_eq!(home.state().unwrap().record, RecordState::Open);
        home
    }

    /// Opens on the day after the first start: the clock is believed by then.
    fn open_settled(&self) -> Arc<Homeline> {
        drop(self.open());
        self.clock.pass(1);
        self.open()
    }
}

fn fix(number: i64) -> Fix {
    Fix::new(
        Position::Wgs84 {
            latitude: 40.874_715_3,
            longitude: 29.0,
        },
        NOW + number,
        FixSource::Gnss,
    )
}

fn stored(home: &Homeline) -> usize {
    home.whereabouts().list(0, i64::MAX, 100).unwrap().len()
}

fn days(positions: u32) -> KeepAtMost {
    KeepAtMost {
        positions_days: Some(positions),
        ..KeepAtMost::default()
    }
}

#[test]
fn each_class_lasts_as_long_as_it_may_and_no_longer() {
    let phone = Phone::new();
    let home = phone.open_settled();
    home.whereabouts().record(fix(0)).unwrap();
    home.consents().give(Purpose::Media, "v1".into()).unwrap();
    home.consents().withdraw(Purpose::Media).unwrap();
    home.consents().give(Purpose::Family, "v1".into()).unwrap();
    let report = home.sos().press(SosRequest::new(SosKind::Lost)).unwrap();
    // The app is used every day.
    let mut seen = Vec::new();
    for day in 1..=1_110 {
        phone.clock.pass(1);
        home.retention.expire().unwrap();
        let now = (stored(&home), home.consents().list().unwrap().len());
        if seen.last().is_none_or(|(_, last)| *last != now) {
            seen.push((day, now));
        }
    }
    assert_eq!(seen, [(1, (1, 2)), (180, (0, 2)), (1_099, (0, 1))]);
    assert_eq!(home.whereabouts().last().unwrap(), None);
    // What waits to be sent has no age: nobody has it yet.
    assert!(home.sos().status(report).is_ok());
    assert!(home.consents().in_force(Purpose::Family).unwrap());
}

#[test]
fn a_delivered_report_and_its_copy_go_together() {
    let phone = Phone::new();
    let home = phone.open_settled();
    let report = home.sos().press(SosRequest::new(SosKind::Lost)).unwrap();
    let id = uuid::Uuid::parse_str(&report).unwrap();
    home.sos.settle().unwrap();
    home.outbox.received(id, None).unwrap();
    let copies = |home: &Homeline| -> i64 {
        home.record
            .read(|tx| Ok(tx.query_row("SELECT count(*) FROM report", [], |row| row.get(0))?))
            .unwrap()
    };
    assert_eq!(copies(&home), 1);
    home.keep_at_most(KeepAtMost {
        reports_days: Some(10),
        ..KeepAtMost::default()
    })
    .unwrap();
    for (passed, left) in [(9, 1), (2, 0)] {
        for _ in 0..passed {
            phone.clock.pass(1);
            home.retention.expire().unwrap();
        }
        assert_eq!(copies(&home), left);
        assert_eq!(home.sos().status(report.clone()).is_ok(), left == 1);
    }
    assert_eq!(home.outbox.role_counts().unwrap(), []);
}

#[test]
fn a_host_keeps_less_and_never_more() {
    let phone = Phone::new();
    let home = phone.open_settled();
    home.whereabouts().record(fix(0)).unwrap();
    home.keep_at_most(days(100_000)).unwrap();
    for _ in 0..181 {
        phone.clock.pass(1);
        home.retention.expire().unwrap();
    }
    assert_eq!(stored(&home), 0);
    home.whereabouts().record(fix(181 * DAY)).unwrap();
    home.keep_at_most(days(7)).unwrap();
    phone.clock.pass(1);
    assert_eq!(home.retention.expire().unwrap(), 0);
    for _ in 0..7 {
        phone.clock.pass(1);
        home.retention.expire().unwrap();
    }
    assert_eq!(stored(&home), 0);
}

#[test]
fn a_clock_that_jumps_years_ahead_wipes_nothing_that_day() {
    let phone = Phone::new();
    let home = phone.open_settled();
    home.whereabouts().record(fix(0)).unwrap();
    home.retention.expire().unwrap();
    phone.clock.set(10 * 366);
    for _ in 0..3 {
        home.retention.expire().unwrap();
        drop(phone.open());
    }
    assert_eq!(stored(&home), 1);
    // Somebody sees it and sets it right.
    phone.clock.set(-10 * 366);
    phone.clock.pass(1);
    home.retention.expire().unwrap();
    assert_eq!(stored(&home), 1);
    // The ministry's word is enough at once.
    let now = phone.clock.read().unwrap();
    home.outbox
        .set_ministry_time(NOW + 400 * DAY, &now)
        .unwrap();
    assert_eq!(home.retention.expire().unwrap(), 1);
}

#[test]
fn a_pass_is_bounded() {
    let phone = Phone::new();
    let home = phone.open_settled();
    let most = usize::try_from(home.policy.expire_rows).unwrap();
    let fixes: Vec<Fix> = (0..7_000).map(|number| fix(DAY + number)).collect();
    home.whereabouts().record_all(fixes).unwrap();
    home.keep_at_most(days(1)).unwrap();
    phone.clock.pass(1);
    home.retention.expire().unwrap();
    phone.clock.pass(1);
    assert_eq!(home.retention.expire().unwrap(), most);
    assert_eq!(home.retention.expire().unwrap(), 7_000 - most);
    assert_eq!(home.retention.expire().unwrap(), 0);
}

#[test]
fn a_locked_record_is_an_error_and_no_more() {
    let phone = Phone::new();
    let home = phone.open();
    home.pause().unwrap();
    assert_eq!(home.retention.expire(), Err(HomelineError::Closed));
}

/// Looks for the bytes of a deleted position: in which pages they still are.
#[cfg(not(feature = "openssl"))]
fn left(secure_delete: &str) -> (usize, usize) {
    use crate::record::pages;
    let phone = Phone::new();
    let home = phone.open_settled();
    let pragma = format!("PRAGMA secure_delete = {secure_delete}");
    home.record
        .write(|tx| Ok(tx.query_row(&pragma, [], |_| Ok(()))?))
        .unwrap();
    home.whereabouts()
        .record_all((0..500).map(fix).collect())
        .unwrap();
    home.record
        .write(|tx| {
            tx.execute_batch(
                "INSERT INTO consent_given (purpose, text_version, language, given_ms,
                                            withdrawn_ms, guardian)
                 VALUES (5, 'v1', 'en', 1, 2, 'Xiomara Quetzalcoatl')",
            )?;
            Ok(())
        })
        .unwrap();
    // As a row of the positions has it, see `whereabouts::row`.
    let place: u64 = (40_874_715 + 90_000_000) * 360_000_001 + (29_000_000 + 180_000_000);
    let needles: [&[u8]; 2] = [&place.to_le_bytes()[..7], b"Xiomara Quetzalcoatl"];
    let found = |files: &Path| -> usize {
        let pages = pages::plain(files, &pages::secret(files, &phone.vault));
        needles
            .iter()
            .map(|needle| pages::count(&pages, needle))
            .sum()
    };
    let before = found(&phone.files());
    home.keep_at_most(days(30)).unwrap();
    for _ in 0..32 {
        phone.clock.pass(1);
        home.retention.expire().unwrap();
    }
    // The withdrawn consent of 1970 is too old from the first day on.
    assert_eq!(home.consents().list().unwrap(), []);
    assert_eq!(stored(&home), 0);
    (before, found(&phone.files()))
}

#[cfg(not(feature = "openssl"))]
#[test]
fn the_bytes_of_what_expired_are_in_no_page_and_no_log() {
    let (before, after) = left("ON");
    assert!(before > 500, "the search finds what is there: {before}");
    assert_eq!(after, 0);
}

#[cfg(not(feature = "openssl"))]
#[test]
fn without_secure_delete_the_search_finds_them() {
    let (_, after) = left("OFF");
    assert!(after > 0, "the control finds nothing");
}

#[test]
fn a_closed_trip_lasts_a_year_and_an_open_one_stays() {
    let phone = Phone::new();
    let home = phone.open_settled();
    let trip = |title: &str| Trip {
        title: Some(title.into()),
        departs: "2026-01-10".into(),
        ..Trip::default()
    };
    let closed = home.trips().save(trip("closed")).unwrap();
    home.trips().save(trip("open")).unwrap();
    home.trips().close(closed).unwrap();
    let titles = |home: &Homeline| -> Vec<String> {
        let trips = home.trips().list().unwrap();
        let mut titles: Vec<String> = trips
            .into_iter()
            .filter_map(|saved| saved.trip.title)
            .collect();
        titles.sort();
        titles
    };
    for (days, expected) in [(365, vec!["closed", "open"]), (2, vec!["open"])] {
        for _ in 0..days {
            phone.clock.pass(1);
            home.retention.expire().unwrap();
        }
        assert_eq!(titles(&home), expected);
    }
}
