use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::ImportSummary;
use super::super::tests::{REAL, pieces, refusal, same, walked};
use super::*;
use crate::testing::shared_bytes;

const POLICY: Policy = Policy::STANDARD;

/// A file with one segment of these points.
fn file(points: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\"?><gpx version=\"1.1\" creator=\"t\"><trk><trkseg>{points}</trkseg></trk></gpx>"
    )
    .into_bytes()
}

/// Three of the four were drawn on a map: nobody was there at a time. They are read,
/// and the counts say why nothing is taken.
#[test]
fn real_files_are_read_and_say_what_they_hold() {
    for (name, taken, without_time, not_a_track) in [
        ("ecology-trail-and-lovers-lane-loop", 0, 0, 139),
        ("mousehole_to_paul", 0, 111, 2),
        ("viking_with_route_extensions", 0, 5, 1),
        ("with_accuracy", 3, 0, 0),
    ] {
        let Some(bytes) = shared_bytes(&format!("gpx/{name}.gpx")) else {
            return;
        };
        let imported = read(&bytes, &POLICY).unwrap();
        let expected = ImportSummary {
            taken,
            without_time,
            not_a_track,
            ..ImportSummary::default()
        };
        assert_eq!(imported.summary, expected, "{name}");
        assert_eq!(imported.pieces.is_empty(), taken == 0);
    }
    let own = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/examples/journey/kavrun.gpx"
    );
    let imported = read(&std::fs::read(own).unwrap(), &POLICY).unwrap();
    assert!(imported.summary.taken > 100 && imported.summary.without_time == 0);
    let back = read(&write(&imported.pieces).unwrap(), &POLICY).unwrap();
    same(&imported.pieces, &back.pieces).unwrap();
}

#[test]
fn the_points_of_real_files_come_back_the_same() {
    for name in REAL {
        let Some(pieces) = walked(name) else {
            return;
        };
        assert!(!pieces.is_empty());
        let back = read(&write(&pieces).unwrap(), &POLICY).unwrap();
        same(&pieces, &back.pieces).unwrap();
    }
}

#[test]
fn the_fields_of_a_point_are_those_of_the_fix() {
    let imported = read(
        &file(
            "<trkpt lat='51.120586' lon='3.779642'><time>2017-04-12T19:00:36.250+02:00</time>\
             <fix>3d</fix><hdop>2.4</hdop></trkpt>\
             <trkpt lat='-51' lon='-180'><ele>NaN</ele><time>2017-04-12T17:00:37Z</time><hdop>-1</hdop></trkpt>\
             <trkpt lat='1' lon='2'><ele>80.5</ele><time>2017-04-12T17:00:38</time>\
             <geoidheight>36.5</geoidheight><src>manual</src></trkpt>\
             <trkpt lat='1' lon='2'/>",
        ),
        &POLICY,
    )
    .unwrap();
    let fixes = &imported.pieces[0].fixes;
    assert_eq!(
        imported.summary,
        ImportSummary {
            taken: 3,
            without_time: 1,
            ..ImportSummary::default()
        }
    );
    assert_eq!(fixes[0].position.degrees(), (51.120586, 3.779642));
    assert_eq!(fixes[0].time_ms, 1_492_016_436_250);
    assert_eq!(
        (fixes[0].accuracy_m, fixes[0].source),
        (Some(12.0), FixSource::Gnss)
    );
    // An accuracy that is none is absent, as from every source.
    assert_eq!(
        (fixes[1].accuracy_m, fixes[1].source),
        (None, FixSource::Fused)
    );
    assert_eq!(fixes[2].source, FixSource::Manual);
    assert_eq!(fixes[2].time_ms, 1_492_016_438_000);
    // Above the sea and the sea above the ellipsoid; what is no number is absent.
    let altitudes = [None, None, Some(117.0)];
    assert!(fixes.iter().map(|fix| fix.altitude_m).eq(altitudes));
}

#[test]
fn the_speed_of_gpx_1_0_is_taken() {
    let text = "<gpx version='1.0'><trk><trkseg><trkpt lat='1' lon='1'><ele>12</ele>\
        <time>2020-01-01T00:00:00Z</time><speed>3.5</speed></trkpt></trkseg></trk></gpx>";
    let fix = read(text.as_bytes(), &POLICY).unwrap().pieces[0].fixes[0].clone();
    assert_eq!((fix.altitude_m, fix.speed_mps), (Some(12.0), Some(3.5)));
}

