//! SOS: reports, and the state machine with its evidence.
//!
//! A press seals the report to the ministry, writes it to the outbox, and
//! returns when that is on disk. It takes no lock but the outbox's, needs no
//! network, no position, no login, no registration and no unlocked record:
//! there is one path, locked or unlocked. The readable copy, sealed to this
//! device, lies beside it until [`Sos::settle`] moves it to the record.

mod aml;
mod attachments;
pub mod compact;
mod datagram;
mod evidence;
mod ground;
mod log;
mod plan;
mod report;
mod request;
mod sms;
mod standing;

pub use aml::{LocationCaveat, LocationHandover, LocationTexts, location_texts};
pub use attachments::{
    AttachmentInfo, AttachmentPause, AttachmentState, AttachmentStatus, Attachments, SendOver,
};
pub(crate) use attachments::{
    BYTES_LOST, UNKNOWN_ATTACHMENT, Uploads, manifest_of, told as attachments_told,
};
pub use datagram::DatagramOutcome;
pub(crate) use evidence::state_word;
pub use evidence::{AttemptResult, Channel, Evidence, ReportEvent, ReportState};
pub use ground::Ground;
pub(crate) use log::{case_news, event, expire_copies};
pub use plan::{
    Conditions, DataCost, Neighbours, NetworkState, NextAction, NextStep, SatelliteLink,
    SmsAbility, StepCaution, StepReason, VoiceAbility,
};
pub(crate) use report::new_id;
pub use request::{OnRepeat, SosKind, SosRequest};
pub use sms::{SmsAnswer, SmsNext, SmsObstacle, SmsPart, SmsPlan, SmsResult};
pub(crate) use standing::StandingKeeper;

/// What [`crate::simulation::delivery`] calls.
#[cfg(feature = "simulation")]
pub(crate) mod decisions {
    pub(crate) use super::evidence::state_of;
    use super::plan::{Facts, Offered, next_steps};
    use super::{Conditions, DatagramOutcome, NextAction, ReportStatus, SmsNext, SmsObstacle};
    use crate::config::Policy;

    pub(crate) fn datagram(status: &ReportStatus, now_ms: i64) -> Option<DatagramOutcome> {
        super::datagram::may_send(status, now_ms, &Policy::STANDARD).err()
    }

    pub(crate) fn sms(status: &ReportStatus) -> Option<SmsObstacle> {
        super::sms::obstacle(status)
    }

    /// With a ministry that takes all channels, and a SIM that has sent nothing yet.
    pub(crate) fn next_actions(
        status: &ReportStatus,
        conditions: &Conditions,
        now_ms: i64,
    ) -> Vec<NextAction> {
        let facts = Facts {
            state: status.state.clone(),
            kind: None,
            next_attempt_ms: status.next_attempt_ms,
            datagram: Offered::Yes,
            sms: Offered::Yes,
            sms_next: SmsNext::SendNow,
        };
        let steps = next_steps(
            &facts,
            &status.events,
            conditions,
            now_ms,
            &Policy::STANDARD,
        );
        steps.into_iter().map(|step| step.action).collect()
    }
}

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::clock::{ClockReading, Time, elapsed_ms};
use crate::config::Policy;
use crate::error::{HomelineError, Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::outbox::{Beside, Lane, NewEnvelope, Outbox, Press, Role};
use crate::record::Record;
use crate::sync::Sealer;
use crate::sync::protocol::{AgedFix, Content, SosCancel, SosReport, SosUpdate};
use crate::whereabouts::{Fix, LastKnown, given};

/// What is known of a report, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ReportStatus {
    /// The report's id.
    pub report: String,
    /// The state that the events prove.
    pub state: ReportState,
    /// Every event, in order.
    pub events: Vec<ReportEvent>,
    /// Attempts to send it so far.
    pub attempts: u32,
    /// When `sync` would try next, milliseconds UTC by the phone's clock; absent
    /// where nothing of the report waits.
    pub next_attempt_ms: Option<i64>,
}

/// A report in a form to be read.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct ReportSummary {
    /// The report's id.
    pub report: String,
    /// The state that its events prove.
    pub state: ReportState,
    /// When it was pressed, milliseconds UTC by the phone's clock.
    pub pressed_ms: Option<i64>,
    /// The kind of emergency; absent while the readable copy cannot be read.
    pub kind: Option<SosKind>,
    /// What the traveler wrote; absent while the readable copy cannot be read.
    pub note: Option<String>,
}

