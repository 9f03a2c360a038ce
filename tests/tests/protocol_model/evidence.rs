//! What a report's evidence proves, by the core's own functions.
//!
//! A model's state must be small, so the evidence of a report is a set of [`Marks`]:
//! which kinds of events it has. From a set the real events are made, and the core
//! says what they prove; each set is asked about once. The core's own tests say that
//! the order of these events does not matter for what is proved.

use std::collections::HashMap;
use std::sync::LazyLock;

use homeline::seal::signed::Signed;
use homeline::simulation::delivery::{
    Judged, datagram_obstacle, judged, next_actions, receipt_evidence, sms_obstacle, state_of,
};
use homeline::sos::{
    AttemptResult, Channel, Conditions, DataCost, Evidence, Neighbours, NetworkState, NextAction,
    ReportEvent, ReportState, ReportStatus, SatelliteLink, SmsAbility, SmsResult, VoiceAbility,
};
use homeline::sync::CANNOT_RESEAL;
use homeline::sync::protocol::{Base64, Receipt};
use homeline::transport::{HttpHeader, HttpResponse, TransportError};
use uuid::Uuid;

/// The phone's clock: it stands still, and every wait is over.
const NOW_MS: i64 = 1_790_000_000_000;

/// Which evidence a report has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Marks(u8);

impl Marks {
    /// An attempt by HTTPS of which nothing left the phone.
    const NOT_LEFT: u8 = 1;
    /// One that left.
    const LEFT: u8 = 1 << 1;
    const DATAGRAM: u8 = 1 << 2;
    const SMS: u8 = 1 << 3;
    const RELAY: u8 = 1 << 4;
    const REFUSED: u8 = 1 << 5;
    const COMPACT: u8 = 1 << 6;
    const FULL: u8 = 1 << 7;

    /// What shows no more once there is a receipt: dropped then, or many states would
    /// differ in nothing that anybody sees. [`Marks::shown`] makes sure of it.
    const ATTEMPTS: u8 = Self::NOT_LEFT | Self::LEFT | Self::DATAGRAM | Self::SMS | Self::RELAY;
    const RECEIPTS: u8 = Self::COMPACT | Self::FULL;

    /// The mark of an event.
    fn of(evidence: &Evidence) -> Self {
        Self(match evidence {
            Evidence::Attempt { channel, .. } => match channel {
                Channel::Https if leaves(evidence) => Self::LEFT,
                Channel::Https => Self::NOT_LEFT,
                Channel::Datagram => Self::DATAGRAM,
                Channel::Relay => Self::RELAY,
                Channel::Sms => Self::SMS,
            },
            Evidence::Sms { .. } => Self::SMS,
            Evidence::Refused { .. } => Self::REFUSED,
            Evidence::CompactReceipt { .. } => Self::COMPACT,
            Evidence::Receipt { .. } => Self::FULL,
            other => panic!("no such evidence here: {other:?}"),
        })
    }

    /// Adds an event.
    pub(crate) fn add(&mut self, event: Event) {
        static MARKS: LazyLock<HashMap<Event, Marks>> = LazyLock::new(|| {
            let all = Event::OTHERS
                .into_iter()
                .chain(Fault::ALL.map(Event::Fault));
            all.map(|event| (event, Marks::of(&event.evidence())))
                .collect()
        });
        self.0 |= MARKS[&event].0;
        if self.0 & Self::RECEIPTS != 0 {
            self.0 &= !Self::ATTEMPTS;
        } else if self.0 & Self::LEFT != 0 {
            self.0 &= !Self::NOT_LEFT;
        }
    }

    /// Whether the receipt for the whole report is there.
    pub(crate) fn has_receipt(self) -> bool {
        self.0 & Self::FULL != 0
    }

