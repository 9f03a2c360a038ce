//! The targets without a fuzzer, in every run of the tests: their seeds as they are,
//! and changed at random.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

use super::*;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let files = fs::read_dir(folder).unwrap();
    files
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect()
}

/// A change of some bytes: what, where, with what.
fn change(bytes: &mut Vec<u8>, (what, at, with): &(u8, Index, Vec<u8>)) {
    let at = at.index(bytes.len() + 1);
    let end = bytes.len().min(at + with.len());
    match what {
        0 => drop(bytes.splice(at..end, with.iter().copied())),
        1 => drop(bytes.splice(at..at, with.iter().copied())),
        2 => drop(bytes.drain(at..end)),
        3 => bytes.truncate(at),
        // Twice the same: keys, tags, points.
        4 => {
            let again = bytes[at..end].to_vec();
            drop(bytes.splice(at..at, again));
        }
        _ => bytes[at..end].iter_mut().for_each(|byte| *byte ^= 1),
    }
}

fn changed(target: &str, cases: u32, parse: fn(&[u8])) {
    let seeds = seeds(target);
    assert!(!seeds.is_empty(), "{target}");
    for seed in &seeds {
        parse(seed);
    }
    let some = any::<Index>();
    let edits = proptest::collection::vec(
        (
            0..6u8,
            any::<Index>(),
            proptest::collection::vec(
                prop_oneof![
                    any::<u8>(),
                    proptest::sample::select(&b"<>\"{}[],:0-9.PA\0"[..])
                ],
                1..12,
            ),
        ),
        1..5,
    );
    // On an emulated processor, tests/suites/arm64, a few must do.
    let asked = std::env::var("PROPTEST_CASES").ok();
    let cases = asked.and_then(|it| it.parse().ok()).unwrap_or(cases);
    let mut runner = TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&(some, edits), |(seed, edits)| {
            let mut bytes = seeds[seed.index(seeds.len())].clone();
            for edit in &edits {
                change(&mut bytes, edit);
            }
            parse(&bytes);
            Ok(())
        })
        .unwrap();
}

#[test]
fn gpx_that_was_changed() {
    changed("gpx", 4_000, gpx);
}

#[test]
fn geojson_that_was_changed() {
    changed("geojson", 4_000, geojson);
}

#[test]
fn zones_that_were_changed() {
    changed("mrz", 4_000, mrz);
}

#[test]
fn texts_that_were_changed() {
    changed("token", 1_000, token);
}

#[test]
fn bundles_that_were_changed() {
    changed("bundle", 1_000, bundle);
}

#[test]
fn texts_of_bundles_that_were_changed() {
    changed("bundle_texts", 1_000, bundle_texts);
}

#[test]
fn blocks_that_were_changed() {
    changed("pack", 8_000, pack_block);
}

#[test]
fn compact_messages_that_were_changed() {
    changed("compact", 500, compact);
}

#[test]
fn receipts_that_were_changed() {
    changed("receipt", 2_000, receipt);
}

#[test]
fn fields_that_were_changed() {
    changed("fields", 4_000, hostile_fields);
}

#[test]
fn items_about_help_that_were_changed() {
    changed("help_items", 2_000, help_items);
}

#[test]
fn searches_that_were_changed() {
    changed("guide_search", 2_000, guide_search);
}

#[test]
fn boundaries_that_were_changed() {
    changed("boundaries", 2_000, boundaries);
}

#[test]
fn any_numbers_as_a_position() {
    proptest!(|(bytes in proptest::collection::vec(any::<u8>(), 16..160))| datum(&bytes));
}

#[test]
fn alerts_that_were_changed() {
    changed("alerts", 2_000, alerts);
}

#[test]
fn areas_that_were_changed() {
    changed("area", 2_000, area);
}

#[test]
fn packs_that_were_changed() {
    changed("packs", 2_000, packs);
}
