//! Datagrams: the real library and the real ministry over real UDP; between them a
//! relay that loses, doubles, reorders and changes packets.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

mod cost;
mod hostile;
mod scene;

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use homeline::Homeline;
use homeline::sos::{
    Channel, Conditions, DataCost, DatagramOutcome, Evidence, Neighbours, NetworkState, NextAction,
    ReportState, SatelliteLink, SmsAbility, SosKind, VoiceAbility,
};
use homeline::transport::{DatagramPacket, DatagramTransport, TransportError};
use homeline_tests::packets::{Way, fair};
use homeline_tests::proxy::{Link, PAST_THE_HANDSHAKE};

use scene::{LONG_MS, Post, evidence, handed, is_received, press, send, state};

#[test]
fn a_portal_stops_https_and_one_packet_gets_through() {
    let post = Post::open();
    post.tcp.set(Link::Portal(post.ministry.tls_config()));
    let home = post.phone();
    let report = press(&home, "被困 trapped");
    home.sync(LONG_MS).unwrap();
    assert!(is_received(&home, &report));
    let proofs = evidence(&home, &report);
    let by_datagram = |proof: &Evidence| {
        matches!(
            proof,
            Evidence::CompactReceipt {
                channel: Channel::Datagram,
                ..
            }
        )
    };
    assert!(proofs.iter().any(by_datagram));
    let short = post.case();
    assert_eq!(short.report.to_string(), report);
    assert_eq!(
        (short.kind, short.note.as_str()),
        (Some(SosKind::Medical), "")
    );

    post.up(&home);
    home.sync(LONG_MS).unwrap();
    let whole = post.case();
    assert_eq!((whole.id, whole.note.as_str()), (short.id, "被困 trapped"));
    let counters = post.ministry.counters();
    assert_eq!((counters.datagrams, counters.datagrams_answered), (1, 1));
}

#[test]
fn a_lost_request_and_a_lost_answer_are_made_up_for_in_the_same_call() {
    let post = Post::open();
    let home = post.phone();
    for lost in [Way::Up, Way::Down] {
        let mut left = 1;
        post.udp
            .weather(move |way, bytes| match way == lost && left > 0 {
                true => {
                    left -= 1;
                    Vec::new()
                }
                false => fair(bytes),
            });
        let report = press(&home, "");
        assert_eq!(send(&home, &report), DatagramOutcome::Received, "{lost:?}");
        let passed = post.udp.passed();
        let up: Vec<_> = passed
            .iter()
            .filter(|packet| packet.way == Way::Up)
            .collect();
        assert_eq!(up.len(), 2);
        assert_eq!(up[0], up[1], "the same packet, so the same receipt");
        assert!(is_received(&home, &report));
    }
    assert_eq!(post.cases().len(), 2);
}

#[test]
fn what_brings_no_answer_is_handed_and_waits_before_it_is_sent_again() {
    let post = Post::open();
    let home = post.phone();
    post.udp.weather(|_, _| Vec::new());
    let report = press(&home, "");
    let begun = Instant::now();
    assert_eq!(send(&home, &report), DatagramOutcome::NoAnswer);
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(state(&home, &report), handed());
    assert!(matches!(send(&home, &report), DatagramOutcome::Wait { .. }));
    post.udp.weather(|_, bytes| fair(bytes));
    post.clock.pass(61_000);
    assert_eq!(send(&home, &report), DatagramOutcome::Received);
    assert_eq!(send(&home, &report), DatagramOutcome::NotNeeded);
    assert_eq!(post.cases().len(), 1);
}

