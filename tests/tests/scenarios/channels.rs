//! Single packets, text messages, and what to try next.

use homeline::Result;
use homeline::sos::{
    Conditions, DataCost, Neighbours, NetworkState, NextStep, SatelliteLink, SmsAbility, SmsNext,
    SmsResult as Said, VoiceAbility,
};
use serde::Deserialize;

use crate::expect;
use crate::player::{Player, case_of, now_ms, snake};

/// One packet, and the wait for its receipt.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendDatagram {
    of: String,
    outcome: String,
}

impl SendDatagram {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let report = player.named(&self.of);
        let outcome = player.home().sos().send_datagram(report)?;
        assert_eq!(snake(&outcome), self.outcome);
        Ok(())
    }
}

/// The text of part 2 of the plan `plan` is kept as `plan 2`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SmsPlan {
    of: String,
    r#as: Option<String>,
    obstacle: Option<String>,
    /// What to do with each part now.
    next: Vec<String>,
    /// What the plain sentence begins with.
    plain: Option<String>,
}

impl SmsPlan {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let plan = player.home().sos().sms_plan(player.named(&self.of), 0)?;
        assert_eq!(plan.obstacle.as_ref().map(snake), self.obstacle);
        let next: Vec<String> = plan.parts.iter().map(|part| snake(&part.next)).collect();
        assert_eq!(next, self.next);
        assert!(plan.plain.chars().count() <= 70);
        if let Some(plain) = self.plain {
            assert!(plan.plain.starts_with(&plain), "{}", plan.plain);
        }
        for part in plan.parts {
            if part.part == 1 {
                assert_eq!((part.messages, part.text.len()), (1, 160));
            }
            assert!(part.next == SmsNext::Enough || part.number.starts_with('+'));
            let name = self
                .r#as
                .as_ref()
                .map(|name| format!("{name} {}", part.part));
            player.keep(name, part.text);
        }
        Ok(())
    }
}

/// What the platform says of a part that it was handed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SmsResult {
    of: String,
    part: u32,
    result: Said,
}

impl SmsResult {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let report = player.named(&self.of);
        let sos = player.home().sos();
        sos.sms_result(report, self.part, self.result, 0)
    }
}

/// The gateway brings a text to the ministry; `as`: the text that comes back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeliverSms {
    text: String,
    r#as: Option<String>,
}

impl DeliverSms {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let text = player.named(&self.text);
        let reply = player.stage.deliver_text(&text).unwrap();
        assert_eq!(reply.is_some(), self.r#as.is_some(), "a text comes back");
        player.keep(self.r#as, reply.unwrap_or_default());
        Ok(())
    }
}

/// The phone receives a text message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SmsReceived {
    text: String,
    answer: String,
}

impl SmsReceived {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let text = player.named(&self.text);
        let answer = player.home().sos().sms_received(text)?;
        assert_eq!(snake(&answer), self.answer);
        Ok(())
    }
}

/// What to try next for a report, the most urgent first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NextSteps {
    of: String,
    conditions: ConditionsJson,
    actions: Vec<String>,
    /// Why, of each.
    why: Option<Vec<String>>,
    /// The actions that are to wait for more than a minute.
    later: Option<Vec<String>>,
    /// The cautions of all steps.
    cautions: Option<Vec<String>>,
}

/// What a scenario does not say is as on a phone in a city, and rules nothing out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionsJson {
    network: Option<String>,
    cost: Option<String>,
    sms: Option<String>,
    sms_attempts_left: Option<u32>,
    satellite: Option<String>,
    neighbours: Option<String>,
    voice: Option<String>,
    battery_percent: Option<u8>,
    /// The phone has come to this network just now.
    #[serde(default)]
    new_network: bool,
}

const NETWORKS: [NetworkState; 4] = [
    NetworkState::Validated,
    NetworkState::Disconnected,
    NetworkState::Captive,
    NetworkState::Unvalidated,
];
const COSTS: [DataCost; 2] = [DataCost::Free, DataCost::Metered];
const SMS: [SmsAbility; 5] = [
    SmsAbility::Possible,
    SmsAbility::Roaming,
    SmsAbility::NoSim,
    SmsAbility::NoPermission,
    SmsAbility::NoService,
];
const SATELLITES: [SatelliteLink; 2] = [SatelliteLink::Absent, SatelliteLink::Thin];
const NEIGHBOURS: [Neighbours; 2] = [Neighbours::Absent, Neighbours::Near];
const VOICES: [VoiceAbility; 3] = [
    VoiceAbility::Possible,
    VoiceAbility::EmergencyOnly,
    VoiceAbility::Impossible,
];

/// The case that is said, or the first one.
fn said<T: std::fmt::Debug + Copy>(all: &[T], name: Option<String>) -> T {
    name.map_or(all[0], |name| case_of(all, &name))
}

impl From<ConditionsJson> for Conditions {
    fn from(json: ConditionsJson) -> Self {
        Self {
            network: said(&NETWORKS, json.network),
            network_since_ms: json.new_network.then(|| now_ms() + 1),
            cost: said(&COSTS, json.cost),
            sms: said(&SMS, json.sms),
            sms_attempts_left: json.sms_attempts_left,
            satellite: said(&SATELLITES, json.satellite),
            neighbours: said(&NEIGHBOURS, json.neighbours),
            voice: said(&VOICES, json.voice),
            battery_percent: json.battery_percent,
        }
    }
}

impl NextSteps {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let report = player.named(&self.of);
        let sos = player.home().sos();
        let steps = sos.next_steps(report, self.conditions.into())?;
        let names =
            |of: &dyn Fn(&NextStep) -> String| -> Vec<String> { steps.iter().map(of).collect() };
        assert_eq!(names(&|step| snake(&step.action)), self.actions);
        expect(names(&|step| snake(&step.why)), self.why);
        let in_a_minute = now_ms() + 60_000;
        let later = steps.iter().filter(|step| step.from_ms > in_a_minute);
        expect(later.map(|step| snake(&step.action)).collect(), self.later);
        let cautions = steps.iter().flat_map(|step| &step.cautions);
        expect(cautions.map(snake).collect(), self.cautions);
        Ok(())
    }
}
