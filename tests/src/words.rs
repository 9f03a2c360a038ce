//! Reports in words, for the journey and for the messages of failing tests.

use homeline::sos::{AttemptResult, Evidence, ReportEvent, ReportState};
use homeline::sync::protocol::CaseState;

/// A state in words; its first word names it.
pub fn state(state: &ReportState) -> String {
    match state {
        ReportState::Countdown { .. } => "countdown".into(),
        ReportState::Stored => "stored: on this phone, nothing has left it".into(),
        ReportState::Handed { .. } => "handed: given to the network, not confirmed".into(),
        ReportState::Received { case_id, .. } => format!(
            "received: the ministry has it, case {}",
            case_id.as_deref().unwrap_or("-")
        ),
        ReportState::Acknowledged {
            officer, mission, ..
        } => format!("acknowledged: by {officer}, {mission}"),
        ReportState::Closed { .. } => "closed".into(),
        ReportState::Cancelled {
            known_at_ministry_ms: None,
        } => "cancelled: the ministry does not know yet".into(),
        ReportState::Cancelled { .. } => "cancelled: the ministry knows".into(),
        ReportState::Parked { status, .. } => format!("parked: refused with {status}"),
    }
}

/// An event in words.
pub fn event(event: &ReportEvent) -> String {
    let what = match &event.evidence {
        Evidence::CountdownStarted { .. } => "countdown, on disk".into(),
        Evidence::Stored => "stored: written and synced".into(),
        Evidence::Attempt {
            result,
            carried: false,
            ..
        } => format!("{}, before the report was sent", attempt(*result)),
        Evidence::Attempt { result, .. } => attempt(*result),
        Evidence::Receipt { case_id, .. } => format!(
            "receipt signed by the ministry, verified, case {}",
            case_id.as_deref().unwrap_or("-")
        ),
        Evidence::UpdateStored => "better position stored".into(),
        Evidence::CompactReceipt {
            channel, case_id, ..
        } => format!("receipt by {channel:?} for the compact form, case {case_id}"),
        Evidence::Sms { part, result } => format!("text message {part}: {result:?}"),
        Evidence::UpdateReceipt { .. } => "receipt for the position".into(),
        Evidence::CancelStored => "cancellation stored".into(),
        Evidence::CancelReceipt { .. } => "receipt for the cancellation".into(),
        Evidence::CaseNews {
            state: CaseState::Acknowledged,
            officer,
            mission,
            ..
        } => format!("news signed by the ministry: taken by {officer}, {mission}"),
        Evidence::CaseNews { .. } => "news signed by the ministry: closed".into(),
        Evidence::Refused { status, .. } => format!("refused by the ministry with {status}"),
        Evidence::TriedAgain => "to be tried again".into(),
    };
    if event.times > 1 {
        format!("{what} ({} times)", event.times)
    } else {
        what
    }
}

fn attempt(result: AttemptResult) -> String {
    match result {
        AttemptResult::NoConnection => "attempt: no connection".into(),
        AttemptResult::NotTrusted => "attempt: certificate refused".into(),
        AttemptResult::NoAnswer => "attempt: sent, no answer came".into(),
        AttemptResult::NotTheMinistry { status } => {
            format!("attempt: something answered {status}, it is not the ministry")
        }
        AttemptResult::Busy { status } => format!("attempt: the ministry is busy ({status})"),
        AttemptResult::NotAuthorized { status } => format!("attempt: not authorized ({status})"),
        AttemptResult::BadReceipt => "attempt: a receipt that does not verify".into(),
        AttemptResult::KeyRetired { .. } => "attempt: the ministry has another key".into(),
    }
}
