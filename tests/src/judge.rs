//! A judge of what a phone says of its reports: every state must follow from the
//! events, and every receipt must be the ministry's.
//!
//! It computes the state in a way of its own, by looking for the strongest
//! evidence, and not event by event as the library does: the two must agree.

use homeline::seal::signed::{Context, Signed};
use homeline::sos::{AttemptResult, Evidence, ReportState, ReportStatus};
use homeline::sync::protocol::{CaseState, Receipt};
use serde::{Deserialize, Serialize};

use crate::office::Case;

/// What a phone says of a report.
#[derive(Serialize, Deserialize)]
pub struct Claim {
    /// The report.
    pub report: String,
    /// Its state in words, see `words`.
    pub state: String,
    /// The events that it rests on.
    pub events: Vec<Evidence>,
}

impl Claim {
    /// What `status` says.
    pub fn of(status: &ReportStatus) -> Self {
        Self {
            report: status.report.clone(),
            state: crate::words::state(&status.state),
            events: status.events.iter().map(|it| it.evidence.clone()).collect(),
        }
    }

    /// Whether the ministry has all of the report, as far as the phone knows.
    pub fn is_proved(&self) -> bool {
        [
            "received",
            "acknowledged",
            "closed",
            "cancelled: the ministry knows",
        ]
        .iter()
        .any(|proved| self.state.starts_with(proved))
    }

    /// What is wrong with it. `cases` are the ministry's, where they are known.
    pub fn faults(&self, receipt_key: &[u8], cases: Option<&[Case]>) -> Vec<String> {
        let mut faults = Vec::new();
        let follows = strongest(&self.events).map(|state| crate::words::state(&state));
        let counts = self.state == "countdown" && follows.as_deref() == Some(STORED);
        let only_counts = matches!(self.events.first(), Some(Evidence::CountdownStarted { .. }));
        if follows.as_deref() != Some(self.state.as_str()) && !(counts && only_counts) {
            faults.push(format!(
                "{}: says {:?}, follows {follows:?}",
                self.report, self.state
            ));
        }
        let case = cases.map(|cases| cases.iter().find(|case| case.report == self.report));
        for evidence in &self.events {
            let fault = match evidence {
                Evidence::Receipt { .. } => self.receipt(evidence, receipt_key, case),
                Evidence::CancelReceipt { .. } => case
                    .is_some_and(|case| !case.is_some_and(|case| case.cancelled))
                    .then(|| "the ministry does not know of the cancellation".to_owned()),
                Evidence::CaseNews { case_id, .. } => case
                    .is_some_and(|case| case.is_none_or(|case| case.id != *case_id))
                    .then(|| format!("news of another case, {case_id}")),
                _ => None,
            };
            faults.extend(fault.map(|fault| format!("{}: {fault}", self.report)));
        }
        faults
    }

    fn receipt(
        &self,
        evidence: &Evidence,
        key: &[u8],
        case: Option<Option<&Case>>,
    ) -> Option<String> {
        let Evidence::Receipt {
            case_id,
            received_ms,
            signed,
        } = evidence
        else {
            return None;
        };
        let signed: Result<Signed, _> = serde_json::from_str(signed);
        let Ok(signed) = signed else {
            return Some("a receipt that cannot be read".into());
        };
        let receipt: Receipt = match signed.verify(Context::Receipt, &[key.to_vec()]) {
            Ok(receipt) => receipt,
            Err(error) => return Some(format!("a receipt that is none: {error}")),
        };
        if receipt.envelope.to_string() != self.report
            || receipt.case != *case_id
            || receipt.received_ms != *received_ms
        {
            return Some("the receipt of another report".into());
        }
        match case {
            None => None,
            Some(None) => Some("a receipt, and the ministry has nothing".into()),
            Some(Some(case)) if !case.opened || Some(&case.id) != case_id.as_ref() => Some(
                format!("a receipt for {case_id:?}, and the ministry has {case:?}"),
            ),
            Some(Some(_)) => None,
        }
    }
}

/// How a stored report is put in words.
const STORED: &str = "stored: on this phone, nothing has left it";

/// The state that the strongest evidence proves; `None` without any event.
fn strongest(events: &[Evidence]) -> Option<ReportState> {
    events.first()?;
    let last = |wanted: fn(&Evidence) -> bool| events.iter().rev().find(|it| wanted(it));
    if let Some(Evidence::CaseNews { case_id, at_ms, .. }) = last(is_closed) {
        return Some(ReportState::Closed {
            case_id: case_id.clone(),
            at_ms: *at_ms,
        });
    }
    let told = last(|it| matches!(it, Evidence::CancelReceipt { .. }));
    if let Some(Evidence::CancelReceipt { received_ms }) = told {
        return Some(ReportState::Cancelled {
            known_at_ministry_ms: Some(*received_ms),
        });
    }
    if last(|it| matches!(it, Evidence::CancelStored)).is_some() {
        return Some(ReportState::Cancelled {
            known_at_ministry_ms: None,
        });
    }
    if let Some(Evidence::CaseNews {
        case_id,
        mission,
        officer,
        at_ms,
        ..
    }) = last(|it| matches!(it, Evidence::CaseNews { .. }))
    {
        return Some(ReportState::Acknowledged {
            case_id: case_id.clone(),
            mission: mission.clone(),
            officer: officer.clone(),
            at_ms: *at_ms,
        });
    }
    let received = last(|it| matches!(it, Evidence::Receipt { .. }));
    if let Some(Evidence::Receipt {
        case_id,
        received_ms,
        ..
    }) = received
    {
        return Some(ReportState::Received {
            case_id: case_id.clone(),
            received_ms: *received_ms,
        });
    }
    Some(unreceived(events))
}

fn is_closed(evidence: &Evidence) -> bool {
    matches!(
        evidence,
        Evidence::CaseNews {
            state: CaseState::Closed,
            ..
        }
    )
}

/// The state of a report for which there is no word of the ministry.
fn unreceived(events: &[Evidence]) -> ReportState {
    let judged = events
        .iter()
        .rposition(|it| matches!(it, Evidence::Refused { .. } | Evidence::TriedAgain));
    if let Some(Evidence::Refused { status, reason }) = judged.and_then(|at| events.get(at)) {
        return ReportState::Parked {
            status: *status,
            reason: reason.clone(),
        };
    }
    let since = events.get(judged.unwrap_or(0)..).unwrap_or_default();
    let left = since.iter().find_map(|evidence| match evidence {
        Evidence::Attempt {
            channel,
            result,
            carried: true,
        } if !matches!(
            result,
            AttemptResult::NoConnection | AttemptResult::NotTrusted
        ) =>
        {
            Some(*channel)
        }
        _ => None,
    });
    left.map_or(ReportState::Stored, |channel| ReportState::Handed {
        channel,
    })
}
