//! Files of boundaries that somebody made up.

use std::collections::BTreeSet;

use crate::geo::Wgs84;
use crate::geo::country::{Boundaries, CountryConfidence, Ground, Located};

/// A file of boundaries: every place has an answer that holds together, and where the
/// file passes the check, the answer is the same with it and without.
pub fn boundaries(bytes: &[u8]) {
    let checked = Boundaries::parse(bytes.to_vec());
    let Some(unchecked) = Boundaries::unchecked(bytes.to_vec()) else {
        assert!(checked.is_err());
        return;
    };
    for latitude in [-90.0, -0.2, 0.0, 0.25, 0.5, 0.751, 1.0, 89.999, 90.0] {
        for longitude in [-180.0, -0.001, 0.0, 0.5, 0.75, 1.0, 179.99, 180.0] {
            let point = Wgs84::new(latitude, longitude).unwrap();
            for accuracy_m in [None, Some(60.0), Some(1e9)] {
                let located = unchecked.locate(point, accuracy_m);
                holds_together(&located);
                if let Ok(checked) = &checked {
                    assert_eq!(checked.locate(point, accuracy_m), located);
                }
            }
        }
    }
}

fn holds_together(located: &Located) {
    let countries = located.countries();
    let once: BTreeSet<&str> = countries.iter().copied().collect();
    assert_eq!(once.len(), countries.len());
    assert!(
        countries.len() <= 24,
        "eight here, eight around, eight near"
    );
    if let Some(metres) = located.border_m {
        assert!((0.0..=5_000.0).contains(&metres));
    }
    let is_known = located.ground != Ground::Unknown;
    assert_eq!(is_known, located.confidence != CountryConfidence::Unknown);
}
