//! Positions from the phone to the ministry's database: odd ones, late ones,
//! holes, a consent that ends, a clock that is years off. (A crash between the
//! record and the outbox is tested beside the code: `whereabouts::stage`.)

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use homeline::Homeline;
use homeline::clock::{Clock, ClockReading};
use homeline::error::HostError;
use homeline::health::WakeCause;
use homeline::keys::FileVault;
use homeline::registration::Purpose;
use homeline::sos::{SosKind, SosRequest};
use homeline::sync::SyncStop;
use homeline::whereabouts::{
    Fix, FixFlag, FixOrigin, FixSource, GapCause, ImportSummary, Position, RecordedFix,
    TrackFormat, TrackItem, WhereaboutsMode,
};
use homeline_tests::stage::Stage;
use tempfile::TempDir;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const YEAR: i64 = 365 * DAY;

/// The phone's clocks, moved by hand.
struct HandClock(Mutex<ClockReading>);

impl HandClock {
    /// Both clocks go on.
    fn pass(&self, ms: i64) {
        let mut now = self.0.lock().unwrap();
        now.wall_ms += ms;
        now.monotonic_ms += ms;
    }

    /// Only the wall clock is set.
    fn set_wall(&self, change_ms: i64) {
        self.0.lock().unwrap().wall_ms += change_ms;
    }

    fn boot(&self, name: &str) {
        let mut now = self.0.lock().unwrap();
        now.monotonic_ms = 1_000;
        now.boot_id = name.into();
    }

    fn now_ms(&self) -> i64 {
        self.0.lock().unwrap().wall_ms
    }
}

impl Clock for HandClock {
    fn read(&self) -> Result<ClockReading, HostError> {
        Ok(self.0.lock().unwrap().clone())
    }
}

struct Phone {
    base: TempDir,
    stage: Stage,
    clock: Arc<HandClock>,
}

impl Phone {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let stage = Stage::start(&base.path().join("ministry")).unwrap();
        let now = std::time::SystemTime::now();
        let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
        let clock = ClockReading {
            wall_ms: i64::try_from(since.as_millis()).unwrap(),
            monotonic_ms: 10_000_000,
            boot_id: "first".into(),
        };
        Self {
            base,
            stage,
            clock: Arc::new(HandClock(Mutex::new(clock))),
        }
    }

    fn files(&self) -> PathBuf {
        self.base.path().join("phone")
    }

    fn open(&self) -> Arc<Homeline> {
        let key = self.base.path().join("key").to_string_lossy().into_owned();
        let clock: Arc<dyn Clock> = Arc::<HandClock>::clone(&self.clock);
        let vault = FileVault::open(key).unwrap();
        let config = self.stage.config(&self.files());
        Homeline::open(config, vault, None, Some(clock)).unwrap()
    }

    /// A phone whose traveler lets the ministry have the positions.
    fn open_with_consent(&self) -> Arc<Homeline> {
        let home = self.open();
        give(&home);
        home
    }

    /// A fix of now, `km` north of Istanbul.
    fn here(&self, km: f64) -> Fix {
        fix(km, self.clock.now_ms())
    }

    fn count(&self, sql: &str) -> i64 {
        let file = self.base.path().join("ministry/ministry.db");
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let file = rusqlite::Connection::open_with_flags(file, flags).unwrap();
        file.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn positions(&self) -> i64 {
        self.count("SELECT count(*) FROM positions")
    }
}

fn give(home: &Homeline) {
    let text = "2026-11".to_owned();
    home.consents().give(Purpose::Whereabouts, text).unwrap();
}

fn fix(km: f64, time_ms: i64) -> Fix {
    let place = Position::Wgs84 {
        latitude: 41.0 + km / 111.195,
        longitude: 29.0,
    };
    Fix {
        accuracy_m: Some(10.0),
        ..Fix::new(place, time_ms, FixSource::Gnss)
    }
}

fn sync(home: &Homeline) {
    home.network_changed().unwrap();
    home.woke(WakeCause::Foreground, None).unwrap();
    let outcome = home.sync(30_000).unwrap();
    assert_eq!((outcome.stopped, outcome.waiting), (SyncStop::Done, 0));
}

fn latitude(fix: &Fix) -> f64 {
    fix.position.degrees().0
}

