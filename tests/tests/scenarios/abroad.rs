//! What the ministry publishes for everybody: where a place is, who helps there, what to
//! do.

use homeline::Result;
use homeline::missions::LocalNumbers;
use homeline::packs::{PackInfo, PackName, PackOrigin};
use homeline::reference::Place;
use homeline::whereabouts::Position;
use serde::Deserialize;
use serde_json::Value;

use crate::expect;
use crate::player::{Player, case_of, snake};

/// A position in WGS-84, or a whole country. A step without one asks about where the
/// traveler is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceJson {
    latitude: Option<f64>,
    longitude: Option<f64>,
    accuracy_m: Option<f64>,
    country: Option<String>,
}

pub(crate) fn place(json: Option<PlaceJson>) -> Place {
    let Some(json) = json else {
        return Place::Here;
    };
    match json.country {
        Some(code) => Place::Country { code },
        None => Place::At {
            position: Position::Wgs84 {
                latitude: json.latitude.unwrap(),
                longitude: json.longitude.unwrap(),
            },
            accuracy_m: json.accuracy_m,
        },
    }
}

/// The ministry publishes items, in place of those that it had in that pack.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Publish {
    pack: String,
    items: Vec<Value>,
}

impl Publish {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let name = case_of(&PackName::ALL, &self.pack);
        player.stage.publish(name, &self.items).unwrap();
        Ok(())
    }
}

/// The packs that the ministry has brought; all others are the library's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Packs {
    r#as: Option<String>,
    ministry: Vec<String>,
    /// The `packs` of before that `newer` is about.
    since: Option<String>,
    /// Those with a higher version than then.
    newer: Option<Vec<String>>,
}

impl Packs {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let packs = player.home().packs().list()?;
        assert_eq!(packs.len(), PackName::ALL.len());
        let (ministry, library): (Vec<_>, Vec<_>) = packs
            .iter()
            .partition(|pack| pack.origin == PackOrigin::Ministry);
        assert_eq!(names(&ministry), self.ministry);
        assert!(library.iter().all(|pack| pack.version == 0));
        if let Some(since) = self.since {
            let version = |pack: &PackInfo| player.named(&version_of(&since, pack)).parse();
            let newer = ministry
                .into_iter()
                .filter(|pack| pack.version > version(pack).unwrap());
            expect(names(&newer.collect::<Vec<_>>()), self.newer);
        }
        if let Some(name) = self.r#as {
            for pack in &packs {
                player.keep(Some(version_of(&name, pack)), pack.version.to_string());
            }
        }
        Ok(())
    }
}

fn names(packs: &[&PackInfo]) -> Vec<String> {
    packs.iter().map(|pack| snake(&pack.name)).collect()
}

fn version_of(name: &str, pack: &PackInfo) -> String {
    format!("{name} {}", snake(&pack.name))
}

/// A pack comes as a file of the ministry's: with the host app, or from a friend.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddPack {
    pack: String,
    /// As much of the file as has come; absent: all.
    first_bytes: Option<usize>,
}

impl AddPack {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let name = case_of(&PackName::ALL, &self.pack);
        let mut file = player.stage.ministry.pack_file(name).unwrap().unwrap();
        file.truncate(self.first_bytes.unwrap_or(file.len()));
        let added = player.home().packs().add(file)?;
        assert_eq!((added.name, added.origin), (name, PackOrigin::Ministry));
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Locate {
    place: Option<PlaceJson>,
    basis: Option<String>,
    #[serde(default)]
    countries: Vec<String>,
    ground: Option<String>,
    confidence: Option<String>,
}

impl Locate {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let found = player.home().locate(place(self.place))?;
        expect(snake(&found.basis), self.basis);
        assert_eq!(found.countries, self.countries);
        let located = found.located.as_ref();
        let ground = located.map(|located| snake(&located.ground));
        assert_eq!(ground, self.ground);
        let confidence = located.map(|located| snake(&located.confidence));
        expect(confidence, self.confidence.map(Some));
        Ok(())
    }
}

/// Who helps at a place. A list that is not there is empty.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HelpAt {
    place: Option<PlaceJson>,
    basis: Option<String>,
    #[serde(default)]
    countries: Vec<String>,
    /// `TR: general 112, police 155`.
    #[serde(default)]
    numbers: Vec<String>,
    mobile: Option<Vec<String>>,
    #[serde(default)]
    responsible: Vec<String>,
    /// The name of the first of them, and the phone to call.
    mission_name: Option<String>,
    phone: Option<String>,
    nearest: Option<String>,
    hotline: Option<Vec<String>>,
    /// The languages of what a consulate can do, and cannot.
    protection: Option<Vec<String>>,
}

impl HelpAt {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let help = player.home().help_at(place(self.place));
        expect(snake(&help.basis), self.basis);
        assert_eq!(help.countries, self.countries);
        let numbers: Vec<String> = help.numbers.iter().map(numbers).collect();
        assert_eq!(numbers, self.numbers);
        expect(help.mobile.numbers, self.mobile);
        let responsible: Vec<String> = help.responsible.iter().map(|it| it.id.clone()).collect();
        assert_eq!(responsible, self.responsible);
        let first = help.responsible.into_iter().next();
        let name = first.as_ref().and_then(|it| it.name.clone());
        expect(name.map(|name| name.text), self.mission_name.map(Some));
        let phone = first.and_then(|it| it.phones.into_iter().next());
        expect(phone.map(|phone| phone.number), self.phone.map(Some));
        assert_eq!(help.nearest.map(|it| it.id), self.nearest);
        let hotline = help.hotline.iter();
        let hotline = hotline.map(|line| format!("{} {}", snake(&line.from), line.number));
        expect(hotline.collect(), self.hotline);
        let protection = help.protection.into_iter().map(|guide| guide.language);
        expect(protection.collect(), self.protection);
        Ok(())
    }
}

pub(crate) fn numbers(local: &LocalNumbers) -> String {
    let numbers: Vec<String> = local
        .numbers
        .iter()
        .map(|number| format!("{} {}", snake(&number.service), number.number))
        .collect();
    format!("{}: {}", local.country, numbers.join(", "))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchGuides {
    query: String,
    place: Option<PlaceJson>,
    situation: Option<String>,
    /// The best that is found, and its title. Without it: nothing is found.
    best: Option<String>,
    title: Option<String>,
}

impl SearchGuides {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let guides = player.home().guides();
        let found = guides.search(self.query, place(self.place), self.situation)?;
        let best = found.into_iter().next();
        assert_eq!(best.as_ref().map(|guide| guide.id.clone()), self.best);
        expect(best.map(|guide| guide.title), self.title.map(Some));
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListGuides {
    place: Option<PlaceJson>,
    situation: Option<String>,
    ids: Vec<String>,
}

impl ListGuides {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let guides = player.home().guides();
        let found = guides.list(place(self.place), self.situation)?;
        let ids: Vec<String> = found.into_iter().map(|guide| guide.id).collect();
        assert_eq!(ids, self.ids);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadGuide {
    id: String,
    language: Option<String>,
    #[serde(default)]
    contains: Vec<String>,
}

impl ReadGuide {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let guide = player.home().guides().read(self.id)?;
        expect(guide.language, self.language);
        for text in self.contains {
            assert!(guide.body.contains(&text), "no {text}");
        }
        Ok(())
    }
}
