//! Distances on the earth, taken as a sphere: up to 0.6 % off the ellipsoid, less than
//! any fix or alert is sure of.

use super::Wgs84;

/// Mean radius of the earth, metres (IUGG).
pub(super) const EARTH_M: f64 = 6_371_008.8;

/// Great-circle distance between two positions, metres.
pub fn distance_m(one: Wgs84, other: Wgs84) -> f64 {
    sphere_m(
        (one.latitude(), one.longitude()),
        (other.latitude(), other.longitude()),
    )
}

/// Great-circle distance in metres between two places in degrees, latitude first, of
/// one datum.
pub(crate) fn sphere_m((lat1, lon1): (f64, f64), (lat2, lon2): (f64, f64)) -> f64 {
    let (dlat, dlon) = ((lat2 - lat1).to_radians(), (lon2 - lon1).to_radians());
    let h = (dlat / 2.0).sin().powi(2)
        + lat1.to_radians().cos() * lat2.to_radians().cos() * (dlon / 2.0).sin().powi(2);
    2.0 * EARTH_M * h.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_sphere() {
        let half = std::f64::consts::PI * EARTH_M;
        for (one, other, metres) in [
            ((0.0, 0.0), (0.0, 0.0), 0.0),
            ((0.0, 0.0), (0.0, 180.0), half),
            ((90.0, 7.0), (-90.0, 50.0), half),
            ((0.0, -0.5), (0.0, 0.5), half / 180.0),
            ((0.0, 179.5), (0.0, -179.5), half / 180.0),
            ((90.0, 0.0), (90.0, 90.0), 0.0),
        ] {
            let place = |(latitude, longitude)| Wgs84::new(latitude, longitude).unwrap();
            let found = distance_m(place(one), place(other));
            assert!((found - metres).abs() < 0.001, "{one:?} {other:?} {found}");
        }
    }
}
