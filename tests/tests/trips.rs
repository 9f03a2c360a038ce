//! Trips and the medical card, from the phone to the duty desk: through the public
//! API, with the real ministry, and with a clock that a test moves.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure ends the test it happens in"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use homeline::clock::{Clock, ClockReading, SystemClock};
use homeline::contacts::{Contact, Relation};
use homeline::error::HostError;
use homeline::health::WakeCause;
use homeline::registration::{
    BloodGroup, Certainty, CloseReason, MedicalCard, Purpose, ReminderKind, Stay, Traveler,
    TravelerKind, Trip, TripOutcome, TripQuestion, Urgency,
};
use homeline::sos::{Ground, OnRepeat, SosKind, SosRequest};
use homeline::{Homeline, HomelineError, RecordState};
use homeline_tests::stage::{self, Network, Stage};
use homeline_tests::vault::LockableVault;
use ministry::CaseView;

const DAY_MS: i64 = 24 * 3_600_000;
const LONG_MS: u64 = 30_000;

const ALLERGY: &str = "benzylpenicillinum";
const CONDITION: &str = "哮喘重症";

/// The system's clock, as far off as a test wants.
struct Moved {
    system: SystemClock,
    by_ms: AtomicI64,
}

impl Clock for Moved {
    fn read(&self) -> Result<ClockReading, HostError> {
        let mut reading = self.system.read()?;
        reading.wall_ms += self.by_ms.load(Ordering::SeqCst);
        Ok(reading)
    }
}

/// A phone and its ministry.
struct Scene {
    data: tempfile::TempDir,
    stage: Stage,
    vault: Arc<LockableVault>,
    clock: Arc<Moved>,
}

impl Scene {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let phone = data.path().join("phone");
        std::fs::create_dir_all(&phone).unwrap();
        Self {
            stage: Stage::start(&data.path().join("ministry")).unwrap(),
            vault: LockableVault::open(&phone.join("vault.key"), false).unwrap(),
            clock: Arc::new(Moved {
                system: SystemClock::new(),
                by_ms: AtomicI64::new(0),
            }),
            data,
        }
    }

    fn files(&self) -> PathBuf {
        self.data.path().join("phone/files")
    }

    fn open(&self) -> Arc<Homeline> {
        self.open_sealing_to(self.stage.values().sealing_key.clone())
    }

    fn open_sealing_to(&self, sealing_key: Vec<u8>) -> Arc<Homeline> {
        let mut config = stage::config(self.stage.values(), &self.files());
        config.sealing_key = sealing_key;
        let clock = Arc::<Moved>::clone(&self.clock);
        let vault = Arc::<LockableVault>::clone(&self.vault);
        Homeline::open(config, vault, None, Some(clock)).unwrap()
    }

    /// A registered traveler whose clock the ministry has confirmed.
    fn registered(&self) -> Arc<Homeline> {
        let home = self.open();
        home.registration()
            .save(Traveler {
                name: "李伟".into(),
                kind: TravelerKind::ShortTrip,
                ..Traveler::default()
            })
            .unwrap();
        let version = "2026-01".to_owned();
        home.consents().give(Purpose::Register, version).unwrap();
        sync(&home);
        home
    }

    /// The date so many days from the ministry's today, in UTC.
    fn day(&self, days: i64) -> String {
        let now_ms = self.clock.system.read().unwrap().wall_ms;
        iso(now_ms.div_euclid(DAY_MS) + days)
    }

    fn move_clock(&self, days: i64) {
        self.clock.by_ms.store(days * DAY_MS, Ordering::SeqCst);
    }

    fn trip(&self, departs: i64, returns: Option<i64>) -> Trip {
        Trip {
            title: Some("conference".into()),
            departs: self.day(departs),
            returns: returns.map(|days| self.day(days)),
            stays: Vec::new(),
        }
    }

    fn stay(&self, place: &str, from: i64, to: i64) -> Stay {
        Stay {
            country: "tr".into(),
            place: place.into(),
            from: self.day(from),
            to: self.day(to),
            lodging: Some("Hotel Ararat".into()),
            companions: vec!["王芳".into()],
        }
    }

    #[track_caller]
    fn case(&self, report: &str) -> CaseView {
        let mut cases = self.stage.ministry.cases().unwrap();
        cases.retain(|case| case.report.to_string() == report);
        assert_eq!(cases.len(), 1);
        cases.remove(0)
    }

    /// All that the ministry has been sent, opened.
    fn letters(&self, table: &str) -> Vec<String> {
        let file = self.data.path().join("ministry/ministry.db");
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let file = rusqlite::Connection::open_with_flags(file, flags).unwrap();
        let mut select = file
            .prepare(&format!("SELECT content FROM {table}"))
            .unwrap();
        select
            .query_map([], |row| row.get::<_, Vec<u8>>(0))
            .unwrap()
            .map(|content| String::from_utf8(content.unwrap()).unwrap())
            .collect()
    }
}

