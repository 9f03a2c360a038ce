//! A phone in use for weeks: memory, descriptors and files stay what they are. Some
//! seconds here; `SOAK_SECONDS=600` for a real one.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failure ends the test it happens in"
)]

use std::path::Path;
use std::time::Duration;

use homeline_tests::soak::run;

#[test]
fn weeks_of_use_cost_what_the_first_days_did() {
    let seconds = std::env::var("SOAK_SECONDS").ok();
    let seconds = seconds.map_or(10, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_stage"));
    let soak = run(program, folder.path(), Duration::from_secs(seconds)).unwrap();
    println!(
        "{{\"soak_rss_growth_mb\":{:.2},\"soak_descriptor_growth\":{},\"soak_file_growth_kb\":{:.0},\
         \"soak_weeks\":{:.1},\"soak_passes\":{}}}",
        soak.rss_growth_mb(),
        soak.descriptor_growth(),
        soak.unexplained_file_bytes() / 1_024.0,
        soak.weeks,
        soak.late.passes
    );
    assert!(soak.rss_growth_mb() < 3.0, "{soak:?}");
    assert!(soak.descriptor_growth() <= 0.0, "{soak:?}");
    assert!(soak.unexplained_file_bytes() < 524_288.0, "{soak:?}");
}