redacted_debug!(ReportSummary);

struct LastPress {
    at: ClockReading,
    request: SosRequest,
    report: Uuid,
}

/// SOS reports. Reached through `Homeline::sos`.
#[derive(uniffi::Object)]
pub struct Sos {
    pub(crate) record: Arc<Record>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) standing: Arc<StandingKeeper>,
    pub(crate) last: Arc<LastKnown>,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) time: Time,
    pub(crate) policy: Policy,
    /// What to call when a press cannot be stored.
    numbers: Vec<String>,
    /// Datagrams.
    line: datagram::Line,
    /// The press before; its lock also makes two fingers one press.
    pressed: Mutex<Option<LastPress>>,
    /// The last update since the app was started: text messages carry it.
    update: Mutex<Option<(Uuid, i64, AgedFix)>>,
}

#[uniffi::export]
impl Sos {
    /// Presses SOS: when this returns, the report is on disk, written and
    /// synced. Returns its id.
    ///
    /// The same request within a second is the same press, unless
    /// `request.on_repeat` says otherwise.
    ///
    /// Errors: `NotStored` with the numbers to call; nothing else.
    pub fn press(&self, request: SosRequest) -> Result<String> {
        let report = guard("Sos::press", || self.store(&request)).map_err(|error| match error {
            HomelineError::Storage { problem } => HomelineError::NotStored {
                problem,
                call: self.numbers.clone(),
            },
            error => error,
        })?;
        self.listeners.notify(Topic::Sos);
        Ok(report.to_string())
    }

    /// A better position for a report: it follows as an update.
    ///
    /// Errors: `Invalid`, `NotFound`, `Storage`.
    pub fn update_position(&self, report: String, fix: Fix) -> Result<()> {
        guard("Sos::update_position", || {
            let report = self.known(&report)?;
            let fix = fix.validated()?;
            let at = self.time.now();
            let position = report::aged(given(fix, &at));
            let content = Content::SosUpdate(SosUpdate {
                report,
                at: at.clone(),
                position: position.clone(),
            });
            self.follow(report, &at, &content, Role::Update, &Evidence::UpdateStored)?;
            *self.last_update() = Some((report, at.wall_ms, position));
            Ok(())
        })
    }

    /// Takes a report back. In its countdown it leaves nothing behind; later the
    /// cancellation is itself a report, and the ministry learns of it. Attachments
    /// that were not sent stay paused until `set_send_over` or `remove`.
    ///
    /// Errors: `NotFound`, `Storage`.
    pub fn cancel(&self, report: String) -> Result<()> {
        guard("Sos::cancel", || {
            let report = self.known(&report)?;
            let at = self.time.now();
            if self.outbox.remove_countdown(report, at.wall_ms)? {
                *self.last_press() = None;
                self.listeners.notify(Topic::Sos);
                return Ok(());
            }
            if matches!(
                self.status_of(report)?.state,
                ReportState::Cancelled { .. } | ReportState::Closed { .. }
            ) {
                return Ok(());
            }
            let content = Content::SosCancel(SosCancel {
                report,
                at: at.clone(),
            });
            self.follow(report, &at, &content, Role::Cancel, &Evidence::CancelStored)?;
            self.outbox.hold_attachments(report)
        })
    }

    /// Lets a parked report wait again.
    ///
    /// Errors: `NotFound`, `Storage`.
    pub fn try_again(&self, report: String) -> Result<()> {
        guard("Sos::try_again", || {
            let report = self.known(&report)?;
            let event = event(report, &self.time.now(), &Evidence::TriedAgain)?;
            if self.outbox.unpark_report(report, &event)? {
                self.listeners.notify(Topic::Sos);
            }
            Ok(())
        })
    }

    /// The status of a report with its evidence.
    ///
    /// Errors: `NotFound`, `Storage`.
    pub fn status(&self, report: String) -> Result<ReportStatus> {
        guard("Sos::status", || self.status_of(self.known(&report)?))
    }