/// `YYYY-MM-DD` of a day since 1970, by the calendar of SQLite.
fn iso(days: i64) -> String {
    let memory = rusqlite::Connection::open_in_memory().unwrap();
    let sql = "SELECT date('1970-01-01', ?1 || ' days')";
    memory.query_row(sql, [days], |row| row.get(0)).unwrap()
}

#[track_caller]
fn sync(home: &Homeline) {
    home.network_changed().unwrap();
    home.woke(WakeCause::Foreground, None).unwrap();
    let outcome = home.sync(LONG_MS).unwrap();
    assert_eq!((outcome.waiting, outcome.parked), (0, 0), "{outcome:?}");
}

fn press(home: &Homeline, kind: SosKind, countdown_s: u32) -> String {
    let mut request = SosRequest::new(kind);
    request.countdown_s = countdown_s;
    request.on_repeat = Some(OnRepeat::NewReport);
    home.sos().press(request).unwrap()
}

fn card() -> MedicalCard {
    MedicalCard {
        blood_group: Some(BloodGroup::ONegative),
        allergies: vec![ALLERGY.into()],
        medication: vec!["salbutamol 100 µg".into()],
        conditions: vec![CONDITION.into()],
        notes: Some("inhaler\nin the red bag".into()),
        languages: vec!["zh".into(), "tr".into()],
    }
}

/// Rows of the phone's outbox that a query counts.
fn outbox(files: &Path, sql: &str) -> i64 {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let file = rusqlite::Connection::open_with_flags(files.join("outbox.db"), flags).unwrap();
    file.query_row(sql, [], |row| row.get(0)).unwrap()
}

const CARDS_WAITING: &str = "SELECT count(*) FROM envelope WHERE role = 9 AND state = 0";
const CARDS_READY: &str = "SELECT count(*) FROM standing WHERE kind = 1";

