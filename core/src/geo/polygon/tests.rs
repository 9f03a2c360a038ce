use proptest::prelude::*;

use super::*;

fn place(latitude: f64, longitude: f64) -> Wgs84 {
    Wgs84::new(latitude, longitude).unwrap()
}

/// Inside and outside of a ring, as drawn, backwards, closed, with each point twice,
/// and begun elsewhere: none of these changes anything.
fn covers(ring: &[[f64; 2]], inside: &[(f64, f64)], outside: &[(f64, f64)]) {
    let mut rings = vec![ring.to_vec()];
    rings.push(ring.iter().rev().copied().collect());
    rings.push(ring.iter().chain(ring.first()).copied().collect());
    rings.push(ring.iter().flat_map(|vertex| [*vertex, *vertex]).collect());
    let (tail, head) = (&ring[ring.len() / 2..], &ring[..ring.len() / 2]);
    rings.push([tail, head].concat());
    for ring in rings {
        let polygon = Polygon::new(ring.iter().copied());
        for (at, expected) in [(inside, true), (outside, false)] {
            for (latitude, longitude) in at {
                let at = place(*latitude, *longitude);
                assert_eq!(
                    polygon.covers(at),
                    expected,
                    "{ring:?} {latitude} {longitude}"
                );
                assert_eq!(
                    Striped::new(polygon.clone()).covers(at),
                    expected,
                    "striped {ring:?}"
                );
            }
        }
    }
}

#[test]
fn a_place_is_inside_or_outside() {
    let istanbul = [[41.2, 28.5], [41.2, 29.5], [40.8, 29.5], [40.8, 28.5]];
    covers(
        &istanbul,
        &[(41.0, 29.0), (40.81, 28.51)],
        &[
            (41.0, 28.4),
            (41.3, 29.0),
            (0.0, 0.0),
            (90.0, 29.0),
            (-41.0, 29.0),
        ],
    );
}

#[test]
fn a_ring_may_cross_the_antimeridian() {
    let fiji = [
        [-15.0, 177.0],
        [-15.0, -178.0],
        [-20.0, -178.0],
        [-20.0, 177.0],
    ];
    let (inside, outside) = (
        [
            (-17.0, 178.0),
            (-17.0, 180.0),
            (-17.0, -180.0),
            (-17.0, -179.0),
        ],
        [
            (-17.0, 176.0),
            (-17.0, -177.0),
            (-17.0, 0.0),
            (-14.0, 180.0),
            (-21.0, -180.0),
        ],
    );
    covers(&fiji, &inside, &outside);
    // The same with the meridian in its points, under both of its names.
    let named = [
        [-15.0, 177.0],
        [-15.0, 180.0],
        [-15.0, -180.0],
        [-15.0, -178.0],
        [-20.0, -178.0],
        [-20.0, -180.0],
        [-20.0, 177.0],
    ];
    covers(&named, &inside, &outside);
}

#[test]
fn a_side_on_the_antimeridian_has_two_names() {
    for side in [180.0, -180.0] {
        let east = [[10.0, 170.0], [10.0, side], [0.0, side], [0.0, 170.0]];
        covers(
            &east,
            &[(5.0, 175.0), (5.0, 179.999)],
            &[(5.0, -179.999), (5.0, 169.0)],
        );
        let west = [[10.0, -170.0], [10.0, side], [0.0, side], [0.0, -170.0]];
        covers(
            &west,
            &[(5.0, -175.0), (5.0, -179.999)],
            &[(5.0, 179.999), (5.0, -169.0)],
        );
        // The edge itself belongs to one of the two, whatever the place is called.
        for longitude in [180.0, -180.0] {
            let at = place(5.0, longitude);
            let of = |ring: [[f64; 2]; 4]| Polygon::new(ring).covers(at);
            assert!(of(east) != of(west), "{side} {longitude}");
            assert_eq!(of(west), Polygon::new(west).covers(place(5.0, -180.0)));
        }
    }
}

