use proptest::prelude::*;

use super::super::ImportSummary;
use super::super::tests::{REAL, pieces, refusal, same, walked};
use super::*;

const POLICY: Policy = Policy::STANDARD;

fn taken(text: &str) -> Imported {
    read(text.as_bytes(), &POLICY).unwrap()
}

#[test]
fn the_points_of_real_files_come_back_the_same() {
    for name in REAL {
        let Some(pieces) = walked(name) else {
            return;
        };
        let back = read(&write(&pieces).unwrap(), &POLICY).unwrap();
        same(&pieces, &back.pieces).unwrap();
    }
}

#[test]
fn the_times_are_found_where_programs_put_them() {
    let time = "2017-04-12T17:00:36Z";
    for text in [
        r#"{"type":"Feature","geometry":{"type":"LineString","coordinates":[[3,51,5.5],[4,52]]},"properties":{"coordTimes":["TIME","TIME"]}}"#,
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"MultiLineString","coordinates":[[[3,51]],[[4,52]]]},"properties":{"coordTimes":[["TIME"],["TIME"]]}}]}"#,
        r#"{"type":"Feature","geometry":{"type":"LineString","coordinates":[[3,51],[4,52]]},"properties":{"coordinateProperties":{"times":["TIME","TIME"]}}}"#,
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[3,51]},"properties":{"time":"TIME"}},{"type":"Feature","geometry":{"type":"Point","coordinates":[4,52]},"properties":{"timestamp":"TIME"}}]}"#,
    ] {
        let imported = taken(&text.replace("TIME", time));
        let fixes: Vec<_> = imported
            .pieces
            .iter()
            .flat_map(|piece| &piece.fixes)
            .collect();
        assert_eq!(fixes.len(), 2, "{text}");
        assert_eq!(fixes[0].position.degrees(), (51.0, 3.0));
        assert_eq!(fixes[1].position.degrees(), (52.0, 4.0));
        let third = text.contains("5.5").then_some(5.5);
        assert_eq!((fixes[0].altitude_m, fixes[1].altitude_m), (third, None));
        assert!(fixes.iter().all(|fix| fix.time_ms == 1_492_016_436_000));
    }
}

#[test]
fn what_cannot_be_a_fix_is_counted() {
    let imported = taken(
        r#"{"type":"FeatureCollection","features":[
            {"type":"Feature","geometry":null,"properties":null},
            {"type":"Feature","geometry":{"type":"LineString","coordinates":[[3,51],[999,51],[4,-91],[5],[6,51],[7,51]]},
             "properties":{"coordTimes":["2017-04-12T17:00:36Z","2017-04-12T17:00:36Z","2017-04-12T17:00:36Z","2017-04-12T17:00:36Z",null]}},
            {"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[1,1],[2,2],[1,2],[1,1]]]},"properties":{}},
            {"type":"Feature","geometry":{"type":"MultiPoint","coordinates":[[1,1],[2,2]]},"properties":{"time":"x"}},
            {"type":"Feature","geometry":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,1]}]},"properties":{"time":17}}
        ]}"#,
    );
    assert_eq!(
        imported.summary,
        ImportSummary {
            taken: 1,
            without_time: 3,
            not_a_track: 6,
            not_a_place: 3,
            ..ImportSummary::default()
        }
    );
}

#[test]
fn a_hole_is_not_drawn_over() {
    let fix = |longitude| {
        let position = Position::Wgs84 {
            latitude: 1.0,
            longitude,
        };
        Fix::new(position, 1_600_000_000_123, FixSource::Network)
    };
    let sent = [
        TrackPiece {
            fixes: vec![fix(1.0), fix(2.0)],
        },
        TrackPiece::default(),
        TrackPiece {
            fixes: vec![fix(3.0)],
        },
    ];
    let file = write(&sent).unwrap();
    let json: Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(json["features"].as_array().unwrap().len(), 2);
    assert_eq!(json["features"][0]["geometry"]["type"], "LineString");
    assert_eq!(json["features"][1]["geometry"]["type"], "Point");
    assert_eq!(
        json["features"][1]["properties"]["time"],
        "2020-09-13T12:26:40.123Z"
    );
    let back = read(&file, &POLICY).unwrap();
    same(&[sent[0].clone(), sent[2].clone()], &back.pieces).unwrap();
}

#[test]
fn what_is_no_geojson_is_refused_as_a_whole() {
    for (name, text, problem) in [
        ("empty", String::new(), Problem::Malformed),
        ("another JSON", r#"{"a":1}"#.into(), Problem::Malformed),
        ("not UTF-8", "\u{fffd}".into(), Problem::Malformed),
        (
            "cut",
            r#"{"type":"Point","coordinates":[1,"#.into(),
            Problem::Malformed,
        ),
        (
            "not a number",
            r#"{"type":"Point","coordinates":[NaN,1]}"#.into(),
            Problem::Malformed,
        ),
        (
            "no end",
            r#"{"type":"Point","coordinates":[1e999,1]}"#.into(),
            Problem::Malformed,
        ),
        ("deep", "[".repeat(1_000_000), Problem::TooLong),
        (
            "deep in properties",
            format!(
                r#"{{"type":"Feature","geometry":null,"properties":{{"a":{}"#,
                "[".repeat(1_000)
            ),
            Problem::TooLong,
        ),
        (
            "many",
            format!(
                r#"{{"type":"LineString","coordinates":[{}[0,0]]}}"#,
                "[0,0],".repeat(600_000)
            ),
            Problem::TooLong,
        ),
        (
            "large",
            " ".repeat(POLICY.import_bytes + 1),
            Problem::TooLong,
        ),
    ] {
        assert_eq!(
            refusal(read(text.as_bytes(), &POLICY)),
            ("geojson".into(), problem),
            "{name}"
        );
    }
    assert_eq!(refusal(read(&[0xff, 0xfe], &POLICY)).1, Problem::Malformed);
    let few = Policy {
        import_points: 3,
        ..POLICY
    };
    let line = r#"{"type":"Feature","geometry":{"type":"LineString","coordinates":[[0,0],[0,0],[0,0],[0,0]]},"properties":{"coordTimes":["2020-01-01T00:00:00Z","2020-01-01T00:00:00Z","2020-01-01T00:00:00Z","2020-01-01T00:00:00Z"]}}"#;
    assert_eq!(refusal(read(line.as_bytes(), &few)).1, Problem::TooLong);
}

proptest! {
    #[test]
    fn what_is_written_is_read(sent in pieces()) {
        let back = read(&write(&sent).unwrap(), &POLICY).unwrap();
        same(&sent, &back.pieces)?;
    }

    #[test]
    fn any_bytes_have_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, &POLICY);
    }

    #[test]
    fn a_damaged_file_has_an_answer(
        cut in 0..400_usize,
        changes in proptest::collection::vec((0..400_usize, any::<u8>()), 0..6),
    ) {
        let mut bytes = br#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"LineString","coordinates":[[3,51],[4,52]]},"properties":{"coordTimes":["2017-04-12T17:00:36Z","2017-04-12T17:00:36Z"],"accuracy_m":[1,null],"source":["gnss","fused"]}}]}"#.to_vec();
        for (at, byte) in changes {
            if let Some(old) = bytes.get_mut(at) {
                *old = byte;
            }
        }
        bytes.truncate(bytes.len().saturating_sub(cut / 2));
        if let Ok(imported) = read(&bytes, &POLICY) {
            prop_assert!(imported.summary.taken <= 2);
        }
    }
}
