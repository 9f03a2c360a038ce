//! Files of a newer version, another vault, another key.

use std::fs;
use std::sync::Arc;

use super::testing::{Phone, Tables, contact, everything, filled, fix};
use super::*;
use crate::Homeline;
use crate::homeline::Waiting;
use crate::keys::{FileVault, VaultError};
use crate::sos::{OnRepeat, SosKind, SosRequest};

fn bytes(phone: &Phone, names: &[&str]) -> Vec<Option<Vec<u8>>> {
    let read = |name: &&str| fs::read(phone.file(name)).ok();
    names.iter().map(read).collect()
}

fn press(home: &Homeline) -> String {
    let mut request = SosRequest::new(SosKind::Medical);
    request.on_repeat = Some(OnRepeat::NewReport);
    home.sos().press(request).unwrap()
}

fn rows(phone: &Phone) -> Tables {
    let record = phone.record();
    assert_eq!(record.open(), RecordState::Open);
    record.read(everything).unwrap()
}

const NEWER: &str = "ALTER TABLE field ADD COLUMN told_of TEXT;
    CREATE TABLE novelty (id INTEGER PRIMARY KEY) STRICT;
    INSERT INTO novelty VALUES (7);
    PRAGMA user_version = 99;";

/// The newer version's changes are in the file itself, or still in its log.
#[test]
fn a_record_of_a_newer_version_is_read_and_not_a_byte_of_it_changes() {
    for in_log in [false, true] {
        let phone = filled(50);
        let connection = phone.sqlite();
        connection
            .query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
            .unwrap();
        connection.execute_batch(NEWER).unwrap();
        let phone = if in_log {
            phone.copy()
        } else {
            drop(connection);
            phone
        };
        let files = ["record.db", "record.db-wal", "record.key"];
        let before = bytes(&phone, &files);
        assert_eq!(before[1].is_some(), in_log);

        let home = phone.home();
        let state = home.state().unwrap();
        let known = u32::try_from(NEWEST).unwrap();
        assert_eq!(state.record, RecordState::UpdateNeeded { file: 99, known });
        assert!(home.registration().traveler().unwrap().is_some());
        assert_eq!(home.contacts().list().unwrap().len(), 90);
        let too_new = HomelineError::from(StorageProblem::TooNew);
        for refused in [
            home.contacts().add(contact(1)).map(|_| ()),
            home.whereabouts().record(fix(1)),
            home.registration().remove(),
            home.rotate_key().map(|_| ()),
        ] {
            assert_eq!(refused, Err(too_new.clone()));
        }
        let report = press(&home);
        let summary = &home.sos().reports().unwrap()[0];
        assert_eq!(
            (&summary.report, summary.kind),
            (&report, Some(SosKind::Medical))
        );
        home.sync(500).unwrap();
        home.pause().unwrap();
        home.reopen().unwrap();
        drop(home);
        assert!(before == bytes(&phone, &files), "in the log: {in_log}");
    }
}

#[test]
fn an_outbox_of_a_newer_version_gives_way_with_its_reports() {
    let phone = filled(0);
    let home = phone.home();
    let reports = home.sos().reports().unwrap().len();
    drop(home);
    let connection = rusqlite::Connection::open(phone.file("outbox.db")).unwrap();
    connection
        .execute_batch(
            "ALTER TABLE envelope ADD COLUMN channel INTEGER NOT NULL DEFAULT 3;
             CREATE TABLE novelty (id INTEGER PRIMARY KEY) STRICT;
             PRAGMA user_version = 99;",
        )
        .unwrap();
    drop(connection);
    let home = phone.home();
    press(&home);
    assert_eq!(home.sos().reports().unwrap().len(), reports + 1);
    let state = home.state().unwrap();
    let Waiting::Known { waiting, parked: 0 } = state.outbox else {
        panic!("{:?}", state.outbox);
    };
    // Each report, and the envelope that says who calls.
    assert_eq!(usize::try_from(waiting).unwrap(), reports + 2);
    assert_eq!(state.recovered.len(), 1);
    assert_eq!(
        (
            state.recovered[0].file.as_str(),
            state.recovered[0].unreadable_pages
        ),
        ("outbox.db", 0)
    );
    assert!(
        state
            .set_aside
            .iter()
            .any(|file| file.starts_with("outbox.db.aside-"))
    );
    assert_eq!(home.dismiss_recoveries().unwrap().recovered, vec![]);
}