#[test]
fn a_ring_round_the_earth_holds_its_pole() {
    let arctic = [[70.0, 0.0], [70.0, 90.0], [70.0, 180.0], [70.0, -90.0]];
    covers(
        &arctic,
        &[
            (90.0, 0.0),
            (90.0, 123.0),
            (71.0, 45.0),
            (80.0, 180.0),
            (80.0, -180.0),
        ],
        &[(69.0, 45.0), (0.0, 0.0), (-90.0, 0.0), (-80.0, 10.0)],
    );
    let antarctic = [[-60.0, -120.0], [-65.0, 0.0], [-60.0, 120.0]];
    covers(
        &antarctic,
        &[(-90.0, 0.0), (-75.0, 50.0), (-66.0, 180.0), (-66.0, -180.0)],
        &[(-50.0, 0.0), (90.0, 0.0), (0.0, 180.0), (-62.0, 0.0)],
    );
}

#[test]
fn the_whole_map_can_be_drawn() {
    let everywhere = [(0.0, 0.0), (89.0, 180.0), (-89.0, -180.0), (50.0, 90.0)];
    let corners = [
        [-90.0, -180.0],
        [-90.0, 180.0],
        [90.0, 180.0],
        [90.0, -180.0],
    ];
    covers(&corners, &everywhere, &[]);
    let halves = [
        [-90.0, -180.0],
        [-90.0, 0.0],
        [-90.0, 180.0],
        [90.0, 180.0],
        [90.0, 0.0],
        [90.0, -180.0],
    ];
    covers(&halves, &everywhere, &[]);
    let tropics = [
        [-23.0, -180.0],
        [-23.0, 180.0],
        [23.0, 180.0],
        [23.0, -180.0],
    ];
    covers(
        &tropics,
        &[(0.0, 0.0), (22.0, 180.0)],
        &[(24.0, 0.0), (-24.0, -180.0)],
    );
}

#[test]
fn a_ring_that_crosses_itself_is_even_and_odd() {
    let bow_tie = [[0.0, 0.0], [10.0, 10.0], [10.0, 0.0], [0.0, 10.0]];
    covers(
        &bow_tie,
        &[(8.0, 5.0), (2.0, 5.0)],
        &[(5.0, 1.0), (5.0, 9.0)],
    );
    // The middle of a star of five points is crossed twice.
    let star: Vec<[f64; 2]> = [0, 2, 4, 1, 3]
        .map(|corner| {
            let (y, x) = (f64::from(corner) * std::f64::consts::TAU / 5.0).sin_cos();
            [y * 10.0, x * 10.0]
        })
        .to_vec();
    covers(&star, &[(0.0, 8.0)], &[(0.0, 0.0), (0.0, -9.0)]);
}

#[test]
fn what_is_no_polygon_covers_nothing_and_is_no_fault() {
    for ring in [
        &[][..],
        &[[1.0, 1.0]],
        &[[1.0, 1.0], [2.0, 2.0]],
        &[[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]],
        &[[f64::NAN, 1.0], [9.0, 9.0], [1.0, 9.0], [-9.0, -9.0]],
        &[[-9.0, -9.0], [9.0, -9.0], [9.0, f64::INFINITY], [-9.0, 9.0]],
        &[[-9.0, -9.0], [91.0, -9.0], [9.0, 9.0], [-9.0, 9.0]],
        &[[-9.0, -9.0], [9.0, -9.0], [9.0, 181.0], [-9.0, 9.0]],
    ] {
        let polygon = Polygon::new(ring.iter().copied());
        for at in [(1.0, 1.0), (0.0, 0.0), (1.5, 1.5), (90.0, 0.0)] {
            assert!(!polygon.covers(place(at.0, at.1)), "{ring:?}");
        }
    }
    assert_eq!(Polygon::new([[1.0, 1.0], [2.0, 2.0]]).bounds(), None);
}

#[test]
fn places_on_a_common_edge_are_in_one_of_two_polygons() {
    let square = |west: f64, south: f64| {
        Polygon::new([
            [south, west],
            [south, west + 0.1],
            [south + 0.1, west + 0.1],
            [south + 0.1, west],
        ])
    };
    for (west, south) in [(0.1, 0.2), (33.3, 44.4), (-120.7, -12.1), (179.9, 5.0)] {
        let tiles = [
            (0.0, 0.0),
            (0.0, 0.1),
            (0.1, 0.0),
            (0.1, 0.1),
            (-0.1, 0.0),
            (0.0, -0.1),
        ]
        .map(|(right, up)| square(west + right, south + up));
        for (right, up) in [(0.0, 0.05), (0.05, 0.0), (0.05, 0.1), (0.0, 0.0)] {
            let at = place(south + up, west + right);
            let count = tiles.iter().filter(|tile| tile.covers(at)).count();
            assert!(count <= 1, "{west} {south} {right} {up}: {count}");
        }
    }
}

