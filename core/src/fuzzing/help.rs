//! Items of packs about help, and the search in the guides.

use rusqlite::Connection;

use crate::config::Hotline;
use crate::geo::{Area, Spot, Wgs84};
use crate::guides::{self, Guide, GuideWanted};
use crate::missions::{
    Directory, EmergencyNumbers, HelpSources, Mission, NumbersBook, PackTimes, help_at,
};
use crate::packs::first;

/// A mission, the numbers of a country, or a guide: what is read is written and read to
/// the same, and whatever it says the answer at a place has the hotline, the number of
/// any mobile phone and the text.
pub fn help_items(bytes: &[u8]) {
    let mission = Mission::from_json(bytes).ok();
    let numbers = EmergencyNumbers::from_json(bytes).ok();
    let guide = Guide::from_json(bytes).ok();
    if let Some(mission) = &mission {
        let again = Mission::from_json(&serde_json::to_vec(mission).unwrap()).unwrap();
        // JSON numbers may lose their last bit on the way.
        let bare = |it: &Mission| Mission {
            position: None,
            district: Area::default(),
            ..it.clone()
        };
        assert!(bare(&again) == bare(mission));
        assert_eq!(again.position.is_some(), mission.position.is_some());
    }
    if let Some(numbers) = &numbers {
        let again = EmergencyNumbers::from_json(&serde_json::to_vec(numbers).unwrap()).unwrap();
        assert!(again == *numbers);
    }
    if let Some(guide) = &guide {
        let again = Guide::from_json(&serde_json::to_vec(guide).unwrap()).unwrap();
        assert!(again == *guide);
        indexed(guide);
    }
    answered(mission, numbers, guide);
}

fn indexed(guide: &Guide) {
    let connection = Connection::open_in_memory().unwrap();
    guides::create(&connection).unwrap();
    guides::replace_all(&connection, std::slice::from_ref(guide)).unwrap();
    let languages: Vec<String> = guide.texts.keys().cloned().collect();
    let read = guides::get(&connection, &guide.id, &languages, None, 0).unwrap();
    assert!(read == guide.view(&languages, None, 0) && read.is_some());
    let wanted = GuideWanted {
        languages,
        countries: guide.countries.clone(),
        situation: Some(guide.situation.clone()),
    };
    assert_eq!(guides::list(&connection, &wanted, 9).unwrap().len(), 1);
    for text in guide.texts.values() {
        assert!(
            guides::search(&connection, &text.title, &wanted, 9)
                .unwrap()
                .len()
                <= 1
        );
    }
}

fn answered(mission: Option<Mission>, numbers: Option<EmergencyNumbers>, guide: Option<Guide>) {
    let countries: Vec<String> = [
        mission.as_ref().map(|it| it.country.clone()),
        numbers.as_ref().map(|it| it.country.clone()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let place = mission.as_ref().and_then(|it| it.position?.wgs84());
    let missions = Directory::new(mission);
    let book = NumbersBook::new(numbers);
    let protection: Vec<Guide> = guide.into_iter().collect();
    let hotline = Hotline {
        from_home: "12308".into(),
        from_abroad: "+861012308".into(),
    };
    let sources = HelpSources {
        missions: &missions,
        numbers: &book,
        protection: &protection,
        hotline: &hotline,
        home_country: "CN",
        packs: PackTimes::default(),
    };
    for point in [None, place, Wgs84::new(-90.0, 180.0).ok()] {
        let spot = Spot {
            point,
            countries: countries.clone(),
            regions: countries.clone(),
        };
        let help = help_at(&sources, &spot, &[], i64::MAX);
        assert!(help.hotline.len() == 2 && help.protection.len() == 2);
        assert!(!help.mobile.numbers.is_empty());
    }
}

/// Any text is a search in the guides: it never fails, and finds no more than is there.
pub fn guide_search(bytes: &[u8]) {
    thread_local!(static FIRST: Connection = {
        let connection = Connection::open_in_memory().unwrap();
        guides::create(&connection).unwrap();
        guides::replace_all(&connection, &first::guides()).unwrap();
        connection
    });
    let query = String::from_utf8_lossy(bytes);
    let wanted = GuideWanted {
        languages: vec!["zh-Hans".into()],
        ..GuideWanted::default()
    };
    FIRST.with(|connection| {
        let hits = guides::search(connection, &query, &wanted, 5).unwrap();
        assert!(hits.len() <= 5);
        assert!(hits.iter().all(|hit| hit.language == "zh-Hans"));
    });
}
