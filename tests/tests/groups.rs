//! Groups and registration cards, from phones without a network to the ministry.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failure ends the test it happens in"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use homeline::clock::{Clock, ClockReading, SystemClock};
use homeline::error::{HostError, Problem};
use homeline::health::WakeCause;
use homeline::keys::FileVault;
use homeline::registration::card::{CardState, RegistrationCard, verify_card};
use homeline::registration::groups::{
    AddOutcome, GroupDetails, GroupKind, GroupState, InvitationState, MemberOrigin, SharedDetail,
};
use homeline::registration::{Purpose, TravelDocument, Traveler, TravelerKind};
use homeline::sync::{SyncOutcome, SyncStop};
use homeline::{Homeline, HomelineError, RecordState};
use homeline_tests::stage::{self, Network, Stage, Values};
use homeline_tests::vault::LockableVault;
use ministry::GroupView;
use tempfile::TempDir;

/// A member's phone alone, its files gone with it.
struct Phone {
    directory: TempDir,
    vault: Arc<FileVault>,
    values: Values,
}

impl Phone {
    fn new(values: &Values) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("vault.key");
        Self {
            vault: FileVault::open(key.to_string_lossy().into_owned()).unwrap(),
            directory,
            values: values.clone(),
        }
    }

    fn files(&self) -> PathBuf {
        self.directory.path().join("files")
    }

    fn open(&self) -> Arc<Homeline> {
        self.open_at(None)
    }

    fn open_at(&self, clock: Option<Arc<dyn Clock>>) -> Arc<Homeline> {
        let config = stage::config(&self.values, &self.files());
        let vault = Arc::<FileVault>::clone(&self.vault);
        let home = Homeline::open(config, vault, None, clock).unwrap();
        assert_eq!(home.state().unwrap().record, RecordState::Open);
        home
    }

    /// A phone of somebody who is registered on it.
    fn of(values: &Values, name: &str, number: &str) -> (Self, Arc<Homeline>) {
        let phone = Self::new(values);
        let home = phone.open();
        home.registration().save(traveler(name, number)).unwrap();
        (phone, home)
    }
}

/// The system's clock, some milliseconds off.
struct Shifted(AtomicI64);

impl Clock for Shifted {
    fn read(&self) -> Result<ClockReading, HostError> {
        let mut now = SystemClock::new().read()?;
        now.wall_ms += self.0.load(Ordering::SeqCst);
        Ok(now)
    }
}

fn traveler(name: &str, number: &str) -> Traveler {
    Traveler {
        name: name.into(),
        kind: TravelerKind::ShortTrip,
        phone: Some("+8613800138000".into()),
        documents: vec![TravelDocument {
            number: number.into(),
            mrz: None,
            ..TravelDocument::default()
        }],
        ..Traveler::default()
    }
}

fn tour(name: &str) -> GroupDetails {
    GroupDetails {
        name: name.into(),
        kind: GroupKind::Tour,
        agency: Some("环球旅行社".into()),
        first_day: Some("2026-05-01".into()),
        last_day: Some("2026-05-10".into()),
    }
}

fn join(home: &Homeline, invitation: &str) -> String {
    home.groups()
        .join(invitation.to_owned(), "2026-01".into())
        .unwrap()
}

fn add(leader: &Homeline, text: &str) -> AddOutcome {
    leader.groups().add(text.to_owned()).unwrap()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: homeline::Result<T>, field: &str, problem: Problem) {
    match outcome {
        Err(HomelineError::Invalid {
            field: named,
            problem: what,
            ..
        }) => assert_eq!((named.as_str(), what), (field, problem)),
        other => panic!("{other:?}, not {field}"),
    }
}

fn consent(home: &Homeline) {
    home.consents()
        .give(Purpose::Register, "2026-01".into())
        .unwrap();
}

fn sync(home: &Homeline) -> SyncOutcome {
    home.network_changed().unwrap();
    home.woke(WakeCause::Foreground, None).unwrap();
    let outcome = home.sync(30_000).unwrap();
    assert_eq!(outcome.stopped, SyncStop::Done);
    outcome
}

