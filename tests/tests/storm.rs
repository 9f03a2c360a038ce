//! A country comes back, in small: 50,000 phones, and a ministry that takes 250
//! requests a second. The million is `cargo run --release --example storm`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure ends the test it happens in"
)]

use homeline_tests::storm::{Peer, Says, Storm, plot, run};

#[test]
fn every_sos_is_in_within_two_minutes_and_the_ministry_stands() {
    let storm = Storm::small();
    let ours = run(&storm, Peer::Homeline, Says::StandBy);
    assert!(ours.sos_p100_s <= 120.0, "{}", ours.sos_p100_s);
    assert!(ours.last_sos_s <= 120.0, "{}", ours.last_sos_s);
    assert!(ours.peak_ratio <= 1.2, "{}", ours.peak_ratio);
    let through_s = ours.through_s.expect("all phones are through");
    assert!(through_s < 20.0 * 60.0, "{through_s}");
    assert!(ours.requests > 2 * u64::from(storm.phones));

    // It is the pacing that does it: without it the same storm is another one.
    for peer in [Peer::Fixed(30_000), Peer::Doubling(64_000)] {
        let naive = run(&storm, peer, Says::RetryAfter);
        assert!(naive.peak_ratio > 3.0, "{peer:?} {}", naive.peak_ratio);
        assert!(naive.sos_p100_s > ours.sos_p100_s, "{peer:?}");
    }
}

#[test]
fn a_ministry_at_half_its_strength_does_not_collapse() {
    let storm = Storm {
        capacity: Storm::small().capacity / 2,
        ..Storm::small()
    };
    let ours = run(&storm, Peer::Homeline, Says::StandBy);
    let through_s = ours.through_s.expect("all phones are through");
    assert!(through_s < 40.0 * 60.0, "{through_s}");
    assert!(ours.peak_ratio < 3.0, "{}", ours.peak_ratio);
    assert!(ours.sos_p50_s < 30.0, "{}", ours.sos_p50_s);
    assert!(ours.sos_p100_s < 300.0, "{}", ours.sos_p100_s);
}

#[test]
fn a_seed_is_a_run_and_the_plot_shows_it() {
    let storm = Storm {
        phones: 5_000,
        capacity: 25,
        ..Storm::small()
    };
    let [one, again] = [(); 2].map(|()| run(&storm, Peer::Homeline, Says::StandBy));
    assert_eq!(one.offered, again.offered);
    let other = Storm { seed: 2, ..storm };
    let other = run(&other, Peer::Homeline, Says::StandBy);
    assert_ne!(one.offered, other.offered);
    let svg = plot::svg(&storm, &[("ours", one)], 1_800);
    assert!(svg.starts_with("<svg") && svg.contains("<polyline"));
}
