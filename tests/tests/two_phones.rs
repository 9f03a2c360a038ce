//! Two phones with one traveler, and the real ministry between them: linked by a
//! code, merged field by field, each told what the other has changed, and silent
//! when there is nothing to say.

#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(clippy::indexing_slicing, reason = "a test")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use homeline::clock::{Clock, ClockReading, SystemClock};
use homeline::contacts::{Contact, Relation};
use homeline::error::HostError;
use homeline::health::WakeCause;
use homeline::homeline::{ChangeListener, Topic};
use homeline::registration::{LinkState, MergeOutcome, PhoneKind, Purpose, Traveler, TravelerKind};
use homeline::sos::{SosKind, SosRequest};
use homeline::sync::protocol::LinkRefusal;
use homeline::sync::{SyncOutcome, SyncStop};
use homeline::{Homeline, HomelineError};
use homeline_tests::stage::{Network, Stage};
use homeline_tests::vault::LockableVault;
use tempfile::TempDir;

const LONG_MS: u64 = 30_000;
const YEAR_MS: i64 = 365 * 24 * 3_600_000;

/// A clock that is wrong by as much as a test says.
struct Wrong {
    system: SystemClock,
    by_ms: AtomicI64,
}

impl Clock for Wrong {
    fn read(&self) -> Result<ClockReading, HostError> {
        let now = self.system.read()?;
        Ok(ClockReading {
            wall_ms: now.wall_ms + self.by_ms.load(Ordering::SeqCst),
            ..now
        })
    }
}

struct World {
    data: TempDir,
    stage: Stage,
}

impl World {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        Self {
            stage: Stage::start(data.path()).unwrap(),
            data,
        }
    }

    fn count(&self, sql: &str) -> i64 {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let path = self.data.path().join("ministry.db");
        let file = rusqlite::Connection::open_with_flags(path, flags).unwrap();
        file.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn envelopes(&self) -> i64 {
        self.count("SELECT count(*) FROM envelopes")
    }
}

struct Phone {
    directory: TempDir,
    vault: Arc<LockableVault>,
    clock: Arc<Wrong>,
    home: Arc<Homeline>,
}

impl Phone {
    /// A phone whose traveler agrees to be registered.
    fn new(world: &World) -> Self {
        Self::with_clock(world, 0)
    }

    fn with_clock(world: &World, by_ms: i64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let vault = LockableVault::open(&directory.path().join("vault.key"), false).unwrap();
        let clock = Arc::new(Wrong {
            system: SystemClock::new(),
            by_ms: AtomicI64::new(by_ms),
        });
        let home = open(world, directory.path(), &vault, &clock);
        home.consents()
            .give(Purpose::Register, "v1".into())
            .unwrap();
        Self {
            directory,
            vault,
            clock,
            home,
        }
    }

    /// The process was killed and the app is started again.
    fn restart(&mut self, world: &World) {
        self.home = open(world, self.directory.path(), &self.vault, &self.clock);
    }

    fn sync(&self) -> SyncOutcome {
        self.home.network_changed().unwrap();
        self.home.woke(WakeCause::Foreground, None).unwrap();
        let outcome = self.home.sync(LONG_MS).unwrap();
        assert_eq!(outcome.stopped, SyncStop::Done, "{outcome:?}");
        outcome
    }

    fn save(&self, name: &str, phone: Option<&str>) {
        let traveler = Traveler {
            name: name.into(),
            kind: TravelerKind::LongStay,
            phone: phone.map(str::to_owned),
            ..Traveler::default()
        };
        self.home.registration().save(traveler).unwrap();
    }

    /// Does something that happened five seconds ago: the clocks of two phones
    /// are no nearer to each other than their requests take.
    fn before(&self, act: impl FnOnce(&Self)) {
        self.clock.by_ms.fetch_sub(5_000, Ordering::SeqCst);
        act(self);
        self.clock.by_ms.fetch_add(5_000, Ordering::SeqCst);
    }

    fn traveler(&self) -> (String, Option<String>) {
        let traveler = self.home.registration().traveler().unwrap().unwrap();
        (traveler.name, traveler.phone)
    }

