//! The boundaries in the library, against places that are known.

use super::*;

#[test]
fn places_are_in_their_countries() {
    for (place, latitude, longitude, country) in [
        ("Beijing", 39.904, 116.407, "CN"),
        ("Berlin", 52.52, 13.405, "DE"),
        ("Nairobi", -1.286, 36.817, "KE"),
        ("Wellington", -41.289, 174.777, "NZ"),
        ("Brasilia", -15.794, -47.882, "BR"),
        ("Honolulu", 21.307, -157.858, "US"),
        ("Taipei", 25.033, 121.565, "TW"),
        ("Singapore", 1.29, 103.85, "SG"),
        ("Maseru, an enclave", -29.315, 27.487, "LS"),
        ("Saint Peter's", 41.9022, 12.4539, "VA"),
        ("Rome beside it", 41.9023, 12.4612, "IT"),
        ("San Marino", 43.936, 12.447, "SM"),
        ("Monte Carlo", 43.7396, 7.4277, "MC"),
        ("Ceuta", 35.889, -5.32, "ES"),
        ("Kaliningrad", 54.71, 20.452, "RU"),
        ("Campione d'Italia", 45.969, 8.971, "IT"),
        ("Buesingen", 47.697, 8.69, "DE"),
        ("Cabinda", -5.56, 12.19, "AO"),
        ("Breda", 51.589, 4.776, "NL"),
        ("Baarle-Hertog, one of 22 parts", 51.4375, 4.929, "BE"),
        ("Oecusse", -9.21, 124.37, "TL"),
        ("Chukotka, east of 180", 66.32, -179.12, "RU"),
        ("Anadyr, west of 180", 64.7337, 177.4968, "RU"),
        ("Taveuni, east of 180", -16.87, -179.985, "FJ"),
        ("Suva, west of 180", -18.141, 178.442, "FJ"),
        ("McMurdo", -77.846, 166.676, "AQ"),
        ("the South Pole", -90.0, 0.0, "AQ"),
        ("near the South Pole", -89.9, -179.9, "AQ"),
        ("four miles off Callao", -12.08, -77.32, "PE"),
        ("the Atlantic at 0/0", 0.0, 0.0, ""),
        ("the Indian Ocean", -30.0, 80.0, ""),
        ("the North Pole", 90.0, 0.0, ""),
        ("the North Pole by another name", 90.0, -180.0, ""),
        ("the Pacific at 180", 30.0, 180.0, ""),
    ] {
        let located = at(latitude, longitude);
        let first = located.countries().first().copied().unwrap_or("");
        assert_eq!(first, country, "{place}: {located:?}");
        let ground = match country {
            "" => Ground::HighSea,
            _ => Ground::Territory,
        };
        assert_eq!(located.ground, ground, "{place}");
    }
}

#[test]
fn a_part_with_a_code_of_its_own_comes_before_the_whole() {
    for (place, latitude, longitude, countries) in [
        ("Hong Kong", 22.40, 114.11, "HK CN"),
        ("Guam", 13.45, 144.77, "GU US"),
        ("French Guiana", 4.0, -53.0, "GF FR"),
        ("Mariehamn", 60.10, 19.94, "AX FI"),
        ("Paris", 48.853, 2.349, "FR"),
    ] {
        let located = at(latitude, longitude);
        assert_eq!(codes(&located), countries, "{place}");
        assert_eq!(located.confidence, CountryConfidence::Certain, "{place}");
    }
}

#[test]
fn where_the_source_has_several_claims_all_are_returned() {
    for (place, latitude, longitude, countries) in [
        ("Simferopol", 44.95, 34.10, "RU UA"),
        ("Laayoune", 27.15, -13.20, "EH MA"),
    ] {
        let located = at(latitude, longitude);
        assert_eq!(codes(&located), countries, "{place}");
        assert_eq!(located.confidence, CountryConfidence::Disputed, "{place}");
    }
}

/// 180 and -180 are one meridian, with the same answer; and a border beyond it is
/// seen from this side.
#[test]
fn the_antimeridian_is_no_border() {
    for latitude in -90..=90 {
        let latitude = f64::from(latitude);
        assert_eq!(at(latitude, 180.0), at(latitude, -180.0), "{latitude}");
    }
    let chukotka = at(67.5, 180.0);
    assert_eq!(codes(&chukotka), "RU");
    assert_eq!(chukotka.border_m, None);
    // The same line from both sides of the meridian, where it leads across.
    let edges = (0..200).map(|step| 62.0 + f64::from(step) * 0.05);
    let mut seen = 0;
    for latitude in edges {
        let (west, east) = (at(latitude, 179.999_99), at(latitude, -179.999_99));
        if let (Some(west), Some(east)) = (west.border_m, east.border_m) {
            assert!((west - east).abs() < 30.0, "{latitude}: {west} {east}");
            seen += 1;
        }
    }
    assert!(seen > 3, "{seen}");
}

