//! What a carrier's store keeps, drops and hands on.

use proptest::prelude::*;

use super::*;
use crate::clock::Time;
use crate::config::Policy;
use crate::seal::parcel::BYTES;

fn at(day: i64) -> ClockReading {
    ClockReading {
        wall_ms: 1_790_000_000_000 + day * DAY_MS,
        monotonic_ms: 1_000_000 + day * DAY_MS,
        boot_id: "a".into(),
    }
}

/// One in form: the store does not open it.
fn parcel(number: u32, hops: u8, days: u8) -> Parcel {
    let mut bytes = vec![7; BYTES];
    bytes[..4].copy_from_slice(&[1, 0, hops, days]);
    bytes[4..8].copy_from_slice(&number.to_be_bytes());
    Parcel::read(&bytes).unwrap()
}

fn parcels(numbers: std::ops::Range<u32>) -> Vec<Parcel> {
    numbers.map(|number| parcel(number, 5, 7)).collect()
}

fn outbox(most: u32, seen: u32) -> (tempfile::TempDir, Outbox) {
    let directory = tempfile::tempdir().unwrap();
    let mut policy = Policy::STANDARD;
    policy.carry.parcels = most;
    policy.carry.seen = seen;
    let outbox = Outbox::new(directory.path(), Time::new(None), policy);
    (directory, outbox)
}

fn held(outbox: &Outbox) -> Vec<[u8; 16]> {
    let all = outbox.due_parcels(0, 1_000).unwrap();
    all.iter().map(|carried| carried.parcel.id()).collect()
}

#[test]
fn the_import_that_brought_most_gives_way() {
    let (_directory, outbox) = outbox(10, 100);
    let few = parcels(0..3);
    assert_eq!(outbox.take_parcels(&few, &at(0)).unwrap().stored, 3);
    let flood = outbox.take_parcels(&parcels(100..130), &at(0)).unwrap();
    assert_eq!((flood.stored, flood.evicted), (30, 23));
    let later = outbox.take_parcels(&parcels(200..205), &at(0)).unwrap();
    assert_eq!(later.evicted, 5);
    let held = held(&outbox);
    assert_eq!(held.len(), 10);
    for kept in &few {
        assert!(held.contains(&kept.id()), "of a small one nothing goes");
    }
}

#[test]
fn what_nobody_else_may_pass_on_goes_first_and_then_the_oldest() {
    let (_directory, outbox) = outbox(3, 100);
    let some = [
        parcel(1, 5, 7),
        parcel(2, 0, 7),
        parcel(3, 5, 7),
        parcel(4, 5, 7),
    ];
    outbox.take_parcels(&some, &at(0)).unwrap();
    assert_eq!(held(&outbox), [some[0].id(), some[2].id(), some[3].id()]);
    let more = [parcel(5, 5, 7), parcel(6, 5, 7)];
    outbox.take_parcels(&more, &at(0)).unwrap();
    // Three of the first import, two of this: one of each goes, the oldest.
    assert_eq!(held(&outbox), [some[3].id(), more[0].id(), more[1].id()]);
}

#[test]
fn one_is_taken_once_also_when_it_has_gone() {
    let (_directory, outbox) = outbox(10, 100);
    let all = parcels(0..4);
    outbox.take_parcels(&all, &at(0)).unwrap();
    let seqs: Vec<i64> = outbox
        .due_parcels(0, 10)
        .unwrap()
        .iter()
        .map(|carried| carried.seq)
        .collect();
    outbox
        .end_parcels(&[(seqs[0], ParcelFate::Taken), (seqs[1], ParcelFate::Refused)])
        .unwrap();
    // With other hops and days it is the same.
    let again = [parcel(0, 1, 1), parcel(1, 1, 1), parcel(2, 1, 1)];
    let taken = outbox.take_parcels(&again, &at(0)).unwrap();
    assert_eq!((taken.stored, taken.known), (0, 3));
    let own = parcel(9, 5, 7);
    outbox.note_own_parcels(std::slice::from_ref(&own)).unwrap();
    assert_eq!(outbox.take_parcels(&[own], &at(0)).unwrap().known, 1);
    let counts = outbox.parcel_counts().unwrap();
    assert_eq!(
        (counts.carried, counts.passed_on, counts.refused),
        (2, 1, 1)
    );
}

#[test]
fn days_are_counted_here_and_a_clock_that_was_set_costs_one() {
    let (_directory, outbox) = outbox(10, 100);
    outbox.take_parcels(&[parcel(1, 5, 3)], &at(0)).unwrap();
    let left = |now: &ClockReading| -> Vec<u8> {
        outbox.expire_parcels(now).unwrap();
        let passed = outbox.pass_parcels(10, now).unwrap();
        passed.iter().map(|parcel| parcel.days).collect()
    };
    assert_eq!(left(&at(0)), [3]);
    assert_eq!(left(&at(2)), [1]);
    // After a restart the wall clock is in 1970, then in another century.
    let reboot = |day| ClockReading {
        boot_id: "b".into(),
        ..at(day)
    };
    assert_eq!(left(&reboot(-9_000)), [2], "begun anew, a day shorter");
    assert_eq!(left(&at(9_000)), [1]);
    assert_eq!(left(&at(9_001)), [0_u8; 0]);
    assert_eq!(outbox.parcel_counts().unwrap().carried, 0);
}

#[test]
fn those_that_were_passed_on_least_go_first() {
    let (_directory, outbox) = outbox(10, 100);
    outbox.take_parcels(&parcels(0..4), &at(0)).unwrap();
    let pass = |most| -> Vec<[u8; 16]> {
        let passed = outbox.pass_parcels(most, &at(0)).unwrap();
        passed.iter().map(Parcel::id).collect()
    };
    let ids: Vec<[u8; 16]> = parcels(0..4).iter().map(Parcel::id).collect();
    assert_eq!(pass(3), ids[..3]);
    assert_eq!(pass(2), [ids[3], ids[0]]);
    assert_eq!(pass(0), [[0; 16]; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever comes in whatever order, the store is within its limits, and of an
    /// import that is within its share nothing goes.
    #[test]
    fn any_imports_stay_within_the_limits(
        imports in proptest::collection::vec((0_u32..200, 1_u32..40), 1..12),
    ) {
        let (_directory, outbox) = outbox(30, 64);
        for (first, count) in &imports {
            let taken = outbox.take_parcels(&parcels(*first..first + count), &at(0)).unwrap();
            prop_assert_eq!(taken.stored + taken.known, *count);
            let counts = outbox.parcel_counts().unwrap();
            prop_assert!(counts.carried <= 30);
            let share = 30 / u32::try_from(imports.len()).unwrap();
            if *count <= share {
                let held = held(&outbox);
                let new = parcels(*first..first + count);
                let here = new.iter().filter(|parcel| held.contains(&parcel.id())).count();
                prop_assert!(here >= usize::try_from(taken.stored).unwrap());
            }
        }
        let seen: u32 = outbox
            .read(|tx| Ok(tx.query_row("SELECT count(*) FROM parcel_seen", [], |row| row.get(0))?))
            .unwrap();
        prop_assert!(seen <= 64);
    }
}
