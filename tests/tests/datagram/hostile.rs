//! Forged, foreign and old answers; changed, odd and too many packets.

use std::collections::VecDeque;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use homeline::sos::DatagramOutcome;
use homeline::transport::{DatagramPacket, DatagramTransport, TransportError};
use homeline_tests::packets::{Way, fair};

use crate::scene::{Post, handed, press, send, send_and_cancel, state};

#[test]
fn an_answer_changed_in_any_byte_proves_nothing_and_does_not_end_the_wait() {
    let post = Post::open();
    let home = post.phone();
    post.udp.weather(|way, bytes| match way {
        Way::Up => fair(bytes),
        // Each byte once, and the answer itself not at all.
        Way::Down => (0..bytes.len())
            .map(|at| {
                let mut changed = bytes.to_vec();
                changed[at] ^= 1 << (at % 8);
                (Duration::ZERO, changed)
            })
            .chain((0..bytes.len()).map(|length| (Duration::ZERO, bytes[..length].to_vec())))
            .collect(),
    });
    let report = press(&home, "");
    assert_eq!(
        send_and_cancel(&post, &home, &report, Way::Down),
        DatagramOutcome::BadAnswer
    );
    assert_eq!(state(&home, &report), handed());
    // It got there, and the phone says no more than it knows.
    assert_eq!(post.cases().len(), 1);

    post.clock.pass(61_000);
    post.udp.weather(|way, bytes| match way {
        Way::Up => fair(bytes),
        Way::Down => vec![
            (Duration::ZERO, vec![0x1e; 107]),
            (Duration::ZERO, vec![0; 1_400]),
            (Duration::from_millis(30), bytes.to_vec()),
        ],
    });
    assert_eq!(send(&home, &report), DatagramOutcome::Received);
    assert_eq!(post.cases().len(), 1);
}

#[test]
fn a_request_changed_in_any_byte_gets_no_answer() {
    let post = Post::open();
    let home = post.phone();
    // The packet of a report that never got there.
    post.udp.weather(|_, _| Vec::new());
    let report = press(&home, "");
    assert_eq!(
        send_and_cancel(&post, &home, &report, Way::Up),
        DatagramOutcome::NoAnswer
    );
    let packet = post.udp.passed()[0].bytes.clone();
    let socket = stranger(&post);
    for at in 0..packet.len() {
        let mut changed = packet.clone();
        changed[at] ^= 1 << (at % 8);
        socket.send(&changed).unwrap();
        // One by one: the ministry opens few at a time, and drops the others.
        wait_for(&post, at + 1);
    }
    for length in [0, 1, 33, 82, 83, 119] {
        socket.send(&packet[..length]).unwrap();
    }
    wait_for(&post, packet.len() + 6);
    assert_eq!(answers(&socket), 0);
    assert!(post.cases().is_empty());
    // The packet itself does, whoever brings it.
    socket.send(&packet).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    assert!(socket.recv(&mut [0; 200]).unwrap() > 0);
    assert_eq!(post.case().report.to_string(), report);
}

/// Waits until the ministry has looked at so many packets and said nothing.
fn wait_for(post: &Post, ignored: usize) {
    let ignored = u64::try_from(ignored).unwrap();
    let begun = Instant::now();
    while post.ministry.counters().datagrams_ignored < ignored {
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Somebody on the network, at an address of their own.
fn stranger(post: &Post) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.5.1:0").unwrap();
    socket
        .connect(post.ministry.datagram_address().unwrap())
        .unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(400)))
        .unwrap();
    socket
}

fn answers(socket: &UdpSocket) -> usize {
    let mut buffer = [0; 2_000];
    std::iter::from_fn(|| socket.recv(&mut buffer).ok()).count()
}