#[test]
fn a_thousand_positions_are_one_envelope_and_arrive_whole() {
    let phone = Phone::new();
    let home = phone.open_with_consent();
    let start = phone.clock.now_ms() - 1_000 * MINUTE;
    let fixes: Vec<Fix> = (0..1_000)
        .map(|n| Fix {
            altitude_m: Some(80.5),
            speed_mps: Some(1.2),
            battery_percent: Some(60),
            ..fix(f64::from(n) * 0.06, start + i64::from(n) * MINUTE)
        })
        .collect();
    for some in fixes.chunks(100) {
        home.whereabouts().record_all(some.to_vec()).unwrap();
    }
    sync(&home);
    assert_eq!(phone.count("SELECT count(*) FROM envelopes"), 1);
    assert_eq!(phone.positions(), 1_000);
    let whole = "SELECT count(*) FROM positions
                 WHERE fix ->> 'altitude_m' = 80.5 AND fix ->> 'speed_mps' = 1.2
                   AND fix ->> 'battery_percent' = 60 AND flags = '[]'";
    assert_eq!(phone.count(whole), 1_000);
    let times = "SELECT count(DISTINCT fix ->> 'time_ms') FROM positions";
    assert_eq!(phone.count(times), 1_000);
    sync(&home);
    assert_eq!(phone.positions(), 1_000);
}

#[test]
fn a_fix_that_comes_late_is_sent_too() {
    let phone = Phone::new();
    let home = phone.open_with_consent();
    let now = phone.clock.now_ms();
    let record = |minutes: &[i64]| {
        let fixes = minutes.iter().map(|minute| fix(0.0, now - minute * MINUTE));
        home.whereabouts().record_all(fixes.collect()).unwrap();
    };
    record(&[30, 20, 10]);
    sync(&home);
    record(&[25]);
    sync(&home);
    assert_eq!(phone.positions(), 4);
    // One that is there already is not sent twice.
    record(&[25, 20]);
    sync(&home);
    assert_eq!(phone.positions(), 4);
}

#[test]
fn odd_fixes_are_kept_and_told_but_not_shown_as_current() {
    let phone = Phone::new();
    let home = phone.open_with_consent();
    let whereabouts = home.whereabouts();
    let here = || {
        whereabouts
            .last()
            .unwrap()
            .map(|known| latitude(&known.fix))
    };
    whereabouts.record(phone.here(0.0)).unwrap();
    let mock = |km| Fix {
        origin: Some(FixOrigin::Mock),
        ..phone.here(km)
    };
    phone.clock.pass(10_000);
    whereabouts.record(mock(0.1)).unwrap();
    phone.clock.pass(10_000);
    whereabouts.record(phone.here(900.0)).unwrap();
    phone.clock.pass(10_000);
    let ahead = fix(0.2, phone.clock.now_ms() + YEAR);
    whereabouts.record(ahead).unwrap();
    assert_eq!(here(), Some(41.0));

    let now = phone.clock.now_ms();
    let listed = whereabouts.list(now - DAY, now + MINUTE, 100).unwrap();
    let flags: Vec<_> = listed.iter().map(|one| one.flags.clone()).collect();
    let odd = [FixFlag::Mock, FixFlag::Jump, FixFlag::Future];
    assert_eq!(flags[0], []);
    assert_eq!(flags[1..].concat(), odd);

    // A press takes the one that is believed.
    let report = home.sos().press(SosRequest::new(SosKind::Medical)).unwrap();
    sync(&home);
    let cases = phone.stage.ministry.cases().unwrap();
    let case = cases.iter().find(|case| case.report.to_string() == report);
    let position = case.unwrap().position.clone().unwrap();
    assert_eq!((position.latitude, position.age_ms), (41.0, Some(30_000)));
    assert_eq!(position.flags, []);
    let flagged = "SELECT count(*) FROM positions WHERE flags <> '[]'";
    assert_eq!(phone.count(flagged), 3);

    // The jump proves true.
    for _ in 0..2 {
        phone.clock.pass(10_000);
        whereabouts.record(phone.here(900.0)).unwrap();
    }
    assert_eq!(here().map(f64::round), Some(49.0));
    // ... and stays so after a restart.
    drop((whereabouts, home));
    let last = phone.open().whereabouts().last().unwrap().unwrap();
    assert_eq!(latitude(&last.fix).round(), 49.0);
    assert_eq!(last.age_ms, Some(0));
}