#[test]
fn a_hole_is_not_drawn_over() {
    let text = "<gpx version='1.1'><trk>\
        <trkseg><trkpt lat='1' lon='1'><time>2020-01-01T00:00:00Z</time></trkpt></trkseg><trkseg/>\
        <trkseg><trkpt lat='2' lon='2'><time>2020-01-02T00:00:00Z</time></trkpt></trkseg></trk></gpx>";
    let imported = read(text.as_bytes(), &POLICY).unwrap();
    assert_eq!(imported.pieces.len(), 2);
    let written = String::from_utf8(write(&imported.pieces).unwrap()).unwrap();
    assert_eq!(written.matches("<trkseg>").count(), 2);
    assert!(
        written.contains("version=\"1.1\"")
            && written.contains("http://www.topografix.com/GPX/1/1")
    );
}

#[test]
fn what_goes_out_is_wgs84_and_the_antimeridian_is_in_the_west() {
    let fix = |position| Fix::new(position, 0, FixSource::Manual);
    let shown = Position::Gcj02 {
        latitude: 39.91334545536069,
        longitude: 116.38404722455657,
    };
    let edge = Position::Wgs84 {
        latitude: 0.0,
        longitude: 180.0,
    };
    let sent = [TrackPiece {
        fixes: vec![fix(shown), fix(edge)],
    }];
    let back = read(&write(&sent).unwrap(), &POLICY).unwrap();
    let places: Vec<_> = back.pieces[0]
        .fixes
        .iter()
        .map(|fix| fix.position.degrees())
        .collect();
    assert!((places[0].0 - 39.911954).abs() < 1e-5 && (places[0].1 - 116.377817).abs() < 1e-5);
    assert_eq!(places[1], (0.0, -180.0));
    // A clock that is broken beyond four digits of a year costs the time only.
    let late = Fix {
        time_ms: i64::MAX,
        ..fix(edge)
    };
    let back = read(
        &write(&[TrackPiece { fixes: vec![late] }]).unwrap(),
        &POLICY,
    )
    .unwrap();
    assert_eq!(back.summary.without_time, 1);
    assert!(write(&[]).is_ok_and(|file| read(&file, &POLICY).unwrap().pieces.is_empty()));
}

#[test]
fn what_is_no_gpx_is_refused_as_a_whole() {
    let time = "<time>2020-01-01T00:00:00Z</time>";
    let point = format!("<trkpt lat='1' lon='1'>{time}</trkpt>");
    let whole = file(&point);
    let utf16: Vec<u8> = "<gpx version='1.1'/>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (name, text, problem) in [
        ("empty", Vec::new(), Problem::Malformed),
        ("text", b"hello".to_vec(), Problem::Malformed),
        (
            "another root",
            b"<kml version='1.1'/>".to_vec(),
            Problem::Malformed,
        ),
        ("no version", b"<gpx/>".to_vec(), Problem::Malformed),
        (
            "version 2",
            b"<gpx version='2.0'/>".to_vec(),
            Problem::Malformed,
        ),
        ("UTF-16", utf16, Problem::Malformed),
        (
            "not UTF-8",
            file(&format!(
                "<trkpt lat='1' lon='1'>{time}<name>\u{1}</name></trkpt>"
            ))
            .iter()
            .map(|byte| if *byte == 1 { 0xff } else { *byte })
            .collect(),
            Problem::Malformed,
        ),
        (
            "cut",
            whole[..whole.len() - 20].to_vec(),
            Problem::Malformed,
        ),
        (
            "words for numbers",
            file(&format!("<trkpt lat='north' lon='1'>{time}</trkpt>")),
            Problem::Malformed,
        ),
        (
            "a wrong time",
            file("<trkpt lat='1' lon='1'><time>yesterday</time></trkpt>"),
            Problem::Malformed,
        ),
        (
            "no latitude",
            file(&format!("<trkpt lon='1'>{time}</trkpt>")),
            Problem::Malformed,
        ),
        (
            "not a number",
            file(&format!("<trkpt lat='NaN' lon='1'>{time}</trkpt>")),
            Problem::OutOfRange,
        ),
        (
            "no end",
            file(&format!("<trkpt lat='1' lon='inf'>{time}</trkpt>")),
            Problem::OutOfRange,
        ),
        (
            "beyond the pole",
            file(&format!("<trkpt lat='90.1' lon='1'>{time}</trkpt>")),
            Problem::OutOfRange,
        ),
    ] {
        assert_eq!(
            refusal(read(&text, &POLICY)),
            ("gpx".into(), problem),
            "{name}"
        );
    }
}

