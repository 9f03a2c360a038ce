//! A phone and its ministry, with a network for streams and one for packets.

use std::sync::Arc;
use std::time::Duration;

use homeline::Homeline;
use homeline::config::Config;
use homeline::sos::{
    Channel, DatagramOutcome, Evidence, OnRepeat, ReportState, SosKind, SosRequest,
};
use homeline_tests::clock::MovedClock;
use homeline_tests::packets::{PacketRelay, Way};
use homeline_tests::proxy::{FaultProxy, Link};
use homeline_tests::stage::{self, Values};
use homeline_tests::vault::LockableVault;
use ministry::{CaseView, DatagramPublic, Ministry, Settings};
use tempfile::TempDir;

pub(crate) const LONG_MS: u64 = 60_000;

/// A phone and its ministry, with a network for streams and one for packets.
pub(crate) struct Post {
    pub(crate) ministry: Ministry,
    pub(crate) tcp: FaultProxy,
    pub(crate) udp: PacketRelay,
    pub(crate) vault: Arc<LockableVault>,
    pub(crate) clock: Arc<MovedClock>,
    pub(crate) base: TempDir,
}

impl Post {
    pub(crate) fn open() -> Self {
        let base = tempfile::tempdir().unwrap();
        let udp = PacketRelay::start().unwrap();
        let mut settings = Settings::new(base.path().join("ministry"));
        settings.datagram_listen = Some(([127, 0, 0, 1], 0).into());
        settings.datagram_public = DatagramPublic::At(udp.address().to_string());
        let ministry = Ministry::start(settings).unwrap();
        udp.lead_to(ministry.datagram_address().unwrap());
        let address = ministry
            .url()
            .trim_start_matches("https://")
            .parse()
            .unwrap();
        let tcp = FaultProxy::start(address).unwrap();
        tcp.set(Link::Down);
        Self {
            ministry,
            tcp,
            udp,
            vault: LockableVault::open(&base.path().join("vault"), false).unwrap(),
            clock: Arc::new(MovedClock::new()),
            base,
        }
    }

    /// A phone that knows from its `Config` where to send, and whom to believe.
    pub(crate) fn config(&self) -> Config {
        let values = Values::of(&self.ministry, format!("https://{}", self.tcp.addr()));
        Config {
            datagram: Some(self.udp.address().to_string()),
            receipt_keys: vec![self.ministry.receipt_key()],
            ..stage::config(&values, &self.base.path().join("phone"))
        }
    }

    pub(crate) fn phone(&self) -> Arc<Homeline> {
        self.phone_with(self.config())
    }

    pub(crate) fn phone_with(&self, config: Config) -> Arc<Homeline> {
        let vault = Arc::<LockableVault>::clone(&self.vault);
        let clock = Arc::<MovedClock>::clone(&self.clock);
        Homeline::open(config, vault, None, Some(clock)).unwrap()
    }

    pub(crate) fn cases(&self) -> Vec<CaseView> {
        self.ministry.cases().unwrap()
    }

    #[track_caller]
    pub(crate) fn case(&self) -> CaseView {
        let mut cases = self.cases();
        assert_eq!(cases.len(), 1, "cases");
        cases.remove(0)
    }

    /// Streams work again.
    pub(crate) fn up(&self, home: &Homeline) {
        self.tcp.set(Link::Up);
        home.network_changed().unwrap();
    }
}

pub(crate) fn press(home: &Homeline, note: &str) -> String {
    let mut request = SosRequest::new(SosKind::Medical);
    request.note = note.to_owned();
    request.on_repeat = Some(OnRepeat::NewReport);
    home.sos().press(request).unwrap()
}

pub(crate) fn state(home: &Homeline, report: &str) -> ReportState {
    home.sos().status(report.to_owned()).unwrap().state
}

pub(crate) fn is_received(home: &Homeline, report: &str) -> bool {
    matches!(state(home, report), ReportState::Received { .. })
}

pub(crate) fn handed() -> ReportState {
    ReportState::Handed {
        channel: Channel::Datagram,
    }
}

pub(crate) fn send(home: &Homeline, report: &str) -> DatagramOutcome {
    home.sos().send_datagram(report.to_owned()).unwrap()
}

/// A round that nothing will end: it is cancelled once a packet has gone this way.
pub(crate) fn send_and_cancel(
    post: &Post,
    home: &Homeline,
    report: &str,
    way: Way,
) -> DatagramOutcome {
    let before = post.udp.seen(way);
    std::thread::scope(|scope| {
        let round = scope.spawn(|| send(home, report));
        while post.udp.seen(way) == before && !round.is_finished() {
            std::thread::sleep(Duration::from_millis(5));
        }
        // What came back is read by then.
        std::thread::sleep(Duration::from_millis(500));
        home.cancel_sync().unwrap();
        round.join().unwrap()
    })
}

pub(crate) fn evidence(home: &Homeline, report: &str) -> Vec<Evidence> {
    let events = home.sos().status(report.to_owned()).unwrap().events;
    events.into_iter().map(|event| event.evidence).collect()
}
