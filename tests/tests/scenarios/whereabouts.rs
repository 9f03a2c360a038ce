//! Where the traveler is.

use homeline::Result;
use homeline::geo::{Datum, position_in};
use homeline::whereabouts::{
    Fix, FixOrigin, FixSource, GapCause, Position, TrackItem, WhereaboutsMode,
};
use serde::Deserialize;

use crate::player::{Player, case_of, now_ms, snake};

const MODES: [WhereaboutsMode; 4] = [
    WhereaboutsMode::Everything,
    WhereaboutsMode::SignificantChange,
    WhereaboutsMode::CheckIn,
    WhereaboutsMode::ActiveSos,
];

const DATUMS: [Datum; 3] = [Datum::Wgs84, Datum::Gcj02, Datum::Bd09];

const DAY_S: i64 = 86_400;

/// Metres of a degree of latitude.
const DEGREE_M: f64 = 111_195.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mode {
    mode: String,
}

impl Mode {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        assert_eq!(snake(&player.home().whereabouts().mode()?), self.mode);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetMode {
    mode: String,
}

impl SetMode {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let mode = case_of(&MODES, &self.mode);
        player.home().whereabouts().set_mode(mode)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordFix {
    latitude: f64,
    longitude: f64,
    accuracy_m: Option<f64>,
    seconds_ago: Option<i64>,
    days_ago: Option<i64>,
    origin: Option<FixOrigin>,
}

impl RecordFix {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let place = Position::Wgs84 {
            latitude: self.latitude,
            longitude: self.longitude,
        };
        let seconds_ago = self.seconds_ago.unwrap_or(0) + self.days_ago.unwrap_or(0) * DAY_S;
        let time_ms = now_ms() - seconds_ago * 1_000;
        player.home().whereabouts().record(Fix {
            accuracy_m: self.accuracy_m,
            origin: self.origin,
            ..Fix::new(place, time_ms, FixSource::Gnss)
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteGap {
    cause: GapCause,
}

impl NoteGap {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        player.home().whereabouts().note_gap(self.cause)
    }
}

/// Without a place: there is none to show.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LastFix {
    latitude: Option<f64>,
    longitude: Option<f64>,
}

impl LastFix {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let last = player.home().whereabouts().last()?;
        let place = last.map(|known| known.fix.position.degrees());
        let expected = self.latitude.zip(self.longitude);
        assert_eq!(place.map(micro), expected.map(micro));
        Ok(())
    }
}

/// Millionths of a degree, as the record keeps them.
pub(crate) fn micro((latitude, longitude): (f64, f64)) -> (String, String) {
    (format!("{latitude:.6}"), format!("{longitude:.6}"))
}

/// `fix` with its flags, or `gap` with its cause.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Track {
    items: Vec<String>,
}

impl Track {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let track = player.home().whereabouts().track(0, i64::MAX, 100)?;
        let items: Vec<String> = track.iter().map(item).collect();
        assert_eq!(items, self.items);
        Ok(())
    }
}

fn item(item: &TrackItem) -> String {
    match item {
        TrackItem::Fix { fix } => fix
            .flags
            .iter()
            .fold("fix".into(), |text, flag| format!("{text} {}", snake(flag))),
        TrackItem::Gap { gap } => format!("gap {}", snake(&gap.cause)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PositionIn {
    of: String,
    latitude: f64,
    longitude: f64,
    to: String,
    /// How far the numbers move, to a metre; 0: not by the last bit.
    moved_m: Option<f64>,
}

impl PositionIn {
    pub(crate) fn play(self, _: &mut Player<'_>) -> Result<()> {
        let (latitude, longitude) = (self.latitude, self.longitude);
        let place = match case_of(&DATUMS, &self.of) {
            Datum::Wgs84 => Position::Wgs84 {
                latitude,
                longitude,
            },
            Datum::Gcj02 => Position::Gcj02 {
                latitude,
                longitude,
            },
            Datum::Bd09 => Position::Bd09 {
                latitude,
                longitude,
            },
        };
        let moved = position_in(place, case_of(&DATUMS, &self.to))?.degrees();
        let north = (moved.0 - latitude) * DEGREE_M;
        let east = (moved.1 - longitude) * DEGREE_M * latitude.to_radians().cos();
        let moved_m = self.moved_m.unwrap();
        assert_eq!(north.hypot(east).round(), moved_m);
        assert_eq!(moved == (latitude, longitude), moved_m == 0.0);
        Ok(())
    }
}