    fn add(&self, name: &str) -> String {
        self.home
            .contacts()
            .add(contact(name, "+8613900139000"))
            .unwrap()
    }

    fn contacts(&self) -> Vec<(String, String)> {
        let list = self.home.contacts().list().unwrap();
        list.into_iter()
            .map(|saved| (saved.contact.name, saved.contact.phone))
            .collect()
    }

    fn names(&self) -> Vec<String> {
        self.contacts().into_iter().map(|(name, _)| name).collect()
    }

    fn state(&self) -> LinkState {
        self.home.phones().state().unwrap()
    }

    fn told(&self) -> Vec<(String, String, MergeOutcome)> {
        let told = self.home.phones().merged().unwrap();
        told.into_iter()
            .map(|field| (field.entity, field.key, field.outcome))
            .collect()
    }

    fn dismiss_all(&self) {
        self.home.phones().dismiss(i64::MAX).unwrap();
    }
}

fn open(
    world: &World,
    base: &Path,
    vault: &Arc<LockableVault>,
    clock: &Arc<Wrong>,
) -> Arc<Homeline> {
    let config = world.stage.config(&files(base));
    let (vault, clock) = (
        Arc::<LockableVault>::clone(vault),
        Arc::<Wrong>::clone(clock),
    );
    Homeline::open(config, vault, None, Some(clock)).unwrap()
}

fn files(base: &Path) -> PathBuf {
    base.join("files")
}

fn contact(name: &str, phone: &str) -> Contact {
    Contact {
        name: name.into(),
        phone: phone.into(),
        relation: Relation::Parent,
        ..Contact::default()
    }
}

fn traveler_key(key: &str, outcome: MergeOutcome) -> Vec<(String, String, MergeOutcome)> {
    vec![("traveler".into(), key.into(), outcome)]
}

/// Links `second` to the registration of `first`, and lets both come to rest.
fn link(first: &Phone, second: &Phone) {
    let code = first.home.phones().link_code().unwrap();
    first.sync();
    second.home.phones().link(code).unwrap();
    assert!(matches!(second.state(), LinkState::Waiting { .. }));
    second.sync();
    first.sync();
    for phone in [first, second] {
        assert_eq!(phone.state(), LinkState::Linked);
        phone.dismiss_all();
    }
}

/// Two linked phones at rest with one traveler.
fn pair(world: &World) -> (Phone, Phone) {
    let (first, second) = (Phone::new(world), Phone::new(world));
    first.save("李伟", Some("+905321234567"));
    link(&first, &second);
    assert_eq!(second.traveler(), first.traveler());
    (first, second)
}

/// Syncs all in turn until nobody has anything to say.
fn settle(phones: &[&Phone]) {
    for _ in 0..4 {
        for phone in phones {
            phone.sync();
        }
    }
}

#[test]
fn a_second_phone_joins_brings_what_it_had_and_sees_the_first() {
    let world = World::new();
    let (first, second) = (Phone::new(&world), Phone::new(&world));
    first.save("李伟", Some("+905321234567"));
    first.add("妈妈");
    second.add("爸爸");
    second.sync();
    first.sync();
    assert_eq!(first.state(), LinkState::Alone);
    assert!(first.home.phones().list().unwrap().is_empty());
    link(&first, &second);
    assert_eq!(second.traveler().0, "李伟");
    for phone in [&first, &second] {
        let mut names = phone.names();
        names.sort();
        assert_eq!(names, ["妈妈", "爸爸"]);
        let list = phone.home.phones().list().unwrap();
        let kinds: Vec<PhoneKind> = list.iter().map(|phone| phone.whose).collect();
        assert_eq!(kinds.len(), 2);
        assert!(kinds.contains(&PhoneKind::This) && kinds.contains(&PhoneKind::Other));
        assert!(
            list.iter()
                .all(|phone| phone.seen_ms > 0 && phone.linked_ms > 0)
        );
    }
    // One registration is left, and its desk reads the merged one whoever calls.
    let registrations = "SELECT count(DISTINCT registration) FROM registration_fields";
    assert_eq!(world.count(registrations), 1);
    let report = second
        .home
        .sos()
        .press(SosRequest::new(SosKind::Medical))
        .unwrap();
    second.sync();
    let case = world.stage.ministry.cases().unwrap().remove(0);
    assert_eq!(case.report.to_string(), report);
    assert_eq!(case.traveler.unwrap().name, "李伟");
    assert_eq!(case.contacts.len(), 2);
}

