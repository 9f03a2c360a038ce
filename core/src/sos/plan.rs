//! What to try next for a report, and why: data, a datagram, an SMS, another
//! phone, a call. The host asks, and shows it; nothing here sends anything.
//!
//! [`next_steps`] is a pure function of three things: the [`Facts`] of the report,
//! its events (every attempt on every channel is one), and the [`Conditions`] that
//! the host reports. Its rules:
//!
//! * Before there is proof, a call to the local emergency centre comes first where
//!   lives or bodies may be at stake: they come sooner than any ministry can.
//! * A channel that is proved useless *now* is not advised: it failed, on the
//!   network that the phone is still on, in a way that repeating does not mend.
//! * Where data is in doubt, what does not need it comes beside it at once.
//! * After a receipt, all that is left is the rest of the report, by data.

use super::datagram::due_ms;
use super::{AttemptResult, Channel, Evidence, ReportEvent, ReportState, SmsNext, SosKind};
use crate::config::Policy;

/// The network as the platform tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum NetworkState {
    /// None, or switched off.
    Disconnected,
    /// A portal wants a sign-in first (`NET_CAPABILITY_CAPTIVE_PORTAL` on Android).
    Captive,
    /// Connected, and the platform could not reach its own servers. Where those are
    /// blocked, as in mainland China, this is all that a good network says.
    Unvalidated,
    /// Connected to the internet.
    Validated,
}

/// Whether data costs by the byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum DataCost {
    /// It does not, or nobody knows.
    Free,
    /// It does.
    Metered,
}

/// Whether the phone can send an SMS now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SmsAbility {
    /// It can.
    Possible,
    /// It can, and it is not in its home network: it costs more.
    Roaming,
    /// No SIM.
    NoSim,
    /// The app may not, and cannot open a composer either.
    NoPermission,
    /// No service.
    NoService,
}

/// A link by satellite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SatelliteLink {
    /// None.
    Absent,
    /// One that carries a few hundred bytes at a time.
    Thin,
}

/// Whether other phones with Homeline are near.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Neighbours {
    /// None, or nobody knows.
    Absent,
    /// At least one.
    Near,
}

/// Whether the phone can place a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum VoiceAbility {
    /// It can, or nobody knows.
    Possible,
    /// Emergency numbers only: no SIM, or another operator's network.
    EmergencyOnly,
    /// It cannot: no voice service, a tablet.
    Impossible,
}

/// What the host reports of the phone. For what it does not know there is a case
/// that rules nothing out.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Conditions {
    /// The network.
    pub network: NetworkState,
    /// Since when the phone has been on this network, milliseconds UTC by the
    /// phone's clock: an attempt before that proves nothing now.
    #[uniffi(default = None)]
    pub network_since_ms: Option<i64>,
    /// What data costs.
    pub cost: DataCost,
    /// Whether an SMS can be sent.
    pub sms: SmsAbility,
    /// SMS attempts that the traveler or the plan still allows on this SIM; absent
    /// where nothing limits them.
    #[uniffi(default = None)]
    pub sms_attempts_left: Option<u32>,
    /// A satellite link.
    pub satellite: SatelliteLink,
    /// Other phones.
    pub neighbours: Neighbours,
    /// Calls.
    pub voice: VoiceAbility,
    /// Charge of the battery in percent.
    #[uniffi(default = None)]
    pub battery_percent: Option<u8>,
}

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum NextAction {
    /// Call the local emergency number.
    CallLocalEmergency,
    /// Call the ministry's hotline.
    CallHotline,
    /// `Homeline::sync`.
    SendByData,
    /// `Sos::send_datagram`.
    SendDatagram,
    /// An SMS to the ministry.
    SendSms,
    /// Hand it to another phone.
    HandToNeighbour,
    /// Sign in at the portal, or leave its network.
    SignInAtPortal,
}