fn names(group: &GroupView) -> Vec<String> {
    let mut names: Vec<String> = group.members.iter().map(|it| it.name.clone()).collect();
    names.sort();
    names
}

struct Scene {
    _data: TempDir,
    stage: Stage,
}

impl Scene {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        Self {
            stage: Stage::start(data.path()).unwrap(),
            _data: data,
        }
    }

    fn leader(&self) -> (Phone, Arc<Homeline>) {
        let (phone, home) = Phone::of(self.stage.values(), "王导", "E00000000");
        consent(&home);
        (phone, home)
    }

    fn group(&self) -> GroupView {
        let mut groups = self.stage.ministry.groups().unwrap();
        assert_eq!(groups.len(), 1);
        groups.remove(0)
    }

    /// The keys that an officer's app has taken from the service document.
    fn receipt_keys(&self) -> Vec<Vec<u8>> {
        vec![self.stage.ministry.receipt_key()]
    }
}

#[test]
fn a_tour_group_of_twenty_is_made_offline_and_uploaded_once() {
    let scene = Scene::new();
    scene.stage.network(Network::Down);
    let values = scene.stage.values();
    let (leaders_phone, mut leader) = scene.leader();
    let id = leader.groups().create(tour("丝路之旅")).unwrap();
    let invitation = leader.groups().invitation(id.clone()).unwrap();

    let members: Vec<(Phone, Arc<Homeline>)> = (1..=20)
        .map(|n| Phone::of(values, &format!("团员{n:02}"), &format!("E1000{n:04}")))
        .collect();
    let view = members[0]
        .1
        .groups()
        .read_invitation(invitation.clone())
        .unwrap();
    assert_eq!(view.group, id);
    assert_eq!(view.details, tour("丝路之旅"));
    assert_eq!(view.state, InvitationState::Open);
    assert_eq!(
        view.shares,
        [
            SharedDetail::Name,
            SharedDetail::Phone,
            SharedDetail::Document
        ]
    );
    let entry = join(&members[0].1, &invitation).len();
    println!(
        "{{\"invitation_chars\":{},\"entry_chars\":{entry}}}",
        invitation.len()
    );
    for (n, (_, home)) in members.iter().enumerate() {
        let entry = join(home, &invitation);
        assert!(matches!(add(&leader, &entry), AddOutcome::Added { .. }));
        if n == 9 {
            // The leader's phone is started anew in the middle of it.
            drop(leader);
            leader = leaders_phone.open();
        }
        assert!(matches!(add(&leader, &entry), AddOutcome::AlreadyIn { .. }));
    }
    let state = leader.groups().list().unwrap().remove(0).state;
    assert_eq!(
        state,
        GroupState::Led {
            members: 20,
            handed_over: false
        }
    );
    assert_eq!(leader.sync(5_000).unwrap().stopped, SyncStop::Offline);
    // What waits is replaced, not added to.
    let child = Traveler {
        name: "小宝".into(),
        ..Traveler::default()
    };
    let added = leader.groups().add_by_hand(id.clone(), child).unwrap();
    assert!(matches!(added, AddOutcome::Added { .. }));

    scene.stage.network(Network::Up);
    // The leader's own profile and the group: one envelope, one receipt each.
    assert_eq!(sync(&leader).sent, 2);
    assert_eq!(sync(&leader).sent, 0);
    let group = scene.group();
    assert_eq!(group.id.to_string(), id);
    assert_eq!(
        (group.members.len(), group.unverified, group.left),
        (21, 0, 0)
    );
    assert_eq!(group.members.iter().filter(|it| it.signed).count(), 20);
    let signed = group.members.iter().find(|it| it.name == "团员07").unwrap();
    assert_eq!(signed.document_number.as_deref(), Some("E10000007"));

    // One leaves through the leader, one by the own phone alone.
    let leave = members[2].1.groups().leave(id.clone()).unwrap();
    assert!(matches!(
        add(&leader, &leave),
        AddOutcome::Left { member: Some(_) }
    ));
    members[4].1.groups().leave(id.clone()).unwrap();
    assert_eq!(sync(&members[4].1).sent, 1, "without any consent");
    assert!(!names(&scene.group()).contains(&"团员05".to_owned()));
    sync(&leader);
    let group = scene.group();
    // The leader's list still has the fifth: the member's own word wins.
    assert_eq!(leader.groups().members(id.clone()).unwrap().len(), 20);
    assert_eq!((group.members.len(), group.left), (19, 2));
    assert!(!names(&group).contains(&"团员03".to_owned()));
    assert!(!names(&group).contains(&"团员05".to_owned()));
    let state = members[4].1.groups().list().unwrap().remove(0).state;
    assert_eq!(state, GroupState::Left);
}

