//! The states of a report, and the evidence that each rests on.
//!
//! ```text
//! (Draft: in the host) → Countdown → Stored → Handed → Received → Acknowledged → Closed
//!                                       └→ Parked        Cancelled (itself reported)
//! ```
//!
//! Every transition is an appended event with its evidence; the state shown is
//! computed from the events by [`state_of`], never stored. A report moves to a
//! later state only on evidence: `Handed` when bytes left for the network,
//! `Received` on a receipt signed by the ministry (for the full report or for its
//! compact form: either opens the case), `Acknowledged` and `Closed` on
//! news signed by the ministry. HTTP 200 is evidence of nothing.

use serde::{Deserialize, Serialize};

use super::SmsResult;
use crate::sync::protocol::CaseState;

/// How a report leaves the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// HTTPS to the ministry.
    Https,
    /// One packet (UDP) to the ministry.
    Datagram,
    /// Text messages (SMS), sent by the phone.
    Sms,
    /// Another phone, which carries it.
    Relay,
}

/// How one attempt to send ended without a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum AttemptResult {
    /// Nothing left the phone: no network, no route, no name.
    NoConnection,
    /// The server's certificate is not the ministry's: nothing was said to it.
    NotTrusted,
    /// The report left, no answer came.
    NoAnswer,
    /// Something answered that is not the ministry: a captive portal, a proxy.
    NotTheMinistry {
        /// HTTP status of the answer.
        status: u16,
    },
    /// The ministry answered that it cannot take it now.
    Busy {
        /// HTTP status of the answer.
        status: u16,
    },
    /// The ministry does not accept this device's signature now.
    NotAuthorized {
        /// HTTP status of the answer.
        status: u16,
    },
    /// The answer was the ministry's, but its receipt does not verify.
    BadReceipt,
    /// The ministry no longer opens what is sealed to the key that this was sealed
    /// to: it is sealed anew.
    KeyRetired {
        /// HTTP status of the refusal.
        status: u16,
    },
}

/// What a report's event rests on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(tag = "evidence", rename_all = "snake_case")]
pub enum Evidence {
    /// On disk, written and synced; it counts down.
    CountdownStarted {
        /// End of the countdown, milliseconds UTC by the phone's clock.
        until_ms: i64,
    },
    /// On disk, written and synced.
    Stored,
    /// An attempt that ended without a receipt.
    Attempt {
        /// How it was sent.
        channel: Channel,
        /// How it ended.
        #[serde(flatten)]
        result: AttemptResult,
        /// Whether the report itself was in the request, or the attempt ended
        /// before it, while the device introduced itself.
        carried: bool,
    },
    /// What the platform said of a text message that it was handed.
    Sms {
        /// Which part of the report's messages; 1 is the report itself.
        part: u32,
        /// What it said.
        result: SmsResult,
    },
    /// A receipt that verifies: the ministry has the report on disk.
    Receipt {
        /// The ministry's case number.
        case_id: Option<String>,
        /// When the ministry stored it, milliseconds UTC by its clock.
        received_ms: i64,
        /// The signed receipt itself, JSON, for whoever wants to check it.
        signed: String,
    },
    /// A receipt for the report's compact form, by text message or packet, that
    /// verifies: the ministry has that form on disk and has opened the case.
    CompactReceipt {
        /// The channel that the compact form went by.
        channel: Channel,
        /// The ministry's case number.
        case_id: String,
        /// When the ministry stored it, milliseconds UTC by its clock.
        received_ms: i64,
        /// The signed receipt itself, base64 of what `seal::compact` lays out, for
        /// whoever wants to check it.
        signed: String,
    },
    /// A receipt for an update of the report.
    UpdateReceipt {
        /// When the ministry stored it, milliseconds UTC by its clock.
        received_ms: i64,
    },
    /// A better position is on disk as an update.
    UpdateStored,
    /// The cancellation is on disk as a report of its own.
    CancelStored,
    /// A receipt for the cancellation.
    CancelReceipt {
        /// When the ministry stored it, milliseconds UTC by its clock.
        received_ms: i64,
    },
    /// News of the case, signed by the ministry.
    CaseNews {
        /// What the case has come to.
        state: CaseState,
        /// The ministry's case number.
        case_id: String,
        /// The mission that took it.
        mission: String,
        /// Who took it.
        officer: String,
        /// When, milliseconds UTC by the ministry's clock.
        at_ms: i64,
    },
    /// The ministry refused it for good.
    Refused {
        /// HTTP status of the refusal.
        status: u16,
        /// URI of the kind of problem.
        reason: String,
    },
    /// A person asked to try a parked report again.
    TriedAgain,
}

