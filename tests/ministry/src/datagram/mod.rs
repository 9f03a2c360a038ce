//! Datagrams: one packet in with the short form of a report, one packet out with its
//! receipt.
//!
//! What does not authenticate gets no answer, and nobody learns from a silence whether
//! this is a ministry at all. An answer is never larger than three times the packet
//! that it answers (today it is smaller), so a forged source address gains nothing
//! here. [`rates`] bounds what one source, and all together, may cost. As everywhere,
//! the receipt leaves after the commit.

mod rates;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use homeline::seal::compact::COMPACT_OVERHEAD;
use tokio::net::UdpSocket;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::api::App;
use crate::intake;
use crate::store::CompactChannel;
use rates::Rates;

/// Bytes of a packet, at most: what a phone may send.
pub(crate) const PACKET_BYTES: usize = 200;
/// An answer is at most so many times as large as what it answers.
const AMPLIFICATION: usize = 3;
/// Packets that are opened and stored at a time: the store is one connection, and
/// what waits longer than a phone does is waste.
const AT_A_TIME: usize = 32;

/// Binds the listener.
pub(crate) fn listen(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = std::net::UdpSocket::bind(address).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot take datagrams on {address}: {error}"),
        )
    })?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Answers until `stop` says true or its sender is gone.
pub(crate) async fn serve(
    socket: std::net::UdpSocket,
    app: App,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let socket = Arc::new(UdpSocket::from_std(socket)?);
    let rates = Arc::new(Mutex::new(Rates::new(Instant::now())));
    let room = Arc::new(Semaphore::new(AT_A_TIME));
    let mut tasks = JoinSet::new();
    // One byte more than is taken: a longer packet shows.
    let mut buffer = [0; PACKET_BYTES + 1];
    loop {
        let (length, from) = tokio::select! {
            _ = stop.changed() => break,
            _ = tasks.join_next(), if !tasks.is_empty() => continue,
            got = socket.recv_from(&mut buffer) => match got {
                Ok(got) => got,
                Err(_) => {
                    // Of an earlier answer that nobody took, or of the system.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
            },
        };
        app.meter.datagram(length);
        let packet = buffer.get(..length).unwrap_or_default();
        if !may_be_a_report(packet) {
            app.meter.datagram_ignored();
            continue;
        }
        let allowed = rates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .allows(from.ip(), Instant::now());
        if !allowed {
            app.meter.datagram_limited();
            continue;
        }
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            app.meter.datagram_crowded();
            continue;
        };
        let (app, socket, packet) = (app.clone(), Arc::clone(&socket), packet.to_vec());
        tasks.spawn(async move {
            let _place = place;
            let asked = packet.len();
            let work = app.clone();
            let answer = tokio::task::spawn_blocking(move || answer(&work, &packet)).await;
            let Ok(Some(answer)) = answer else {
                app.meter.datagram_ignored();
                return;
            };
            if answer.len() <= asked.saturating_mul(AMPLIFICATION)
                && socket.send_to(&answer, from).await.is_ok()
            {
                app.meter.datagram_answered(answer.len());
            }
        });
    }
    // A commit that is under way is let finish by the runtime.
    tasks.shutdown().await;
    Ok(())
}

fn may_be_a_report(packet: &[u8]) -> bool {
    packet.len() > COMPACT_OVERHEAD && packet.len() <= PACKET_BYTES
}

/// The receipt for a packet; `None`: silence. It blocks.
fn answer(app: &App, packet: &[u8]) -> Option<Vec<u8>> {
    let letter = intake::read_compact(packet, &app.keys.sealing()).ok()?;
    let taken = app
        .store
        .take_compact(packet, &letter, CompactChannel::Datagram);
    match taken {
        Ok(Ok(taken)) => taken.receipt,
        Ok(Err(_)) => None,
        Err(_) => {
            app.meter.failure();
            None
        }
    }
}
