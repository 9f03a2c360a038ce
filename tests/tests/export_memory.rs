//! A file takes all positions, and memory no more for it. A process of its own:
//! what is measured is the process's.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test"
)]

use homeline::Homeline;
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline_tests::stage::Stage;
use homeline_tests::vault::LockableVault;
use serde_json::Value;

fn fix(number: i64) -> Fix {
    let offset: f64 = f64::from(i32::try_from(number % 1_000).unwrap()) / 1_000.0;
    let position = Position::Gcj02 {
        latitude: 39.9 + offset,
        longitude: 116.4,
    };
    Fix::new(
        position,
        1_790_000_000_000 + number * 1_000,
        FixSource::Fused,
    )
}

/// Kilobytes of memory that this process has held at most.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_file_takes_all_positions_and_no_more_memory() {
    const FIXES: i64 = 60_000;
    let base = tempfile::tempdir().unwrap();
    let stage = Stage::start(&base.path().join("ministry")).unwrap();
    let vault = LockableVault::open(&base.path().join("vault.key"), false).unwrap();
    let config = stage.config(&base.path().join("phone"));
    let home = Homeline::open(config, vault, None, None).unwrap();
    for start in (0..FIXES).step_by(10_000) {
        let fixes = (start..start + 10_000).map(fix).collect();
        home.whereabouts().record_all(fixes).unwrap();
    }
    let path = base.path().join("all.json");
    let before = peak_kb();
    home.export_to(path.to_string_lossy().into_owned()).unwrap();
    let more = peak_kb() - before;
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!("{{\"export_bytes\":{bytes},\"export_rss_kb\":{more}}}");
    assert!(more * 1_024 < bytes, "{more} KB for {bytes} bytes");
    let all: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(all["positions"]["rows"].as_array().unwrap().len(), 60_000);
    assert_eq!(all["positions"]["omitted"], 0);

    let part: Value = serde_json::from_str(&home.export().unwrap().json).unwrap();
    let rows = part["positions"]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 50_000);
    assert_eq!(part["positions"]["omitted"], 10_000);
    assert_eq!(
        rows.last(),
        all["positions"]["rows"].as_array().unwrap().last()
    );
}
