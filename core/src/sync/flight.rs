//! The batches in flight: which go next, and what their answers mean.
//!
//! The outbox is asked anew before each request, and whenever something is pressed,
//! so a report that was pressed meanwhile is in the next one. Two rules keep the link
//! free for it: while something of a higher lane is in flight nothing of a lower one is sent, and a
//! report may be one request more than all others together. What is in flight is
//! known in memory only: killed anywhere, all of it is sent again, and the
//! ministry takes it once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::SyncStop;
use super::client::{Body, Failure, is_binary, judge, read_json};
use super::pass::{Carried, Pass, Stop};
use super::protocol::{
    BatchAnswer, ENVELOPES_BINARY, ENVELOPES_PATH, EnvelopeResult, JSON, read_results, write_batch,
};
use crate::clock::{ClockReading, elapsed_ms};
use crate::error::Result;
use crate::keys::DeviceKeys;
use crate::outbox::{Batch, Lane, Waiting};
use crate::sos::AttemptResult;
use crate::transport::{Arrived, Exchanged, HttpResponse, TransportError};

/// A batch on its way.
struct Flight {
    ticket: u64,
    /// Which of the connections it uses.
    slot: usize,
    batch: Vec<Waiting>,
    since: ClockReading,
    /// Whether it was sent before, and the ministry did not know the device.
    again: bool,
}

/// The batches in flight of a pass.
#[derive(Default)]
pub(super) struct Flights {
    all: Vec<Flight>,
    tickets: u64,
    /// Bytes of the next batch; `None` before the first answer.
    room: Option<usize>,
    /// Came with others in a batch that failed whole: each goes alone, so that
    /// the bad one is found.
    suspects: Vec<Uuid>,
    /// Whether the device was enrolled anew in this pass.
    enrolled_anew: bool,
    /// Why nothing more is sent; what is in flight is waited for.
    stop: Option<Stop>,
    /// Whether answers are put aside: the service document is on its way, and
    /// without its keys no receipt could be believed.
    pub(super) holds: bool,
    held: VecDeque<(u64, Exchanged)>,
}

impl Flights {
    fn forget(&mut self, ticket: u64) {
        self.all.retain(|flight| flight.ticket != ticket);
    }

    fn ticket(&mut self) -> u64 {
        self.tickets = self.tickets.wrapping_add(1);
        self.tickets
    }

    /// What must not be sent beside itself.
    fn ids(&self) -> impl Iterator<Item = Uuid> {
        let batches = self.all.iter().flat_map(|flight| &flight.batch);
        batches.map(|waiting| waiting.id)
    }

    /// The highest lane in flight.
    fn highest(&self) -> Option<Lane> {
        let first = |flight: &Flight| flight.batch.first().map(|waiting| waiting.lane);
        self.all.iter().filter_map(first).min()
    }

    /// A connection that nothing uses; the first one where all are busy, for one
    /// connection carries several requests.
    fn free_slot(&self, most: usize) -> usize {
        (0..most)
            .find(|slot| self.all.iter().all(|flight| flight.slot != *slot))
            .unwrap_or_default()
    }

    /// Those of a batch that may travel together.
    fn together(&self, mut batch: Vec<Waiting>) -> Vec<Waiting> {
        let alone = |waiting: &Waiting| self.suspects.contains(&waiting.id);
        let keep = match batch.iter().position(alone) {
            Some(at) => at.max(1),
            None => batch.len(),
        };
        batch.truncate(keep);
        batch
    }
}

/// What [`Pass::launch_next`] did.
enum Launch {
    /// A batch is on its way, or something was staged: there may be more.
    More,
    /// Nothing can go now: when to look again, milliseconds from now.
    Rest(Option<i64>),
}

