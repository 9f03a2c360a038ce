//! The one answer for somebody who needs help, in the order in which help comes.

use super::directory::Directory;
use super::mission::Mission;
use super::numbers::NumbersBook;
use super::view::{AsOf, LocalMission, LocalNumbers};
use crate::config::Hotline;
use crate::geo::Spot;
use crate::guides::{Guide, GuideArticle};
use crate::packs::first;
use crate::reference::PlaceBasis;

/// The ids of the guides that say what a consulate can do and what it cannot. A ministry's
/// pack may bring its own text under the same ids.
pub const PROTECTION: [&str; 2] = ["consulate-can", "consulate-cannot"];

/// Who and what helps, at a place.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Help {
    /// How it is known where the place is.
    pub basis: PlaceBasis,
    /// The countries that the place may be in, two letters each, the most likely first.
    pub countries: Vec<String>,
    /// Local emergency numbers: call them first. Of each country that the place may be
    /// in, the most likely first; empty where none are known.
    pub numbers: Vec<LocalNumbers>,
    /// What to dial on a mobile phone where the local number is not known.
    pub mobile: MobileEmergency,
    /// The missions responsible for the place: one, or near a border one for each
    /// candidate country, the most likely first. Empty where none is known.
    pub responsible: Vec<LocalMission>,
    /// The nearest mission, where it is none of those.
    pub nearest: Option<LocalMission>,
    /// The ministry's hotline, the form that works at the place first.
    pub hotline: Vec<HotlineNumber>,
    /// What a consulate can do, and what it cannot.
    pub protection: Vec<GuideArticle>,
}

/// The numbers that every mobile phone takes for an emergency, in any country, whatever
/// its SIM: a hint where nothing better is known, not a promise that somebody answers.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct MobileEmergency {
    /// To try one after the other.
    pub numbers: Vec<String>,
    /// The standard that says so.
    pub source: String,
}

/// The hotline, in one of its forms.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HotlineNumber {
    /// Where it is dialled like this.
    pub from: CallFrom,
    /// The number.
    pub number: String,
    /// How old it is: it comes with the host app, no date is known.
    pub as_of: AsOf,
}

/// Where a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum CallFrom {
    /// In the home country.
    Home,
    /// In any other.
    Abroad,
}

/// When each pack was made, milliseconds UTC; absent where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PackTimes {
    /// The pack of missions.
    pub missions_ms: Option<i64>,
    /// The pack of emergency numbers.
    pub numbers_ms: Option<i64>,
    /// The pack of guides.
    pub guides_ms: Option<i64>,
}

/// What the answer is made of.
#[derive(Debug, Clone, Copy)]
pub struct HelpSources<'a> {
    /// The missions.
    pub missions: &'a Directory,
    /// The emergency numbers.
    pub numbers: &'a NumbersBook,
    /// The guides with the ids of [`PROTECTION`], as they are in the packs; what is
    /// missing is taken from the library itself.
    pub protection: &'a [Guide],
    /// The hotline of the `Config`.
    pub hotline: &'a Hotline,
    /// Where the traveler is at home: two letters (ISO 3166-1 alpha-2).
    pub home_country: &'a str,
    /// When the packs were made.
    pub packs: PackTimes,
}

/// Who and what helps at a spot, in the traveler's languages, at `now_ms` (milliseconds
/// UTC). A pure function; it never fails.
pub fn help_at(sources: &HelpSources<'_>, spot: &Spot, languages: &[String], now_ms: i64) -> Help {
    let asked = Asked {
        sources,
        spot,
        languages,
        now_ms,
    };
    let responsible = sources.missions.candidates(spot);
    let nearest = asked.nearest(&responsible);
    Help {
        basis: PlaceBasis::Given,
        countries: spot.countries.clone(),
        numbers: asked.numbers(),
        mobile: mobile(),
        responsible: responsible
            .into_iter()
            .map(|one| asked.mission(one))
            .collect(),
        nearest,
        hotline: asked.hotline(),
        protection: asked.protection(),
    }
}

struct Asked<'a> {
    sources: &'a HelpSources<'a>,
    spot: &'a Spot,
    languages: &'a [String],
    now_ms: i64,
}

impl Asked<'_> {
    fn numbers(&self) -> Vec<LocalNumbers> {
        let pack_ms = self.sources.packs.numbers_ms;
        let known = self.spot.countries.iter();
        known
            .filter_map(|country| self.sources.numbers.of(country))
            .filter(|item| !item.numbers.is_empty())
            .map(|item| {
                let as_of = AsOf::of(pack_ms, item.checked_ms(), self.now_ms);
                LocalNumbers::of(item, self.languages, as_of)
            })
            .collect()
    }

    fn mission(&self, mission: &Mission) -> LocalMission {
        let pack_ms = self.sources.packs.missions_ms;
        let as_of = AsOf::of(pack_ms, Some(mission.checked_ms), self.now_ms);
        LocalMission::of(mission, self.languages, self.spot.point, as_of)
    }

    fn nearest(&self, responsible: &[&Mission]) -> Option<LocalMission> {
        let (nearest, _) = self.sources.missions.nearest(self.spot.point?)?;
        let is_shown = responsible.iter().any(|one| one.id == nearest.id);
        (!is_shown).then(|| self.mission(nearest))
    }

    /// From abroad first, unless the place is at home beyond doubt: the number with its
    /// country code is dialled at home, too.
    fn hotline(&self) -> Vec<HotlineNumber> {
        let Hotline {
            from_home,
            from_abroad,
        } = self.sources.hotline;
        let home = self.sources.home_country;
        let is_home =
            matches!(self.spot.countries.as_slice(), [one] if one.eq_ignore_ascii_case(home));
        let mut forms = [(CallFrom::Abroad, from_abroad), (CallFrom::Home, from_home)];
        if is_home {
            forms.reverse();
        }
        let form = |(from, number): (CallFrom, &String)| HotlineNumber {
            from,
            number: number.clone(),
            as_of: AsOf::default(),
        };
        forms.into_iter().map(form).collect()
    }

    fn protection(&self) -> Vec<GuideArticle> {
        let view = |id: &&str| {
            let of_pack = self.sources.protection.iter().find(|guide| guide.id == *id);
            let pack_ms = of_pack.and(self.sources.packs.guides_ms);
            let guide = of_pack.cloned().or_else(|| first::guide(id))?;
            guide.view(self.languages, pack_ms, self.now_ms)
        };
        PROTECTION.iter().filter_map(view).collect()
    }
}

/// 3GPP TS 22.101, 10.1.1: a phone takes 112 and 911 for emergency numbers whatever its
/// SIM says, and without one.
fn mobile() -> MobileEmergency {
    MobileEmergency {
        numbers: vec!["112".into(), "911".into()],
        source: "3GPP TS 22.101, 10.1.1".into(),
    }
}

#[cfg(test)]
mod tests;