#[test]
fn edits_of_different_fields_on_both_survive() {
    let world = World::new();
    let (first, second) = pair(&world);
    first.save("李薇", Some("+905321234567"));
    let (name, _) = second.traveler();
    second.save(&name, Some("+4915112345678"));
    second.add("哥哥");
    settle(&[&first, &second]);
    for phone in [&first, &second] {
        assert_eq!(
            phone.traveler(),
            ("李薇".into(), Some("+4915112345678".into()))
        );
        assert_eq!(phone.names(), ["哥哥"]);
    }
    assert_eq!(second.told(), traveler_key("name", MergeOutcome::Taken));
    assert!(
        first
            .told()
            .iter()
            .all(|(_, _, outcome)| *outcome == MergeOutcome::Taken)
    );
    assert!(
        first
            .told()
            .contains(&traveler_key("phone", MergeOutcome::Taken)[0])
    );
    // Names of fields, and nothing of what is in them.
    let debug = format!("{:?}", first.home.phones().merged().unwrap());
    assert!(!debug.contains("contact"), "{debug}");
}

#[test]
fn of_the_same_field_the_newer_wins_and_both_are_told() {
    for newer_syncs in ["last", "first"] {
        let world = World::new();
        let (first, second) = pair(&world);
        first.before(|first| first.save("李伟", Some("861")));
        second.save("李伟", Some("862"));
        match newer_syncs {
            "last" => settle(&[&first, &second]),
            _ => settle(&[&second, &first]),
        }
        for phone in [&first, &second] {
            assert_eq!(phone.traveler().1.as_deref(), Some("862"), "{newer_syncs}");
        }
        assert_eq!(first.told(), traveler_key("phone", MergeOutcome::Taken));
        assert_eq!(
            second.told(),
            traveler_key("phone", MergeOutcome::Kept),
            "{newer_syncs}"
        );
        let kept = second.home.phones().merged().unwrap();
        second.home.phones().dismiss(kept[0].id).unwrap();
        settle(&[&first, &second]);
        assert!(second.told().is_empty(), "told once");
        // An edit of what one has seen is no meeting.
        first.save("李伟", Some("863"));
        first.dismiss_all();
        settle(&[&first, &second]);
        assert_eq!(second.told(), traveler_key("phone", MergeOutcome::Taken));
        assert!(first.told().is_empty(), "{:?}", first.told());
    }
}

#[test]
fn a_removal_against_an_edit() {
    let world = World::new();
    let (first, second) = pair(&world);
    let mother = first.add("妈妈");
    let father = first.add("爸爸");
    settle(&[&first, &second]);
    let edited = |phone: &Phone, id: &str, name: &str| {
        let changed = contact(name, "+8613800138000");
        phone
            .home
            .contacts()
            .change(id.to_owned(), changed)
            .unwrap();
    };
    // The edit is newer: the contact stays, whole.
    first.before(|first| first.home.contacts().remove(mother.clone()).unwrap());
    edited(&second, &mother, "妈妈");
    // The removal is newer: the contact goes.
    second.before(|second| edited(second, &father, "爸爸"));
    first.home.contacts().remove(father.clone()).unwrap();
    first.dismiss_all();
    second.dismiss_all();
    settle(&[&first, &second]);
    for phone in [&first, &second] {
        assert_eq!(phone.contacts(), [("妈妈".into(), "+8613800138000".into())]);
    }
    let gone = (
        format!("contact/{father}"),
        String::new(),
        MergeOutcome::Taken,
    );
    assert!(second.told().contains(&gone), "{:?}", second.told());
    let outcomes: HashMap<_, _> = first
        .told()
        .into_iter()
        .map(|(e, k, o)| ((e, k), o))
        .collect();
    let edit = (format!("contact/{father}"), "phone".to_owned());
    assert_eq!(
        outcomes.get(&edit),
        Some(&MergeOutcome::Kept),
        "{outcomes:?}"
    );
    let before = world.envelopes();
    settle(&[&first, &second]);
    assert_eq!(world.envelopes(), before);
}

