//! The datagram of a report, while somebody holds HTTPS up byte by byte.

use std::sync::Arc;
use std::time::Duration;

use homeline::Homeline;
use homeline::config::Config;
use homeline::keys::FileVault;
use homeline::sos::{DatagramOutcome, OnRepeat, ReportState, SosKind, SosRequest};
use homeline_tests::certs::Authority;
use homeline_tests::hostile::{Answer, HostileServer};
use homeline_tests::stage::{self, Values};
use ministry::{Ministry, Settings};
use tempfile::TempDir;

/// A phone whose HTTPS leads to somebody who answers for ever.
struct Held {
    ministry: Ministry,
    drip: HostileServer,
    home: Arc<Homeline>,
    base: TempDir,
}

impl Held {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let ca = Authority::new().unwrap();
        let byte_every = Duration::from_millis(50);
        let drip = HostileServer::start(ca.server().unwrap(), Answer::Drip { byte_every }).unwrap();
        let mut settings = Settings::new(base.path().join("ministry"));
        settings.datagram_listen = Some(([127, 0, 0, 1], 0).into());
        let ministry = Ministry::start(settings).unwrap();
        let values = Values {
            more_tls_roots: vec![ca.der().to_vec()],
            ..Values::of(&ministry, drip.url())
        };
        let config = Config {
            datagram: Some(ministry.datagram_address().unwrap().to_string()),
            receipt_keys: vec![ministry.receipt_key()],
            ..stage::config(&values, &base.path().join("phone"))
        };
        let vault = base.path().join("vault").to_string_lossy().into_owned();
        let home = Homeline::open(config, FileVault::open(vault).unwrap(), None, None).unwrap();
        Self {
            ministry,
            drip,
            home,
            base,
        }
    }

    fn press(&self) -> String {
        let mut request = SosRequest::new(SosKind::Medical);
        request.on_repeat = Some(OnRepeat::NewReport);
        self.home.sos().press(request).unwrap()
    }

    fn state(&self, report: &str) -> ReportState {
        self.home.sos().status(report.to_owned()).unwrap().state
    }

    fn is_one_case(&self, report: &str) {
        let state = self.state(report);
        assert!(matches!(state, ReportState::Received { .. }), "{state:?}");
        let mut cases = self.ministry.cases().unwrap();
        cases.retain(|case| case.report.to_string() == report);
        assert_eq!(cases.len(), 1);
    }
}

#[test]
fn the_pass_keeps_time_for_a_packet() {
    let held = Held::new();
    let report = held.press();
    held.home.sync(6_000).unwrap();
    assert!(held.drip.requests() > 0);
    held.is_one_case(&report);
    assert!(held.base.path().exists());
}

#[test]
fn a_report_that_is_pressed_meanwhile_goes_by_packet_at_once() {
    let held = Held::new();
    held.press();
    std::thread::scope(|scope| {
        let pass = scope.spawn(|| held.home.sync(600_000));
        while held.drip.requests() == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let live = held.press();
        let sent = held.home.sos().send_datagram(live.clone()).unwrap();
        assert_eq!(sent, DatagramOutcome::Received);
        held.is_one_case(&live);
        assert!(!pass.is_finished());
        held.home.cancel_sync().unwrap();
        pass.join().unwrap().unwrap();
    });
}
