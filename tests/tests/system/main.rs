//! The real library against the real ministry, and against what stands where the
//! ministry should be: every test presses a button and asserts what the
//! traveler and the duty officer see.
//!
//! * [`hostile_ministry`]: portals, forgers, servers with bugs.
//! * [`delivery`]: order, repetition, clocks, consent, restarts.
//! * [`drain`]: many requests in flight, and what is refused for good.
//! * [`keys`]: a ministry that changes its keys.
//! * [`properties`]: any input at all.
//! * [`replays`]: what the ministry did say once, said again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure ends the test it happens in"
)]

mod delivery;
mod drain;
mod hostile_ministry;
mod keys;
mod properties;
mod replays;
mod scene;