#[test]
fn of_two_orders_the_newer_stands_and_no_contact_is_lost() {
    let world = World::new();
    let (first, second) = pair(&world);
    first.add("一");
    settle(&[&first, &second]);
    first.before(|first| {
        first.add("二");
    });
    second.add("三");
    settle(&[&first, &second]);
    for phone in [&first, &second] {
        assert_eq!(phone.names(), ["一", "三", "二"]);
    }
}

#[test]
fn a_clock_that_is_years_off_neither_wins_for_ever_nor_is_locked_out() {
    for by_ms in [10 * YEAR_MS, -10 * YEAR_MS] {
        let world = World::new();
        let first = Phone::new(&world);
        let second = Phone::with_clock(&world, by_ms);
        first.save("李伟", Some("861"));
        second.save("李薇", Some("862"));
        // Before its first sync the phone cannot know.
        link(&first, &second);
        settle(&[&first, &second]);
        assert_eq!(first.traveler(), second.traveler());
        for (editor, other, phone) in [
            (&first, &second, "863"),
            (&second, &first, "864"),
            (&first, &second, "865"),
        ] {
            let name = editor.traveler().0;
            editor.save(&name, Some(phone));
            settle(&[editor, other]);
            assert_eq!(other.traveler().1.as_deref(), Some(phone), "{by_ms}");
            assert_eq!(editor.traveler(), other.traveler());
        }
        let before = world.envelopes();
        settle(&[&first, &second]);
        assert_eq!(world.envelopes(), before);
        let future = homeline_now() + YEAR_MS;
        let stamps =
            format!("SELECT count(*) FROM registration_fields WHERE changed_ms > {future}");
        assert_eq!(world.count(&stamps), 0);
    }
}

fn homeline_now() -> i64 {
    SystemClock::new().read().unwrap().wall_ms
}

#[test]
fn a_clock_that_jumps_ahead_between_two_syncs_does_not_win_for_ever() {
    let world = World::new();
    let (first, second) = pair(&world);
    second.clock.by_ms.store(3 * YEAR_MS, Ordering::SeqCst);
    second.save("李伟", Some("862"));
    // Removed and made again under the wrong clock: it is there.
    let id = second.add("妈妈");
    second.home.contacts().remove(id).unwrap();
    second.home.registration().remove().unwrap();
    second.save("李薇", Some("863"));
    settle(&[&second, &first]);
    assert_eq!(first.traveler(), ("李薇".into(), Some("863".into())));
    assert!(first.names().is_empty());
    first.save("李薇", Some("864"));
    settle(&[&first, &second]);
    assert_eq!(second.traveler().1.as_deref(), Some("864"));
}

#[test]
fn a_week_of_edits_is_one_envelope_and_rest_is_none() {
    let world = World::new();
    let (first, second) = pair(&world);
    let before = world.envelopes();
    for day in 0..7 {
        for edit in 0..10 {
            first.save(&format!("李伟 {day}.{edit}"), Some("861"));
            second.add(&format!("{day}.{edit}"));
        }
        second.sync();
    }
    // Seven from the phone with a network, a day each; one from the other.
    first.sync();
    second.sync();
    assert_eq!(world.envelopes() - before, 8);
    assert_eq!(second.traveler().0, "李伟 6.9");
    assert_eq!(first.contacts(), second.contacts());
    assert_eq!(first.contacts().len(), 70);
    let rest = world.envelopes();
    let items = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes'";
    let feed = world.count(items);
    for _ in 0..3 {
        for phone in [&first, &second] {
            let outcome = phone.sync();
            assert_eq!((outcome.sent, outcome.waiting, outcome.changes), (0, 0, 0));
        }
    }
    assert_eq!(world.envelopes(), rest);
    assert_eq!(world.count(items), feed);
    // The feed of a phone holds its latest news only.
    let longest = "SELECT max(n) FROM (SELECT count(*) AS n FROM changes
                   WHERE kind = 'profile' GROUP BY recipient)";
    assert_eq!(world.count(longest), 1);
}

