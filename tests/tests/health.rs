//! Health: computed from what happened, before the first unlock too.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::sync::Arc;

use homeline::Homeline;
use homeline::health::{Activity, Permission, PermissionReport, PermissionState, WakeCause};
use homeline::sos::{SosKind, SosRequest};
use homeline_tests::clock::MovedClock;
use homeline_tests::stage::{Network, Stage};
use homeline_tests::vault::LockableVault;

const HOUR_MS: i64 = 3_600_000;

#[test]
fn active_is_what_woke_and_never_a_switch() {
    let base = tempfile::tempdir().unwrap();
    let stage = Stage::start(&base.path().join("ministry")).unwrap();
    let vault = LockableVault::open(&base.path().join("key"), true).unwrap();
    let clock = Arc::new(MovedClock::new());
    let open = || {
        let config = stage.config(&base.path().join("phone"));
        let vault = Arc::<LockableVault>::clone(&vault);
        Homeline::open(config, vault, None, Some(Arc::<MovedClock>::clone(&clock))).unwrap()
    };
    let home = open();
    let first = home.health().unwrap();
    assert_eq!(first.activity, Activity::NeverWoke);
    assert_eq!(
        (first.oldest_unsent_ms, first.last_receipt_ms),
        (None, None)
    );

    home.woke(WakeCause::Boot, Some(6 * HOUR_MS)).unwrap();
    let denied = PermissionReport {
        permission: Permission::BackgroundLocation,
        state: PermissionState::Denied,
    };
    home.report_permissions(vec![denied.clone()]).unwrap();
    stage.network(Network::Down);
    home.sos().press(SosRequest::new(SosKind::Lost)).unwrap();
    drop(home);

    // Killed, and nobody woke it for a day.
    clock.pass(24 * HOUR_MS);
    let home = open();
    let health = home.health().unwrap();
    let Activity::Late { by_ms } = health.activity else {
        panic!("{health:?}")
    };
    assert!((18 * HOUR_MS..19 * HOUR_MS).contains(&by_ms));
    assert_eq!(health.last_cause, Some(WakeCause::Boot));
    assert_eq!(health.permissions, [denied]);
    let waits_ms = health.last_woke_ms.unwrap() - health.oldest_unsent_ms.unwrap();
    assert!(waits_ms.abs() < HOUR_MS);

    stage.network(Network::Up);
    home.network_changed().unwrap();
    home.sync(20_000).unwrap();
    let health = home.health().unwrap();
    assert_eq!(health.activity, Activity::Active);
    assert_eq!(health.last_cause, Some(WakeCause::Sync));
    assert_eq!(health.oldest_unsent_ms, None);
    assert!(health.last_receipt_ms.is_some());
}
