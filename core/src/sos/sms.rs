//! A report by text message: the core writes the texts and reads the answers, the
//! host sends them and says what the platform said.
//!
//! The report is ONE message of 160 characters; its note follows in parts of up to
//! three, each sealed for itself. They are made on demand from the readable copy, not
//! by the press, and kept in the outbox, so that a repeat is the same bytes and works
//! without the copy. Nothing here ever says more than that the phone took a message:
//! `Handed`. Only a signed receipt, by text message or network, makes it `Received`.

mod plain;
mod rules;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::compact::{CompactReport, TextPart};
use super::evidence::{Channel, Evidence, ReportState};
use super::{ReadableCopy, ReportStatus, Sos, event, log};
use crate::clock::elapsed_ms;
use crate::error::{HomelineError, Result, guard};
use crate::homeline::Topic;
use crate::outbox::{SmsSet, SmsTry};
use crate::seal::compact::{CompactKind, CompactReceipt, from_text, to_text};
use crate::sync::protocol::AgedFix;

/// Characters that one of several joined messages holds.
const JOINED_CHARS: usize = 153;

/// What can be sent of a report by text message.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct SmsPlan {
    /// The sealed messages: the report first, then its note. Empty where `obstacle`
    /// says why.
    pub parts: Vec<SmsPart>,
    /// Why there are none.
    pub obstacle: Option<SmsObstacle>,
    /// The report as a plain Chinese sentence of at most 70 characters, readable to
    /// whoever carries it: kind, position, time. Never send it by yourself: show it,
    /// and let the traveler decide whether and to whom.
    pub plain: String,
}

/// One text to be sent.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct SmsPart {
    /// The ministry's number to send it to.
    pub number: String,
    /// The text, in characters of the 7-bit alphabet.
    pub text: String,
    /// Which part it is; 1 is the report.
    pub part: u32,
    /// How many parts there are.
    pub of: u32,
    /// Messages that the network makes of it; the report is always one.
    pub messages: u32,
    /// What to do with it now.
    pub next: SmsNext,
}

redacted_debug!(SmsPlan, SmsPart);

/// What to do with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SmsNext {
    /// Send it.
    SendNow,
    /// Wait: it was sent, or has failed, or the SIM has sent too much of late.
    Wait {
        /// Until when, milliseconds UTC by the phone's clock.
        until_ms: i64,
    },
    /// It was sent as often as it is worth, or nobody needs it any more.
    Enough,
}

/// Why nothing of a report can be sent by sealed text message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SmsObstacle {
    /// It still counts down.
    CountingDown,
    /// The ministry has the whole report, or the traveler took it back.
    Settled,
    /// No number is known: no service document has come, the `Config` has none.
    NoNumber,
    /// The ministry's key cannot be sealed to.
    NoKey,
    /// The readable copy cannot be read: it was pressed while the vault gave not even
    /// the device's key, and the app was ended since.
    NotReadable,
}

/// What the platform said of a message that was handed to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum SmsResult {
    /// The phone has given it to the network (`RESULT_OK`; on iOS, `sent`).
    Sent,
    /// A status report: the network has given it to the number. Evidence of the
    /// network only.
    Delivered,
    /// No service (`RESULT_ERROR_NO_SERVICE`).
    NoService,
    /// The radio is off: flight mode (`RESULT_ERROR_RADIO_OFF`).
    RadioOff,
    /// The platform's own limit (`RESULT_ERROR_LIMIT_EXCEEDED`).
    LimitExceeded,
    /// Any other failure.
    Failed,
}

/// What a text that the phone received is.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum SmsAnswer {
    /// A receipt of the ministry: the report is received.
    Receipt {
        /// The report.
        report: String,
        /// The ministry's case number.
        case_id: String,
    },
    /// A receipt that was known already; nothing has changed.
    Repeated {
        /// The report.
        report: String,
    },
    /// Not a text of Homeline's: show it as any other.
    NotOurs,
    /// It looks like a receipt and is not signed by the ministry. Where no service
    /// document has come yet, no key is known: pass it again after the next `sync`.
    NotProved,
    /// A receipt of the ministry for no message of this phone.
    NotKnown,
}

#[uniffi::export]
impl Sos {
    /// The text messages of a report, with what to do with each, and the plain
    /// sentence. `sim` names the SIM that they would go by (on Android the
    /// subscription id; 0 where there is one): each has its own limits.
    ///
    /// Errors: `NotFound`, `Storage`.
    #[uniffi::method(default(sim = 0))]
    pub fn sms_plan(&self, report: String, sim: u32) -> Result<SmsPlan> {
        guard("Sos::sms_plan", || {
            let report = self.known(&report)?;
            let status = self.status_of(report)?;
            let copy = log::readable(&self.record, &self.outbox, &self.sealer, report);
            let plain = self.plain(report, copy.as_ref(), &status);
            let (parts, obstacle) = match self.sealed_parts(report, copy.as_ref(), &status)? {
                Ok(set) => (self.parts(report, sim, &set, &status)?, None),
                Err(obstacle) => (Vec::new(), Some(obstacle)),
            };
            Ok(SmsPlan {
                parts,
                obstacle,
                plain,
            })
        })
    }