impl Pass<'_> {
    /// Sends until nothing is due. `Ok(Ok(wait))`: when to call again.
    pub(super) fn drain(&mut self) -> Result<Result<Option<i64>, Stop>> {
        let outbox = Arc::clone(&self.parts.outbox);
        loop {
            let wait = self.launch_all()?;
            if self.flights.all.is_empty() {
                return Ok(match self.flights.stop.take() {
                    Some(stop) => Err(stop),
                    None => Ok(wait),
                });
            }
            let arrived = match self.flights.held.pop_front() {
                Some((ticket, answer)) => Arrived::Answer(ticket, answer),
                None => self.client.carrier.next(outbox.urgent()),
            };
            self.take(arrived)?;
        }
    }

    /// What is at `target`, in JSON.
    pub(super) fn fetch<T: DeserializeOwned>(
        &mut self,
        target: &str,
        device: Option<&DeviceKeys>,
    ) -> Result<Result<T, Failure>> {
        self.fetch_as(target, device, read_json)
    }

    /// A request that carries no envelope: a report that is pressed meanwhile does
    /// not wait for it. `read` takes what it needs of the answer.
    pub(super) fn fetch_as<T>(
        &mut self,
        target: &str,
        device: Option<&DeviceKeys>,
        read: impl FnOnce(&HttpResponse) -> Result<T, Failure>,
    ) -> Result<Result<T, Failure>> {
        let nothing = Body {
            media_type: JSON,
            bytes: Vec::new(),
        };
        let request = match self.client.request("GET", target, nothing, device) {
            Ok(request) => request,
            Err(failure) => return Ok(Err(failure)),
        };
        let ticket = self.flights.ticket();
        self.client.carrier.start(ticket, 0, request);
        let outbox = Arc::clone(&self.parts.outbox);
        loop {
            match self.client.carrier.next(outbox.urgent()) {
                Arrived::Answer(of, answer) if of == ticket => {
                    let answer = judge(answer).and_then(|response| read(&response));
                    return Ok(self.client.heard(answer));
                }
                arrived => {
                    if let Some(failure) = self.take(arrived)? {
                        return Ok(Err(failure));
                    }
                }
            }
            self.launch_all()?;
        }
    }

    /// Takes what has arrived; a failure where nothing more will.
    fn take(&mut self, arrived: Arrived) -> Result<Option<Failure>> {
        match arrived {
            Arrived::Answer(ticket, answer) if self.flights.holds => {
                self.flights.held.push_back((ticket, answer));
            }
            Arrived::Answer(ticket, answer) => {
                if let Err(stop) = self.landed(ticket, answer)? {
                    self.stop(stop);
                }
            }
            Arrived::Urgent => {}
            Arrived::Cancelled => {
                self.flights.all.clear();
                self.stop((SyncStop::Cancelled, Some(0)));
                return Ok(Some(Failure::Cancelled));
            }
            // Whoever carried them died with their answers.
            Arrived::Nothing => {
                let tickets: Vec<u64> = self.flights.all.iter().map(|it| it.ticket).collect();
                for ticket in tickets {
                    if let Err(stop) = self.landed(ticket, Err(TransportError::Failed))? {
                        self.stop(stop);
                    }
                }
                return Ok(Some(Failure::attempt(AttemptResult::NoAnswer)));
            }
        }
        Ok(None)
    }

    /// The first reason counts.
    pub(super) fn stop(&mut self, stop: Stop) {
        self.flights.stop.get_or_insert(stop);
    }

    fn launch_all(&mut self) -> Result<Option<i64>> {
        while self.flights.stop.is_none() {
            if self.cancelled.load(Ordering::SeqCst) {
                self.stop((SyncStop::Cancelled, Some(0)));
                break;
            }
            match self.launch_next()? {
                Ok(Launch::More) => {}
                Ok(Launch::Rest(wait)) => return Ok(wait),
                Err(stop) => self.stop(stop),
            }
        }
        Ok(None)
    }

    fn launch_next(&mut self) -> Result<Result<Launch, Stop>> {
        let policy = &self.parts.policy;
        let most = self.client.carrier.most_in_flight(policy);
        if self.flights.all.len() > most {
            return Ok(Ok(Launch::Rest(None)));
        }
        let now_ms = self.parts.time.now().wall_ms;
        let skip: Vec<Uuid> = self
            .skipped
            .iter()
            .copied()
            .chain(self.flights.ids())
            .collect();
        let (envelopes, bytes) = self.limits();
        let batch =
            self.parts
                .outbox
                .next_batch(now_ms, envelopes, bytes, &skip, self.allowed.gate)?;
        let sos = matches!(&batch, Batch::Send(batch)
            if batch.first().is_some_and(|first| first.lane == Lane::Sos));
        let sos_flies = self.flights.highest() == Some(Lane::Sos);
        // Ordinary data is staged behind the reports, never before them.
        if !sos && !sos_flies {
            // Others' reports go before what is ordinary here.
            match self.carry()? {
                Ok(true) => return Ok(Ok(Launch::More)),
                Ok(false) => {}
                Err(stop) => return Ok(Err(stop)),
            }
            if self.stage()? {
                return Ok(Ok(Launch::More));
            }
        }
        match batch {
            Batch::Empty => Ok(Ok(Launch::Rest(self.or_parcels(None)?))),
            Batch::Wait { until_ms } => {
                let wait = until_ms.saturating_sub(now_ms);
                let least = policy.backoff_first_ms;
                let wait = if wait > 0 { wait } else { least };
                Ok(Ok(Launch::Rest(self.or_parcels(Some(wait))?)))
            }
            Batch::Send(batch) => {
                let lane = batch.first().map(|first| first.lane);
                let room = most.saturating_add(usize::from(sos));
                let overtaken = self.flights.highest() < lane && !self.flights.all.is_empty();
                if overtaken || self.flights.all.len() >= room {
                    return Ok(Ok(Launch::Rest(None)));
                }
                let batch = self.flights.together(batch);
                let batch = self.sealed_to_keys_of_now(batch)?;
                let launched = self.launch(batch, false)?;
                Ok(launched.map(|()| Launch::More))
            }
        }
    }

    /// Envelopes and bytes of the next batch, at most.
    fn limits(&self) -> (u32, usize) {
        let policy = &self.parts.policy;
        let theirs = self.parts.sealer.service().map(|service| {
            let bytes = usize::try_from(service.limits.request_bytes).unwrap_or(usize::MAX);
            (service.limits.batch_envelopes.max(1), bytes)
        });
        let (envelopes, bytes) = theirs.unwrap_or((u32::MAX, usize::MAX));
        let room = self.flights.room.unwrap_or(policy.batch_bytes / 2);
        (policy.batch_envelopes.min(envelopes), room.min(bytes))
    }

    fn launch(&mut self, batch: Vec<Waiting>, again: bool) -> Result<Result<(), Stop>> {
        let carried = if again {
            Carried::Reports
        } else {
            Carried::Nothing
        };
        if let Err(failure) = self.ensure_enrolled()? {
            return self.failed(&batch, failure, carried);
        }
        let body = write_batch(batch.iter().map(|waiting| waiting.sealed.as_slice()));
        let device = self.parts.sealer.device();
        let body = Body {
            media_type: ENVELOPES_BINARY,
            bytes: body,
        };
        let request = self
            .client
            .request("POST", ENVELOPES_PATH, body, Some(&device));
        let request = match request {
            Ok(request) => request,
            Err(failure) => return self.failed(&batch, failure, carried),
        };
        let most = self.client.carrier.most_in_flight(&self.parts.policy);
        let slot = self.flights.free_slot(most);
        let ticket = self.flights.ticket();
        self.flights.all.push(Flight {
            ticket,
            slot,
            batch,
            since: self.parts.time.now(),
            again,
        });
        self.client.carrier.start(ticket, slot, request);
        Ok(Ok(()))
    }

    /// An answer has come, or will not.
    fn landed(&mut self, ticket: u64, answer: Exchanged) -> Result<Result<(), Stop>> {
        let at = |flight: &Flight| flight.ticket == ticket;
        let Some(at) = self.flights.all.iter().position(at) else {
            return Ok(Ok(()));
        };
        // It stays among those in flight until it is written down: what is fetched in
        // between must not send it again.
        let Some(flight) = self.flights.all.get(at) else {
            return Ok(Ok(()));
        };
        let (again, batch, since) = (flight.again, flight.batch.clone(), flight.since.clone());
        self.pace(&since);
        let answer = judge(answer).and_then(|response| results(&response, &batch));
        let outcome = match self.client.heard(answer) {
            Ok(results) => self.apply(&batch, &results)?,
            Err(Failure::UnknownDevice) if !again => {
                // The ministry lost it, or never had it: enrol and repeat, once.
                if !std::mem::replace(&mut self.flights.enrolled_anew, true) {
                    self.parts.outbox.set("enrolled", b"")?;
                }
                self.flights.forget(ticket);
                return self.launch(batch, true);
            }
            Err(failure) if failure.may_be_one_envelopes() => self.isolate(&batch, failure)?,
            Err(failure) => self.failed(&batch, failure, Carried::Reports)?,
        };
        self.flights.forget(ticket);
        Ok(outcome)
    }

    /// Keeps a request short in time: a report that is pressed meanwhile waits for
    /// what is in flight.
    fn pace(&mut self, since: &ClockReading) {
        let policy = &self.parts.policy;
        let took_ms = elapsed_ms(since, &self.parts.time.now()).unwrap_or(0);
        let (_, room) = self.limits();
        self.flights.room = Some(if took_ms > policy.request_slow_ms {
            (room / 2).max(policy.batch_bytes_least)
        } else if took_ms < policy.request_fast_ms {
            room.saturating_mul(2).min(policy.batch_bytes)
        } else {
            room
        });
    }

    /// A failure that a single envelope may have caused: it must not hold up the
    /// others. Those that came with it go one by one; the one that fails is skipped
    /// in this pass, and when several do it is not the envelopes' fault.
    fn isolate(&mut self, batch: &[Waiting], failure: Failure) -> Result<Result<(), Stop>> {
        if batch.len() > 1 {
            let ids = batch.iter().map(|waiting| waiting.id);
            self.flights.suspects.extend(ids);
            return Ok(Ok(()));
        }
        if matches!(failure, Failure::Refused { .. }) {
            return self.failed(batch, failure, Carried::Reports);
        }
        if self.skipped.len() >= self.parts.policy.skipped_envelopes {
            return self.failed(batch, failure, Carried::Reports);
        }
        self.skipped.extend(batch.iter().map(|waiting| waiting.id));
        self.failed(batch, failure, Carried::Reports)
            .map(|_| Ok(()))
    }
}

/// The results in an answer to a batch.
fn results(response: &HttpResponse, batch: &[Waiting]) -> Result<Vec<EnvelopeResult>, Failure> {
    if is_binary(response) {
        let sent = batch
            .iter()
            .map(|waiting| (waiting.id, waiting.sealed.as_slice()));
        return read_results(&response.body, sent)
            .ok_or_else(|| Failure::not_the_ministry(response.status));
    }
    read_json::<BatchAnswer>(response).map(|answer| answer.results)
}
