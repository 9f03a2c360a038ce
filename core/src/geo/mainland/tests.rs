use std::io::Write as _;

use proptest::prelude::*;

use super::*;
use crate::testing::shared_bytes;

/// All points of the outline of the mainland, degrees.
pub(in crate::geo) fn vertices() -> Vec<(f64, f64)> {
    let (count, rest) = CHINA.0.split_first_chunk::<4>().unwrap();
    let headers = usize::try_from(u32::from_le_bytes(*count)).unwrap() * HEADER;
    let (headers, body) = rest.split_at(headers);
    let mut out = Vec::new();
    for header in headers.as_chunks::<HEADER>().0 {
        let block = Block::read(header).unwrap();
        let mut steps = body[block.steps..].iter();
        let mut at = block.first;
        for _ in 0..block.edges {
            at.0 += varint(&mut steps).unwrap();
            at.1 += varint(&mut steps).unwrap();
            out.push((f64::from(at.0) * UNIT, f64::from(at.1) * UNIT));
        }
        assert_eq!(
            f64::from(at.0),
            block.last_latitude,
            "a chain ends as its header says"
        );
    }
    out
}

#[test]
fn the_two_banks_of_a_border_are_told_apart() {
    for (name, latitude, longitude, mainland) in [
        ("Tiananmen", 39.9087, 116.3975, true),
        ("Shenzhen, Luohu station", 22.5333, 114.1130, true),
        ("Hong Kong, Lo Wu station", 22.5285, 114.1133, false),
        ("Hong Kong, Sheung Shui", 22.5010, 114.1280, false),
        ("Shenzhen, Futian port", 22.5190, 114.0660, true),
        ("Hong Kong, Lok Ma Chau", 22.5140, 114.0655, false),
        ("Zhuhai, Gongbei port", 22.2190, 113.5490, true),
        ("Macau, border gate", 22.2135, 113.5493, false),
        ("Macau, Senado square", 22.1937, 113.5399, false),
        ("Zhuhai, Wanzai", 22.1950, 113.5280, true),
        ("Zhuhai, Hengqin", 22.1350, 113.5300, true),
        ("Macau, Cotai", 22.1450, 113.5620, false),
        ("Dandong", 40.1240, 124.3940, true),
        ("Sinuiju", 40.1000, 124.4000, false),
        ("Heihe", 50.2450, 127.4980, true),
        ("Blagoveshchensk", 50.2680, 127.5270, false),
        ("Manzhouli", 49.5980, 117.4300, true),
        ("Zabaykalsk", 49.6510, 117.3270, false),
        ("Khorgas, China", 44.2120, 80.4100, true),
        ("Ruili", 24.0120, 97.8530, true),
        ("Muse", 23.9790, 97.9020, false),
        ("Dongxing", 21.5480, 107.9700, true),
        ("Mong Cai", 21.5260, 107.9660, false),
        ("Hekou", 22.5294, 103.9397, true),
        ("Lao Cai", 22.4830, 103.9710, false),
        ("Xiamen", 24.4540, 118.0810, true),
        ("Kinmen", 24.4340, 118.3180, false),
        ("Matsu", 26.1580, 119.9490, false),
        ("Taipei", 25.0330, 121.5654, false),
        ("Sanya", 18.2520, 109.5120, true),
        ("Zhoushan", 29.9850, 122.2070, true),
        ("Shanghai, 5 km off Yangshan", 30.5900, 122.1000, true),
        ("the Yellow Sea half way to Korea", 35.5000, 123.8000, false),
        ("the north pole", 90.0, 0.0, false),
        ("the antimeridian", 40.0, 180.0, false),
        ("no number", f64::NAN, 110.0, false),
        ("no number", 30.0, f64::NAN, false),
        ("no end", f64::INFINITY, f64::NEG_INFINITY, false),
    ] {
        assert_eq!(is_mainland(latitude, longitude), mainland, "{name}");
    }
    for (name, latitude, longitude, region) in [
        ("Hong Kong, Lo Wu station", 22.5285, 114.1133, true),
        ("Macau", 22.1937, 113.5399, true),
        ("Taipei", 25.0330, 121.5654, true),
        ("Kinmen", 24.4340, 118.3180, true),
        ("Xiamen", 24.4540, 118.0810, false),
        ("Seoul", 37.5665, 126.9780, false),
    ] {
        assert_eq!(is_region(latitude, longitude), region, "{name}");
    }
}