redacted_debug!(Evidence);

impl Evidence {
    /// Whether it tells of an attempt to send the report.
    pub(super) fn is_attempt(&self) -> bool {
        match self {
            Self::Attempt { .. } => true,
            Self::Sms { part, result } => *part == 1 && *result != SmsResult::Delivered,
            _ => false,
        }
    }
}

/// A state in one word, as exports write it.
pub(crate) fn state_word(state: &ReportState) -> &'static str {
    match state {
        ReportState::Countdown { .. } => "countdown",
        ReportState::Stored => "stored",
        ReportState::Handed { .. } => "handed",
        ReportState::Received { .. } => "received",
        ReportState::Acknowledged { .. } => "acknowledged",
        ReportState::Closed { .. } => "closed",
        ReportState::Cancelled { .. } => "cancelled",
        ReportState::Parked { .. } => "parked",
    }
}

/// One event of a report.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ReportEvent {
    /// When, milliseconds UTC by the phone's clock.
    pub wall_ms: i64,
    /// Milliseconds since the phone started.
    pub monotonic_ms: i64,
    /// Names the boot that `monotonic_ms` counts from.
    pub boot_id: String,
    /// How many times in a row.
    pub times: u32,
    /// When the last time, milliseconds UTC by the phone's clock.
    pub last_wall_ms: i64,
    /// What it rests on.
    pub evidence: Evidence,
}

/// The state of a report.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum ReportState {
    /// On disk; sent when the countdown ends, unless cancelled before.
    Countdown {
        /// End of the countdown, milliseconds UTC by the phone's clock.
        until_ms: i64,
    },
    /// On disk. Nothing has left the phone.
    Stored,
    /// Given to the network, not confirmed.
    Handed {
        /// How it was sent.
        channel: Channel,
    },
    /// The ministry has it on disk: proved by its signed receipt.
    Received {
        /// The ministry's case number.
        case_id: Option<String>,
        /// When, milliseconds UTC by the ministry's clock.
        received_ms: i64,
    },
    /// A duty officer has taken the case.
    Acknowledged {
        /// The ministry's case number.
        case_id: String,
        /// The mission.
        mission: String,
        /// The officer.
        officer: String,
        /// When, milliseconds UTC by the ministry's clock.
        at_ms: i64,
    },
    /// The ministry closed the case.
    Closed {
        /// The ministry's case number.
        case_id: String,
        /// When, milliseconds UTC by the ministry's clock.
        at_ms: i64,
    },
    /// Taken back by the traveler after it was stored.
    Cancelled {
        /// When the ministry learnt of it, milliseconds UTC by its clock.
        known_at_ministry_ms: Option<i64>,
    },
    /// Refused for good: a person must look.
    Parked {
        /// HTTP status of the refusal.
        status: u16,
        /// URI of the kind of problem.
        reason: String,
    },
}

redacted_debug!(ReportState);

/// The state that `events` prove at `now_ms`. Pure.
///
/// `longest_countdown_ms` bounds a countdown: an end farther ahead means that
/// the clock went back, and then the countdown is over.
pub(crate) fn state_of(
    events: &[ReportEvent],
    now_ms: i64,
    longest_countdown_ms: i64,
) -> ReportState {
    events.iter().fold(ReportState::Stored, |state, event| {
        step(state, &event.evidence, now_ms, longest_countdown_ms)
    })
}

