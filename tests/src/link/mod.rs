//! A thin link between two network namespaces, made of two TUN devices and this
//! program between them: one-way delay, rate, queue and loss for each direction,
//! packet by packet, and every byte counted at the IP layer.
//!
//! ```text
//! phone's namespace        this process                     office's namespace
//!   TCP ─ tun `phone` ──▶ drop? ─ queue ─ rate ─ delay ──▶ tun `office` ─ TCP
//!                     ◀── the same, the other way ◀──
//! ```
//!
//! The kernels' own TCP runs over it, on both sides. It needs a user namespace in
//! which it is root (`unshare -rn`) and `/dev/net/tun`, not a privilege of the
//! machine.

pub mod notes;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tappers::{Interface, Tun};

use crate::chance::Chance;

/// How a link is.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// From one end to the other: half of the round trip.
    pub delay: Duration,
    /// Bits a second, each way.
    pub rate: u64,
    /// Bytes that wait for the link, at most; what comes on top is dropped.
    pub queue: u64,
    /// Packets of a thousand that are lost, each way, each by itself.
    pub loss_per_mille: u64,
    /// Which of them.
    pub seed: u64,
}

/// What one direction carried.
#[derive(Debug, Default)]
pub struct Counted {
    /// IP bytes that were given to the link, those included that it lost.
    pub bytes: AtomicU64,
    /// IP packets.
    pub packets: AtomicU64,
    /// Of these, how many were lost or did not fit the queue.
    pub dropped: AtomicU64,
}

/// A running link. It ends with the process.
#[derive(Debug)]
pub struct Link {
    /// From the phone to the office.
    pub up: Arc<Counted>,
    /// From the office to the phone.
    pub down: Arc<Counted>,
}

/// Longest packet: a TUN device has 1,500.
const PACKET: usize = 2_048;

impl Link {
    /// Makes the devices `phone` and `office` in this namespace and carries packets
    /// between them. The caller gives them their addresses and moves `phone` to the
    /// phone's namespace.
    ///
    /// # Errors
    /// Where the devices cannot be made.
    pub fn start(shape: Shape) -> io::Result<Self> {
        let device =
            |name: &str| Ok::<_, io::Error>(Arc::new(Tun::new_named(Interface::new(name)?)?));
        let (phone, office) = (device("phone")?, device("office")?);
        Ok(Self {
            up: carry(Arc::clone(&phone), Arc::clone(&office), shape, 1)?,
            down: carry(office, phone, shape, 2)?,
        })
    }
}

/// Carries packets one way, on two threads.
fn carry(from: Arc<Tun>, to: Arc<Tun>, shape: Shape, salt: u64) -> io::Result<Arc<Counted>> {
    let counted = Arc::new(Counted::default());
    let (give, take) = mpsc::channel::<(Instant, Vec<u8>)>();
    let count = Arc::clone(&counted);
    thread::Builder::new().spawn(move || {
        let mut buffer = [0; PACKET];
        let mut chance = Chance::new(shape.seed.wrapping_mul(2).wrapping_add(salt));
        let mut free_at = Instant::now();
        while let Ok(length) = from.recv(&mut buffer) {
            let packet = buffer.get(..length).unwrap_or_default();
            let bytes = u64::try_from(packet.len()).unwrap_or(u64::MAX);
            count.bytes.fetch_add(bytes, SeqCst);
            count.packets.fetch_add(1, SeqCst);
            let now = Instant::now();
            free_at = free_at.max(now);
            let wait_us = u64::try_from((free_at - now).as_micros()).unwrap_or(u64::MAX);
            let waiting = shape.rate.saturating_mul(wait_us) / 8_000_000;
            if chance.bits() % 1_000 < shape.loss_per_mille || waiting + bytes > shape.queue {
                count.dropped.fetch_add(1, SeqCst);
                continue;
            }
            free_at += Duration::from_nanos(bytes * 8_000_000_000 / shape.rate);
            if give.send((free_at + shape.delay, packet.to_vec())).is_err() {
                break;
            }
        }
    })?;
    thread::Builder::new().spawn(move || {
        for (at, packet) in take {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            // A device that is not up yet takes nothing: as lost as on the air.
            let _ = to.send(&packet);
        }
    })?;
    Ok(counted)
}