#[test]
fn receipts_of_others_and_old_ones_are_not_believed() {
    let post = Post::open();
    let home = post.phone();
    assert_eq!(
        send(&home, &press(&home, "first")),
        DatagramOutcome::Received
    );
    let old = post.udp.passed().pop().unwrap().bytes;
    // The ministry is gone, and somebody plays its old answer.
    post.udp.weather(|_, _| Vec::new());
    let replayed = Arc::new(Replayer {
        answers: Mutex::new(VecDeque::from([old])),
        sent: AtomicUsize::new(0),
    });
    home.sos()
        .set_datagram_transport(Some(Arc::<Replayer>::clone(&replayed)))
        .unwrap();
    let report = press(&home, "second");
    assert_eq!(send(&home, &report), DatagramOutcome::NoAnswer);
    assert_eq!(state(&home, &report), handed());
    assert!(replayed.sent.load(Ordering::SeqCst) > 0);

    // On a phone that never sent it, it is a forgery.
    let other = Post::open();
    let stranger = other.phone();
    let mut config = other.config();
    config.receipt_keys.push(post.ministry.receipt_key());
    config.directory = other
        .base
        .path()
        .join("second")
        .to_string_lossy()
        .into_owned();
    drop(stranger);
    let stranger = other.phone_with(config);
    let again = Replayer {
        answers: Mutex::new(VecDeque::from([post_answer(&post)])),
        sent: AtomicUsize::new(0),
    };
    stranger
        .sos()
        .set_datagram_transport(Some(Arc::new(again)))
        .unwrap();
    let report = press(&stranger, "");
    assert_eq!(send(&stranger, &report), DatagramOutcome::BadAnswer);
    assert_eq!(state(&stranger, &report), handed());
}

/// A true receipt of `post`'s ministry, for a report of another phone.
fn post_answer(post: &Post) -> Vec<u8> {
    post.udp.weather(|_, bytes| fair(bytes));
    let mut config = post.config();
    config.directory = post
        .base
        .path()
        .join("other")
        .to_string_lossy()
        .into_owned();
    let home = post.phone_with(config);
    post.udp.passed();
    assert_eq!(send(&home, &press(&home, "")), DatagramOutcome::Received);
    post.udp.passed().pop().unwrap().bytes
}

/// A modem that plays what it has, whatever is sent.
struct Replayer {
    answers: Mutex<VecDeque<Vec<u8>>>,
    sent: AtomicUsize,
}

impl DatagramTransport for Replayer {
    fn send(&self, packet: DatagramPacket) -> Result<(), TransportError> {
        assert!(packet.payload.len() <= 200);
        self.sent.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn receive(&self, wait_ms: u64) -> Result<Option<Vec<u8>>, TransportError> {
        assert!(wait_ms <= 3_500);
        let next = self.answers.lock().unwrap().pop_front();
        // Nothing more will come: the modem is switched off.
        next.map(Some).ok_or(TransportError::Failed)
    }

    fn cancel(&self) -> Result<bool, TransportError> {
        Ok(false)
    }
}

#[test]
fn receipts_are_not_believed_before_anybody_says_who_signs_them() {
    let post = Post::open();
    let mut config = post.config();
    config.receipt_keys.clear();
    let home = post.phone_with(config);
    let report = press(&home, "");
    assert_eq!(
        send_and_cancel(&post, &home, &report, Way::Down),
        DatagramOutcome::NoAnswer
    );
    assert_eq!(state(&home, &report), handed());
    assert_eq!(post.cases().len(), 1);
}

#[test]
fn a_flood_and_odd_sizes_get_silence_and_others_are_served() {
    let post = Post::open();
    let home = post.phone();
    let socket = stranger(&post);
    for size in [
        0, 1, 2, 34, 66, 82, 83, 120, 199, 200, 201, 1_400, 9_000, 65_000,
    ] {
        for kind in [0u8, 0x1c, 0x1d, 0x1e, 0xff] {
            let mut packet = vec![0x41; size];
            if let Some(first) = packet.first_mut() {
                *first = kind;
            }
            socket.send(&packet).unwrap();
        }
    }
    assert_eq!(answers(&socket), 0);
    let mut flood = vec![0x41; 120];
    flood[0] = 0x1c;
    // In small portions: what the kernel's own queue drops, nobody can count.
    let begun = Instant::now();
    while post.ministry.counters().datagrams_limited < 200 {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "nothing is limited"
        );
        for _ in 0..50 {
            let _ = socket.send(&flood);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let report = press(&home, "");
    assert_eq!(send(&home, &report), DatagramOutcome::Received);
    assert_eq!(answers(&socket), 0);
    let counters = post.ministry.counters();
    assert_eq!(counters.datagrams_answered, 1);
    assert!(counters.datagram_bytes_out <= 3 * counters.datagram_bytes_in);
    assert_eq!(counters.failures, 0);
}