    /// What the core says of this evidence.
    pub(crate) fn shown(self) -> &'static Shown {
        static ALL: LazyLock<Vec<Shown>> =
            LazyLock::new(|| (0..=u8::MAX).map(|set| Shown::of(Marks(set))).collect());
        &ALL[usize::from(self.0)]
    }

    fn events(self) -> Vec<ReportEvent> {
        let all = [
            (Self::NOT_LEFT, Event::Fault(Fault::NoConnection)),
            (Self::LEFT, Event::Fault(Fault::NoAnswer)),
            (Self::DATAGRAM, Event::Datagram),
            (Self::SMS, Event::Sms),
            (Self::RELAY, Event::Relay),
            (Self::REFUSED, Event::Refused),
            (Self::COMPACT, Event::Compact),
            (Self::FULL, Event::Receipt),
        ];
        let told = all.into_iter().filter(|(mark, _)| self.0 & mark != 0);
        std::iter::once(Evidence::Stored)
            .chain(told.map(|(_, event)| event.evidence()))
            .map(written)
            .collect()
    }
}

/// A state, without what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Stored,
    Handed,
    Received,
    Parked,
}

/// What the core says of a report.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) kind: Kind,
    /// Whether a datagram would be sent.
    pub(crate) datagram: bool,
    /// Whether a text message would be.
    pub(crate) sms: bool,
    /// Whether the planner names a way to send it, where every one is there.
    pub(crate) advised: bool,
}

impl Shown {
    fn of(marks: Marks) -> Self {
        let events = marks.events();
        let state = state_of(&events, NOW_MS);
        let status = ReportStatus {
            report: String::new(),
            state: state.clone(),
            events,
            attempts: 0,
            next_attempt_ms: Some(NOW_MS),
        };
        let kind = match state {
            ReportState::Stored => Kind::Stored,
            ReportState::Handed { .. } => Kind::Handed,
            ReportState::Received { .. } => Kind::Received,
            ReportState::Parked { .. } => Kind::Parked,
            other => panic!("no such evidence here: {other:?}"),
        };
        let received = marks.0 & Marks::RECEIPTS != 0;
        assert_eq!(received, kind == Kind::Received, "whatever else there is");
        let ways = [
            NextAction::SendByData,
            NextAction::SendDatagram,
            NextAction::SendSms,
            NextAction::HandToNeighbour,
        ];
        Self {
            kind,
            datagram: datagram_obstacle(&status, NOW_MS).is_none(),
            // The report itself is not sent once more when its receipt has come.
            sms: sms_obstacle(&status).is_none() && kind != Kind::Received,
            advised: next_actions(&status, &all_is_there(), NOW_MS)
                .iter()
                .any(|action| ways.contains(action)),
        }
    }
}

fn all_is_there() -> Conditions {
    Conditions {
        network: NetworkState::Validated,
        network_since_ms: None,
        cost: DataCost::Free,
        sms: SmsAbility::Possible,
        sms_attempts_left: None,
        satellite: SatelliteLink::Absent,
        neighbours: Neighbours::Near,
        voice: VoiceAbility::Possible,
        battery_percent: Some(80),
    }
}

fn written(evidence: Evidence) -> ReportEvent {
    ReportEvent {
        wall_ms: 0,
        monotonic_ms: 0,
        boot_id: String::new(),
        times: 1,
        last_wall_ms: 0,
        evidence,
    }
}

/// Whether such an attempt makes a stored report a handed one.
fn leaves(attempt: &Evidence) -> bool {
    let events = [Evidence::Stored, attempt.clone()].map(written);
    matches!(state_of(&events, NOW_MS), ReportState::Handed { .. })
}

fn attempt(channel: Channel, result: AttemptResult) -> Evidence {
    Evidence::Attempt {
        channel,
        result,
        carried: true,
    }
}

/// What happens to a report and leaves evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// An exchange that did not lead to the ministry.
    Fault(Fault),
    /// An answer without a receipt that is believed.
    BadReceipt,
    /// A refusal for the key.
    KeyRetired,
    /// A datagram that has no answer.
    Datagram,
    /// A text message that the phone has sent.
    Sms,
    /// Handed to another phone.
    Relay,
    /// Refused for its key, and readable to nobody here.
    Refused,
    /// A receipt for a compact form.
    Compact,
    /// A receipt for the report.
    Receipt,
}

impl Event {
    const OTHERS: [Self; 8] = [
        Self::BadReceipt,
        Self::KeyRetired,
        Self::Datagram,
        Self::Sms,
        Self::Relay,
        Self::Refused,
        Self::Compact,
        Self::Receipt,
    ];

