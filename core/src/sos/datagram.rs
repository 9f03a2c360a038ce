//! The short form of a report in one packet, and its receipt after one round trip.
//!
//! A *round* seals what waits, gives each packet to the network, waits a bounded time
//! for receipts, and writes down how it ended. Two callers begin one: a pass of sync
//! after HTTPS has brought no receipt, and [`Sos::send_datagram`]. One runs at a time.
//!
//! | what happens | evidence | shown |
//! | --- | --- | --- |
//! | no name, no route, nothing sent | attempt, `NoConnection` | as before |
//! | sent, nothing came, or answers that cannot be checked | attempt, `NoAnswer` | `Handed` |
//! | sent, and an answer that is forged, or of another message | attempt, `BadReceipt` | `Handed` |
//! | a receipt that verifies for a packet of this process | `CompactReceipt` | `Received` |
//!
//! An answer that proves nothing never ends the wait: whoever can forge one could
//! otherwise keep the true one away. A receipt for an earlier packet of the report
//! counts; it proves the same. The full report waits on, for HTTPS.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::compact::CompactReport;
use super::{AttemptResult, Channel, Evidence, ReportEvent, ReportState, ReportStatus, Sos, event};
use crate::clock::elapsed_ms;
use crate::config::Policy;
use crate::error::{HomelineError, Result, guard};
use crate::homeline::Topic;
use crate::seal::compact::{CompactKind, CompactReceipt, message_hash};
use crate::seal::signed::VerifyError;
use crate::transport::{DatagramPacket, DatagramTransport, TransportError, UdpTransport};

/// How a datagram ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum DatagramOutcome {
    /// The ministry has the report: its receipt verifies.
    Received,
    /// It left, and nothing came back in time.
    NoAnswer,
    /// It left, and what came back is not the ministry's receipt for it.
    BadAnswer,
    /// Nothing left: no network, no route, no name.
    NotSent,
    /// Not yet: the last one of this report was sent just now, or it counts down.
    Wait {
        /// When it may be sent, milliseconds UTC by the phone's clock.
        from_ms: i64,
    },
    /// Others are being sent at this moment.
    Busy,
    /// The ministry takes no datagrams, as far as this phone knows.
    NotOffered,
    /// The ministry has the report already, or the traveler has taken it back.
    NotNeeded,
    /// The report's readable copy cannot be read by this device.
    NotReadable,
}

/// What sends datagrams, and what was sent lately.
#[derive(Default)]
pub(super) struct Line {
    /// The host's transport; the built-in one where there is none.
    host: Mutex<Option<Arc<dyn DatagramTransport>>>,
    /// The transport of the running round.
    active: Mutex<Option<Arc<dyn DatagramTransport>>>,
    round: Mutex<()>,
    /// Packets of this process, the oldest first.
    sent: Mutex<VecDeque<([u8; 16], Uuid)>>,
}

/// A report of a round.
struct Packet {
    report: Uuid,
    message: Vec<u8>,
    left: bool,
    forged: bool,
    proved: bool,
}

#[uniffi::export]
impl Sos {
    /// Sends the short form of a report in one packet and waits a few seconds for its
    /// receipt: call it from a background thread. `sync` does the same by itself
    /// where HTTPS brings no receipt. The full report waits on, for HTTPS.
    ///
    /// Errors: `NotFound`, `Storage`.
    pub fn send_datagram(&self, report: String) -> Result<DatagramOutcome> {
        guard("Sos::send_datagram", || {
            let id = self.known(&report)?;
            match self.packet(id)? {
                Ok(packet) => {
                    let ended = self.round(vec![packet], self.policy.datagram_wait)?;
                    Ok(ended.map_or(DatagramOutcome::Busy, |ended| {
                        ended
                            .first()
                            .map_or(DatagramOutcome::NotOffered, Packet::outcome)
                    }))
                }
                Err(outcome) => Ok(outcome),
            }
        })
    }