/// Why it is advised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum StepReason {
    /// Help on the spot comes sooner than any other.
    HelpOnTheSpot,
    /// There is a network.
    DataAvailable,
    /// The ministry answered that it cannot take it now: later.
    MinistryBusy,
    /// There is no network.
    NoNetwork,
    /// A portal stands in the way.
    PortalInTheWay,
    /// Something stands between the phone and the ministry and answers for it, or
    /// its certificate is not the ministry's.
    TlsBlocked,
    /// Data was tried on this network, and nothing came back.
    NoAnswerByData,
    /// The ministry does not accept this device by data now.
    DataNotAccepted,
    /// The platform is not sure that this network leads anywhere.
    NetworkInDoubt,
    /// A satellite carries little: one packet fits.
    SatelliteThin,
    /// The battery is nearly empty: what costs least goes first.
    BatteryLow,
    /// Another phone is near, and may get where this one does not.
    NeighbourNear,
    /// A person can take the report by voice.
    NoProofYet,
    /// The ministry refused the report for good.
    Refused,
    /// The ministry has the short report; the whole one waits.
    WholeReportWaits,
    /// The ministry does not know yet that it was taken back.
    CancellationWaits,
}

/// What to know before doing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum StepCaution {
    /// Data costs by the byte: about 4 KB.
    Metered,
    /// Roaming: an SMS may cost more than at home.
    Roaming,
    /// The battery is nearly empty.
    BatteryLow,
}

/// A step, the most urgent first.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct NextStep {
    /// What to do.
    pub action: NextAction,
    /// Why.
    pub why: StepReason,
    /// From when on, milliseconds UTC by the phone's clock; in the past: now.
    pub from_ms: i64,
    /// What to know before doing it.
    pub cautions: Vec<StepCaution>,
}

/// What the planner knows of a report beside its events.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    /// The state that the events prove.
    pub(super) state: ReportState,
    /// The kind of emergency; `None` where the readable copy cannot be read: then
    /// the worst is assumed.
    pub(super) kind: Option<SosKind>,
    /// When `sync` tries next; `None`: nothing of the report waits.
    pub(super) next_attempt_ms: Option<i64>,
    /// Whether the ministry takes datagrams, as far as is known.
    pub(super) datagram: Offered,
    /// Whether the ministry takes SMS, as far as is known.
    pub(super) sms: Offered,
    /// What to do with the report's own message, by what became of it before.
    pub(super) sms_next: SmsNext,
}

/// Whether the ministry offers a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offered {
    Yes,
    No,
}

impl From<bool> for Offered {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// What to try next, the most urgent first. Pure.
pub(super) fn next_steps(
    facts: &Facts,
    events: &[ReportEvent],
    conditions: &Conditions,
    now_ms: i64,
    policy: &Policy,
) -> Vec<NextStep> {
    let plan = Plan {
        facts,
        conditions,
        now_ms,
        policy,
        https: tried(Channel::Https, events, conditions, now_ms, policy),
        datagram: tried(Channel::Datagram, events, conditions, now_ms, policy),
        relay: tried(Channel::Relay, events, conditions, now_ms, policy),
    };
    match facts.state {
        ReportState::Closed { .. }
        | ReportState::Cancelled {
            known_at_ministry_ms: Some(_),
        } => Vec::new(),
        ReportState::Cancelled {
            known_at_ministry_ms: None,
        } => plan.rest(StepReason::CancellationWaits),
        ReportState::Received { .. } | ReportState::Acknowledged { .. } => {
            plan.rest(StepReason::WholeReportWaits)
        }
        ReportState::Countdown { .. }
        | ReportState::Stored
        | ReportState::Handed { .. }
        | ReportState::Parked { .. } => plan.unproved(),
    }
}

/// How the attempts on one channel went, as far as they say something of now.
#[derive(Debug, Clone, Copy, Default)]
struct Tried {
    last: Option<(AttemptResult, i64)>,
    times: u32,
}

fn tried(
    channel: Channel,
    events: &[ReportEvent],
    conditions: &Conditions,
    now_ms: i64,
    policy: &Policy,
) -> Tried {
    // Other phones are no part of the network that the phone is on; messages by SMS
    // have their own rules, see `Facts::sms_next`.
    let since_ms = match channel {
        Channel::Https | Channel::Datagram => conditions.network_since_ms,
        Channel::Sms | Channel::Relay => None,
    };
    let since_ms = since_ms.unwrap_or_else(|| now_ms.saturating_sub(policy.plan_memory_ms));
    events
        .iter()
        .filter(|event| event.last_wall_ms >= since_ms)
        .fold(Tried::default(), |tried, event| match event.evidence {
            Evidence::Attempt {
                channel: by,
                result,
                ..
            } if by == channel => Tried {
                last: Some((result, event.last_wall_ms)),
                times: tried.times.saturating_add(event.times),
            },
            // A person has asked for a new beginning.
            Evidence::TriedAgain => Tried::default(),
            _ => tried,
        })
}

struct Plan<'a> {
    facts: &'a Facts,
    conditions: &'a Conditions,
    now_ms: i64,
    policy: &'a Policy,
    https: Tried,
    datagram: Tried,
    relay: Tried,
}

