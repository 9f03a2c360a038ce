//! The real library against the real ministry, and against what stands where the
//! ministry should be: every test presses a button and asserts what the
//! traveler and the duty officer see.
//!
//! * [`hostile_ministry`]: portals, forgers, servers with bugs.
//! * [`delivery`]: order, repetition, clocks, consent, restarts.
//! * [`keys`]: a ministry that changes its keys.
//! * [`properties`]: any input at all.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure ends the test it happens in"
)]

mod delivery;
mod hostile_ministry;
mod keys;
mod properties;
mod scene;