#[test]
fn three_phones_come_to_the_same_and_a_removed_one_hears_nothing_more() {
    let world = World::new();
    let (first, second) = pair(&world);
    let third = Phone::new(&world);
    third.add("三");
    link(&second, &third);
    settle(&[&first, &second, &third]);
    first.before(|first| first.save("甲", Some("861")));
    second.add("二");
    third.save("李伟", Some("863"));
    settle(&[&third, &second, &first]);
    let expected = ("甲".to_owned(), Some("863".to_owned()));
    for phone in [&first, &second, &third] {
        assert_eq!(phone.traveler(), expected);
        let mut names = phone.names();
        names.sort();
        assert_eq!(names, ["三", "二"]);
        assert_eq!(phone.home.phones().list().unwrap().len(), 3);
    }
    // The second phone is lost; the first lets it go.
    let list = second.home.phones().list().unwrap();
    let lost = list
        .iter()
        .find(|phone| phone.whose == PhoneKind::This)
        .unwrap();
    let unlink = |id: &str| first.home.phones().unlink(id.to_owned());
    assert!(matches!(
        unlink("nobody"),
        Err(HomelineError::NotFound { .. })
    ));
    unlink(&lost.device).unwrap();
    first.sync();
    first.save("乙", None);
    settle(&[&first, &third]);
    second.sync();
    assert_eq!(second.state(), LinkState::Alone);
    second.save("丙", None);
    settle(&[&second, &first, &third]);
    assert_eq!(second.traveler().0, "丙");
    for phone in [&first, &third] {
        assert_eq!(phone.traveler(), ("乙".into(), None));
        assert_eq!(phone.home.phones().list().unwrap().len(), 2);
    }
    // The third leaves by itself.
    third.home.phones().leave().unwrap();
    third.save("丁", None);
    settle(&[&third, &first]);
    assert_eq!(first.traveler().0, "乙");
    assert_eq!(first.state(), LinkState::Alone);
    let registrations = "SELECT count(DISTINCT registration) FROM registration_fields";
    assert_eq!(world.count(registrations), 3);
}

#[test]
fn a_code_works_for_one_phone_and_a_forged_or_old_one_for_none() {
    let world = World::new();
    let (first, second, thief) = (Phone::new(&world), Phone::new(&world), Phone::new(&world));
    first.save("李伟", Some("861"));
    thief.save("贼", None);
    // What it sends teaches it the ministry's clock.
    second.add("爸爸");
    for phone in [&first, &second, &thief] {
        phone.sync();
    }
    let code = first.home.phones().link_code().unwrap();
    // Its own phone, other texts, an old code: refused at once.
    let refused = |phone: &Phone, text: &str| {
        matches!(
            phone.home.phones().link(text.to_owned()),
            Err(HomelineError::Invalid { .. })
        )
    };
    assert!(refused(&first, &code));
    assert!(refused(&second, "https://example.org"));
    second.clock.by_ms.store(2 * 3_600_000, Ordering::SeqCst);
    assert!(refused(&second, &code));
    second.clock.by_ms.store(0, Ordering::SeqCst);
    // Changed in its signature: a phone cannot tell, the ministry can.
    let mut letters: Vec<char> = code.chars().collect();
    let at = letters.len() - 4;
    letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
    let forged: String = letters.into_iter().collect();
    thief.home.phones().link(forged).unwrap();
    settle(&[&thief]);
    let reason = LinkRefusal::NotGenuine;
    assert_eq!(thief.state(), LinkState::Refused { reason });

    second.home.phones().link(code.clone()).unwrap();
    second.sync();
    assert_eq!(second.state(), LinkState::Linked);
    // Replayed.
    thief.home.phones().link(code.clone()).unwrap();
    settle(&[&thief, &first]);
    assert_eq!(
        thief.state(),
        LinkState::Refused {
            reason: LinkRefusal::Used
        }
    );
    assert_eq!(thief.traveler().0, "贼");
    assert_eq!(first.traveler().0, "李伟");
    assert_eq!(first.home.phones().list().unwrap().len(), 2);
    // A code of a phone that has left in between.
    let late = second.home.phones().link_code().unwrap();
    second.home.phones().leave().unwrap();
    second.sync();
    // The code that let it in does not let it in again.
    second.home.phones().link(code.clone()).unwrap();
    settle(&[&second]);
    assert_eq!(
        second.state(),
        LinkState::Refused {
            reason: LinkRefusal::Used
        }
    );
    thief.home.phones().link(late).unwrap();
    settle(&[&thief]);
    assert_eq!(
        thief.state(),
        LinkState::Refused {
            reason: LinkRefusal::NotLinked
        }
    );
    assert_eq!(thief.traveler().0, "贼");
}

