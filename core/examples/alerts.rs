//! Measures how long it takes to find the alerts at a place, beside plain ways to do it.
//! Prints JSON, one object a line; `tests/run figures` reads it.
//!
//! A thousand outlines of a hundred points each, spread over the world and, harder, all in
//! one country of 1,000 km; a thousand places among them, one after the other. The peers
//! see the same outlines and the same places in turns: a look at every outline, and the
//! textbook's even-odd test behind the same boxes.

#![expect(clippy::print_stdout, reason = "a program")]
#![expect(clippy::indexing_slicing, reason = "the numbers are made here")]

use std::hint::black_box;
use std::time::Instant;

use homeline::alerts::{Alert, AlertIndex};
use homeline::geo::polygon::Bounds;
use homeline::geo::{Area, Polygon, Spot, Wgs84};

const OUTLINES: usize = 1_000;
const POINTS: u32 = 100;
const PLACES: usize = 1_000;
const ROUNDS: usize = 9;

fn main() {
    let world = Scene::new((-60.0, 70.0), (-180.0, 180.0));
    let country = Scene::new((35.0, 44.0), (20.0, 31.0));
    for (suffix, scene) in [("", &world), ("_crowded", &country)] {
        let [index, plain, textbook] = scene.measured();
        for (name, value) in [
            ("alert_match", index),
            ("alert_match_plain", plain),
            ("alert_match_textbook", textbook),
        ] {
            println!("{{\"name\": \"{name}{suffix}_us\", \"value\": {value:.3}}}");
        }
    }
}

struct Scene {
    alerts: Vec<Alert>,
    index: AlertIndex,
    boxes: Vec<(Bounds, Polygon)>,
    spots: Vec<Spot>,
}

impl Scene {
    fn new(latitudes: (f64, f64), longitudes: (f64, f64)) -> Self {
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
        let alerts: Vec<Alert> = (0..OUTLINES)
            .map(|_| {
                let middle = [chance.within(latitudes), chance.within(longitudes)];
                alert(outline(middle, &mut chance))
            })
            .collect();
        let polygons = alerts.iter().flat_map(|alert| &alert.areas[0].polygons);
        let boxes = polygons.filter_map(|polygon| Some((polygon.bounds()?, polygon.clone())));
        let boxes = boxes.collect();
        let spots = (0..PLACES)
            .filter_map(|_| Wgs84::new(chance.within(latitudes), chance.within(longitudes)).ok())
            .map(|place| Spot {
                point: Some(place),
                ..Spot::default()
            })
            .collect();
        Self {
            index: AlertIndex::new(&alerts),
            alerts,
            boxes,
            spots,
        }
    }

    /// Microseconds for one place: the index, a look at each alert, the textbook.
    fn measured(&self) -> [f64; 3] {
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            times[0].push(self.each(|spot| self.index.at(spot).len()));
            times[1].push(self.each(|spot| {
                let covering = self.alerts.iter().filter(|alert| alert.covers(spot));
                covering.count()
            }));
            times[2].push(self.each(|spot| self.textbook(spot)));
        }
        // The median: the others had a neighbour on the processor.
        times.map(|mut times: Vec<f64>| {
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        })
    }

    fn each(&self, find: impl Fn(&Spot) -> usize) -> f64 {
        let begin = Instant::now();
        for spot in &self.spots {
            black_box(find(black_box(spot)));
        }
        begin.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(PLACES).unwrap_or(1))
    }

    /// Boxes, then the even-odd test of every textbook: wrong at the antimeridian, but as
    /// fast as that can be.
    fn textbook(&self, spot: &Spot) -> usize {
        let Some(place) = spot.point else { return 0 };
        let inside = self
            .boxes
            .iter()
            .filter(|(bounds, polygon)| bounds.holds(place) && even_odd(polygon.ring(), place));
        inside.count()
    }
}

fn even_odd(ring: &[[f64; 2]], place: Wgs84) -> bool {
    let (y, x) = (place.latitude(), place.longitude());
    let mut odd = false;
    let mut from = ring[ring.len() - 1];
    for to in ring {
        if (from[0] > y) != (to[0] > y) {
            odd ^= x < from[1] + (to[1] - from[1]) * (y - from[0]) / (to[0] - from[0]);
        }
        from = *to;
    }
    odd
}

/// A ragged outline of 20 to 300 km around a place.
fn outline([latitude, longitude]: [f64; 2], chance: &mut Chance) -> Polygon {
    let size = chance.within((0.2, 2.7));
    Polygon::new((0..POINTS).map(|at| {
        let angle = f64::from(at) / f64::from(POINTS) * std::f64::consts::TAU;
        let reach = size * chance.within((0.6, 1.0));
        let turned = longitude + reach * angle.cos();
        let turned = (turned + 180.0).rem_euclid(360.0) - 180.0;
        [(latitude + reach * angle.sin()).clamp(-90.0, 90.0), turned]
    }))
}

fn alert(polygon: Polygon) -> Alert {
    Alert {
        areas: vec![Area {
            polygons: vec![polygon],
            ..Area::default()
        }],
        ..Alert::default()
    }
}

/// The same numbers in every run (xorshift64*).
struct Chance(u64);

impl Chance {
    fn within(&mut self, (from, to): (f64, f64)) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        from + (to - from) * f64::from(u32::try_from(bits).unwrap_or(0)) / 4_294_967_296.0
    }
}