fn step(state: ReportState, evidence: &Evidence, now_ms: i64, longest_ms: i64) -> ReportState {
    use ReportState as S;
    match (evidence, state) {
        // Closed is final; a cancellation hides all but that.
        (
            Evidence::CaseNews {
                state: CaseState::Closed,
                case_id,
                at_ms,
                ..
            },
            _,
        ) => S::Closed {
            case_id: case_id.clone(),
            at_ms: *at_ms,
        },
        (_, state @ S::Closed { .. }) => state,
        (Evidence::CancelReceipt { received_ms }, _) => S::Cancelled {
            known_at_ministry_ms: Some(*received_ms),
        },
        (_, state @ S::Cancelled { .. }) => state,
        (Evidence::CancelStored, _) => S::Cancelled {
            known_at_ministry_ms: None,
        },
        (
            Evidence::CaseNews {
                case_id,
                mission,
                officer,
                at_ms,
                ..
            },
            _,
        ) => S::Acknowledged {
            case_id: case_id.clone(),
            mission: mission.clone(),
            officer: officer.clone(),
            at_ms: *at_ms,
        },
        (_, state @ S::Acknowledged { .. }) => state,
        (
            Evidence::Receipt {
                case_id,
                received_ms,
                ..
            },
            _,
        ) => S::Received {
            case_id: case_id.clone(),
            received_ms: *received_ms,
        },
        // The first proof stands; a receipt for the full report takes its place.
        (_, state @ S::Received { .. }) => state,
        (
            Evidence::CompactReceipt {
                case_id,
                received_ms,
                ..
            },
            _,
        ) => S::Received {
            case_id: Some(case_id.clone()),
            received_ms: *received_ms,
        },
        (Evidence::Refused { status, reason }, _) => S::Parked {
            status: *status,
            reason: reason.clone(),
        },
        (Evidence::TriedAgain, S::Parked { .. }) => S::Stored,
        (Evidence::CountdownStarted { until_ms }, _) => {
            let ahead = until_ms.saturating_sub(now_ms);
            if ahead > 0 && ahead <= longest_ms {
                S::Countdown {
                    until_ms: *until_ms,
                }
            } else {
                S::Stored
            }
        }
        (
            Evidence::Attempt {
                channel,
                result,
                carried: true,
            },
            S::Stored,
        ) if handed(*result) => S::Handed { channel: *channel },
        // What the traveler did last is what is shown.
        (
            Evidence::Sms {
                part: 1,
                result: SmsResult::Sent | SmsResult::Delivered,
            },
            S::Stored | S::Handed { .. },
        ) => S::Handed {
            channel: Channel::Sms,
        },
        (_, state) => state,
    }
}