#[test]
fn a_code_waits_for_the_phone_that_made_it() {
    let world = World::new();
    let (first, second) = (Phone::new(&world), Phone::new(&world));
    first.save("李伟", Some("861"));
    let code = first.home.phones().link_code().unwrap();
    second.add("爸爸");
    second.home.phones().link(code).unwrap();
    // The ministry has never heard of the first phone.
    settle(&[&second]);
    assert!(matches!(second.state(), LinkState::Waiting { .. }));
    assert!(second.home.registration().traveler().unwrap().is_none());
    second.add("妈妈");
    second.sync();
    first.sync();
    second.sync();
    assert_eq!(second.state(), LinkState::Linked);
    assert_eq!(second.traveler().0, "李伟");
    first.sync();
    assert_eq!(first.names(), ["爸爸", "妈妈"]);
}

#[test]
fn without_consent_nothing_leaves_and_the_link_waits() {
    let world = World::new();
    let (first, second) = (Phone::new(&world), Phone::new(&world));
    first.save("李伟", None);
    first.sync();
    second.home.consents().withdraw(Purpose::Register).unwrap();
    let code = first.home.phones().link_code().unwrap();
    second.home.phones().link(code).unwrap();
    assert!(second.sync().without_consent);
    assert!(matches!(second.state(), LinkState::Waiting { .. }));
    second
        .home
        .consents()
        .give(Purpose::Register, "v1".into())
        .unwrap();
    second.sync();
    assert_eq!(second.state(), LinkState::Linked);
}

#[test]
fn news_that_come_while_the_record_is_locked_wait_for_the_unlock() {
    let world = World::new();
    let (first, mut second) = pair(&world);
    second.vault.set_locked(true);
    second.restart(&world);
    assert!(second.home.contacts().list().is_err());
    first.add("妈妈");
    first.sync();
    assert_eq!(second.sync().stopped, SyncStop::Done);
    first.add("爸爸");
    first.sync();
    second.sync();
    // Nothing is fetched twice: the ministry is away when the phone is unlocked.
    second.restart(&world);
    world.stage.network(Network::Down);
    second.vault.set_locked(false);
    second.home.reopen().unwrap();
    let _ = second.home.sync(LONG_MS).unwrap();
    assert_eq!(second.names(), ["妈妈", "爸爸"]);
    assert_eq!(second.traveler().0, "李伟");
    world.stage.network(Network::Up);
    let before = world.envelopes();
    settle(&[&first, &second]);
    assert_eq!(world.envelopes(), before);
}

#[test]
fn a_host_is_told_and_an_sos_says_what_the_other_phone_knows() {
    struct Topics(Mutex<Vec<Topic>>);
    impl ChangeListener for Topics {
        fn changed(&self, topic: Topic) -> Result<(), HostError> {
            self.0.lock().unwrap().push(topic);
            Ok(())
        }
    }
    let world = World::new();
    let (first, second) = pair(&world);
    let topics = Arc::new(Topics(Mutex::default()));
    second
        .home
        .set_listener(Some(Arc::<Topics>::clone(&topics)))
        .unwrap();
    first.save("李薇", Some("861"));
    first.sync();
    second.sync();
    assert!(topics.0.lock().unwrap().contains(&Topic::Record));
    // The standing envelope has what came, with no edit on this phone.
    second
        .home
        .sos()
        .press(SosRequest::new(SosKind::Other))
        .unwrap();
    second.sync();
    let case = world.stage.ministry.cases().unwrap().remove(0);
    assert_eq!(case.traveler.unwrap().name, "李薇");
    let named = "SELECT count(*) FROM standings WHERE CAST(content AS TEXT) LIKE '%李薇%'";
    assert_eq!(world.count(named), 1);
}