#[test]
fn a_press_with_nothing_but_a_doubtful_position_carries_it_with_its_flag() {
    let phone = Phone::new();
    let home = phone.open();
    let mock = |km| Fix {
        origin: Some(FixOrigin::Mock),
        ..phone.here(km)
    };
    home.whereabouts().record(mock(5.0)).unwrap();
    assert_eq!(home.whereabouts().last().unwrap(), None);
    let position = |report: String| {
        sync(&home);
        let cases = phone.stage.ministry.cases().unwrap();
        let case = cases.iter().find(|case| case.report.to_string() == report);
        case.unwrap().position.clone().unwrap()
    };
    let first = position(home.sos().press(SosRequest::new(SosKind::Crime)).unwrap());
    assert_eq!(first.flags, [FixFlag::Mock]);
    // A made-up fix in the press itself stands behind one that is believed.
    home.whereabouts().record(phone.here(1.0)).unwrap();
    let mut request = SosRequest::new(SosKind::Medical);
    request.fix = Some(mock(700.0));
    let second = position(home.sos().press(request).unwrap());
    assert_eq!(second.flags, []);
    assert!((second.latitude - 41.009).abs() < 0.001);
}

#[test]
fn a_clock_that_went_back_by_years_hides_no_fix() {
    let phone = Phone::new();
    let home = phone.open();
    let whereabouts = home.whereabouts();
    whereabouts.record(phone.here(0.0)).unwrap();
    let true_ms = phone.clock.now_ms();
    phone.clock.pass(MINUTE);
    phone.clock.set_wall(-6 * YEAR);
    // The receiver has the true time.
    whereabouts.record(fix(0.5, true_ms + MINUTE)).unwrap();
    let last = whereabouts.last().unwrap().unwrap();
    assert!(last.fix == whereabouts.list(0, i64::MAX, 10).unwrap()[1].fix);
    assert_eq!((last.age_ms, last.flags), (Some(0), vec![]));
    // The network goes by the phone's clock.
    phone.clock.pass(MINUTE);
    whereabouts.record(phone.here(1.0)).unwrap();
    let last = whereabouts.last().unwrap().unwrap();
    assert!((latitude(&last.fix) - 41.009).abs() < 0.001);
    // A receiver without a satellite says 1970: where is worth more.
    phone.clock.pass(MINUTE);
    whereabouts.record(fix(1.5, 0)).unwrap();
    let last = whereabouts.last().unwrap().unwrap();
    assert_eq!(
        (last.age_ms, last.flags),
        (Some(0), vec![FixFlag::TimeUnknown])
    );
    assert_eq!(whereabouts.list(i64::MIN, i64::MAX, 10).unwrap().len(), 4);
}

#[test]
fn holes_are_told_with_their_cause_and_reach_the_ministry() {
    let phone = Phone::new();
    let home = phone.open_with_consent();
    let start = phone.clock.now_ms();
    home.whereabouts().record(phone.here(0.0)).unwrap();
    phone.clock.pass(10 * MINUTE);
    home.whereabouts().note_gap(GapCause::NoPermission).unwrap();
    phone.clock.pass(10 * MINUTE);
    home.whereabouts().record(phone.here(0.0)).unwrap();
    // The app is ended for two hours.
    drop(home);
    phone.clock.pass(120 * MINUTE);
    let home = phone.open();
    home.whereabouts().record(phone.here(3.0)).unwrap();
    // The battery is empty for three.
    drop(home);
    phone.clock.pass(180 * MINUTE);
    phone.clock.boot("second");
    let home = phone.open();
    home.whereabouts().record(phone.here(3.0)).unwrap();
    phone.clock.pass(5 * MINUTE);
    home.whereabouts().note_gap(GapCause::LocationOff).unwrap();

    let minutes = |ms: i64| (ms - start) / MINUTE;
    let track = home.whereabouts().track(start, i64::MAX, 100).unwrap();
    let shape: Vec<String> = track
        .iter()
        .map(|item| match item {
            TrackItem::Fix { fix } => format!("{}", minutes(fix.at_ms)),
            TrackItem::Gap { gap } => match gap.to_ms {
                Some(to_ms) => format!(
                    "{}-{} {:?}",
                    minutes(gap.from_ms),
                    minutes(to_ms),
                    gap.cause
                ),
                None => format!("{}- {:?}", minutes(gap.from_ms), gap.cause),
            },
        })
        .collect();
    assert_eq!(
        shape,
        [
            "0",
            "0-20 NoPermission",
            "20",
            "20-140 Killed",
            "140",
            "140-320 PhoneOff",
            "320",
            "320- LocationOff"
        ]
    );
    sync(&home);
    let told = "SELECT group_concat((gap ->> 'cause') || ((to_ms - from_ms) / 60000), ' ')
                FROM position_gaps";
    let file = phone.base.path().join("ministry/ministry.db");
    let told: String = rusqlite::Connection::open(file)
        .unwrap()
        .query_row(told, [], |row| row.get(0))
        .unwrap();
    assert_eq!(told, "no_permission20 killed120 phone_off180");
    // The one that lasts leaves when it has ended, and none leaves twice.
    phone.clock.pass(5 * MINUTE);
    home.whereabouts().record(phone.here(3.0)).unwrap();
    sync(&home);
    sync(&home);
    assert_eq!(phone.count("SELECT count(*) FROM position_gaps"), 4);
}