    /// Sends datagrams by `transport`, such as a satellite modem; `None`: by UDP.
    #[uniffi::method(default(transport = None))]
    pub fn set_datagram_transport(
        &self,
        transport: Option<Arc<dyn DatagramTransport>>,
    ) -> Result<()> {
        guard("Sos::set_datagram_transport", || {
            *lock(&self.line.host) = transport;
            Ok(())
        })
    }
}

impl Sos {
    /// Sends what waits without proof, in a pass whose HTTPS has failed. It takes no
    /// longer than `longest`.
    pub(crate) fn datagrams_of_pass(&self, longest: Duration) -> Result<()> {
        if longest.is_zero() || self.sealer.datagram_endpoint().is_none() {
            return Ok(());
        }
        let mut packets = Vec::new();
        for report in self.outbox.reports_waiting(self.policy.datagrams_of_pass)? {
            if let Ok(packet) = self.packet(report)? {
                packets.push(packet);
            }
        }
        self.round(packets, longest)?;
        Ok(())
    }

    /// Ends a running round as soon as its transport can.
    pub(crate) fn cancel_datagrams(&self) {
        // Cloned first: the host is never called with a lock held.
        let active = lock(&self.line.active).clone();
        if let Some(transport) = active {
            let _ = transport.cancel();
        }
    }

    /// The packet of a report, or why there is none.
    fn packet(&self, report: Uuid) -> Result<std::result::Result<Packet, DatagramOutcome>> {
        if self.sealer.datagram_endpoint().is_none() {
            return Ok(Err(DatagramOutcome::NotOffered));
        }
        let (copy, status) = self.told(report)?;
        let now = self.time.now();
        if let Err(outcome) = may_send(&status, now.wall_ms, &self.policy) {
            return Ok(Err(outcome));
        }
        let Some(copy) = copy else {
            return Ok(Err(DatagramOutcome::NotReadable));
        };
        let short = CompactReport::of(&copy, elapsed_ms(&copy.pressed, &now));
        let message = self.sealer.compact(CompactKind::Report, &short.encode())?;
        if message.len() > self.policy.datagram_bytes {
            return Err(HomelineError::bug("sos::datagram"));
        }
        Ok(Ok(Packet {
            report,
            message,
            left: false,
            forged: false,
            proved: false,
        }))
    }

    /// One round; `None` where another one is running. The transport is called with
    /// no lock held but that of the round.
    fn round(&self, mut packets: Vec<Packet>, longest: Duration) -> Result<Option<Vec<Packet>>> {
        let _round = match self.line.round.try_lock() {
            Ok(round) => round,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(None),
        };
        let Some(endpoint) = self.sealer.datagram_endpoint() else {
            return Ok(Some(Vec::new()));
        };
        if packets.is_empty() {
            return Ok(Some(packets));
        }
        let host = lock(&self.line.host).clone();
        let transport = match host {
            Some(host) => host,
            None => Arc::new(UdpTransport::new(&self.policy)?),
        };
        *lock(&self.line.active) = Some(Arc::clone(&transport));
        let outcome = self.exchange(transport.as_ref(), &endpoint, &mut packets, longest);
        *lock(&self.line.active) = None;
        let noted = self.note(&packets);
        self.listeners.notify(Topic::Sos);
        outcome.and(noted)?;
        Ok(Some(packets))
    }