#[test]
fn bombs_are_refused_before_they_are_built() {
    let laughs = "<!DOCTYPE gpx [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">]>\
                  <gpx version='1.1'><metadata><name>&b;</name></metadata></gpx>";
    assert_eq!(
        refusal(read(laughs.as_bytes(), &POLICY)).1,
        Problem::Malformed
    );
    let outside = "<!DOCTYPE gpx SYSTEM \"file:///etc/passwd\"><gpx version='1.1'/>";
    assert_eq!(
        refusal(read(outside.as_bytes(), &POLICY)).1,
        Problem::Malformed
    );

    let deep = format!("<gpx version='1.1'><extensions>{}", "<a>".repeat(1_000_000));
    assert_eq!(refusal(read(deep.as_bytes(), &POLICY)).1, Problem::TooLong);
    // Closing tags in a text do not hide the depth.
    let hidden = format!(
        "<gpx version='1.1'><extensions>{}",
        "<a>/>".repeat(1_000_000)
    );
    assert_eq!(
        refusal(read(hidden.as_bytes(), &POLICY)).1,
        Problem::TooLong
    );

    for element in [
        "<trkpt lat='1' lon='1'/>",
        "<trkpt lat='1' lon='1'><link href=''/></trkpt>",
    ] {
        let many = file(&element.repeat(POLICY.import_points + 1));
        assert_eq!(refusal(read(&many, &POLICY)).1, Problem::TooLong);
    }
    let many = format!(
        "<gpx version='1.1'>{}</gpx>",
        "<trk/>".repeat(POLICY.import_points + 1)
    );
    assert_eq!(refusal(read(many.as_bytes(), &POLICY)).1, Problem::TooLong);

    // The parser copies all namespaces in force for each element: an hour for this.
    let names: String = (0..10_000)
        .map(|name| format!(" xmlns:n{name}='n'"))
        .collect();
    let named = format!(
        "<gpx version='1.1'{names}><extensions>{}</extensions></gpx>",
        "<a/>".repeat(1_000_000)
    );
    assert_eq!(refusal(read(named.as_bytes(), &POLICY)).1, Problem::TooLong);
    let many = format!(
        "<gpx version='1.1'><extensions>{}</extensions></gpx>",
        "<a/>".repeat(2_000_000)
    );
    assert_eq!(refusal(read(many.as_bytes(), &POLICY)).1, Problem::TooLong);

    let large = vec![b' '; POLICY.import_bytes + 1];
    assert_eq!(refusal(read(&large, &POLICY)).1, Problem::TooLong);
}

/// What `Policy` says a point costs.
#[test]
fn a_point_costs_what_the_limit_was_made_for() {
    assert!(size_of::<Waypoint>() <= 700, "{}", size_of::<Waypoint>());
}

#[test]
fn as_many_points_as_are_allowed_are_read() {
    let policy = Policy {
        import_points: 1_001,
        ..POLICY
    };
    let mut points = String::new();
    for second in 0..999 {
        let (minute, second) = (second / 60, second % 60);
        write!(
            points,
            "<trkpt lat='1' lon='1'><time>2020-01-01T00:{minute:02}:{second:02}Z</time></trkpt>"
        )
        .unwrap();
    }
    assert_eq!(read(&file(&points), &policy).unwrap().summary.taken, 999);
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

    /// A real file that is cut, or changed in places: taken or refused, and never
    /// more points than it has.
    #[test]
    fn a_damaged_file_has_an_answer(
        cut in 0..2_000_usize,
        changes in proptest::collection::vec((0..2_000_usize, any::<u8>()), 0..6),
    ) {
        let point = "<trkpt lat='51.12' lon='3.77'><ele>5</ele><time>2017-04-12T17:00:36Z</time><fix>3d</fix></trkpt>";
        let mut bytes = file(&point.repeat(12));
        for (at, byte) in changes {
            if let Some(old) = bytes.get_mut(at) {
                *old = byte;
            }
        }
        bytes.truncate(bytes.len().saturating_sub(cut / 2));
        if let Ok(imported) = read(&bytes, &POLICY) {
            let taken: usize = imported.pieces.iter().map(|piece| piece.fixes.len()).sum();
            prop_assert!(taken <= 12);
            prop_assert_eq!(u32::try_from(taken).unwrap(), imported.summary.taken);
        }
    }
}
