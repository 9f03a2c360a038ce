//! What the tests across the system are made of.
//!
//! * [`stage`]: a real ministry behind a network that a test can break.
//! * [`scene`]: one phone and its ministry, in the test's own process.
//! * [`traveler`]: a phone in a process of its own, which can be killed.
//! * [`office`]: a ministry in a process of its own, which can be killed.
//! * [`operation`]: everything that such a phone writes.
//! * [`packets`], [`slow`]: the same for single packets; a link that takes its time.
//! * [`proxy`], [`hostile`], [`certs`]: the faults: a network that goes away,
//!   swallows answers or lies; a server that answers with whatever a test
//!   scripts; certificates, good and bad.
//! * [`middle`]: a middle box that the phone trusts, and that changes what passes.
//! * [`judge`]: what a phone says of its reports, proved again.
//! * [`strace`], [`disk`]: what a process asks of the disk, and what a disk holds
//!   after a power cut.
//! * [`chance`], [`vault`], [`clock`], [`track`], [`words`]: chance that can be
//!   repeated, a vault to lock, a clock to move, tracks to replay, reports in words.
//! * `link`: a thin link between two network namespaces, for benches.
//! * [`line`]: real HTTPS to a real ministry as a host's transport, with the fault of
//!   the moment.
//! * [`soak`]: a phone in use for weeks, and what it costs.
//! * [`storm`]: a country that comes back to a ministry, simulated.
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
pub mod chance;
pub mod clock;
pub mod disk;
pub mod hostile;
mod https;
pub mod judge;
pub mod line;
#[cfg(target_os = "linux")]
pub mod link;
pub mod middle;
pub mod office;
pub mod operation;
pub mod packets;
pub mod proxy;
pub mod scene;
pub mod slow;
pub mod soak;
pub mod stage;
pub mod storm;
pub mod strace;
#[cfg(test)]
mod testing;
pub mod track;
pub mod traveler;
pub mod upstream;
pub mod vault;
pub mod words;