#[test]
fn the_hosts_mode_thins_outlives_the_process_and_is_not_changed_by_a_press() {
    let phone = Phone::new();
    let home = phone.open();
    let mode = WhereaboutsMode::SignificantChange;
    assert_eq!(
        home.whereabouts().mode().unwrap(),
        WhereaboutsMode::Everything
    );
    home.whereabouts().set_mode(mode).unwrap();
    home.sos().press(SosRequest::new(SosKind::Medical)).unwrap();
    drop(home);
    let home = phone.open();
    assert_eq!(home.whereabouts().mode().unwrap(), mode);
    // An hour's walk of 4 km, a fix each 10 seconds.
    let start = phone.clock.now_ms();
    for step in 0..360 {
        let fix = phone.here(f64::from(step) * 4.0 / 360.0);
        home.whereabouts().record(fix).unwrap();
        phone.clock.pass(10_000);
    }
    let kept = home.whereabouts().list(start, i64::MAX, 1_000).unwrap();
    assert!((8..=10).contains(&kept.len()), "{}", kept.len());
    // What is not kept is known all the same.
    let last = home.whereabouts().last().unwrap().unwrap();
    assert_eq!(last.age_ms, Some(10_000));
}

#[test]
fn without_consent_nothing_leaves_and_a_new_consent_covers_nothing_of_before() {
    let phone = Phone::new();
    let home = phone.open();
    let record = |minutes: i64| {
        phone.clock.pass(MINUTE);
        let fix = fix(0.0, phone.clock.now_ms() - minutes * MINUTE);
        home.whereabouts().record(fix).unwrap();
    };
    record(0);
    phone.clock.pass(60 * MINUTE);
    record(0);
    sync(&home);
    assert_eq!(phone.count("SELECT count(*) FROM envelopes"), 0);
    give(&home);
    sync(&home);
    assert_eq!(phone.count("SELECT count(*) FROM envelopes"), 0);
    // Under it: one of now, and one that is late.
    record(0);
    record(30);
    sync(&home);
    assert_eq!(phone.positions(), 2);
    home.consents().withdraw(Purpose::Whereabouts).unwrap();
    record(0);
    record(20);
    sync(&home);
    give(&home);
    sync(&home);
    assert_eq!(phone.positions(), 2);
    // The hole of before the consent is not covered either.
    assert_eq!(phone.count("SELECT count(*) FROM position_gaps"), 0);
}

#[test]
fn years_of_positions_are_listed_by_day_and_removed_by_age() {
    let phone = Phone::new();
    let home = phone.open_with_consent();
    // 40 days, a fix each ten minutes: sent, and the older ones packed.
    let start = phone.clock.now_ms() - 40 * DAY;
    let fixes: Vec<Fix> = (0..40 * 144)
        .map(|n| fix(f64::from(n % 50), start + i64::from(n) * 10 * MINUTE))
        .collect();
    for some in fixes.chunks(1_000) {
        home.whereabouts().record_all(some.to_vec()).unwrap();
    }
    sync(&home);
    sync(&home);
    assert_eq!(phone.positions(), 40 * 144);
    let day = |n: i64| {
        let from = start + n * DAY;
        home.whereabouts().list(from, from + DAY, 1_000).unwrap()
    };
    for n in [0, 1, 20, 39] {
        let listed = day(n);
        assert_eq!(listed.len(), 144, "day {n}");
        assert!(listed.is_sorted_by_key(|one| one.at_ms));
    }
    let removed = home.whereabouts().remove_before(start + 10 * DAY + DAY / 2);
    assert_eq!(removed.unwrap(), 10 * 144 + 72);
    assert_eq!((day(9).len(), day(10).len(), day(11).len()), (0, 72, 144));
}

