//! The traveler decides: who consented to what, and what leaves under it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::time::{SystemTime, UNIX_EPOCH};

use homeline::health::WakeCause;
use homeline::registration::{ConsentGiven, Guardian, Purpose, Traveler};
use homeline::sync::SyncOutcome;
use homeline::sync::protocol::Crisis;
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline::{Homeline, HomelineError};
use homeline_tests::scene::Scene;
use homeline_tests::stage::Network;

fn positions(scene: &Scene) -> u64 {
    scene.stage.ministry.holdings().unwrap().positions
}

/// The phone takes the next service document that it is given.
fn forget_service(scene: &Scene) {
    let file = scene.files().join("outbox.db");
    let outbox = rusqlite::Connection::open(file).unwrap();
    outbox
        .execute("DELETE FROM meta WHERE key = 'service_ms'", [])
        .unwrap();
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

fn fix(latitude: f64, time_ms: i64) -> Fix {
    let position = Position::Wgs84 {
        latitude,
        longitude: 36.16,
    };
    Fix {
        accuracy_m: Some(10.0),
        ..Fix::new(position, time_ms, FixSource::Gnss)
    }
}

fn earthquake(since_ms: i64) -> Crisis {
    Crisis {
        id: "2026-tr-quake".into(),
        latitude: 36.2,
        longitude: 36.16,
        radius_m: 50_000.0,
        since_ms,
    }
}

fn give(home: &Homeline, purpose: Purpose) {
    home.consents().give(purpose, "2026-01".into()).unwrap();
}

fn sync(home: &Homeline) -> SyncOutcome {
    home.network_changed().unwrap();
    home.woke(WakeCause::Foreground, None).unwrap();
    home.sync(20_000).unwrap()
}

#[test]
fn the_ledger_says_who_consented_to_what_in_which_words() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    for purpose in Purpose::ALL {
        give(&home, purpose);
        assert!(home.consents().in_force(purpose).unwrap());
        home.consents().withdraw(purpose).unwrap();
        home.consents().withdraw(purpose).unwrap();
        assert!(!home.consents().in_force(purpose).unwrap());
    }
    home.consents()
        .give_as(ConsentGiven {
            purpose: Purpose::Family,
            text_version: " 2026-02 ".into(),
            language: "ug-Arab".into(),
            guardian: None,
            subject: None,
        })
        .unwrap();
    drop(home);
    let list = scene.open().unwrap().consents().list().unwrap();
    assert_eq!(list.len(), 8);
    assert!(
        list[..7]
            .iter()
            .all(|row| row.withdrawn_ms >= Some(row.given_ms))
    );
    let last = list.last().unwrap();
    assert_eq!((last.purpose, last.withdrawn_ms), (Purpose::Family, None));
    assert_eq!(last.text_version, "2026-02");
    assert_eq!(last.language, "ug-Arab");
}

#[test]
fn bad_input_names_the_field_and_a_locked_record_says_so() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    let good = ConsentGiven {
        purpose: Purpose::Register,
        text_version: "1".into(),
        language: String::new(),
        guardian: None,
        subject: None,
    };
    let guardian = |name: &str, relation: &str| {
        Some(Guardian {
            name: name.into(),
            relation: relation.into(),
        })
    };
    let cases = [
        (
            ConsentGiven {
                text_version: " ".into(),
                ..good.clone()
            },
            "text_version",
        ),
        (
            ConsentGiven {
                language: "中文".into(),
                ..good.clone()
            },
            "consent.language",
        ),
        (
            ConsentGiven {
                guardian: guardian("", "mother"),
                ..good.clone()
            },
            "consent.guardian.name",
        ),
        (
            ConsentGiven {
                guardian: guardian("王芳", "\0"),
                ..good.clone()
            },
            "consent.guardian.relation",
        ),
    ];
    for (given, field) in cases {
        let given = home.consents().give_as(given);
        assert!(
            matches!(&given, Err(HomelineError::Invalid { field: named, .. }) if named == field),
            "{field}: {given:?}"
        );
    }
    let stranger = ConsentGiven {
        subject: Some("nobody".into()),
        ..good
    };
    let refused = home.consents().give_as(stranger);
    assert!(matches!(refused, Err(HomelineError::NotFound { .. })));
    assert_eq!(home.consents().list().unwrap(), []);
    drop(home);
    scene.vault.set_locked(true);
    let home = scene.open().unwrap();
    let text = "1".to_owned();
    assert_eq!(
        home.consents().give(Purpose::Media, text),
        Err(HomelineError::Locked)
    );
    assert_eq!(
        home.consents().withdraw(Purpose::Media),
        Err(HomelineError::Locked)
    );
}

