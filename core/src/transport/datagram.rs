//! One packet out, answers in: the short form of a report by UDP.
//!
//! [`DatagramTransport`] moves packets between the phone and the ministry's post;
//! the built-in one is [`UdpTransport`], and a host can bring its own (a satellite
//! modem). A transport proves nothing and decides nothing: what it brings back is
//! any bytes, until `seal::compact` has verified them.
//!
//! There is no handshake, so nothing is known of the way before the answer: a
//! packet that was given to the network is "handed", no more.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::TransportError;
use crate::config::Policy;
use crate::error::Result;

/// One packet to the ministry.
#[derive(Clone, uniffi::Record)]
pub struct DatagramPacket {
    /// Where to, `host:port`.
    pub endpoint: String,
    /// What, at most 200 bytes.
    pub payload: Vec<u8>,
}

redacted_debug!(DatagramPacket);

/// How single packets leave the phone, and answers come back. The library calls it
/// from one thread at a time, `cancel` apart, and waits for answers only after it
/// has sent.
#[uniffi::export(with_foreign)]
pub trait DatagramTransport: Send + Sync {
    /// Gives a packet to the network and does not wait for an answer.
    ///
    /// `NoConnection`: nothing left the phone. Any other error: it may have left.
    fn send(&self, packet: DatagramPacket) -> Result<(), TransportError>;

    /// The next packet that came from where packets were sent to, at most 1,500
    /// bytes; waits for it no longer than `wait_ms` milliseconds. `None`: there was
    /// none.
    fn receive(&self, wait_ms: u64) -> Result<Option<Vec<u8>>, TransportError>;

    /// Ends a running call from another thread, as soon as it can; returns whether
    /// there was one.
    fn cancel(&self) -> Result<bool, TransportError>;
}

/// The built-in transport, for one round of sending. Its runtime runs on the
/// caller's thread, so a name look-up is bounded and `cancel` takes effect at once.
pub(crate) struct UdpTransport {
    runtime: Option<Runtime>,
    /// One for each family of addresses, connected: the kernel drops what comes
    /// from elsewhere.
    sockets: Mutex<Vec<(SocketAddr, UdpSocket)>>,
    look_up: Duration,
    cancelled: AtomicBool,
    cancel: Notify,
}

/// Bytes of an answer that are read; a longer one is cut, and then verifies as
/// nothing.
const ANSWER_BYTES: usize = 1_500;

impl UdpTransport {
    pub(crate) fn new(policy: &Policy) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            runtime: Some(runtime),
            sockets: Mutex::default(),
            look_up: policy.datagram_look_up,
            cancelled: AtomicBool::new(false),
            cancel: Notify::new(),
        })
    }

    /// Opens a socket to the first address of each family.
    async fn open(&self, endpoint: &str) -> Result<Vec<(SocketAddr, UdpSocket)>, TransportError> {
        let found = tokio::time::timeout(self.look_up, tokio::net::lookup_host(endpoint)).await;
        let addresses = found
            .map_err(|_| TransportError::NoConnection)?
            .map_err(|_| TransportError::NoConnection)?;
        let mut open: Vec<(SocketAddr, UdpSocket)> = Vec::new();
        for address in addresses {
            let known = |(other, _): &(SocketAddr, UdpSocket)| other.is_ipv4() == address.is_ipv4();
            if open.iter().any(known) {
                continue;
            }
            let any: SocketAddr = match address {
                SocketAddr::V4(_) => (std::net::Ipv4Addr::UNSPECIFIED, 0).into(),
                SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
            };
            let Ok(socket) = UdpSocket::bind(any).await else {
                continue;
            };
            // Without a route to this family it fails here.
            if socket.connect(address).await.is_ok() {
                open.push((address, socket));
            }
        }
        Ok(open)
    }

    /// Runs `work` on this thread, until it is done or cancelled.
    fn run<T>(
        &self,
        work: impl Future<Output = Result<T, TransportError>>,
    ) -> Result<T, TransportError> {
        let runtime = self.runtime.as_ref().ok_or(TransportError::Failed)?;
        runtime.block_on(async {
            let mut work = pin!(work);
            let mut cancelled = pin!(self.cancelled());
            std::future::poll_fn(|context| {
                if cancelled.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Err(TransportError::Cancelled));
                }
                work.as_mut().poll(context)
            })
            .await
        })
    }

    async fn cancelled(&self) {
        loop {
            let notified = self.cancel.notified();
            if self.cancelled.load(Ordering::SeqCst) {
                return;
            }
            notified.await;
        }
    }

    fn sockets(&self) -> std::sync::MutexGuard<'_, Vec<(SocketAddr, UdpSocket)>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DatagramTransport for UdpTransport {
    fn send(&self, packet: DatagramPacket) -> Result<(), TransportError> {
        let mut sockets = self.sockets();
        if sockets.is_empty() {
            *sockets = self.run(self.open(&packet.endpoint))?;
        }
        let sent = self.run(async {
            let mut sent = 0;
            for (_, socket) in sockets.iter() {
                // Both families: one of them may lead nowhere, and a packet is small.
                // A refusal that an earlier packet met is told by the next call: once more.
                let mut done = socket.send(&packet.payload).await;
                if done.is_err() {
                    done = socket.send(&packet.payload).await;
                }
                sent += usize::from(done.is_ok());
            }
            Ok(sent)
        })?;
        match sent {
            0 => Err(TransportError::NoConnection),
            _ => Ok(()),
        }
    }

    fn receive(&self, wait_ms: u64) -> Result<Option<Vec<u8>>, TransportError> {
        let sockets = self.sockets();
        let next = std::future::poll_fn(|context| {
            for (_, socket) in sockets.iter() {
                let mut buffer = vec![0; ANSWER_BYTES];
                let mut read = ReadBuf::new(&mut buffer);
                // "Port unreachable" may be forged, and a post may come back: the
                // wait goes on. Each is told once, so this ends.
                while let Poll::Ready(outcome) = socket.poll_recv(context, &mut read) {
                    if outcome.is_ok() {
                        return Poll::Ready(read.filled().to_vec());
                    }
                }
            }
            Poll::Pending
        });
        let wait = Duration::from_millis(wait_ms);
        self.run(async { Ok(tokio::time::timeout(wait, next).await.ok()) })
    }

    fn cancel(&self) -> Result<bool, TransportError> {
        self.cancelled.store(true, Ordering::SeqCst);
        self.cancel.notify_one();
        Ok(true)
    }
}

impl Drop for UdpTransport {
    fn drop(&mut self) {
        // Sockets are of the runtime, and go before it.
        self.sockets().clear();
        if let Some(runtime) = self.runtime.take() {
            // A name look-up that hangs must not keep the caller.
            runtime.shutdown_background();
        }
    }
}
