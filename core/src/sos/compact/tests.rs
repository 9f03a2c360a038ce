//! The table of the layout, held by a vector and by every report that can be made.

use proptest::prelude::*;

use super::*;
use crate::seal::hex;
use crate::whereabouts::compact::tests::any_recorded;

fn report() -> CompactReport {
    let position = Position::Gcj02 {
        latitude: 39.908_722,
        longitude: 116.397_499,
    };
    let mut fix = Fix::new(position, 0, FixSource::Fused);
    fix.accuracy_m = Some(12.4);
    fix.altitude_m = Some(44.4);
    fix.confidence_percent = Some(95);
    CompactReport {
        report: Uuid::from_u128(0x0197_79d6_5c00_7aaa_8bbb_cccc_dddd_eeee),
        sequence: 7,
        kind: SosKind::Detained,
        waited_ms: Some(90_500),
        text_parts: 2,
        battery_percent: Some(31),
        people: Some(3),
        note_cut: false,
        medical: true,
        standing: true,
        position: Some(AgedFix {
            fix,
            age_ms: Some(20_001),
            flags: vec![FixFlag::TimeUnknown],
        }),
    }
}

#[test]
fn the_layout_stays_as_it_is() {
    let bytes = report().encode();
    assert_eq!(
        hex(&bytes),
        "019779d65c007aaa8bbbccccddddeeee00000752423e01b7be3ff28d5555db06df1310504000"
    );
    let back = CompactReport::decode(&bytes).unwrap();
    assert_eq!(back.pressed_ms(), 0x0197_79d6_5c00);
    assert_eq!(back.kind, SosKind::Detained);
    assert_eq!(back.waited_ms, Some(96_000), "rounded up");
    let AgedFix { fix, age_ms, flags } = back.position.clone().unwrap();
    let (latitude, longitude) = fix.position.degrees();
    assert!(matches!(fix.position, Position::Gcj02 { .. }));
    assert!((latitude - 39.908_722).abs() < 1e-9 && (longitude - 116.397_499).abs() < 1e-9);
    assert_eq!(fix.accuracy_m, Some(13.0), "rounded up");
    assert_eq!(fix.altitude_m, Some(44.0));
    assert_eq!(fix.confidence_percent, Some(95));
    assert_eq!(age_ms, Some(22_000), "rounded up");
    assert_eq!(flags, [FixFlag::TimeUnknown]);
    assert_eq!((back.battery_percent, back.people), (Some(31), Some(3)));
    assert!(back.medical && back.standing && !back.note_cut);
    assert_eq!((back.sequence, back.text_parts), (7, 2));
}

#[test]
fn what_is_not_known_stays_so() {
    let bare = CompactReport {
        waited_ms: None,
        battery_percent: None,
        people: None,
        position: None,
        ..report()
    };
    let back = CompactReport::decode(&bare.encode()).unwrap();
    assert!(back == bare);
    let mut aged = report().position.unwrap();
    (aged.age_ms, aged.fix.accuracy_m, aged.fix.altitude_m) = (None, None, None);
    aged.fix.confidence_percent = None;
    let ageless = CompactReport {
        position: Some(aged),
        waited_ms: None,
        ..report()
    };
    let back = CompactReport::decode(&ageless.encode()).unwrap();
    assert!(back == ageless);
}

#[test]
fn only_38_bytes_are_a_report() {
    let bytes = report().encode();
    assert!(CompactReport::decode(&bytes[1..]).is_none());
    assert!(CompactReport::decode(&[0; 39]).is_none());
    assert!(CompactReport::decode(&[]).is_none());
}

#[test]
fn the_scale_rounds_up_by_an_eighth_at_most() {
    let mut last = 0;
    for value in (0..5_000).chain((13..33).flat_map(|bits| [(1u64 << bits) - 1, 1 << bits])) {
        let told = known(scale(value)).unwrap();
        assert!(
            told >= value && told - value <= value / 8,
            "{value}: {told}"
        );
        assert!(scale(value) >= last);
        last = scale(value);
    }
    for code in 0..=SCALE_MAX {
        assert_eq!(scale(known(code).unwrap()), code);
    }
    assert_eq!(scale(u64::MAX), SCALE_MAX);
    assert_eq!(known(NOT_KNOWN), None);
}

fn any_report() -> impl Strategy<Value = CompactReport> {
    let fix = (any_recorded(), proptest::option::of(any::<i64>()));
    let position = proptest::option::of(fix.prop_map(|(recorded, age_ms)| AgedFix {
        fix: recorded.fix,
        age_ms,
        flags: recorded.flags,
    }));
    let kind = 0..8u64;
    let numbers = (
        any::<u128>(),
        any::<u64>(),
        proptest::option::of(any::<i64>()),
        any::<u8>(),
    );
    let said = (
        proptest::option::of(any::<u8>()),
        proptest::option::of(any::<u32>()),
    );
    let flags = any::<[bool; 3]>();
    (numbers, kind, said, flags, position).prop_map(
        |(
            (id, sequence, waited_ms, text_parts),
            kind,
            (battery_percent, people),
            flags,
            position,
        )| {
            CompactReport {
                report: Uuid::from_u128(id),
                sequence,
                kind: kind_of(kind),
                waited_ms,
                text_parts,
                battery_percent,
                people,
                note_cut: flags[0],
                medical: flags[1],
                standing: flags[2],
                position,
            }
        },
    )
}

proptest! {
    #[test]
    fn every_report_fits_and_is_rounded_once(report in any_report()) {
        let bytes = report.encode();
        let back = CompactReport::decode(&bytes).unwrap();
        prop_assert_eq!(back.encode(), bytes);
        prop_assert_eq!(back.report, report.report);
        prop_assert_eq!(back.kind, report.kind);
        prop_assert_eq!(back.position.is_some(), report.position.is_some());
        if let (Some(told), Some(meant)) = (back.position, report.position) {
            prop_assert_eq!(
                std::mem::discriminant(&told.fix.position),
                std::mem::discriminant(&meant.fix.position)
            );
            let (told_at, meant_at) = (told.fix.position.degrees(), meant.fix.position.degrees());
            prop_assert!((told_at.0 - meant_at.0).abs() <= 0.6e-6);
            prop_assert!((told_at.1 - meant_at.1).abs() <= 0.6e-6);
            prop_assert_eq!(told.age_ms.is_some(), meant.age_ms.is_some());
            if let (Some(told), Some(meant)) = (told.fix.accuracy_m, meant.fix.accuracy_m) {
                prop_assert!(told >= meant.min(1e7));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_to_something_that_stays(bytes in any::<[u8; COMPACT_BYTES - 19]>(), more in any::<[u8; 19]>()) {
        let bytes = [&bytes[..], &more[..]].concat();
        let once = CompactReport::decode(&bytes).unwrap();
        let again = CompactReport::decode(&once.encode()).unwrap();
        prop_assert!(once == again);
        once.to_report();
    }
}