#[test]
fn nobody_is_in_twice() {
    let scene = Scene::new();
    let values = scene.stage.values();
    let (_leaders, leader) = scene.leader();
    let groups = leader.groups();
    let id = groups.create(tour("团")).unwrap();
    let invitation = groups.invitation(id.clone()).unwrap();
    let count = || groups.members(id.clone()).unwrap().len();

    // By hand first, then by two phones of the same person.
    let outcome = groups.add_by_hand(id.clone(), traveler("李伟", "E 1234567"));
    let AddOutcome::Added { member } = outcome.unwrap() else {
        panic!("not added");
    };
    let (_one, one) = Phone::of(values, "李伟", "E1234567");
    let (_two, two) = Phone::of(values, "Li Wei", "e1234567");
    let first = join(&one, &invitation);
    let same = AddOutcome::AlreadyIn {
        member: member.clone(),
    };
    assert_eq!(add(&leader, &first), same);
    assert_eq!(add(&leader, &join(&two, &invitation)), same);
    let again = groups.add_by_hand(id.clone(), traveler("李伟", "E1234567"));
    assert_eq!(again.unwrap(), same);
    assert_eq!(count(), 1);
    assert_eq!(
        groups.members(id.clone()).unwrap()[0].origin,
        MemberOrigin::Phone
    );

    // The same phone again is an update, and the older text is a replay.
    one.registration()
        .save(traveler("李维", "E1234567"))
        .unwrap();
    let newer = join(&one, &invitation);
    let updated = AddOutcome::Updated {
        member: member.clone(),
    };
    assert_eq!(add(&leader, &newer), updated);
    refused(groups.add(first.clone()), "entry.serial", Problem::Stale);
    assert_eq!(groups.members(id.clone()).unwrap()[0].name, "李维");
    sync(&leader);
    assert_eq!(names(&scene.group()), ["李维"]);

    // Who has left comes back by an own entry only.
    let leave = one.groups().leave(id.clone()).unwrap();
    assert_eq!(one.groups().leave(id.clone()).unwrap(), leave);
    for _ in 0..2 {
        let left = AddOutcome::Left {
            member: Some(member.clone()),
        };
        assert_eq!(add(&leader, &leave), left);
    }
    assert_eq!(count(), 0);
    refused(groups.add(newer), "entry.serial", Problem::Stale);
    refused(groups.add(first), "entry.serial", Problem::Stale);
    let by_hand = groups.add_by_hand(id.clone(), traveler("李伟", "E1234567"));
    refused(by_hand, "member", Problem::Stale);
    sync(&leader);
    assert_eq!(names(&scene.group()), Vec::<String>::new());
    let back = join(&one, &invitation);
    let added = AddOutcome::Added { member };
    assert_eq!(add(&leader, &back), added);
    refused(groups.add(leave), "leave.serial", Problem::Stale);
    sync(&leader);
    assert_eq!(names(&scene.group()), ["李维"]);
}