#[test]
fn a_ring_of_a_million_points_is_thinned() {
    let round = |count: u32| {
        (0..count).map(move |at| {
            let angle = f64::from(at) / f64::from(count) * std::f64::consts::TAU;
            [angle.sin() * 10.0, angle.cos() * 10.0]
        })
    };
    let polygon = Polygon::new(round(1_000_000));
    assert!(polygon.ring().len() <= Policy::STANDARD.area_vertices);
    assert!(polygon.ring().len() > Policy::STANDARD.area_vertices / 3);
    for (latitude, longitude, inside) in [
        (0.0, 9.99, true),
        (7.06, 7.06, true),
        (0.0, 10.01, false),
        (7.08, 7.08, false),
    ] {
        assert_eq!(polygon.covers(place(latitude, longitude)), inside);
    }
    // One point that is no place spoils it, wherever it comes.
    let spoilt = Polygon::new(round(1_000_000).chain([[0.0, 200.0]]));
    assert!(spoilt.ring().is_empty());
}

#[test]
fn json_of_any_form_is_read() {
    for (json, points) in [
        ("[[41.2,28.5],[41.2,29.5],[40.8,29.0]]", 3),
        ("[[1,2],[3,4],[5,6]]", 3),
        ("[]", 0),
        ("[[1,2],[3,4],null]", 0),
        ("[[1,2],[3,4,5],[6,7]]", 0),
        ("[[1,2],[3,null],[6,7]]", 0),
        ("[[1,2],[3,1e9],[6,7]]", 0),
        ("\"1,2 3,4 5,6\"", 0),
        ("{\"ring\":[[1,2]]}", 0),
        ("null", 0),
    ] {
        let polygon: Polygon = serde_json::from_str(json).unwrap();
        assert_eq!(polygon.ring().len(), points, "{json}");
        let back = serde_json::to_string(&polygon).unwrap();
        assert_eq!(serde_json::from_str::<Polygon>(&back).unwrap(), polygon);
    }
}

/// Even and odd in the plane, for rings that stay away from the antimeridian.
fn naive(ring: &[[f64; 2]], latitude: f64, longitude: f64) -> bool {
    let mut odd = false;
    for (at, to) in ring.iter().enumerate() {
        let from = ring[(at + ring.len() - 1) % ring.len()];
        if (from[0] > latitude) != (to[0] > latitude) {
            let x = from[1] + (to[1] - from[1]) * (latitude - from[0]) / (to[0] - from[0]);
            odd ^= longitude < x;
        }
    }
    odd
}

proptest! {
    /// A ring anywhere answers as the same ring in the middle of the map does, where the
    /// plain rule is right; and its box is honest.
    #[test]
    fn the_place_on_the_map_does_not_matter(
        ring in prop::collection::vec((-80.0..80.0, -85.0..85.0), 3..40),
        at in (-85.0..85.0, -89.0..89.0),
        turn in 0.0..360.0_f64,
    ) {
        let turned = |x: f64| (x + turn + 180.0_f64).rem_euclid(360.0) - 180.0;
        let plain: Vec<[f64; 2]> = ring.iter().map(|(y, x)| [*y, *x]).collect();
        let polygon = Polygon::new(plain.iter().map(|[y, x]| [*y, turned(*x)]));
        let (latitude, longitude) = (at.0, turned(at.1));
        let found = polygon.covers(place(latitude, longitude));
        prop_assert_eq!(found, naive(&plain, at.0, at.1));
        prop_assert_eq!(Striped::new(polygon.clone()).covers(place(latitude, longitude)), found);
        let bounds = polygon.bounds().unwrap();
        let is_in_box = bounds.holds(place(latitude, longitude));
        prop_assert!(!found || is_in_box, "{:?}", bounds);
    }
}