#[test]
fn after_a_change_of_vault_the_new_one_opens_all_and_the_old_one_nothing() {
    let phone = filled(50);
    let home = phone.home();
    let new = phone.other_vault("new.key");
    assert_eq!(
        home.change_vault(new.clone()).unwrap().record,
        RecordState::Open
    );
    // The running object goes on with it.
    home.contacts().add(contact(999)).unwrap();
    home.pause().unwrap();
    assert_eq!(home.reopen().unwrap().record, RecordState::Open);
    drop(home);

    let home = phone.home_with(new.clone());
    assert_eq!(home.state().unwrap().record, RecordState::Open);
    assert_eq!(home.contacts().list().unwrap().len(), 91);
    assert!(
        home.sos()
            .reports()
            .unwrap()
            .iter()
            .all(|report| report.kind.is_some())
    );
    drop(home);

    let key = |vault: &FileVault| {
        let file = SecretFile::new(phone.directory.path(), KeyPurpose::Device);
        let secrets = file.load_or_create(vault).unwrap().all();
        secrets.unwrap().remove(0)
    };
    let device = key(&new);
    // Twice: a wrong vault costs the device nothing, its key is taken back.
    for _ in 0..2 {
        let home = phone.home();
        assert_eq!(home.state().unwrap().record, RecordState::KeyLost);
        press(&home);
        drop(home);
        let home = phone.home_with(new.clone());
        assert_eq!(home.state().unwrap().record, RecordState::Open);
        assert!(device == key(&new));
    }
}

/// A vault that fails from a call on: the process killed there would leave the
/// same files.
struct Fails {
    inner: Arc<FileVault>,
    calls: std::sync::atomic::AtomicU32,
    error: VaultError,
}

impl Fails {
    fn check(&self) -> std::result::Result<(), VaultError> {
        use std::sync::atomic::Ordering::SeqCst;
        let left = self
            .calls
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        left.map(|_| ()).map_err(|_| self.error.clone())
    }
}

impl KeyVault for Fails {
    fn wrap(
        &self,
        purpose: KeyPurpose,
        secret: Vec<u8>,
    ) -> std::result::Result<Vec<u8>, VaultError> {
        self.check()?;
        self.inner.wrap(purpose, secret)
    }

    fn unwrap(
        &self,
        purpose: KeyPurpose,
        wrapped: Vec<u8>,
    ) -> std::result::Result<Vec<u8>, VaultError> {
        self.check()?;
        self.inner.unwrap(purpose, wrapped)
    }
}

#[test]
fn a_change_of_vault_cut_off_anywhere_loses_nothing_and_can_be_repeated() {
    let filled = filled(20);
    let before = rows(&filled);
    for calls in 0..40u32 {
        let phone = filled.copy();
        let home = phone.home();
        let new = phone.other_vault("new.key");
        let failing = Arc::new(Fails {
            inner: Arc::clone(&new),
            calls: calls.into(),
            error: VaultError::Failed,
        });
        let changed = home.change_vault(failing);
        drop(home);
        let device = SecretFile::new(phone.directory.path(), KeyPurpose::Device);
        let opens = |vault: &FileVault| {
            let record = Record::new(
                phone.directory.path(),
                Arc::new(CurrentVault::new(phone.other_vault("other"))),
                Time::new(None),
                Policy::STANDARD,
            );
            record.secret.load_or_create(vault).unwrap().all().is_ok()
                && device.load_or_create(vault).unwrap().all().is_ok()
        };
        let (by_old, by_new) = (opens(&phone.vault()), opens(&new));
        assert!(by_old || by_new, "after {calls} calls");
        if changed.is_ok() {
            assert_eq!((by_old, by_new), (false, true));
            assert!(calls > 5, "the change makes more calls than that");
            return;
        }
        // Another try, by the vault that opens now.
        let vault = if by_old {
            phone.vault()
        } else {
            Arc::clone(&new)
        };
        let home = phone.home_with(vault);
        home.change_vault(new.clone()).unwrap();
        drop(home);
        assert_eq!((opens(&phone.vault()), opens(&new)), (false, true));
        let record = Record::new(
            phone.directory.path(),
            Arc::new(CurrentVault::new(new)),
            Time::new(None),
            Policy::STANDARD,
        );
        assert_eq!(record.open(), RecordState::Open);
        assert_eq!(record.read(everything).unwrap(), before);
    }
    panic!("it never succeeded");
}

/// A vault that gives back another secret than it was given.
struct Lying(Arc<FileVault>);

impl KeyVault for Lying {
    fn wrap(
        &self,
        purpose: KeyPurpose,
        secret: Vec<u8>,
    ) -> std::result::Result<Vec<u8>, VaultError> {
        self.0.wrap(purpose, secret)
    }

    fn unwrap(
        &self,
        purpose: KeyPurpose,
        wrapped: Vec<u8>,
    ) -> std::result::Result<Vec<u8>, VaultError> {
        let mut secret = self.0.unwrap(purpose, wrapped)?;
        secret[0] ^= 1;
        Ok(secret)
    }
}