#[test]
fn a_text_for_somebody_else_or_too_late_is_refused_by_name() {
    let scene = Scene::new();
    let values = scene.stage.values();
    let (_leaders, leader) = scene.leader();
    let (_others, other) = scene.leader();
    let groups = leader.groups();
    let id = groups.create(tour("团")).unwrap();
    let invitation = groups.invitation(id.clone()).unwrap();
    let (_phone, member) = Phone::of(values, "李伟", "E1234567");
    let entry = join(&member, &invitation);

    // Another leader can neither read it nor has such a group.
    refused(
        other.groups().add(entry.clone()),
        "entry.recipient",
        Problem::Foreign,
    );
    let leave = member.groups().leave(id.clone()).unwrap();
    refused(
        other.groups().add(leave.clone()),
        "leave.group",
        Problem::Foreign,
    );
    // Kinds are not taken for each other.
    refused(groups.add(invitation.clone()), "entry", Problem::Malformed);
    let wrong = member.groups().read_invitation(entry.clone());
    refused(wrong, "invitation", Problem::Malformed);
    refused(
        member.groups().join(leave.clone(), "1".into()),
        "invitation",
        Problem::Malformed,
    );
    refused(groups.add("A".repeat(1_000_000)), "entry", Problem::TooLong);
    refused(groups.add(String::new()), "entry", Problem::Malformed);
    // A leave that comes first keeps the older entry out.
    assert_eq!(add(&leader, &leave), AddOutcome::Left { member: None });
    refused(groups.add(entry), "entry.serial", Problem::Stale);
    // A closed group takes nobody in.
    let entry = join(&member, &invitation);
    groups.close(id.clone()).unwrap();
    refused(groups.add(entry), "group.closed", Problem::Expired);
    refused(
        groups.invitation(id.clone()),
        "group.closed",
        Problem::Expired,
    );
    for gone in [
        groups.invitation("x".into()).map(|_| ()),
        groups.close(id.replace('8', "9")),
    ] {
        assert!(matches!(gone, Err(HomelineError::NotFound { .. })));
    }
}

#[test]
fn an_old_invitation_brings_nobody_in() {
    let scene = Scene::new();
    let values = scene.stage.values();
    let clock = Arc::new(Shifted(AtomicI64::new(0)));
    let leaders = Phone::new(values);
    let leader = leaders.open_at(Some(Arc::<Shifted>::clone(&clock)));
    let id = leader.groups().create(tour("团")).unwrap();
    let invitation = leader.groups().invitation(id.clone()).unwrap();
    let (_one, one) = Phone::of(values, "李伟", "E1234567");
    let (_two, two) = Phone::of(values, "张三", "E7654321");
    assert!(matches!(
        add(&leader, &join(&one, &invitation)),
        AddOutcome::Added { .. }
    ));
    let late = join(&two, &invitation);

    clock.0.store(31 * 24 * 3_600_000, Ordering::SeqCst);
    refused(
        leader.groups().add(late.clone()),
        "invitation.expires",
        Problem::Expired,
    );
    // Who is in may bring newer details.
    assert!(matches!(
        add(&leader, &join(&one, &invitation)),
        AddOutcome::Updated { .. }
    ));
    // On the member's phone too it is over.
    let view = leader.groups().read_invitation(invitation.clone()).unwrap();
    assert_eq!(view.state, InvitationState::Expired);
    leader.registration().save(traveler("王导", "E1")).unwrap();
    let joined = leader.groups().join(invitation, "1".into());
    refused(joined, "invitation.expires", Problem::Expired);
    // A new invitation makes it good again.
    leader.groups().invitation(id).unwrap();
    assert!(matches!(add(&leader, &late), AddOutcome::Added { .. }));
}