impl Plan<'_> {
    /// After the proof: what still waits, by data.
    fn rest(&self, why: StepReason) -> Vec<NextStep> {
        match (self.facts.next_attempt_ms, self.data()) {
            (Some(due_ms), Some(_)) => vec![self.step(NextAction::SendByData, why, due_ms)],
            _ => Vec::new(),
        }
    }

    /// Before the proof: all that may bring it, and calls.
    fn unproved(&self) -> Vec<NextStep> {
        let data = self.data();
        let short = self.need_of_short(data);
        let start_ms = match self.facts.state {
            ReportState::Countdown { until_ms } => until_ms,
            _ => self.now_ms,
        };
        let mut channels = vec![
            data.map(|(why, from_ms)| (NextAction::SendByData, why, from_ms)),
            self.portal(),
            short.and_then(|why| self.by_datagram(why)),
            short.and_then(|why| self.by_sms(why)),
            short.and_then(|_| self.by_neighbour()),
        ];
        if self.battery_is_low() {
            // One packet or one SMS costs less than a handshake.
            channels.rotate_left(2);
        }
        let steps = channels
            .into_iter()
            .flatten()
            .map(|(action, why, from_ms)| self.step(action, why, from_ms.max(start_ms)));
        let local = || {
            self.step(
                NextAction::CallLocalEmergency,
                StepReason::HelpOnTheSpot,
                self.now_ms,
            )
        };
        let (first, last) = match self.facts.kind {
            Some(SosKind::Detained) => (None, None),
            Some(SosKind::Conflict | SosKind::Lost | SosKind::Other) => (None, Some(local())),
            Some(SosKind::Medical | SosKind::Crime | SosKind::Accident | SosKind::Disaster)
            | None => (Some(local()), None),
        };
        first
            .into_iter()
            .chain(steps)
            .chain(self.hotline())
            .chain(last)
            .collect()
    }

    /// Data, unless it is proved useless now.
    fn data(&self) -> Option<(StepReason, i64)> {
        let parked = matches!(self.facts.state, ReportState::Parked { .. });
        let connected = matches!(
            self.conditions.network,
            NetworkState::Validated | NetworkState::Unvalidated
        );
        if parked || !connected {
            return None;
        }
        let later_ms = self.facts.next_attempt_ms.unwrap_or(self.now_ms);
        match self.https.last {
            None => Some((StepReason::DataAvailable, self.now_ms)),
            // Sealed to a key that is no longer opened: it is sealed anew.
            Some((AttemptResult::KeyRetired { .. }, _)) => {
                Some((StepReason::DataAvailable, later_ms))
            }
            Some((AttemptResult::Busy { .. }, _)) => Some((StepReason::MinistryBusy, later_ms)),
            Some((AttemptResult::NoConnection | AttemptResult::NoAnswer, _)) => {
                Some((StepReason::NoAnswerByData, later_ms))
            }
            Some((
                AttemptResult::NotTrusted
                | AttemptResult::NotTheMinistry { .. }
                | AttemptResult::NotAuthorized { .. }
                | AttemptResult::BadReceipt,
                _,
            )) => None,
        }
    }

    /// Why the short report should go beside data, or instead of it.
    fn need_of_short(&self, data: Option<(StepReason, i64)>) -> Option<StepReason> {
        if matches!(self.facts.state, ReportState::Parked { .. }) {
            return Some(StepReason::Refused);
        }
        match (self.conditions.network, self.https.last) {
            (NetworkState::Disconnected, _) => Some(StepReason::NoNetwork),
            (NetworkState::Captive, _) => Some(StepReason::PortalInTheWay),
            (
                _,
                Some((
                    AttemptResult::NotTrusted
                    | AttemptResult::NotTheMinistry { .. }
                    | AttemptResult::BadReceipt,
                    _,
                )),
            ) => Some(StepReason::TlsBlocked),
            (_, Some((AttemptResult::NotAuthorized { .. }, _))) => {
                Some(StepReason::DataNotAccepted)
            }
            _ if self.battery_is_low() => Some(StepReason::BatteryLow),
            (NetworkState::Unvalidated, None) => Some(StepReason::NetworkInDoubt),
            (_, None) => None,
            (_, Some(_)) => data.map(|(why, _)| why),
        }
    }

    fn portal(&self) -> Option<(NextAction, StepReason, i64)> {
        (self.conditions.network == NetworkState::Captive).then_some((
            NextAction::SignInAtPortal,
            StepReason::PortalInTheWay,
            self.now_ms,
        ))
    }

    /// A datagram, where something can carry it and it did not fail here before.
    fn by_datagram(&self, why: StepReason) -> Option<(NextAction, StepReason, i64)> {
        let satellite = self.conditions.satellite == SatelliteLink::Thin;
        let carried = satellite || self.conditions.network != NetworkState::Disconnected;
        let useless = match self.datagram.last {
            // Not sent, or answered by somebody else: so it would be again.
            Some((
                AttemptResult::NoConnection
                | AttemptResult::NotTrusted
                | AttemptResult::NotTheMinistry { .. }
                | AttemptResult::NotAuthorized { .. }
                | AttemptResult::BadReceipt,
                _,
            )) => true,
            Some((
                AttemptResult::NoAnswer
                | AttemptResult::Busy { .. }
                | AttemptResult::KeyRetired { .. },
                _,
            )) => self.datagram.times >= self.policy.datagram_attempts,
            None => false,
        };
        if self.facts.datagram == Offered::No || !carried || useless {
            return None;
        }
        let why = match (self.conditions.network, satellite) {
            (NetworkState::Disconnected, true) => StepReason::SatelliteThin,
            _ => why,
        };
        let sent = self
            .datagram
            .last
            .map(|(_, at_ms)| (self.datagram.times, at_ms));
        let from_ms = due_ms(sent, self.now_ms, self.policy);
        Some((NextAction::SendDatagram, why, from_ms))
    }

    fn by_sms(&self, why: StepReason) -> Option<(NextAction, StepReason, i64)> {
        let able = match self.conditions.sms {
            SmsAbility::Possible | SmsAbility::Roaming => true,
            SmsAbility::NoSim | SmsAbility::NoPermission | SmsAbility::NoService => false,
        };
        if !able || self.facts.sms == Offered::No || self.conditions.sms_attempts_left == Some(0) {
            return None;
        }
        let from_ms = match self.facts.sms_next {
            SmsNext::SendNow => self.now_ms,
            SmsNext::Wait { until_ms } => until_ms,
            SmsNext::Enough => return None,
        };
        Some((NextAction::SendSms, why, from_ms))
    }

    fn by_neighbour(&self) -> Option<(NextAction, StepReason, i64)> {
        if self.conditions.neighbours == Neighbours::Absent {
            return None;
        }
        let from_ms = self.after(self.relay, self.policy.relay_again_ms);
        Some((
            NextAction::HandToNeighbour,
            StepReason::NeighbourNear,
            from_ms,
        ))
    }

    fn hotline(&self) -> Option<NextStep> {
        (self.conditions.voice == VoiceAbility::Possible).then(|| {
            let why = match self.facts.state {
                ReportState::Parked { .. } => StepReason::Refused,
                _ => StepReason::NoProofYet,
            };
            self.step(NextAction::CallHotline, why, self.now_ms)
        })
    }

    /// Now, or `wait_ms` after the last attempt. One that lies ahead was made
    /// before the clock went back.
    fn after(&self, tried: Tried, wait_ms: i64) -> i64 {
        tried.last.map_or(self.now_ms, |(_, at_ms)| {
            at_ms.min(self.now_ms).saturating_add(wait_ms)
        })
    }

    fn battery_is_low(&self) -> bool {
        self.conditions
            .battery_percent
            .is_some_and(|percent| percent <= self.policy.battery_low_percent)
    }

    fn step(&self, action: NextAction, why: StepReason, from_ms: i64) -> NextStep {
        let metered = action == NextAction::SendByData && self.conditions.cost == DataCost::Metered;
        let roaming = action == NextAction::SendSms && self.conditions.sms == SmsAbility::Roaming;
        let hungry = matches!(
            action,
            NextAction::SendByData | NextAction::HandToNeighbour | NextAction::CallHotline
        );
        NextStep {
            action,
            why,
            from_ms,
            cautions: [
                (metered, StepCaution::Metered),
                (roaming, StepCaution::Roaming),
                (hungry && self.battery_is_low(), StepCaution::BatteryLow),
            ]
            .into_iter()
            .filter_map(|(holds, caution)| holds.then_some(caution))
            .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