/// Whether the report's bytes left for the network in such an attempt.
fn handed(result: AttemptResult) -> bool {
    match result {
        AttemptResult::NoConnection | AttemptResult::NotTrusted => false,
        AttemptResult::NoAnswer
        | AttemptResult::NotTheMinistry { .. }
        | AttemptResult::Busy { .. }
        | AttemptResult::NotAuthorized { .. }
        | AttemptResult::BadReceipt
        | AttemptResult::KeyRetired { .. } => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(evidence: &[Evidence]) -> ReportState {
        let events: Vec<ReportEvent> = evidence
            .iter()
            .map(|evidence| ReportEvent {
                wall_ms: 0,
                monotonic_ms: 0,
                boot_id: "b".into(),
                times: 1,
                last_wall_ms: 0,
                evidence: evidence.clone(),
            })
            .collect();
        state_of(&events, 1_000, 60_000)
    }

    fn attempt(result: AttemptResult) -> Evidence {
        Evidence::Attempt {
            channel: Channel::Https,
            result,
            carried: true,
        }
    }

    fn receipt() -> Evidence {
        Evidence::Receipt {
            case_id: Some("C".into()),
            received_ms: 5,
            signed: "{}".into(),
        }
    }

    fn news(state: CaseState) -> Evidence {
        Evidence::CaseNews {
            state,
            case_id: "C".into(),
            mission: "M".into(),
            officer: "O".into(),
            at_ms: 9,
        }
    }

    #[test]
    fn an_answer_of_200_without_a_receipt_is_only_handed() {
        let portal = attempt(AttemptResult::NotTheMinistry { status: 200 });
        assert_eq!(
            states(&[Evidence::Stored, portal]),
            ReportState::Handed {
                channel: Channel::Https
            }
        );
        for result in [AttemptResult::NoConnection, AttemptResult::NotTrusted] {
            assert_eq!(
                states(&[Evidence::Stored, attempt(result)]),
                ReportState::Stored
            );
        }
    }

    #[test]
    fn an_attempt_that_did_not_carry_the_report_proves_nothing() {
        let introduced = Evidence::Attempt {
            channel: Channel::Https,
            result: AttemptResult::NoAnswer,
            carried: false,
        };
        assert_eq!(states(&[Evidence::Stored, introduced]), ReportState::Stored);
    }

    #[test]
    fn a_compact_receipt_opens_the_case_and_the_full_one_takes_its_place() {
        let compact = |received_ms| Evidence::CompactReceipt {
            channel: Channel::Sms,
            case_id: "C-7".into(),
            received_ms,
            signed: String::new(),
        };
        let refused = Evidence::Refused {
            status: 422,
            reason: "about:blank".into(),
        };
        let at = |received_ms| ReportState::Received {
            case_id: Some("C-7".into()),
            received_ms,
        };
        for before in [
            vec![],
            vec![attempt(AttemptResult::NoAnswer)],
            vec![refused.clone()],
        ] {
            assert_eq!(states(&[before, vec![compact(5)]].concat()), at(5));
        }
        // What is refused by HTTPS is a case all the same.
        assert_eq!(states(&[compact(5), refused]), at(5));
        assert_eq!(states(&[compact(5), compact(9)]), at(5), "the first stands");
        let full = states(&[compact(5), receipt()]);
        assert_eq!(full, states(&[receipt()]));
        assert_eq!(states(&[receipt(), compact(5)]), full);
        assert!(matches!(
            states(&[Evidence::CancelStored, compact(5)]),
            ReportState::Cancelled {
                known_at_ministry_ms: None
            }
        ));
    }

    #[test]
    fn a_later_state_is_never_lost_to_an_earlier_event() {
        let ladder = [
            Evidence::Stored,
            attempt(AttemptResult::NoAnswer),
            receipt(),
            news(CaseState::Acknowledged),
            news(CaseState::Closed),
        ];
        let proved = states(&ladder);
        assert!(matches!(proved, ReportState::Closed { .. }));
        for late in [
            attempt(AttemptResult::NoAnswer),
            receipt(),
            Evidence::CancelStored,
        ] {
            let mut events = ladder.to_vec();
            events.push(late);
            assert_eq!(states(&events), proved);
        }
        assert!(matches!(
            states(&[receipt(), attempt(AttemptResult::NoAnswer)]),
            ReportState::Received { .. }
        ));
    }

    #[test]
    fn a_countdown_ends_by_time_and_by_a_clock_that_went_back() {
        let counting = |until_ms| states(&[Evidence::CountdownStarted { until_ms }]);
        assert_eq!(counting(5_000), ReportState::Countdown { until_ms: 5_000 });
        assert_eq!(counting(1_000), ReportState::Stored);
        assert_eq!(counting(90_000_000), ReportState::Stored);
    }

    #[test]
    fn a_cancellation_hides_what_came_before_and_is_proved_by_its_receipt() {
        assert_eq!(
            states(&[Evidence::Stored, Evidence::CancelStored, receipt()]),
            ReportState::Cancelled {
                known_at_ministry_ms: None
            }
        );
        assert_eq!(
            states(&[
                Evidence::CancelStored,
                Evidence::CancelReceipt { received_ms: 7 }
            ]),
            ReportState::Cancelled {
                known_at_ministry_ms: Some(7)
            }
        );
    }

    #[test]
    fn a_parked_report_can_be_tried_again() {
        let refused = Evidence::Refused {
            status: 422,
            reason: "about:blank".into(),
        };
        assert!(matches!(
            states(&[Evidence::Stored, refused.clone()]),
            ReportState::Parked { status: 422, .. }
        ));
        assert_eq!(
            states(&[Evidence::Stored, refused, Evidence::TriedAgain]),
            ReportState::Stored
        );
    }
}