#[test]
fn in_a_crisis_only_positions_inside_it_since_its_beginning_leave() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    let now = now_ms();
    let hour = 3_600_000;
    // Before the consent: never.
    home.whereabouts().record(fix(36.2, now)).unwrap();
    give(&home, Purpose::WhereaboutsInCrisis);
    home.whereabouts()
        .record_all(vec![
            fix(36.20, now - 2 * hour), // before it began
            fix(36.21, now - hour / 2), // inside
            fix(41.00, now - hour / 2), // far away
        ])
        .unwrap();
    sync(&home);
    assert_eq!(positions(&scene), 0, "no crisis is declared");

    scene
        .stage
        .ministry
        .declare_crisis(&earthquake(now - hour))
        .unwrap();
    forget_service(&scene);
    sync(&home);
    assert_eq!(positions(&scene), 1, "the pass that hears of it sends");
    home.whereabouts()
        .record_all(vec![fix(36.25, now), fix(38.0, now)])
        .unwrap();
    sync(&home);
    assert_eq!(positions(&scene), 2);

    assert!(scene.stage.ministry.end_crisis("2026-tr-quake").unwrap());
    assert!(!scene.stage.ministry.end_crisis("2026-tr-quake").unwrap());
    forget_service(&scene);
    sync(&home);
    home.whereabouts().record(fix(36.25, now)).unwrap();
    sync(&home);
    assert_eq!(positions(&scene), 2, "it is over");
}

#[test]
fn a_withdrawal_during_a_crisis_takes_effect_at_once() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    let now = now_ms();
    scene
        .stage
        .ministry
        .declare_crisis(&earthquake(now - 1))
        .unwrap();
    sync(&home);
    give(&home, Purpose::WhereaboutsInCrisis);
    scene.stage.network(Network::Down);
    home.whereabouts().record(fix(36.2, now)).unwrap();
    assert_eq!(sync(&home).waiting, 1);
    home.consents()
        .withdraw(Purpose::WhereaboutsInCrisis)
        .unwrap();
    scene.stage.network(Network::Up);
    let outcome = sync(&home);
    assert_eq!((outcome.sent, outcome.waiting), (0, 0));
    assert_eq!(positions(&scene), 0);
}

#[test]
fn a_wider_consent_is_not_touched_by_withdrawing_the_narrower() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    sync(&home);
    give(&home, Purpose::Whereabouts);
    give(&home, Purpose::WhereaboutsInCrisis);
    scene.stage.network(Network::Down);
    home.whereabouts().record(fix(10.0, now_ms())).unwrap();
    assert_eq!(sync(&home).waiting, 1);
    home.consents()
        .withdraw(Purpose::WhereaboutsInCrisis)
        .unwrap();
    scene.stage.network(Network::Up);
    sync(&home);
    assert_eq!(positions(&scene), 1);
}

#[test]
fn a_withdrawal_that_was_cut_off_is_finished_at_the_next_start() {
    let scene = Scene::new().unwrap();
    let home = scene.open().unwrap();
    sync(&home);
    home.registration()
        .save(Traveler {
            name: "李伟".into(),
            ..Traveler::default()
        })
        .unwrap();
    give(&home, Purpose::Register);
    scene.stage.network(Network::Down);
    assert_eq!(sync(&home).waiting, 1);
    home.pause().unwrap();
    // As after a kill between the two files: withdrawn, and still in the outbox.
    let outbox = scene.base.path().join("phone/outbox.db");
    let kept = scene.base.path().join("outbox.db");
    std::fs::copy(&outbox, &kept).unwrap();
    home.reopen().unwrap();
    home.consents().withdraw(Purpose::Register).unwrap();
    drop(home);
    std::fs::copy(&kept, &outbox).unwrap();
    scene.stage.network(Network::Up);
    let home = scene.open().unwrap();
    let outcome = sync(&home);
    assert_eq!((outcome.sent, outcome.waiting), (0, 0));
    assert_eq!(scene.stage.ministry.holdings().unwrap().profiles, 0);
}
