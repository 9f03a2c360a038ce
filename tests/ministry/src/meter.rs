//! Counters: what the service has seen since it was started. Numbers only.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use homeline::sync::protocol::{
    ATTACHMENTS_PATH, CHANGES_PATH, CHUNKS_PATH, DEVICES_PATH, ENVELOPES_PATH, EnvelopeOutcome,
    EnvelopeResult, PARCELS_PATH, SERVICE_PATH, SMS_PATH,
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the service has seen since it was started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Requests of the API by path; `other` for paths that it does not have.
    pub requests: BTreeMap<String, u64>,
    /// Envelopes stored.
    pub accepted: u64,
    /// Envelopes that were here already: stored once, counted here.
    pub duplicates: u64,
    /// Envelopes refused for good.
    pub refused: u64,
    /// Bytes of request bodies that were read.
    pub body_bytes: u64,
    /// Connections to the API.
    pub connections: u64,
    /// Bytes of TCP payload from clients of the API, TLS included.
    pub wire_bytes_in: u64,
    /// Bytes of TCP payload to clients of the API, TLS included.
    pub wire_bytes_out: u64,
    /// Answers with a status of 500 or above, and datagrams that could not be stored.
    pub failures: u64,
    /// Requests that were asked to stand by: more than the capacity.
    #[serde(default)]
    pub turned_away: u64,
    /// Datagrams that came, whatever was in them.
    #[serde(default)]
    pub datagrams: u64,
    /// Bytes of their UDP payload.
    #[serde(default)]
    pub datagram_bytes_in: u64,
    /// Datagrams that were answered by a receipt.
    #[serde(default)]
    pub datagrams_answered: u64,
    /// Bytes of UDP payload of these receipts.
    #[serde(default)]
    pub datagram_bytes_out: u64,
    /// Datagrams that got no answer for what was in them.
    #[serde(default)]
    pub datagrams_ignored: u64,
    /// Datagrams that were not looked at: too many of a source, or of all.
    #[serde(default)]
    pub datagrams_limited: u64,
    /// Datagrams that were not looked at: as many as can be were being opened.
    #[serde(default)]
    pub datagrams_crowded: u64,
}

/// The running counters.
#[derive(Default)]
pub(crate) struct Meter {
    requests: Mutex<BTreeMap<&'static str, u64>>,
    accepted: AtomicU64,
    duplicates: AtomicU64,
    refused: AtomicU64,
    body_bytes: AtomicU64,
    connections: AtomicU64,
    wire_bytes_in: AtomicU64,
    wire_bytes_out: AtomicU64,
    failures: AtomicU64,
    turned_away: AtomicU64,
    datagrams: AtomicU64,
    datagram_bytes_in: AtomicU64,
    datagrams_answered: AtomicU64,
    datagram_bytes_out: AtomicU64,
    datagrams_ignored: AtomicU64,
    datagrams_limited: AtomicU64,
    datagrams_crowded: AtomicU64,
}

impl Meter {
    pub(crate) fn request(&self, path: &str) {
        // A fixed set of names: a scanner must not fill the memory.
        let whole = [
            SERVICE_PATH,
            DEVICES_PATH,
            ENVELOPES_PATH,
            PARCELS_PATH,
            CHANGES_PATH,
            SMS_PATH,
        ]
        .into_iter()
        .find(|known| *known == path);
        // These end in a hash or an id.
        let prefix = [CHUNKS_PATH, ATTACHMENTS_PATH].into_iter().find(|known| {
            path.strip_prefix(known)
                .is_some_and(|rest| rest.starts_with('/'))
        });
        let name = whole.or(prefix).unwrap_or("other");
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry(name).or_default() += 1;
    }

    pub(crate) fn results(&self, results: &[EnvelopeResult]) {
        for result in results {
            add(
                match result.outcome {
                    EnvelopeOutcome::Accepted { .. } => &self.accepted,
                    EnvelopeOutcome::Duplicate { .. } => &self.duplicates,
                    EnvelopeOutcome::Refused { .. } => &self.refused,
                },
                1,
            );
        }
    }

    pub(crate) fn body(&self, bytes: usize) {
        add(&self.body_bytes, bytes);
    }

    pub(crate) fn failure(&self) {
        add(&self.failures, 1);
    }

    pub(crate) fn turned_away(&self) {
        add(&self.turned_away, 1);
    }

    pub(crate) fn datagram(&self, bytes: usize) {
        add(&self.datagrams, 1);
        add(&self.datagram_bytes_in, bytes);
    }

    pub(crate) fn datagram_answered(&self, bytes: usize) {
        add(&self.datagrams_answered, 1);
        add(&self.datagram_bytes_out, bytes);
    }

    pub(crate) fn datagram_ignored(&self) {
        add(&self.datagrams_ignored, 1);
    }

    pub(crate) fn datagram_limited(&self) {
        add(&self.datagrams_limited, 1);
    }

    pub(crate) fn datagram_crowded(&self) {
        add(&self.datagrams_crowded, 1);
    }

    pub(crate) fn read(&self) -> Counters {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        Counters {
            requests: requests
                .iter()
                .map(|(path, count)| ((*path).to_owned(), *count))
                .collect(),
            accepted: get(&self.accepted),
            duplicates: get(&self.duplicates),
            refused: get(&self.refused),
            body_bytes: get(&self.body_bytes),
            connections: get(&self.connections),
            wire_bytes_in: get(&self.wire_bytes_in),
            wire_bytes_out: get(&self.wire_bytes_out),
            failures: get(&self.failures),
            turned_away: get(&self.turned_away),
            datagrams: get(&self.datagrams),
            datagram_bytes_in: get(&self.datagram_bytes_in),
            datagrams_answered: get(&self.datagrams_answered),
            datagram_bytes_out: get(&self.datagram_bytes_out),
            datagrams_ignored: get(&self.datagrams_ignored),
            datagrams_limited: get(&self.datagrams_limited),
            datagrams_crowded: get(&self.datagrams_crowded),
        }
    }
}

fn add(counter: &AtomicU64, more: usize) {
    counter.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// A stream whose bytes are counted.
pub(crate) struct Metered<S> {
    stream: S,
    meter: Arc<Meter>,
}

impl<S> Metered<S> {
    pub(crate) fn new(stream: S, meter: Arc<Meter>) -> Self {
        add(&meter.connections, 1);
        Self { stream, meter }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(cx, buf);
        add(
            &self.meter.wire_bytes_in,
            buf.filled().len().saturating_sub(before),
        );
        poll
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = poll {
            add(&self.meter.wire_bytes_out, written);
        }
        poll
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