#[test]
fn a_trip_ends_with_the_return_and_the_ministry_learns_of_it() {
    let scene = Scene::new();
    let home = scene.registered();
    let trips = home.trips();
    let mut trip = scene.trip(-20, Some(-2));
    trip.stays = vec![scene.stay("Van", -19, -3)];
    let id = trips.save(trip).unwrap();
    let ahead = trips.save(scene.trip(30, None)).unwrap();

    trips.seen_in("tr".into()).unwrap();
    let reviews = trips.review().unwrap();
    // The one ahead is not reviewed.
    assert_eq!(reviews.len(), 1);
    let past = TripOutcome::Ask {
        question: TripQuestion::PastReturn,
    };
    // Saving it was a confirmation: the question waits for a week.
    assert_eq!(reviews[0].outcome, TripOutcome::Away);
    scene.move_clock(8);
    assert_eq!(trips.review().unwrap()[0].outcome, past);
    let overdue = home.registration().reminders().unwrap();
    assert!(overdue.iter().any(|reminder| {
        reminder.kind == ReminderKind::TripPastReturn && reminder.trip.as_ref() == Some(&id)
    }));

    trips.seen_in("CN".into()).unwrap();
    let closed = trips.list().unwrap();
    assert_eq!(closed[1].id, id);
    let reason = closed[1].closed.unwrap().reason;
    assert_eq!(reason, CloseReason::SeenAtHome);
    assert_eq!(closed[0].closed, None);
    assert_eq!(trips.review().unwrap(), []);
    assert_eq!(trips.current_stay().unwrap(), None);
    assert_eq!(trips.close(ahead.clone()), Ok(()));
    assert_eq!(trips.close("x".into()), Err(not_found()));

    sync(&home);
    let profile = scene.letters("profiles").remove(0);
    assert!(profile.contains(r#""reason":"seen_at_home""#), "{profile}");
    assert!(
        profile.contains(r#""reason":"said_by_traveler""#),
        "{profile}"
    );
    // Where the phone was seen stays on the phone.
    assert!(!profile.contains("seen_country") && !profile.contains("since_ms"));

    // The traveler knows better: it is open again, and then it is gone.
    trips.change(id.clone(), scene.trip(-20, Some(30))).unwrap();
    assert_eq!(trips.list().unwrap()[1].closed, None);
    trips.remove(id.clone()).unwrap();
    assert_eq!(trips.remove(id.clone()), Err(not_found()));
    assert_eq!(trips.change(id, scene.trip(1, None)), Err(not_found()));
}

fn not_found() -> HomelineError {
    HomelineError::NotFound {
        what: "trip".into(),
    }
}

#[test]
fn a_traveler_who_is_home_early_or_silent_is_asked() {
    let scene = Scene::new();
    let home = scene.registered();
    let trips = home.trips();
    trips.save(scene.trip(-10, Some(20))).unwrap();
    let ask = |question| TripOutcome::Ask { question };

    let only = || {
        let mut reviews = trips.review().unwrap();
        assert_eq!(reviews.len(), 1);
        reviews.remove(0).outcome
    };
    assert_eq!(only(), TripOutcome::Away);
    scene.move_clock(1);
    trips.seen_in("CN".into()).unwrap();
    assert_eq!(only(), ask(TripQuestion::HomeEarly));
    // "No, I am still away": asked no more, until the next time that it looks so.
    trips.confirm().unwrap();
    assert_eq!(only(), TripOutcome::Away);
    trips.seen_in("TR".into()).unwrap();
    scene.move_clock(2);
    trips.seen_in("CN".into()).unwrap();
    assert_eq!(only(), ask(TripQuestion::HomeEarly));

    trips.seen_in("TR".into()).unwrap();
    let open = scene.trip(-10, None);
    let id = trips.list().unwrap()[0].id.clone();
    trips.change(id, open).unwrap();
    scene.move_clock(33);
    assert_eq!(only(), ask(TripQuestion::LongSilence));
    assert!(trips.list().unwrap()[0].closed.is_none());
    assert!(matches!(
        trips.seen_in("Turkey".into()),
        Err(HomelineError::Invalid { field, .. }) if field == "country_code"
    ));
}

#[test]
fn a_clock_that_is_years_off_closes_nothing_by_itself() {
    let scene = Scene::new();
    scene.move_clock(3_650);
    let home = scene.open();
    let trips = home.trips();
    // Before the first answer of the ministry: at home, and by this clock long past.
    trips.save(scene.trip(3, Some(20))).unwrap();
    trips.seen_in("CN".into()).unwrap();
    assert!(trips.list().unwrap()[0].closed.is_none());
    let version = "2026-01".to_owned();
    home.consents().give(Purpose::Register, version).unwrap();
    // The ministry's clock is known: the trip is ahead, and nothing was seen after it.
    sync(&home);
    trips.seen_in("CN".into()).unwrap();
    assert_eq!(trips.review().unwrap(), []);
    assert!(trips.list().unwrap()[0].closed.is_none());
    // The right trip is current, whatever the phone's own clock says.
    let mut now = scene.trip(-5, Some(5));
    now.stays = vec![scene.stay("Van", -4, 4)];
    let id = trips.save(now).unwrap();
    let current = trips.current_stay().unwrap().unwrap();
    assert_eq!((current.trip, current.certainty), (id, Certainty::Certain));
    // And at the desk, too.
    let report = press(&home, SosKind::Lost, 0);
    sync(&home);
    let stay = scene.case(&report).stay.unwrap().stay.unwrap();
    assert_eq!((stay.place.as_str(), stay.country.as_str()), ("Van", "TR"));
}

#[test]
fn the_desk_sees_the_stay_and_how_old_the_registration_is() {
    let scene = Scene::new();
    let home = scene.registered();
    let trips = home.trips();
    let mut trip = scene.trip(-10, Some(40));
    trip.stays = vec![scene.stay("Van", -9, 9), scene.stay("Kars", 12, 30)];
    trips.save(trip).unwrap();
    trips.confirm().unwrap();
    let report = press(&home, SosKind::Crime, 0);
    sync(&home);
    let case = scene.case(&report);
    let shown = case.stay.unwrap();
    assert_eq!(shown.title.as_deref(), Some("conference"));
    assert_eq!(
        (shown.returns, shown.certainty),
        (Some(scene.day(40)), Certainty::Certain)
    );
    assert_eq!(shown.stay.unwrap().companions, ["王芳"]);
    assert_eq!(shown.next.unwrap().place, "Kars");
    let now_ms = scene.clock.system.read().unwrap().wall_ms;
    let age_ms = now_ms - case.confirmed_ms.unwrap();
    assert!((-5_000..60_000).contains(&age_ms), "{age_ms}");
    assert_eq!(case.ground, Some(Ground::VitalInterest));
    assert_eq!(case.consents.len(), 1);
    assert_eq!(case.consents[0].purpose, Purpose::Register);
    assert_eq!(case.consents[0].text_version, "2026-01");
}

#[test]
fn the_card_goes_beside_a_medical_press_only_and_never_with_the_profile() {
    let scene = Scene::new();
    let home = scene.registered();
    home.registration().save_medical_card(card()).unwrap();
    assert_eq!(home.registration().medical_card(), Ok(Some(card())));
    let others = [SosKind::Crime, SosKind::Lost, SosKind::Accident].map(|kind| {
        let report = press(&home, kind, 0);
        sync(&home);
        report
    });
    assert_eq!(scene.letters("medical_cards").len(), 0);
    assert_eq!(outbox(&scene.files(), CARDS_READY), 1);

    let medical = press(&home, SosKind::Medical, 0);
    let again = press(&home, SosKind::Medical, 0);
    home.trips().confirm().unwrap();
    sync(&home);
    // It keeps its id until it changes: two reports, one letter.
    assert_eq!(scene.letters("medical_cards").len(), 1);
    for report in [&medical, &again] {
        let shown = scene.case(report).medical.unwrap();
        assert_eq!((shown.card, shown.ground), (card(), Ground::VitalInterest));
    }
    for report in &others {
        assert!(scene.case(report).medical.is_none());
    }
    for table in ["profiles", "standings", "case_letters"] {
        for letter in scene.letters(table) {
            assert!(
                !letter.contains(ALLERGY) && !letter.contains(CONDITION),
                "{table}"
            );
            assert!(!letter.contains("blood_group"), "{table}");
        }
    }
    assert!(!scene.letters("profiles").is_empty());
    // A thief finds nothing of it.
    for file in std::fs::read_dir(scene.files()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for needle in [ALLERGY, CONDITION] {
            let found = bytes
                .windows(needle.len())
                .any(|part| part == needle.as_bytes());
            assert!(!found);
        }
    }
}

#[test]
fn the_card_leaves_with_a_press_before_the_first_unlock() {
    let scene = Scene::new();
    let home = scene.registered();
    home.registration().save_medical_card(card()).unwrap();
    drop(home);

    // The phone starts anew, and nobody has unlocked it.
    scene.vault.set_locked(true);
    let home = scene.open();
    assert_eq!(home.state().unwrap().record, RecordState::Locked);
    assert_eq!(
        home.registration().medical_card(),
        Err(HomelineError::Locked)
    );
    let lost = press(&home, SosKind::Lost, 0);
    let medical = press(&home, SosKind::Medical, 0);
    sync(&home);
    assert_eq!(scene.case(&medical).medical.unwrap().card, card());
    assert_eq!(scene.case(&medical).traveler.unwrap().name, "李伟");
    assert!(scene.case(&lost).medical.is_none());
}

#[test]
fn what_stands_ready_is_sealed_anew_when_the_ministrys_key_changes() {
    let scene = Scene::new();
    let home = scene.open_sealing_to(vec![9; 32]);
    let registration = home.registration();
    let name = "李伟".into();
    registration
        .save(Traveler {
            name,
            ..Traveler::default()
        })
        .unwrap();
    registration.save_medical_card(card()).unwrap();
    drop(home);
    // An update of the host app brings the new key; the card has not changed.
    let home = scene.open();
    let report = press(&home, SosKind::Medical, 0);
    sync(&home);
    assert_eq!(scene.case(&report).medical.unwrap().card, card());
    assert_eq!(scene.case(&report).traveler.unwrap().name, "李伟");
}

#[test]
fn a_corrected_card_replaces_the_one_that_waits_and_a_removed_one_is_gone() {
    let scene = Scene::new();
    let home = scene.registered();
    let registration = home.registration();
    registration.save_medical_card(card()).unwrap();
    scene.stage.network(Network::Down);
    let report = press(&home, SosKind::Medical, 0);
    let corrected = MedicalCard {
        allergies: vec!["aspirin".into()],
        ..card()
    };
    registration.save_medical_card(corrected.clone()).unwrap();
    assert_eq!(outbox(&scene.files(), CARDS_WAITING), 1);
    scene.stage.network(Network::Up);
    sync(&home);
    let letters = scene.letters("medical_cards");
    assert_eq!(letters.len(), 1);
    assert!(!letters[0].contains(ALLERGY));
    assert_eq!(scene.case(&report).medical.unwrap().card, corrected);

    // Removed while it waits: nothing of it leaves.
    registration.save_medical_card(card()).unwrap();
    scene.stage.network(Network::Down);
    let report = press(&home, SosKind::Medical, 0);
    assert_eq!(outbox(&scene.files(), CARDS_WAITING), 1);
    registration.remove_medical_card().unwrap();
    assert_eq!(registration.medical_card(), Ok(None));
    assert_eq!(outbox(&scene.files(), CARDS_WAITING), 0);
    assert_eq!(outbox(&scene.files(), CARDS_READY), 0);
    scene.stage.network(Network::Up);
    sync(&home);
    assert_eq!(scene.letters("medical_cards").len(), 1);
    // The one that came with the report before is not shown here.
    assert!(scene.case(&report).medical.is_none());
    assert_eq!(scene.case(&report).state, ministry::DeskState::New);
    // And none goes beside the next press, nor after a restart.
    drop(home);
    let home = scene.open();
    let report = press(&home, SosKind::Medical, 0);
    sync(&home);
    assert!(scene.case(&report).medical.is_none());
    assert_eq!(scene.letters("medical_cards").len(), 1);
}

#[test]
fn a_cancelled_countdown_takes_the_card_along() {
    let scene = Scene::new();
    let home = scene.registered();
    home.registration().save_medical_card(card()).unwrap();
    let report = press(&home, SosKind::Medical, 30);
    assert_eq!(outbox(&scene.files(), CARDS_WAITING), 1);
    home.sos().cancel(report).unwrap();
    assert_eq!(outbox(&scene.files(), CARDS_WAITING), 0);
    let other = press(&home, SosKind::Lost, 0);
    sync(&home);
    assert_eq!(scene.letters("medical_cards").len(), 0);
    assert!(scene.case(&other).medical.is_none());
}

#[test]
fn reminders_end_with_their_reason() {
    let scene = Scene::new();
    let home = scene.open();
    let registration = home.registration();
    let kinds = || -> Vec<ReminderKind> {
        let reminders = registration.reminders().unwrap();
        reminders
            .into_iter()
            .map(|reminder| reminder.kind)
            .collect()
    };
    assert_eq!(kinds(), []);
    registration
        .save(Traveler {
            name: "李伟".into(),
            ..Traveler::default()
        })
        .unwrap();
    assert_eq!(kinds(), [ReminderKind::NoContact, ReminderKind::NotSent]);
    home.trips().save(scene.trip(-1, Some(300))).unwrap();
    let urgent = registration.reminders().unwrap();
    assert!(
        urgent
            .iter()
            .all(|reminder| reminder.urgency == Urgency::High)
    );
    home.contacts()
        .add(Contact {
            name: "李母".into(),
            phone: "+8613800138000".into(),
            relation: Relation::Parent,
            ..Contact::default()
        })
        .unwrap();
    let version = "2026-01".to_owned();
    home.consents().give(Purpose::Register, version).unwrap();
    assert_eq!(kinds(), []);
    scene.move_clock(91);
    assert_eq!(kinds(), [ReminderKind::NotConfirmed]);
    home.trips().confirm().unwrap();
    assert_eq!(kinds(), []);
}
