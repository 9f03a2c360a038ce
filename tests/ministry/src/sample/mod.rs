//! Data that the reference ministry stands in for a real one with: missions around
//! the Black Sea, for tests and the journey. Nobody is called by them: the numbers are
//! made up, and the file says so.

use homeline::missions::Mission;
use serde_json::Value;

/// The missions of the example: embassies, consulates with districts of polygons and of
/// provinces, one accredited to a second country.
pub fn missions() -> Vec<Mission> {
    let sample: Value = serde_json::from_str(include_str!("missions.json")).unwrap_or_default();
    let missions = sample.get("missions").and_then(Value::as_array);
    let read = |json: &Value| Mission::from_json(json.to_string().as_bytes()).ok();
    missions.into_iter().flatten().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeline::geo::{Spot, Wgs84};
    use homeline::missions::Directory;

    #[test]
    fn every_mission_of_the_file_is_whole_and_plainly_an_example() {
        let file: Value = serde_json::from_str(include_str!("missions.json")).unwrap();
        assert!(file["note"].as_str().unwrap().contains("Examples"));
        let missions = missions();
        assert_eq!(missions.len(), file["missions"].as_array().unwrap().len());
        for (mission, json) in missions.iter().zip(file["missions"].as_array().unwrap()) {
            // Nothing was left out while it was read.
            assert_eq!(
                serde_json::to_value(mission).unwrap()["phones"]
                    .as_array()
                    .unwrap()
                    .len(),
                json["phones"].as_array().unwrap().len()
            );
            assert!(mission.position.is_some() && mission.website.is_some());
            assert!(mission.source.contains("example"));
            assert!(
                mission
                    .names
                    .0
                    .values()
                    .all(|name| name.contains("example") || name.contains("示例"))
            );
            assert!(
                mission
                    .phones
                    .iter()
                    .all(|phone| phone.number.contains("0000"))
            );
        }
    }

    #[test]
    fn the_districts_are_those_that_the_names_say() {
        let directory = Directory::new(missions());
        for (at, country, expected) in [
            ((39.93, 32.86), "TR", "tr-ankara"),
            ((41.01, 28.97), "TR", "tr-istanbul"),
            // Rize, where the track of the journey is.
            ((41.02, 40.52), "TR", "tr-trabzon"),
            ((41.64, 41.64), "GE", "ge-batumi"),
            ((41.69, 44.80), "GE", "ge-tbilisi"),
            ((40.18, 44.51), "AM", "am-yerevan"),
            ((38.08, 46.29), "IR", "ir-tabriz"),
            ((35.17, 33.36), "CY", "gr-athens"),
        ] {
            let spot = Spot {
                point: Some(Wgs84::new(at.0, at.1).unwrap()),
                countries: vec![country.into()],
                regions: vec![],
            };
            assert_eq!(directory.responsible(&spot).unwrap().id, expected);
        }
        let izmir = Spot {
            countries: vec!["TR".into()],
            regions: vec!["TR-35".into()],
            ..Spot::default()
        };
        assert_eq!(directory.responsible(&izmir).unwrap().id, "tr-izmir");
    }
}
