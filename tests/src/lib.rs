//! The faults that Homeline's tests put between the phone and the ministry.
//!
//! * [`proxy`]: a network that goes away, swallows answers or lies, in front of
//!   a real ministry.
//! * [`hostile`]: a server that answers with whatever a test scripts.
//! * [`certs`]: certificates for both, good and bad ones.
//!
//! Everything listens on 127.0.0.1 only, on a port the kernel chooses, and runs
//! on a thread of its own, so a test may be blocking or asynchronous. Dropping a
//! proxy or a server stops it before `drop` returns.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a failure ends the test it happens in"
    )
)]

mod background;
pub mod certs;
pub mod hostile;
mod https;
pub mod proxy;
pub mod stage;
#[cfg(test)]
mod testing;
pub mod traveler;
pub mod vault;
pub mod words;