#[test]
fn an_altered_text_is_refused_wherever_it_is_altered() {
    let scene = Scene::new();
    let values = scene.stage.values();
    let (_leaders, leader) = scene.leader();
    let id = leader.groups().create(tour("团")).unwrap();
    let invitation = leader.groups().invitation(id.clone()).unwrap();
    let (_phone, member) = Phone::of(values, "李伟", "E1234567");
    let entry = join(&member, &invitation);
    let leave = member.groups().leave(id.clone()).unwrap();
    let altered = |text: &str, at: usize| -> String {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    for text in [&entry, &leave] {
        for at in 0..text.len() {
            let outcome = leader.groups().add(altered(text, at));
            assert!(
                matches!(outcome, Err(HomelineError::Invalid { .. })),
                "{at}"
            );
            assert!(
                leader
                    .groups()
                    .add(text.chars().take(at).collect())
                    .is_err(),
                "cut at {at}"
            );
        }
    }
    for at in 0..invitation.len() {
        let outcome = member.groups().read_invitation(altered(&invitation, at));
        assert!(
            matches!(outcome, Err(HomelineError::Invalid { .. })),
            "{at}"
        );
    }
    assert_eq!(leader.groups().members(id.clone()).unwrap().len(), 0);
    // What a messenger or a scanner does to it does no harm.
    let (head, tail) = entry.split_at(100);
    let lower = format!("我的报名：https://example.org/?t={head}\r\n> {tail}.",).to_lowercase();
    let folded = lower
        .replace("\r\n> ", "\r\n \u{200b}\u{feff}")
        .replace(':', "%3a");
    assert!(matches!(add(&leader, &folded), AddOutcome::Added { .. }));
}

#[test]
fn without_the_leaders_consent_no_group_leaves_the_phone() {
    let scene = Scene::new();
    let values = scene.stage.values();
    let leaders = Phone::new(values);
    let leader = leaders.open();
    let id = leader.groups().create(tour("团")).unwrap();
    consent(&leader);
    assert_eq!(sync(&leader).sent, 0, "nobody has come yet");
    let invitation = leader.groups().invitation(id.clone()).unwrap();
    let (_phone, member) = Phone::of(values, "李伟", "E1234567");
    add(&leader, &join(&member, &invitation));
    scene.stage.network(Network::Down);
    leader.sync(5_000).unwrap();
    leader.consents().withdraw(Purpose::Register).unwrap();
    scene.stage.network(Network::Up);
    let outcome = sync(&leader);
    assert_eq!((outcome.sent, outcome.without_consent), (0, true));
    assert!(scene.stage.ministry.groups().unwrap().is_empty());
    consent(&leader);
    assert_eq!(sync(&leader).sent, 1);
    assert_eq!(names(&scene.group()), ["李伟"]);
    // Given anew, what has arrived is not sent twice.
    leader.consents().withdraw(Purpose::Register).unwrap();
    consent(&leader);
    assert_eq!(sync(&leader).sent, 0);
    let member = leader.groups().members(id.clone()).unwrap().remove(0).id;
    leader
        .groups()
        .remove_member(id.clone(), member.clone())
        .unwrap();
    let gone = leader.groups().remove_member(id, member);
    assert!(matches!(gone, Err(HomelineError::NotFound { .. })));
    sync(&leader);
    assert!(names(&scene.group()).is_empty());
}

#[test]
fn a_crash_between_record_and_outbox_repeats_the_same_envelope() {
    let scene = Scene::new();
    let values = scene.stage.values();
    let (leaders, leader) = scene.leader();
    let id = leader.groups().create(tour("团")).unwrap();
    let invitation = leader.groups().invitation(id.clone()).unwrap();
    let (_phone, member) = Phone::of(values, "李伟", "E1234567");
    add(&leader, &join(&member, &invitation));
    assert_eq!(sync(&leader).sent, 2);
    // The record of before that pass comes back: it does not know that the group
    // was handed over.
    drop(leader);
    let files = leaders.files();
    let before = tempfile::tempdir().unwrap();
    let leader = leaders.open();
    leader
        .groups()
        .add_by_hand(id.clone(), traveler("张三", "E7654321"))
        .unwrap();
    leader.pause().unwrap();
    drop(leader);
    std::fs::copy(files.join("record.db"), before.path().join("record.db")).unwrap();
    let leader = leaders.open();
    scene.stage.network(Network::Swallow);
    leader.network_changed().unwrap();
    leader.sync(5_000).unwrap();
    leader.pause().unwrap();
    drop(leader);
    for name in ["record.db-wal", "record.db-shm"] {
        let _ = std::fs::remove_file(files.join(name));
    }
    std::fs::copy(before.path().join("record.db"), files.join("record.db")).unwrap();
    scene.stage.network(Network::Up);
    let leader = leaders.open();
    let outcome = sync(&leader);
    assert_eq!(
        (outcome.sent, outcome.duplicates),
        (1, 1),
        "one envelope, the same"
    );
    assert_eq!(names(&scene.group()), ["张三", "李伟"]);
}

fn card(home: &Homeline) -> Option<RegistrationCard> {
    home.registration().card().unwrap()
}

#[test]
fn a_card_comes_is_verified_offline_renewed_and_ended() {
    let scene = Scene::new();
    let keys = scene.receipt_keys();
    let (phone, home) = Phone::of(scene.stage.values(), "李伟", "E1234567");
    assert_eq!(card(&home), None);
    consent(&home);
    sync(&home);
    let first = card(&home).unwrap();
    assert_eq!(first.card.name, "李伟");
    assert_eq!(first.card.document_end.as_deref(), Some("4567"));
    assert!(first.card.number.starts_with("R-") && first.card.number.len() == 11);

    println!("{{\"card_chars\":{}}}", first.text.len());

    let now_ms = first.card.issued_ms + 1;
    let view = verify_card(first.text.clone(), keys.clone(), now_ms).unwrap();
    assert_eq!((&view, view.state), (&first.card, CardState::Valid));
    let late = verify_card(
        first.text.clone(),
        keys.clone(),
        first.card.valid_until_ms + 1,
    );
    assert_eq!(late.unwrap().state, CardState::Expired);
    let foreign = verify_card(first.text.clone(), vec![vec![7; 32], vec![]], now_ms);
    refused(foreign, "card.key", Problem::Foreign);
    for at in 0..first.text.len() {
        let mut bytes = first.text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'Q' { b'R' } else { b'Q' };
        let altered = String::from_utf8(bytes).unwrap();
        let outcome = verify_card(altered, keys.clone(), now_ms);
        assert!(
            matches!(outcome, Err(HomelineError::Invalid { .. })),
            "{at}"
        );
    }

    // It is there with no network, after a restart.
    scene.stage.network(Network::Down);
    drop(home);
    let home = phone.open();
    assert_eq!(card(&home), Some(first.clone()));
    scene.stage.network(Network::Up);
    // What the card does not say changes nothing.
    let mut changed = traveler("李伟", "E1234567");
    changed.phone = Some("12308".into());
    home.registration().save(changed).unwrap();
    sync(&home);
    assert_eq!(card(&home), Some(first.clone()));
    home.registration()
        .save(traveler("李维", "E1234567"))
        .unwrap();
    sync(&home);
    let second = card(&home).unwrap();
    assert_eq!(second.card.name, "李维");
    assert_eq!(second.card.number, first.card.number);
    assert_ne!(second.text, first.text);

    home.registration().remove().unwrap();
    assert_eq!(card(&home), None, "at once");
    sync(&home);
    home.registration()
        .save(traveler("李维", "E1234567"))
        .unwrap();
    assert_eq!(card(&home), None, "the ministry has ended it");
    sync(&home);
    assert_eq!(card(&home).unwrap().card.number, first.card.number);
}

#[test]
fn a_card_that_comes_while_the_record_is_locked_is_not_lost() {
    let scene = Scene::new();
    let base = tempfile::tempdir().unwrap();
    let vault = LockableVault::open(&base.path().join("vault.key"), false).unwrap();
    let open = || {
        let config = stage::config(scene.stage.values(), &base.path().join("files"));
        Homeline::open(config, Arc::<LockableVault>::clone(&vault), None, None).unwrap()
    };
    let home = open();
    home.registration()
        .save(traveler("李伟", "E1234567"))
        .unwrap();
    consent(&home);
    // The ministry hears it; the phone hears nothing of that.
    scene.stage.network(Network::Swallow);
    home.sync(5_000).unwrap();
    drop(home);
    scene.stage.network(Network::Up);
    vault.set_locked(true);
    let home = open();
    assert_eq!(home.state().unwrap().record, RecordState::Locked);
    sync(&home);
    assert_eq!(home.registration().card(), Err(HomelineError::Locked));
    // The process ends before the unlock: the feed does not bring it again.
    drop(home);
    vault.set_locked(false);
    scene.stage.network(Network::Down);
    let home = open();
    // A pass without a network brings in what waited for the unlock.
    home.sync(5_000).unwrap();
    assert_eq!(card(&home).unwrap().card.name, "李伟");
}