#[test]
fn doubled_and_reordered_packets_are_one_case_each_with_its_own_receipt() {
    let post = Post::open();
    let home = post.phone();
    let count = AtomicUsize::new(0);
    post.udp.weather(move |_, bytes| {
        // Later ones overtake earlier ones, and each comes five times.
        let turn = u64::try_from(count.fetch_add(1, Ordering::SeqCst)).unwrap();
        let late = Duration::from_millis(120u64.saturating_sub(turn * 12));
        (0..5)
            .map(|copy| (late + Duration::from_millis(copy * 3), bytes.to_vec()))
            .collect()
    });
    let reports: Vec<String> = (0..4).map(|n| press(&home, &n.to_string())).collect();
    let begun = Instant::now();
    while !reports.iter().all(|report| is_received(&home, report)) {
        assert!(begun.elapsed() < Duration::from_secs(60));
        home.sync(LONG_MS).unwrap();
        post.clock.pass(61_000);
    }
    let mut cases: Vec<String> = post
        .cases()
        .iter()
        .map(|case| case.report.to_string())
        .collect();
    cases.sort();
    assert_eq!(cases, {
        let mut sorted = reports.clone();
        sorted.sort();
        sorted
    });
    let passed = post.udp.passed();
    let distinct = |way| {
        let mut of_way: Vec<_> = passed.iter().filter(|packet| packet.way == way).collect();
        let all = of_way.len();
        of_way.sort_by(|a, b| a.bytes.cmp(&b.bytes));
        of_way.dedup();
        (all, of_way.len())
    };
    let ((_, packets), (answers, receipts)) = (distinct(Way::Up), distinct(Way::Down));
    assert!(
        receipts >= 4 && answers >= 2 * receipts,
        "{answers} {receipts}"
    );
    assert!(
        receipts <= packets,
        "a duplicate gets the first receipt again"
    );
}

#[test]
fn a_late_receipt_for_an_earlier_packet_counts() {
    let post = Post::open();
    let home = post.phone();
    let modem = Arc::new(SlowModem {
        socket: UdpSocket::bind("127.0.0.1:0").unwrap(),
        holding: AtomicUsize::new(1),
    });
    home.sos()
        .set_datagram_transport(Some(Arc::<SlowModem>::clone(&modem)))
        .unwrap();
    let report = press(&home, "");
    assert_eq!(send(&home, &report), DatagramOutcome::NoAnswer);
    // The answer lies in the modem. The next packet does not get through at all.
    post.udp.weather(|way, bytes| match way {
        Way::Up => Vec::new(),
        Way::Down => fair(bytes),
    });
    post.clock.pass(61_000);
    modem.holding.store(0, Ordering::SeqCst);
    assert_eq!(send(&home, &report), DatagramOutcome::Received);
    assert_eq!(post.cases().len(), 1);
}

/// A host's modem that hands out answers only when it is told to.
struct SlowModem {
    socket: UdpSocket,
    holding: AtomicUsize,
}

impl DatagramTransport for SlowModem {
    fn send(&self, packet: DatagramPacket) -> Result<(), TransportError> {
        self.socket
            .send_to(&packet.payload, &packet.endpoint)
            .map_err(|_| TransportError::NoConnection)?;
        Ok(())
    }

    fn receive(&self, wait_ms: u64) -> Result<Option<Vec<u8>>, TransportError> {
        let wait = Duration::from_millis(wait_ms);
        if self.holding.load(Ordering::SeqCst) == 1 {
            std::thread::sleep(Duration::from_millis(300));
            return Err(TransportError::Failed);
        }
        self.socket.set_read_timeout(Some(wait)).unwrap();
        let mut buffer = [0; 1_500];
        Ok(self
            .socket
            .recv(&mut buffer)
            .ok()
            .map(|length| buffer[..length].to_vec()))
    }

    fn cancel(&self) -> Result<bool, TransportError> {
        Ok(false)
    }
}

#[test]
fn https_first_or_the_datagram_first_it_is_one_case() {
    let post = Post::open();
    let home = post.phone();
    // The ministry has it by HTTPS, and the phone does not know.
    post.tcp.set(Link::SwallowAnswers {
        after_upstream_bytes: PAST_THE_HANDSHAKE,
    });
    let report = press(&home, &"long ".repeat(500));
    home.sync(LONG_MS).unwrap();
    assert!(
        is_received(&home, &report),
        "{:?}",
        evidence(&home, &report).len()
    );
    let case = post.case();
    post.up(&home);
    home.sync(LONG_MS).unwrap();
    assert_eq!(post.case().id, case.id);
    assert!(post.case().note.starts_with("long "));
    let ReportState::Received { case_id, .. } = state(&home, &report) else {
        panic!("not received");
    };
    assert_eq!(case_id, Some(case.id));
}

