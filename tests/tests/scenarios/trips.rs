//! Where the traveler should be, and what to look after.

use homeline::Result;
use homeline::registration::{Stay, Trip};
use serde::Deserialize;

use crate::expect;
use crate::player::{Player, snake};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddTrip {
    r#as: Option<String>,
    trip: TripJson,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TripJson {
    title: Option<String>,
    departs: String,
    returns: Option<String>,
    #[serde(default)]
    stays: Vec<StayJson>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StayJson {
    country: String,
    place: String,
    from: String,
    to: String,
    lodging: Option<String>,
    #[serde(default)]
    companions: Vec<String>,
}

impl AddTrip {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let id = player.home().trips().save(Trip {
            title: self.trip.title,
            departs: self.trip.departs,
            returns: self.trip.returns,
            stays: self.trip.stays.into_iter().map(Into::into).collect(),
        })?;
        player.keep(self.r#as, id);
        Ok(())
    }
}

impl From<StayJson> for Stay {
    fn from(json: StayJson) -> Self {
        Self {
            country: json.country,
            place: json.place,
            from: json.from,
            to: json.to,
            lodging: json.lodging,
            companions: json.companions,
        }
    }
}

/// Without a place: there is no stay now.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CurrentStay {
    place: Option<String>,
    country: Option<String>,
    certainty: Option<String>,
}

impl CurrentStay {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let current = player.home().trips().current_stay()?;
        let certainty = current.as_ref().map(|current| snake(&current.certainty));
        let stay = current.and_then(|current| current.stay);
        expect(certainty, self.certainty.map(Some));
        expect(
            stay.as_ref().map(|stay| stay.country.clone()),
            self.country.map(Some),
        );
        assert_eq!(stay.map(|stay| stay.place), self.place);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reminders {
    kinds: Vec<String>,
}

impl Reminders {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let reminders = player.home().registration().reminders()?;
        let kinds: Vec<String> = reminders.iter().map(|it| snake(&it.kind)).collect();
        assert_eq!(kinds, self.kinds);
        Ok(())
    }
}