/// Both sides of every border, 50 m to 5 km from it, as OpenStreetMap has them. In
/// the mountains the outline may be 150 m off: that is where the three are.
#[test]
fn the_labelled_points_of_borders_are_on_their_side() {
    for (file, most_wrong) in [("border_points", 3), ("tricky_points", 0)] {
        let Some(bytes) = shared_bytes(&format!("places/{file}.csv")) else {
            return;
        };
        let (mut right, mut wrong) = (0, Vec::new());
        for line in String::from_utf8(bytes).unwrap().lines().skip(1) {
            let column: Vec<&str> = line.split(',').collect();
            let (latitude, longitude) = (column[0].parse().unwrap(), column[1].parse().unwrap());
            let region = ["HK", "MO", "TW"].contains(&column[2]);
            if is_mainland(latitude, longitude) == (column[2] == "CN")
                && is_region(latitude, longitude) == region
            {
                right += 1;
            } else {
                wrong.push(column[4].to_owned());
            }
        }
        let _ = writeln!(
            std::io::stdout(),
            "{{\"mainland_{file}_right\": {right}, \"mainland_{file}_wrong\": {}}}",
            wrong.len()
        );
        assert!(right > 100);
        assert!(wrong.len() <= most_wrong, "{file}: {wrong:?}");
        let near = |distance: &String| ["d=50m", "d=100m"].contains(&distance.as_str());
        assert!(wrong.iter().all(near), "{file}: {wrong:?}");
    }
}

/// An answer costs a glance at each block and the edges of a few: on the outline
/// itself, the worst place there is, too. One to four microseconds in a build for size.
#[test]
fn few_blocks_are_read_for_an_answer() {
    let (count, rest) = CHINA.0.split_first_chunk::<4>().unwrap();
    let headers = usize::try_from(u32::from_le_bytes(*count)).unwrap() * HEADER;
    let blocks: Vec<Block> = rest[..headers]
        .as_chunks::<HEADER>()
        .0
        .iter()
        .filter_map(Block::read)
        .collect();
    assert!(blocks.len() < 400 && blocks.iter().all(|block| block.edges <= 64));
    let most = vertices()
        .iter()
        .map(|at| (at.0 / UNIT, at.1 / UNIT))
        .map(|(y, x)| blocks.iter().filter(|block| block.holds(y, x)).count())
        .max();
    assert!(most.unwrap() <= 6, "{most:?}");
}

proptest! {
    /// The boxes of the blocks are a short cut and nothing else: the answer is
    /// that of all edges one by one.
    #[test]
    fn the_short_cut_changes_no_answer(latitude in 17.0..54.0, longitude in 73.0..136.0) {
        let (y, x) = (latitude / UNIT, longitude / UNIT);
        let (count, rest) = CHINA.0.split_first_chunk::<4>().unwrap();
        let (headers, body) = rest.split_at(usize::try_from(u32::from_le_bytes(*count)).unwrap() * HEADER);
        let mut odd = false;
        for header in headers.as_chunks::<HEADER>().0 {
            let block = Block::read(header).unwrap();
            let mut steps = body[block.steps..].iter();
            let mut from = block.first;
            for _ in 0..block.edges {
                let to = (from.0 + varint(&mut steps).unwrap(), from.1 + varint(&mut steps).unwrap());
                odd ^= crosses(from, to, y, x);
                from = to;
            }
        }
        prop_assert_eq!(CHINA.contains(latitude, longitude), odd);
    }

    #[test]
    fn any_number_has_an_answer(latitude: f64, longitude: f64) {
        let _ = is_mainland(latitude, longitude);
        let far = !(0.0..60.0).contains(&latitude) || !(70.0..140.0).contains(&longitude);
        prop_assert!(!far || !is_mainland(latitude, longitude));
    }
}
