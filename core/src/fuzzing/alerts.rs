//! Alerts and areas, as a pack may hold them.

use crate::alerts::{
    Alert, AlertIndex, AlertState, Concerned, LevelScale, PlanState, Resolved, at_place, plan,
    read_alerts, resolve,
};
use crate::geo::{Area, Spot, Wgs84};

/// A moment in the middle of the seeds.
const NOW_MS: i64 = 1_777_600_000_000;
/// More than this in one list is only slower.
const MOST: usize = 50;

/// A list of alerts: what is read has a state that does not depend on the order, is found
/// where it is, and is planned without a panic.
pub fn alerts(bytes: &[u8]) {
    let Ok(read) = read_alerts(bytes) else { return };
    let mut alerts = read.alerts;
    alerts.truncate(MOST);
    let states = resolve(&alerts, NOW_MS);
    same_backwards(&alerts, &states);
    let index = AlertIndex::new(&alerts).locate(|_| vec!["TR".into()]);
    let mut here = Vec::new();
    for spot in alerts.iter().flat_map(spots_of) {
        here = index.at(&spot);
        let plain: Vec<usize> = (0..alerts.len())
            .filter(|at| alerts[*at].covers(&spot))
            .collect();
        assert_eq!(here, plain);
    }
    let of = Resolved {
        alerts: &alerts,
        states: &states,
        scale: &LevelScale::default(),
    };
    let wanted = ["zh-Hans".to_owned()];
    let place = at_place(of, &here, &wanted, None);
    assert!(place.alerts.iter().all(|alert| alert.state.is_shown()));
    let elsewhere = index.concerning(&["TR".to_owned()]);
    let concerned = Concerned {
        here: &here,
        elsewhere: &elsewhere,
    };
    let (state, first) = plan(of, concerned, &[], &PlanState::default(), &wanted, NOW_MS);
    let (_, second) = plan(of, concerned, &[], &state, &wanted, NOW_MS);
    assert_eq!(first.show.len(), second.show.len());
    assert!(second.withdraw.is_empty());
}

/// An area: has an answer everywhere, and its boxes are honest.
pub fn area(bytes: &[u8]) {
    let Ok(area) = serde_json::from_slice::<Area>(bytes) else {
        return;
    };
    let alert = Alert {
        areas: vec![area.clone()],
        ..Alert::default()
    };
    let index = AlertIndex::new(std::slice::from_ref(&alert));
    for spot in spots_of(&alert) {
        assert_eq!(!index.at(&spot).is_empty(), area.covers(&spot));
    }
    let json = serde_json::to_string(&area).unwrap();
    let back: Area = serde_json::from_str(&json).unwrap();
    assert_eq!(back.polygons.len(), area.polygons.len());
    assert_eq!(back.circles.len(), area.circles.len());
}

fn same_backwards(alerts: &[Alert], states: &[AlertState]) {
    let mut pairs: Vec<(&Alert, &AlertState)> = alerts.iter().zip(states).collect();
    let backwards: Vec<Alert> = alerts.iter().rev().cloned().collect();
    let turned = resolve(&backwards, NOW_MS);
    // Two alerts that are equal may have each other's states.
    for (alert, state) in backwards.iter().zip(&turned) {
        let found = pairs
            .iter()
            .position(|(other, before)| *before == state && json(other) == json(alert));
        pairs.swap_remove(found.unwrap());
    }
}

fn json(alert: &Alert) -> String {
    serde_json::to_string(alert).unwrap()
}

/// Places on its outlines and beside them, and where its codes are.
fn spots_of(alert: &Alert) -> Vec<Spot> {
    let mut spots = Vec::new();
    for area in &alert.areas {
        let rings = area
            .polygons
            .iter()
            .flat_map(|polygon| polygon.ring().iter().take(8));
        let middles = area.circles.iter().map(|circle| [circle.lat, circle.lon]);
        for [latitude, longitude] in rings.copied().chain(middles) {
            let near = [
                (0.0, 0.0),
                (0.01, 0.0),
                (-0.01, 0.02),
                (0.0, 180.0),
                (90.0, 0.0),
            ];
            let places = near.map(|(up, right)| Wgs84::new(latitude + up, longitude + right));
            spots.extend(places.into_iter().flatten().map(|place| Spot {
                point: Some(place),
                ..Spot::default()
            }));
        }
        spots.push(Spot {
            point: None,
            countries: area.countries.iter().take(4).cloned().collect(),
            regions: area.regions.iter().take(4).cloned().collect(),
        });
    }
    spots
}