fn everything(home: &Homeline) -> Vec<RecordedFix> {
    home.whereabouts().list(0, i64::MAX, 10_000).unwrap()
}

#[test]
fn a_track_comes_in_goes_out_and_is_the_same_on_another_phone() {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/journey/kavrun.gpx");
    let file = std::fs::read(own).unwrap();
    let phone = Phone::new();
    let home = phone.open();
    let whereabouts = home.whereabouts();
    whereabouts
        .set_mode(WhereaboutsMode::SignificantChange)
        .unwrap();
    let taken = whereabouts.import_track(TrackFormat::Gpx, file.clone());
    let points = String::from_utf8(file.clone()).unwrap();
    let points = points.matches("<trkpt").count();
    assert_eq!(usize::try_from(taken.unwrap().taken).unwrap(), points);
    assert_eq!(everything(&home).len(), points, "no mode thins it");
    let track = whereabouts.track(0, i64::MAX, 10_000).unwrap();
    let gaps = |track: &[TrackItem]| {
        let is_gap = |item: &&TrackItem| matches!(item, TrackItem::Gap { .. });
        track.iter().filter(is_gap).count()
    };
    assert_eq!(gaps(&track), 1);
    // Doubtful on this phone, so in no line.
    let mock = Fix {
        origin: Some(FixOrigin::Mock),
        ..phone.here(0.0)
    };
    whereabouts.record(mock).unwrap();

    for (format, lines) in [
        (TrackFormat::Gpx, "<trkseg>"),
        (TrackFormat::GeoJson, "\"LineString\""),
    ] {
        let out = whereabouts.export_track(format, 0, i64::MAX).unwrap();
        let text = String::from_utf8(out.clone()).unwrap();
        assert_eq!(text.matches(lines).count(), 2, "a new one at the hole");
        let second = Phone::new();
        let other = second.open();
        for _ in 0..2 {
            let summary = other.whereabouts().import_track(format, out.clone());
            let expected = ImportSummary {
                taken: u32::try_from(points).unwrap(),
                ..ImportSummary::default()
            };
            assert_eq!(summary.unwrap(), expected);
        }
        let mut mine = everything(&home);
        mine.pop();
        assert!(mine.iter().any(|one| one.fix.altitude_m.is_some()));
        assert!(everything(&other) == mine);
        let theirs = other.whereabouts().track(0, i64::MAX, 10_000).unwrap();
        assert!(theirs == track, "the hole with it");
    }
    let none = whereabouts
        .export_track(TrackFormat::GeoJson, 0, 1)
        .unwrap();
    assert!(String::from_utf8(none).unwrap().ends_with("[]}"));
}