    /// What to try next for a report, the most urgent first, and why; empty where
    /// nothing is left to do. To be asked anew when the conditions or the report's
    /// status change.
    ///
    /// Errors: `NotFound`, `Storage`.
    pub fn next_steps(&self, report: String, conditions: Conditions) -> Result<Vec<NextStep>> {
        guard("Sos::next_steps", || {
            let report = self.known(&report)?;
            let (copy, status) = self.told(report)?;
            let facts = plan::Facts {
                state: status.state,
                kind: copy.map(|copy| copy.kind),
                next_attempt_ms: status.next_attempt_ms,
                datagram: plan::Offered::from(self.sealer.datagram_endpoint().is_some()),
                sms: plan::Offered::from(!self.sealer.sms_numbers().is_empty()),
                sms_next: self.sms_next(report)?,
            };
            let now_ms = self.time.now().wall_ms;
            Ok(plan::next_steps(
                &facts,
                &status.events,
                &conditions,
                now_ms,
                &self.policy,
            ))
        })
    }

    /// The position of a report as texts for a local emergency centre: AML, ISO
    /// 6709 and `geo:`. It is the one that was sent with it; where there was none,
    /// the last known one.
    ///
    /// Errors: `NotFound`, `Storage`.
    pub fn location_texts(&self, report: String) -> Result<LocationHandover> {
        guard("Sos::location_texts", || {
            let report = self.known(&report)?;
            let copy = log::readable(&self.record, &self.outbox, &self.sealer, report);
            let offset_ms = self
                .outbox
                .best_ms()
                .saturating_sub(self.time.now().wall_ms);
            let sent = copy.and_then(|copy| Some((copy.position?, copy.pressed.wall_ms)));
            let known = || {
                let now = self.time.now();
                let newest = self.last.recent(&now).into_iter().next()?;
                Some((report::aged(newest), now.wall_ms))
            };
            Ok(match sent.or_else(known) {
                Some((fix, wall_ms)) => {
                    location_texts(&fix, Some(wall_ms.saturating_add(offset_ms)))
                }
                None => LocationHandover::NoPosition,
            })
        })
    }

    /// All reports, the newest first.
    ///
    /// Errors: `Storage`.
    pub fn reports(&self) -> Result<Vec<ReportSummary>> {
        guard("Sos::reports", || {
            self.outbox
                .reports()?
                .into_iter()
                .map(|report| {
                    let status = self.status_of(report)?;
                    let copy = log::readable(&self.record, &self.outbox, &self.sealer, report);
                    Ok(ReportSummary {
                        report: status.report,
                        state: status.state,
                        pressed_ms: status.events.first().map(|event| event.wall_ms),
                        kind: copy.as_ref().map(|copy| copy.kind),
                        note: copy.map(|copy| copy.note),
                    })
                })
                .collect()
        })
    }
}

impl Sos {
    #[expect(clippy::too_many_arguments, reason = "called once, by Homeline")]
    pub(crate) fn new(
        record: Arc<Record>,
        outbox: Arc<Outbox>,
        sealer: Arc<Sealer>,
        standing: Arc<StandingKeeper>,
        last: Arc<LastKnown>,
        listeners: Arc<Listeners>,
        time: Time,
        policy: Policy,
        numbers: Vec<String>,
    ) -> Self {
        Self {
            record,
            outbox,
            sealer,
            standing,
            last,
            listeners,
            time,
            policy,
            numbers,
            line: datagram::Line::default(),
            pressed: Mutex::new(None),
            update: Mutex::new(None),
        }
    }

    /// Moves the readable copies to the record, once it is open.
    pub(crate) fn settle(&self) -> Result<()> {
        log::settle(&self.record, &self.outbox, &self.sealer)
    }

    /// Forgets the press before: what is pressed after an erasure is new.
    pub(crate) fn forget(&self) {
        *self.last_press() = None;
        *self.last_update() = None;
    }

    /// The last update of a report since the app was started, and when it came.
    fn updated(&self, report: Uuid) -> Option<(i64, AgedFix)> {
        let (of, at_ms, position) = self.last_update().clone()?;
        (of == report).then_some((at_ms, position))
    }

    fn last_update(&self) -> std::sync::MutexGuard<'_, Option<(Uuid, i64, AgedFix)>> {
        self.update.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The readable copy of a report, where it can be read.
    pub(crate) fn copy(&self, report: Uuid) -> Option<ReadableCopy> {
        log::readable(&self.record, &self.outbox, &self.sealer, report)
    }