#[test]
fn a_vault_that_cannot_give_back_what_it_took_is_not_taken() {
    let phone = filled(20);
    let files = ["record.key", "device.key"];
    let before = bytes(&phone, &files);
    let home = phone.home();
    let lying = Arc::new(Lying(phone.other_vault("new.key")));
    assert_eq!(
        home.change_vault(lying).unwrap_err(),
        HomelineError::KeyLost
    );
    assert!(before == bytes(&phone, &files));
    home.pause().unwrap();
    assert_eq!(home.reopen().unwrap().record, RecordState::Open);
}

#[test]
fn after_a_rotation_every_row_is_there_and_the_old_key_opens_nothing() {
    let phone = filled(500);
    let old = phone.secret();
    let home = phone.home();
    drop(home);
    let before = rows(&phone);
    let version = |phone: &Phone| -> i64 {
        let sql = "SELECT user_version FROM pragma_user_version";
        phone.sqlite().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let (old_key, old_version) = (fs::read(phone.file("record.key")).unwrap(), version(&phone));

    let home = phone.home();
    assert_eq!(home.rotate_key().unwrap().record, RecordState::Open);
    drop(home);
    assert_eq!(rows(&phone), before);
    // The object goes on.
    let home = phone.home();
    let added = home.contacts().add(contact(2)).unwrap();
    let listed = home.contacts().list().unwrap();
    assert!(listed.iter().any(|saved| saved.id == added));
    drop(home);
    assert_eq!(version(&phone), old_version);
    assert!(!phone.file("record.db.partial").exists());
    assert!(phone.secret() != old);
    assert_eq!(
        fs::read(phone.file("record.key")).unwrap()[0],
        1,
        "one secret"
    );

    // Somebody who kept the old key file, and the vault.
    assert!(!codec::fits(&phone.file("record.db"), &old));
    fs::write(phone.file("record.key"), old_key).unwrap();
    let refused = connection::open(&phone.file("record.db"), &old, &Policy::STANDARD);
    assert!(matches!(
        refused.map(|_| ()),
        Err(HomelineError::Storage {
            problem: StorageProblem::Damaged
        })
    ));
}

/// What a kill leaves after each step of a rotation.
#[test]
fn a_rotation_cut_off_after_any_step_is_ended_by_the_next_start() {
    let filled = filled(100);
    let before = rows(&filled);
    for step in 0..4 {
        let phone = filled.copy();
        let (old, next) = (phone.secret(), new_secret().unwrap());
        let key = SecretFile::new(phone.directory.path(), KeyPurpose::Record);
        let path = phone.file("record.db");
        // 0: the key file holds both.
        key.store(phone.vault().as_ref(), &[&old, &next]).unwrap();
        if step == 1 {
            // A part of the copy.
            fs::write(phone.file("record.db.partial"), vec![3; 9_000]).unwrap();
        }
        if step >= 2 {
            let Ok(Opened::ReadWrite(connection)) =
                connection::open(&path, &old, &Policy::STANDARD)
            else {
                panic!("it opens");
            };
            rotation::re_encrypt(connection, &path, &next).unwrap();
        }
        if step == 3 {
            key.store(phone.vault().as_ref(), &[&next]).unwrap();
        }
        assert_eq!(rows(&phone), before, "step {step}");
        let expected = if step >= 2 { next } else { old };
        assert!(phone.secret() == expected, "step {step}");
        assert_eq!(
            fs::read(phone.file("record.key")).unwrap()[0],
            1,
            "step {step}"
        );
        assert!(!phone.file("record.db.partial").exists(), "step {step}");
        assert!(
            phone.home().state().unwrap().set_aside.is_empty(),
            "step {step}"
        );
    }
}

/// The same for a recovery: the new file whole, and nothing else done yet; or the
/// log set aside already, or the damaged file too.
#[test]
fn a_recovery_cut_off_after_any_step_is_ended_by_the_next_start() {
    let filled = filled(100);
    let before = rows(&filled);
    for step in 0..3 {
        let phone = filled.copy();
        let path = phone.file("record.db");
        fs::copy(&path, phone.file("record.db.next")).unwrap();
        phone.damage(3);
        fs::write(phone.file("record.db.partial"), vec![3; 9_000]).unwrap();
        if step == 0 {
            fs::write(phone.file("record.db-wal"), "its log").unwrap();
        }
        if step == 2 {
            fs::rename(&path, phone.file("record.db.aside-1")).unwrap();
        }
        assert_eq!(rows(&phone), before, "step {step}");
        let state = phone.home().state().unwrap();
        assert_eq!(state.set_aside.len(), 1, "step {step}");
        for gone in ["record.db.partial", "record.db.next"] {
            assert!(!phone.file(gone).exists(), "step {step}");
        }
    }
}