#[test]
fn a_history_is_not_where_somebody_is_and_never_leaves() {
    let phone = Phone::new();
    let home = phone.open_with_consent();
    let whereabouts = home.whereabouts();
    let now = phone.clock.now_ms();
    whereabouts.record(phone.here(0.0)).unwrap();
    // A watch: of an hour ago, of this minute on the way, and of tomorrow.
    let rfc3339 = |ms: i64| {
        let at = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000);
        let form = time::format_description::well_known::Rfc3339;
        at.unwrap().format(&form).unwrap()
    };
    let point = |minutes: i64| {
        let at = rfc3339(now + minutes * MINUTE);
        format!("<trkpt lat=\"36\" lon=\"138\"><time>{at}</time></trkpt>")
    };
    let file = |minutes: &[i64]| {
        let points: String = minutes.iter().copied().map(point).collect();
        format!("<gpx version=\"1.1\"><trk><trkseg>{points}</trkseg></trk></gpx>").into_bytes()
    };
    let summary = whereabouts.import_track(TrackFormat::Gpx, file(&[-3_000, -2_990, 1_440]));
    let summary = summary.unwrap();
    assert_eq!((summary.taken, summary.in_the_future), (2, 1));
    let here = |home: &Homeline| latitude(&home.whereabouts().last().unwrap().unwrap().fix);
    assert_eq!(here(&home), 41.0);
    sync(&home);
    assert_eq!(phone.positions(), 1, "the one of the phone itself");
    // What is newer than all that is known is known, and does not leave either.
    phone.clock.pass(2_000 * MINUTE);
    whereabouts
        .import_track(TrackFormat::Gpx, file(&[1_800, 1_805]))
        .unwrap();
    assert_eq!(here(&home), 36.0);
    sync(&home);
    phone.clock.pass(2_000 * MINUTE);
    whereabouts.record(phone.here(1.0)).unwrap();
    sync(&home);
    sync(&home);
    assert_eq!(phone.positions(), 2);
    let foreign = "SELECT count(*) FROM positions WHERE fix ->> 'time_ms' = ?1";
    assert_eq!(
        phone.count(&foreign.replace("?1", &(now + 1_800 * MINUTE).to_string())),
        0
    );
    drop((whereabouts, home));
    let home = phone.open();
    assert!((here(&home) - 41.009).abs() < 0.001);
    assert_eq!(everything(&home).len(), 6);
}

/// Of the four, three were drawn on a map and have no times: what nobody walked at a
/// time is no history, and the summary says so.
#[test]
fn real_files_of_other_programs_import_or_say_why_not() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/gpx");
    let phone = Phone::new();
    let home = phone.open();
    let none = ImportSummary::default();
    for (name, expected) in [
        (
            "mousehole_to_paul",
            ImportSummary {
                without_time: 111,
                not_a_track: 2,
                ..none
            },
        ),
        (
            "viking_with_route_extensions",
            ImportSummary {
                without_time: 5,
                not_a_track: 1,
                ..none
            },
        ),
        (
            "ecology-trail-and-lovers-lane-loop",
            ImportSummary {
                not_a_track: 139,
                ..none
            },
        ),
        ("with_accuracy", ImportSummary { taken: 3, ..none }),
    ] {
        let Ok(file) = std::fs::read(format!("{folder}/{name}.gpx")) else {
            return;
        };
        let summary = home.whereabouts().import_track(TrackFormat::Gpx, file);
        assert_eq!(summary.unwrap(), expected, "{name}");
    }
    assert_eq!(everything(&home).len(), 3);
    let refused = home
        .whereabouts()
        .import_track(TrackFormat::GeoJson, b"<gpx/>".to_vec());
    assert!(refused.is_err());
}

#[test]
fn hostile_values_are_refused_by_name_or_kept_without_harm() {
    let phone = Phone::new();
    let home = phone.open_with_consent();
    let whereabouts = home.whereabouts();
    for time_ms in [i64::MIN, -1, 0, i64::MAX, i64::MAX - 1] {
        for value in [f64::NAN, f64::INFINITY, -1e300, 1e300, 0.0, -0.0] {
            let odd = Fix {
                accuracy_m: Some(value),
                altitude_m: Some(value),
                speed_mps: Some(value),
                heading_deg: Some(value),
                gnss_time_ms: Some(time_ms),
                confidence_percent: Some(255),
                battery_percent: Some(255),
                ..fix(1.0, time_ms)
            };
            whereabouts.record(odd.clone()).unwrap();
            whereabouts.record_all(vec![odd.clone(); 40]).unwrap();
            let nowhere = Fix {
                position: Position::Bd09 {
                    latitude: value,
                    longitude: f64::NAN,
                },
                ..odd
            };
            assert!(whereabouts.record(nowhere).is_err());
        }
    }
    whereabouts.record(phone.here(1.0)).unwrap();
    for (from, to, limit) in [(i64::MIN, i64::MAX, u32::MAX), (i64::MAX, i64::MIN, 0)] {
        whereabouts.list(from, to, limit).unwrap();
        whereabouts.track(from, to, limit).unwrap();
    }
    sync(&home);
    drop((whereabouts, home));
    let home = phone.open();
    assert!(home.whereabouts().last().unwrap().is_some());
    sync(&home);
    assert!(home.whereabouts().remove_before(i64::MAX).is_ok());
}