    /// The readable copy of a report, where it can be read, with its status.
    pub(crate) fn told(&self, report: Uuid) -> Result<(Option<ReadableCopy>, ReportStatus)> {
        Ok((self.copy(report), self.status_of(report)?))
    }

    fn store(&self, request: &SosRequest) -> Result<Uuid> {
        let now = self.time.now();
        let mut last = self.last_press();
        if let Some(report) = repeated(last.as_ref(), request, &now, &self.policy) {
            return Ok(report);
        }
        let id = report::new_id(now.wall_ms)?;
        let made = report::make(
            request,
            id,
            self.outbox.last_sequence()?.saturating_add(1),
            &now,
            self.last.recent(&now),
            report::Prepared {
                standing: self.standing.id(),
                medical: match request.kind {
                    SosKind::Medical => self.standing.medical_id(),
                    _ => None,
                },
            },
            &self.policy,
        );
        let countdown_ms = (i64::from(request.countdown_s) * 1_000).min(self.policy.countdown_ms);
        let until_ms = now.wall_ms.saturating_add(countdown_ms);
        let evidence = if countdown_ms > 0 {
            Evidence::CountdownStarted { until_ms }
        } else {
            Evidence::Stored
        };
        self.outbox.press(&Press {
            sequence: made.sequence,
            beside: match request.kind {
                SosKind::Medical => Beside::WhoAndMedical,
                _ => Beside::Who,
            },
            own_copy: self.sealer.to_self(&made, id)?,
            envelope: NewEnvelope {
                id,
                lane: Lane::Sos,
                role: Role::Report,
                report: Some(id),
                sealed: self.sealer.to_ministry(&Content::Sos(made), id)?,
                // It is the own copy.
                readable: None,
                not_before_ms: if countdown_ms > 0 { until_ms } else { 0 },
            },
            event: event(id, &now, &evidence)?,
        })?;
        *last = Some(LastPress {
            at: now,
            request: request.clone(),
            report: id,
        });
        Ok(id)
    }

    /// Stores an envelope that follows a report.
    fn follow(
        &self,
        report: Uuid,
        at: &ClockReading,
        content: &Content,
        role: Role,
        evidence: &Evidence,
    ) -> Result<()> {
        let id = report::new_id(at.wall_ms)?;
        self.outbox.add_to_report(
            &NewEnvelope {
                id,
                lane: Lane::Sos,
                role,
                report: Some(report),
                sealed: self.sealer.to_ministry(content, id)?,
                readable: Some(self.sealer.to_self(content, id)?),
                not_before_ms: 0,
            },
            &event(report, at, evidence)?,
        )?;
        self.listeners.notify(Topic::Sos);
        Ok(())
    }

    fn known(&self, report: &str) -> Result<Uuid> {
        let id = Uuid::parse_str(report).map_err(|_| HomelineError::not_found("report"))?;
        if self.outbox.events(id)?.is_empty() {
            return Err(HomelineError::not_found("report"));
        }
        Ok(id)
    }

    fn status_of(&self, report: Uuid) -> Result<ReportStatus> {
        let events = log::events(&self.outbox, &self.sealer, report)?;
        let now_ms = self.time.now().wall_ms;
        Ok(ReportStatus {
            report: report.to_string(),
            state: evidence::state_of(&events, now_ms, self.policy.countdown_ms),
            attempts: events
                .iter()
                .filter(|event| event.evidence.is_attempt())
                .map(|event| event.times)
                .sum(),
            next_attempt_ms: self.outbox.next_attempt(report)?,
            events,
        })
    }

    fn last_press(&self) -> std::sync::MutexGuard<'_, Option<LastPress>> {
        self.pressed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The report that a second press is the same as. Pure.
fn repeated(
    last: Option<&LastPress>,
    request: &SosRequest,
    now: &ClockReading,
    policy: &Policy,
) -> Option<Uuid> {
    let last = last?;
    let soon = elapsed_ms(&last.at, now).is_some_and(|ms| ms <= policy.same_press_ms);
    let same = last.request.kind == request.kind && last.request.note == request.note;
    let merge = request.on_repeat != Some(OnRepeat::NewReport);
    (soon && same && merge).then_some(last.report)
}

/// The report as it was sealed, for the record and for the tests of it.
pub(crate) type ReadableCopy = SosReport;