    /// What the platform said of part `part` of a report, sent by the SIM `sim` (as in
    /// `sms_plan`). Tell each of its words, in any order: first that it was sent or
    /// why not, later that it was delivered.
    ///
    /// Errors: `NotFound` where there is no such report or part; `Storage`.
    #[uniffi::method(default(sim = 0))]
    pub fn sms_result(&self, report: String, part: u32, result: SmsResult, sim: u32) -> Result<()> {
        guard("Sos::sms_result", || {
            let report = self.known(&report)?;
            let set = self.outbox.sms_set(report)?;
            let sealed = set
                .as_ref()
                .zip(place(part))
                .and_then(|(set, place)| set.sealed.get(place))
                .ok_or_else(|| HomelineError::not_found("part"))?;
            let at = self.time.now();
            let tried = SmsTry {
                part,
                sim,
                at_ms: at.wall_ms,
                messages: rules::cost(result, messages(&to_text(sealed))),
                result,
            };
            let evidence = Evidence::Sms { part, result };
            self.outbox
                .note_sms(&tried, &event(report, &at, &evidence)?)?;
            self.listeners.notify(Topic::Sos);
            Ok(())
        })
    }

    /// A text message that the phone has received: a receipt of the ministry, or
    /// anything else. What is not proved changes nothing. The number that it comes
    /// from proves nothing and is not asked for.
    ///
    /// Errors: `Storage`.
    pub fn sms_received(&self, text: String) -> Result<SmsAnswer> {
        guard("Sos::sms_received", || {
            let Some(bytes) = Some(text)
                .filter(|text| text.len() <= self.policy.sms_answer_bytes)
                .and_then(|text| from_text(&text))
            else {
                return Ok(SmsAnswer::NotOurs);
            };
            let Ok(receipt) = CompactReceipt::verify(&bytes, &self.sealer.receipt_keys()) else {
                return Ok(SmsAnswer::NotProved);
            };
            let found = self.outbox.sms_report(&receipt.message_hash)?;
            let Some(report) = found.filter(|report| receipt.is_for(&receipt.message_hash, report))
            else {
                return Ok(SmsAnswer::NotKnown);
            };
            self.take_receipt(report, receipt, &bytes)
        })
    }
}

impl Sos {
    /// What to do with the report's own message, by the SIM that was used last.
    pub(super) fn sms_next(&self, report: Uuid) -> Result<SmsNext> {
        let tries = self.outbox.sms_tries(report)?;
        let sim = tries.last().map_or(0, |last| last.sim);
        let own: Vec<SmsTry> = tries.into_iter().filter(|it| it.part == 1).collect();
        let of_sim = self.outbox.sms_tries_of_sim(sim)?;
        let now_ms = self.time.now().wall_ms;
        Ok(rules::next(&own, &of_sim, sim, 1, now_ms, &self.policy))
    }

    fn take_receipt(
        &self,
        report: Uuid,
        receipt: CompactReceipt,
        bytes: &[u8],
    ) -> Result<SmsAnswer> {
        let evidence = Evidence::CompactReceipt {
            channel: Channel::Sms,
            case_id: receipt.case_id.clone(),
            received_ms: receipt.received_ms,
            signed: to_text(bytes),
        };
        let known = log::events(&self.outbox, &self.sealer, report)?;
        let report_id = report.to_string();
        if known.iter().any(|event| event.evidence == evidence) {
            return Ok(SmsAnswer::Repeated { report: report_id });
        }
        self.outbox
            .add_event(&event(report, &self.time.now(), &evidence)?)?;
        self.listeners.notify(Topic::Sos);
        Ok(SmsAnswer::Receipt {
            report: report_id,
            case_id: receipt.case_id,
        })
    }

    /// The sealed messages: those of before, or made now.
    fn sealed_parts(
        &self,
        report: Uuid,
        copy: Option<&ReadableCopy>,
        status: &ReportStatus,
    ) -> Result<std::result::Result<SmsSet, SmsObstacle>> {
        if let Some(obstacle) = obstacle(status) {
            return Ok(Err(obstacle));
        }
        if self.sealer.sms_numbers().is_empty() {
            return Ok(Err(SmsObstacle::NoNumber));
        }
        let known = self.outbox.sms_set(report)?;
        let recipient = self.sealer.sealing_key_id()?;
        let newer = |set: &SmsSet| {
            let update = self.updated(report);
            set.recipient != recipient || update.is_some_and(|(at_ms, _)| at_ms > set.made_ms)
        };
        match (known, copy) {
            (Some(set), _) if !newer(&set) => Ok(Ok(set)),
            (_, Some(copy)) => {
                let Ok(set) = self.make_sms(report, copy, recipient) else {
                    return Ok(Err(SmsObstacle::NoKey));
                };
                self.outbox.keep_sms(report, &set)?;
                Ok(Ok(set))
            }
            // What was made before is better than nothing.
            (Some(set), None) => Ok(Ok(set)),
            (None, None) => Ok(Err(SmsObstacle::NotReadable)),
        }
    }