/// How far the border is in the source before it was thinned; twice the line is
/// straight, and its distance known from the ellipsoid.
#[test]
fn distances_to_borders_are_in_metres() {
    for (place, latitude, longitude, metres) in [
        ("north of the 49th parallel", 49.009, -111.9, 1_210.0),
        ("south of it", 48.991, -111.9, 791.0),
        ("Egypt and Libya", 25.0, 25.02, 2_263.0),
        ("Egypt and Sudan", 22.02, 27.0, 2_224.0),
        ("Sweden and Norway", 65.0, 14.2, 1_639.0),
        ("Argentina and Chile", -54.0, -68.58, 1_793.0),
        // 141 degrees west: a degree of longitude is 41.9 and 40.1 km long.
        ("Yukon, 141 W", 68.0, -140.95, 2_094.0),
        ("north of it", 69.0, -140.9, 4_007.0),
    ] {
        let border_m = at(latitude, longitude).border_m.unwrap();
        // A remote border may be 80 m from where it is.
        assert!((border_m - metres).abs() < 80.0, "{place}: {border_m}");
    }
}

/// Any place has an answer, the same from the file in the library and from its bytes
/// as a pack; and looking farther never changes the country.
#[test]
fn a_pack_of_the_same_bytes_answers_the_same() {
    let bytes = include_bytes!("../../data/countries.bin");
    let pack = Boundaries::parse(bytes.to_vec()).unwrap();
    assert_eq!(pack.as_of_ms(), Boundaries::builtin().as_of_ms());
    let mut state = 7_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX)
    };
    for _ in 0..20_000 {
        let (latitude, longitude) = (random() * 180.0 - 90.0, random() * 360.0 - 180.0);
        let point = Wgs84::new(latitude, longitude).unwrap();
        let located = Boundaries::builtin().locate(point, None);
        assert_eq!(pack.locate(point, None), located);
        let within = |located: &Located| -> Vec<String> {
            let here = located.candidates.iter();
            here.filter(|one| one.standing != Standing::Near)
                .map(|one| one.country.clone())
                .collect()
        };
        let wide = pack.locate(point, Some(20_000.0));
        assert_eq!(within(&wide), within(&located), "{latitude} {longitude}");
    }
}

/// Cells meet: a place just on either side of a line of the grid has the same answer
/// unless a border is there.
#[test]
fn squares_agree_along_their_sides() {
    let hair = 1e-7;
    let mut compared = 0;
    for degree in (-89..90).step_by(4) {
        for step in 0..720 {
            let (line, along) = (f64::from(degree), f64::from(step) * 0.5 - 179.87);
            let pair = (at(line - hair, along), at(line + hair, along));
            let meridian = (at(along / 2.1, line - hair), at(along / 2.1, line + hair));
            for (one, other) in [pair, meridian] {
                if one.border_m.is_none_or(|metres| metres > 1.0) {
                    assert_eq!(codes(&one), codes(&other), "{line} {along}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 60_000, "{compared}");
}

/// `latitude,longitude,country,source,kind`, a place a line.
fn places(file: &str) -> Option<Vec<(f64, f64, String, String)>> {
    let text = String::from_utf8(shared_bytes(file)?).unwrap();
    let place = |line: &str| {
        let parts: Vec<&str> = line.split(',').collect();
        let country = parts[2].trim_matches('-').to_owned();
        let kind = parts[4..].join(",");
        (
            parts[0].parse().unwrap(),
            parts[1].parse().unwrap(),
            country,
            kind,
        )
    };
    Some(text.lines().skip(1).map(place).collect())
}

#[test]
fn tricky_places() {
    let Some(places) = places("places/tricky_points.csv") else {
        return;
    };
    let wrong: Vec<String> = places
        .iter()
        .filter_map(|(latitude, longitude, country, kind)| {
            let located = at(*latitude, *longitude);
            let found = located.countries();
            let right = match country.as_str() {
                "" => found.is_empty(),
                country => found.contains(&country),
            };
            (!right).then(|| format!("{kind}: {country}, found {found:?}"))
        })
        .collect();
    // 99.5 % of 150 places.
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn places_near_borders() {
    let Some(places) = places("places/border_points.csv") else {
        return;
    };
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (latitude, longitude, country, kind) in places {
        let located = at(latitude, longitude);
        let right = located.countries().first() == Some(&country.as_str());
        let (all, good) = kinds.entry(kind).or_default();
        *all += 1;
        *good += usize::from(right);
    }
    for (kind, per_cent) in [("d=100m", 96), ("d=1km", 99)] {
        let (all, good) = kinds[kind];
        assert!(good * 100 >= all * per_cent, "{kind}: {good} of {all}");
    }
}