    fn evidence(self) -> Evidence {
        match self {
            Self::Fault(fault) => fault.evidence(),
            Self::BadReceipt => attempt(Channel::Https, AttemptResult::BadReceipt),
            Self::KeyRetired => attempt(Channel::Https, AttemptResult::KeyRetired { status: 422 }),
            Self::Datagram => attempt(Channel::Datagram, AttemptResult::NoAnswer),
            Self::Relay => attempt(Channel::Relay, AttemptResult::NoAnswer),
            Self::Sms => Evidence::Sms {
                part: 1,
                result: SmsResult::Sent,
            },
            Self::Refused => Evidence::Refused {
                status: 422,
                reason: CANNOT_RESEAL.into(),
            },
            Self::Compact => Evidence::CompactReceipt {
                channel: Channel::Sms,
                case_id: "C".into(),
                received_ms: 1,
                signed: String::new(),
            },
            Self::Receipt => receipt(),
        }
    }
}

/// By the core's own function, as a pass makes it of a receipt that it believes.
fn receipt() -> Evidence {
    let receipt = Receipt {
        envelope: Uuid::nil(),
        sha256: String::new(),
        received_ms: 1,
        case: Some("C".into()),
    };
    let signed = Signed {
        key: String::new(),
        body: Base64(Vec::new()),
        signature: Base64(Vec::new()),
    };
    receipt_evidence(&receipt, &signed).unwrap().unwrap()
}

/// What a network does that does not lead to the ministry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    NoConnection,
    NotTrusted,
    NoAnswer,
    NoHttp,
    Failed,
    /// An answer with a page.
    Page(u16),
    /// An answer with JSON that holds no receipt.
    Json(u16),
}

impl Fault {
    const ALL: [Self; 20] = [
        Self::NoConnection,
        Self::NotTrusted,
        Self::NoAnswer,
        Self::NoHttp,
        Self::Failed,
        Self::Page(200),
        Self::Page(204),
        Self::Page(302),
        Self::Page(401),
        Self::Page(403),
        Self::Page(404),
        Self::Page(407),
        Self::Page(410),
        Self::Page(422),
        Self::Page(429),
        Self::Page(500),
        Self::Page(503),
        Self::Page(511),
        Self::Json(200),
        Self::Json(404),
    ];

    /// The event that it leaves, as the core judges the exchange.
    fn evidence(self) -> Evidence {
        match judged(self.exchange()) {
            Judged::Attempt(result) => attempt(Channel::Https, result),
            // Nothing in it proves anything.
            Judged::Answer => attempt(Channel::Https, AttemptResult::BadReceipt),
            other => panic!("{self:?} is taken for the ministry: {other:?}"),
        }
    }

    fn exchange(self) -> Result<HttpResponse, TransportError> {
        let answer = |status, kind: &str, body: &str| {
            Ok(HttpResponse {
                status,
                headers: vec![HttpHeader {
                    name: "content-type".into(),
                    value: kind.into(),
                }],
                body: body.into(),
            })
        };
        match self {
            Self::NoConnection => Err(TransportError::NoConnection),
            Self::NotTrusted => Err(TransportError::NotTrusted),
            Self::NoAnswer => Err(TransportError::NoAnswer),
            Self::NoHttp => Err(TransportError::BadAnswer),
            Self::Failed => Err(TransportError::Failed),
            Self::Page(status) => answer(status, "text/html", "<p>Welcome!</p>"),
            Self::Json(status) => answer(status, "application/json", "{\"results\":[]}"),
        }
    }

    fn leaves(self) -> bool {
        leaves(&self.evidence())
    }

    /// One fault for each thing that faults come to, once the report is under way.
    pub(crate) fn different() -> &'static [Self] {
        static DIFFERENT: LazyLock<Vec<Fault>> = LazyLock::new(|| {
            let mut seen: Vec<(Marks, Fault)> = Vec::new();
            for fault in Fault::ALL.into_iter().filter(|fault| fault.leaves()) {
                let marks = Marks::of(&fault.evidence());
                if seen.iter().all(|(before, _)| *before != marks) {
                    seen.push((marks, fault));
                }
            }
            seen.into_iter().map(|(_, fault)| fault).collect()
        });
        &DIFFERENT
    }

    /// Those that a mutant may take for more than they are.
    pub(crate) const TEMPTING: [Self; 2] = [Self::Page(200), Self::Page(404)];
}
