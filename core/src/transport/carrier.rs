//! What a pass sends with: the built-in transport, which has several exchanges in
//! flight, or the host's, which has one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::https::HttpsTransport;
use super::{Exchanged, HttpRequest, Transport, TransportError};
use crate::config::{Config, Policy};
use crate::error::Result;

/// What [`Carrier::next`] has waited for.
pub(crate) enum Arrived {
    /// The exchange of a ticket has ended.
    Answer(u64, Exchanged),
    /// Something urgent is there to be sent.
    Urgent,
    /// `cancel` was called.
    Cancelled,
    /// Nothing was in flight.
    Nothing,
}

/// The transport of one pass.
pub(crate) enum Carrier {
    /// Ours.
    BuiltIn(Arc<HttpsTransport>),
    /// The host's: it answers before the next exchange begins.
    Host {
        /// What the host gave.
        transport: Arc<dyn Transport>,
        /// Answers that nobody has fetched yet.
        answered: Mutex<VecDeque<(u64, Exchanged)>>,
    },
}

impl Carrier {
    /// Errors: `Invalid` when a root of the `Config` is not a certificate.
    pub(crate) fn new(
        host: Option<&Arc<dyn Transport>>,
        config: &Config,
        policy: &Policy,
    ) -> Result<Self> {
        Ok(match host {
            Some(transport) => Self::Host {
                transport: Arc::clone(transport),
                answered: Mutex::default(),
            },
            None => Self::BuiltIn(Arc::new(HttpsTransport::new(config, policy)?)),
        })
    }

    /// As the host's own interface has it: to cancel from another thread.
    pub(crate) fn transport(&self) -> Arc<dyn Transport> {
        match self {
            Self::BuiltIn(https) => Arc::<HttpsTransport>::clone(https),
            Self::Host { transport, .. } => Arc::clone(transport),
        }
    }

    /// One exchange, while others may be in flight.
    pub(crate) fn exchange(&self, request: HttpRequest) -> Exchanged {
        match self {
            Self::BuiltIn(https) => https.exchange(request),
            Self::Host { transport, .. } => transport.exchange(request),
        }
    }

    /// How many exchanges may be in flight, a report's not counted.
    pub(crate) fn most_in_flight(&self, policy: &Policy) -> usize {
        match self {
            Self::BuiltIn(_) => policy.in_flight.max(1),
            Self::Host { .. } => 1,
        }
    }

    /// Starts an exchange; [`Carrier::next`] brings what it came to.
    pub(crate) fn start(&self, ticket: u64, slot: usize, request: HttpRequest) {
        match self {
            Self::BuiltIn(https) => https.start(ticket, slot, request),
            Self::Host {
                transport,
                answered,
            } => {
                let answer = transport.exchange(request);
                let mut answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
                answered.push_back((ticket, answer));
            }
        }
    }

    /// Waits for the first exchange to end, or for `urgent`.
    pub(crate) fn next(&self, urgent: &Notify) -> Arrived {
        match self {
            Self::BuiltIn(https) => https.next(urgent),
            Self::Host { answered, .. } => {
                let mut answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
                match answered.pop_front() {
                    Some((_, Err(TransportError::Cancelled))) => Arrived::Cancelled,
                    Some((ticket, answer)) => Arrived::Answer(ticket, answer),
                    None => Arrived::Nothing,
                }
            }
        }
    }
}