#[test]
fn before_the_first_unlock_it_works_all_the_same() {
    let post = Post::open();
    drop(post.phone());
    post.vault.set_locked(true);
    let home = post.phone();
    assert_eq!(home.state().unwrap().record, homeline::RecordState::Locked);
    let report = press(&home, "");
    assert_eq!(send(&home, &report), DatagramOutcome::Received);
    assert_eq!(post.case().report.to_string(), report);
}

/// A packet to where nobody is; the round is cancelled.
fn send_unheard(home: &Homeline, report: &str) -> DatagramOutcome {
    std::thread::scope(|scope| {
        let round = scope.spawn(|| send(home, report));
        std::thread::sleep(Duration::from_millis(800));
        home.cancel_sync().unwrap();
        round.join().unwrap()
    })
}

#[test]
fn what_cannot_be_sent_is_not_handed() {
    let post = Post::open();
    let outcome = |endpoint: Option<&str>| {
        let mut config = post.config();
        config.datagram = endpoint.map(str::to_owned);
        let folder = endpoint.map_or("none".into(), |name| {
            name.replace([':', '.', '[', ']'], "_")
        });
        config.directory = post.base.path().join(folder).to_string_lossy().into_owned();
        let home = post.phone_with(config);
        let report = press(&home, "");
        let begun = Instant::now();
        let outcome = match endpoint {
            Some("127.0.0.1:9") => send_unheard(&home, &report),
            _ => send(&home, &report),
        };
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            begun.elapsed()
        );
        (outcome, state(&home, &report))
    };
    assert_eq!(
        outcome(None),
        (DatagramOutcome::NotOffered, ReportState::Stored)
    );
    for nowhere in ["no-such-host.invalid:9", "not an endpoint", "", "127.0.0.1"] {
        assert_eq!(
            outcome(Some(nowhere)),
            (DatagramOutcome::NotSent, ReportState::Stored),
            "{nowhere}"
        );
    }
    // Nobody listens there: the packet left, and the kernel's word is no proof.
    assert_eq!(
        outcome(Some("127.0.0.1:9")),
        (DatagramOutcome::NoAnswer, handed())
    );
}

#[test]
fn the_planner_follows_what_was_tried() {
    let post = Post::open();
    post.tcp.set(Link::Portal(post.ministry.tls_config()));
    let home = post.phone();
    let now = Conditions {
        network: NetworkState::Validated,
        network_since_ms: None,
        cost: DataCost::Free,
        sms: SmsAbility::NoSim,
        sms_attempts_left: None,
        satellite: SatelliteLink::Absent,
        neighbours: Neighbours::Absent,
        voice: VoiceAbility::EmergencyOnly,
        battery_percent: None,
    };
    let next = |report: &str| -> Vec<NextAction> {
        let steps = home
            .sos()
            .next_steps(report.to_owned(), now.clone())
            .unwrap();
        steps.into_iter().map(|step| step.action).collect()
    };
    let report = press(&home, "");
    assert_eq!(
        next(&report),
        [NextAction::CallLocalEmergency, NextAction::SendByData]
    );
    post.udp.weather(|_, _| Vec::new());
    home.sync(1_500).unwrap();
    assert_eq!(
        next(&report),
        [NextAction::CallLocalEmergency, NextAction::SendDatagram]
    );
    post.udp.weather(|_, bytes| fair(bytes));
    post.clock.pass(61_000);
    assert_eq!(send(&home, &report), DatagramOutcome::Received);
    // The portal still stands in the way of the rest.
    assert!(next(&report).is_empty());
    post.up(&home);
    home.sync(LONG_MS).unwrap();
    assert!(next(&report).is_empty());
}