    /// Sends, and waits for receipts; sends once more what has none half way.
    fn exchange(
        &self,
        transport: &dyn DatagramTransport,
        endpoint: &str,
        packets: &mut [Packet],
        longest: Duration,
    ) -> Result<()> {
        let begun = Instant::now();
        let mut sendings = [Duration::ZERO, self.policy.datagram_resend]
            .into_iter()
            .peekable();
        // A flood of answers that prove nothing does not keep this thread.
        for _ in 0..self.policy.datagram_answers {
            if packets.iter().all(|packet| packet.proved) || begun.elapsed() >= longest {
                break;
            }
            if sendings.next_if(|at| *at <= begun.elapsed()).is_some()
                && !self.send_unproved(transport, endpoint, packets)
            {
                break;
            }
            let until = sendings.peek().copied().unwrap_or(longest).min(longest);
            let wait = until.saturating_sub(begun.elapsed());
            match transport.receive(u64::try_from(wait.as_millis()).unwrap_or(0).max(1)) {
                Ok(Some(answer)) => self.take_answer(&answer, packets)?,
                Ok(None) => {}
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Whether any of them has left by now.
    fn send_unproved(
        &self,
        transport: &dyn DatagramTransport,
        endpoint: &str,
        packets: &mut [Packet],
    ) -> bool {
        for packet in packets.iter_mut().filter(|packet| !packet.proved) {
            self.remember(message_hash(&packet.message), packet.report);
            let sent = transport.send(DatagramPacket {
                endpoint: endpoint.to_owned(),
                payload: packet.message.clone(),
            });
            match sent {
                Err(TransportError::Cancelled) => return false,
                Err(TransportError::NoConnection) => {}
                // What failed otherwise may have left.
                Ok(()) | Err(_) => packet.left = true,
            }
        }
        packets.iter().any(|packet| packet.left)
    }

    /// Believes an answer only if a receipt key has signed it for a packet that this
    /// process has sent.
    fn take_answer(&self, answer: &[u8], packets: &mut [Packet]) -> Result<()> {
        let receipt = match CompactReceipt::verify(answer, &self.sealer.receipt_keys()) {
            Ok(receipt) => receipt,
            // Nobody here can tell whose it is: no service document yet, or a new key.
            Err(VerifyError::UnknownKey) => return Ok(()),
            Err(_) => {
                mark_forged(packets);
                return Ok(());
            }
        };
        let known = lock(&self.line.sent)
            .iter()
            .find(|(hash, report)| receipt.is_for(hash, report))
            .map(|(_, report)| *report);
        let Some(report) = known else {
            mark_forged(packets);
            return Ok(());
        };
        self.prove(report, &receipt, answer)?;
        for packet in packets.iter_mut().filter(|packet| packet.report == report) {
            packet.proved = true;
        }
        Ok(())
    }

    fn prove(&self, report: Uuid, receipt: &CompactReceipt, answer: &[u8]) -> Result<()> {
        let evidence = Evidence::CompactReceipt {
            channel: Channel::Datagram,
            case_id: receipt.case_id.clone(),
            received_ms: receipt.received_ms,
            signed: STANDARD.encode(answer),
        };
        let event = event(report, &self.time.now(), &evidence)?;
        self.outbox.note_of_report(&event)
    }

    /// Writes down the attempts that brought no receipt.
    fn note(&self, packets: &[Packet]) -> Result<()> {
        for packet in packets.iter().filter(|packet| !packet.proved) {
            let evidence = Evidence::Attempt {
                channel: Channel::Datagram,
                result: match (packet.left, packet.forged) {
                    (false, _) => AttemptResult::NoConnection,
                    (true, false) => AttemptResult::NoAnswer,
                    (true, true) => AttemptResult::BadReceipt,
                },
                carried: packet.left,
            };
            let event = event(packet.report, &self.time.now(), &evidence)?;
            self.outbox.note_of_report(&event)?;
        }
        Ok(())
    }

    fn remember(&self, hash: [u8; 16], report: Uuid) {
        let mut sent = lock(&self.line.sent);
        if sent.iter().any(|(known, _)| *known == hash) {
            return;
        }
        while sent.len() >= self.policy.datagrams_remembered {
            sent.pop_front();
        }
        sent.push_back((hash, report));
    }
}

impl Packet {
    fn outcome(&self) -> DatagramOutcome {
        match (self.proved, self.left, self.forged) {
            (true, ..) => DatagramOutcome::Received,
            (_, false, _) => DatagramOutcome::NotSent,
            (_, true, false) => DatagramOutcome::NoAnswer,
            (_, true, true) => DatagramOutcome::BadAnswer,
        }
    }
}

fn mark_forged(packets: &mut [Packet]) {
    for packet in packets.iter_mut().filter(|packet| !packet.proved) {
        packet.forged = true;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a datagram of the report makes sense now. Pure.
pub(super) fn may_send(
    status: &ReportStatus,
    now_ms: i64,
    policy: &Policy,
) -> std::result::Result<(), DatagramOutcome> {
    match status.state {
        ReportState::Countdown { until_ms } => {
            return Err(DatagramOutcome::Wait { from_ms: until_ms });
        }
        ReportState::Received { .. }
        | ReportState::Acknowledged { .. }
        | ReportState::Closed { .. }
        | ReportState::Cancelled { .. } => return Err(DatagramOutcome::NotNeeded),
        ReportState::Stored | ReportState::Handed { .. } | ReportState::Parked { .. } => {}
    }
    let from_ms = due_ms(sent(&status.events), now_ms, policy);
    if from_ms > now_ms {
        return Err(DatagramOutcome::Wait { from_ms });
    }
    Ok(())
}

/// How many datagrams of a report have left, and when the last one.
fn sent(events: &[ReportEvent]) -> Option<(u32, i64)> {
    events
        .iter()
        .filter(|event| {
            matches!(
                event.evidence,
                Evidence::Attempt {
                    channel: Channel::Datagram,
                    carried: true,
                    ..
                }
            )
        })
        .fold(None, |sent, event| {
            let times = sent.map_or(0, |(times, _)| times);
            Some((times.saturating_add(event.times), event.last_wall_ms))
        })
}

/// When the next datagram of a report may go: the wait doubles with each, up to a
/// ceiling. One that lies ahead was sent before the clock went back. Pure.
pub(super) fn due_ms(sent: Option<(u32, i64)>, now_ms: i64, policy: &Policy) -> i64 {
    let Some((times, last_ms)) = sent else {
        return now_ms;
    };
    let doubled = policy
        .datagram_again_ms
        .checked_shl(times.saturating_sub(1).min(16))
        .unwrap_or(i64::MAX);
    last_ms
        .min(now_ms)
        .saturating_add(doubled.min(policy.datagram_again_most_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_790_000_000_000;

    #[test]
    fn the_wait_between_two_datagrams_doubles_up_to_a_ceiling() {
        let policy = Policy::STANDARD;
        let wait = |times, last_ms| due_ms(Some((times, last_ms)), NOW_MS, &policy) - NOW_MS;
        assert_eq!(due_ms(None, NOW_MS, &policy), NOW_MS);
        assert_eq!(wait(1, NOW_MS), policy.datagram_again_ms);
        assert_eq!(wait(2, NOW_MS), 2 * policy.datagram_again_ms);
        assert_eq!(
            wait(3, NOW_MS - 1_000),
            4 * policy.datagram_again_ms - 1_000
        );
        assert_eq!(wait(90, NOW_MS), policy.datagram_again_most_ms);
        assert_eq!(wait(u32::MAX, i64::MAX), policy.datagram_again_most_ms);
    }

    #[test]
    fn what_is_proved_or_taken_back_is_not_sent() {
        let policy = Policy::STANDARD;
        let with = |state| ReportStatus {
            report: String::new(),
            state,
            events: Vec::new(),
            attempts: 0,
            next_attempt_ms: None,
        };
        let send = |state| may_send(&with(state), NOW_MS, &policy);
        assert_eq!(send(ReportState::Stored), Ok(()));
        let parked = ReportState::Parked {
            status: 422,
            reason: String::new(),
        };
        assert_eq!(send(parked), Ok(()));
        let received = ReportState::Received {
            case_id: None,
            received_ms: 1,
        };
        let cancelled = ReportState::Cancelled {
            known_at_ministry_ms: None,
        };
        for state in [received, cancelled] {
            assert_eq!(send(state), Err(DatagramOutcome::NotNeeded));
        }
        let counting = ReportState::Countdown {
            until_ms: NOW_MS + 5,
        };
        assert_eq!(
            send(counting),
            Err(DatagramOutcome::Wait {
                from_ms: NOW_MS + 5
            })
        );
    }
}
