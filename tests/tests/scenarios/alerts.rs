//! How dangerous it is: alerts at places, the arrival notice, what to notify.

use homeline::Result;
use homeline::alerts::{AlertReference, LocalAlert, LocalLevel, PlaceAlerts, PlannedAlert};
use serde::Deserialize;

use crate::abroad::{PlaceJson, numbers, place};
use crate::expect;
use crate::player::{Player, snake};

/// What a place has to say of its dangers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertsAt {
    place: Option<PlaceJson>,
    /// The wording of the highest level; absent: there is none.
    level: Option<String>,
    /// Of the alerts, the most important first.
    #[serde(default)]
    headlines: Vec<String>,
    /// Whether the phone ever had the ministry's alerts.
    known: Option<bool>,
}

impl AlertsAt {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let here = player.home().alerts().at(place(self.place))?;
        assert_eq!(wording(here.level.as_ref()), self.level);
        assert_eq!(headlines(&here), self.headlines);
        expect(here.as_of_ms.is_some(), self.known);
        Ok(())
    }
}

fn wording(level: Option<&LocalLevel>) -> Option<String> {
    level.map(|level| level.wording.text.clone())
}

fn headlines(alerts: &PlaceAlerts) -> Vec<String> {
    let headlines = alerts.alerts.iter().filter_map(|it| it.headline.as_ref());
    headlines.map(|headline| headline.text.clone()).collect()
}

/// Countries that the traveler has chosen.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertsIn {
    countries: Vec<String>,
    #[serde(default)]
    headlines: Vec<String>,
}

impl AlertsIn {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let there = player.home().alerts().in_countries(self.countries)?;
        assert_eq!(headlines(&there), self.headlines);
        Ok(())
    }
}

/// Each stay as `PLACE: HEADLINE, HEADLINE`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertsOfTrips {
    stays: Vec<String>,
}

impl AlertsOfTrips {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let stays = player.home().alerts().of_trips()?;
        let stays: Vec<String> = stays
            .iter()
            .map(|it| format!("{}: {}", it.stay.place, headlines(&it.alerts).join(", ")))
            .collect();
        assert_eq!(stays, self.stays);
        Ok(())
    }
}

/// Every alert that the phone has, as `IDENTIFIER STATE`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AllAlerts {
    states: Vec<String>,
}

impl AllAlerts {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let all = player.home().alerts().all()?;
        let state = |it: &LocalAlert| format!("{} {}", it.identifier, snake(&it.state));
        let states: Vec<String> = all.iter().map(state).collect();
        assert_eq!(states, self.states);
        Ok(())
    }
}

/// Without a country: there is no notice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arrival {
    country: Option<String>,
    is_new: Option<bool>,
    #[serde(default)]
    passed: Vec<String>,
    level: Option<String>,
    /// How many alerts it shows.
    alerts: Option<usize>,
    mission: Option<String>,
    phone: Option<String>,
    numbers: Option<String>,
    /// The number of the hotline to try first.
    hotline: Option<String>,
}

impl Arrival {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let notice = player.home().alerts().arrival()?;
        assert_eq!(notice.as_ref().map(|it| it.country.clone()), self.country);
        let Some(notice) = notice else {
            return Ok(());
        };
        expect(notice.is_new, self.is_new);
        assert_eq!(notice.passed, self.passed);
        expect(wording(notice.level.as_ref()), self.level.map(Some));
        expect(notice.alerts.len(), self.alerts);
        let mission = notice.mission.as_ref().map(|it| it.id.clone());
        expect(mission, self.mission.map(Some));
        let phone = notice.mission.and_then(|it| it.phones.into_iter().next());
        expect(phone.map(|it| it.number), self.phone.map(Some));
        let numbers = notice.numbers.as_ref().map(numbers);
        expect(numbers, self.numbers.map(Some));
        let hotline = notice.hotline.into_iter().next();
        expect(hotline.map(|it| it.number), self.hotline.map(Some));
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ArrivalShown {}

impl ArrivalShown {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        player.home().alerts().arrival_shown()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// Those that the traveler has chosen.
    #[serde(default)]
    countries: Vec<String>,
    /// `IDENTIFIER NEWS LOUDNESS`, then `here` where the traveler is there, and `unread`
    /// until it was read.
    #[serde(default)]
    show: Vec<String>,
    /// The identifiers of what is taken away.
    #[serde(default)]
    withdraw: Vec<String>,
}

impl Plan {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let plan = player.home().alerts().plan(self.countries)?;
        let show: Vec<String> = plan.show.iter().map(planned).collect();
        assert_eq!(show, self.show);
        let withdraw: Vec<String> = plan.withdraw.into_iter().map(|it| it.identifier).collect();
        assert_eq!(withdraw, self.withdraw);
        Ok(())
    }
}

fn planned(planned: &PlannedAlert) -> String {
    let mut words = vec![
        planned.alert.identifier.clone(),
        snake(&planned.news),
        snake(&planned.loudness),
    ];
    words.extend(planned.is_here.then(|| "here".into()));
    words.extend(planned.new_since_ms.map(|_| "unread".into()));
    words.join(" ")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanShown {}

impl PlanShown {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        player.home().alerts().plan_shown()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarkRead {
    sender: String,
    identifiers: Vec<String>,
}

impl MarkRead {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let reference = |identifier| AlertReference {
            sender: self.sender.clone(),
            identifier,
            sent_ms: None,
        };
        let read = self.identifiers.into_iter().map(reference).collect();
        player.home().alerts().mark_read(read)
    }
}