    fn make_sms(&self, report: Uuid, copy: &ReadableCopy, recipient: String) -> Result<SmsSet> {
        let now = self.time.now();
        let texts = TextPart::split(report, &copy.note, self.policy.sms_text_parts);
        let mut compact = CompactReport::of(copy, elapsed_ms(&copy.pressed, &now));
        compact.position = self.newest_position(report, copy);
        compact.text_parts = u8::try_from(texts.len()).unwrap_or(u8::MAX);
        let mut sealed = vec![
            self.sealer
                .compact(CompactKind::Report, &compact.encode())?,
        ];
        for part in texts.iter().filter_map(TextPart::encode) {
            sealed.push(self.sealer.compact(CompactKind::Text, &part)?);
        }
        Ok(SmsSet {
            recipient,
            made_ms: now.wall_ms,
            sealed,
        })
    }

    fn parts(
        &self,
        report: Uuid,
        sim: u32,
        set: &SmsSet,
        status: &ReportStatus,
    ) -> Result<Vec<SmsPart>> {
        let numbers = self.sealer.sms_numbers();
        let (tries, of_sim) = (
            self.outbox.sms_tries(report)?,
            self.outbox.sms_tries_of_sim(sim)?,
        );
        let received = matches!(status.state, ReportState::Received { .. });
        let of = u32::try_from(set.sealed.len()).unwrap_or(u32::MAX);
        let now_ms = self.time.now().wall_ms;
        let part = |(part, sealed): (u32, &Vec<u8>)| {
            let text = to_text(sealed);
            let own: Vec<SmsTry> = tries.iter().filter(|it| it.part == part).copied().collect();
            let messages = messages(&text);
            SmsPart {
                // The next number at each turn: one of them may not be reached.
                number: numbers
                    .iter()
                    .cycle()
                    .nth(own.len())
                    .cloned()
                    .unwrap_or_default(),
                next: match part {
                    1 if received => SmsNext::Enough,
                    _ => rules::next(&own, &of_sim, sim, messages, now_ms, &self.policy),
                },
                text,
                part,
                of,
                messages,
            }
        };
        Ok((1u32..).zip(&set.sealed).map(part).collect())
    }

    fn plain(&self, report: Uuid, copy: Option<&ReadableCopy>, status: &ReportStatus) -> String {
        let position = copy.and_then(|copy| self.newest_position(report, copy));
        plain::sentence(
            copy.map(|copy| copy.kind),
            copy.and_then(|copy| copy.people),
            position.as_ref(),
            status.events.first().map_or(0, |event| event.wall_ms),
        )
    }

    /// The last update of this report since the app was started, or what the press
    /// knew. An update from after the press counts as of the press: never younger
    /// than it is.
    fn newest_position(&self, report: Uuid, copy: &ReadableCopy) -> Option<AgedFix> {
        match self.updated(report) {
            Some((at_ms, update)) => Some(AgedFix {
                age_ms: update.age_ms.map(|age| {
                    let since = at_ms.saturating_sub(copy.pressed.wall_ms);
                    age.saturating_sub(since).max(0)
                }),
                ..update
            }),
            None => copy.position.clone(),
        }
    }
}

/// Why a report in this state is not sent by text message.
pub(super) fn obstacle(status: &ReportStatus) -> Option<SmsObstacle> {
    let whole = |evidence: &Evidence| matches!(evidence, Evidence::Receipt { .. });
    match status.state {
        ReportState::Countdown { .. } => Some(SmsObstacle::CountingDown),
        ReportState::Acknowledged { .. }
        | ReportState::Closed { .. }
        | ReportState::Cancelled { .. } => Some(SmsObstacle::Settled),
        ReportState::Stored
        | ReportState::Handed { .. }
        | ReportState::Received { .. }
        | ReportState::Parked { .. } => status
            .events
            .iter()
            .any(|event| whole(&event.evidence))
            .then_some(SmsObstacle::Settled),
    }
}

/// Messages that the network makes of a text of the 7-bit alphabet.
fn messages(text: &str) -> u32 {
    match text.len() {
        0..=crate::seal::compact::SMS_CHARS => 1,
        length => u32::try_from(length.div_ceil(JOINED_CHARS)).unwrap_or(u32::MAX),
    }
}

/// The place of a part in its set.
fn place(part: u32) -> Option<usize> {
    usize::try_from(part.checked_sub(1)?).ok()
}
