//! Homeline, the line home: an offline-first library that ties a citizen abroad
//! to the foreign ministry at home.
//!
//! A host opens one [`Homeline`] and reaches the services through it. A press of
//! SOS is on disk when it returns; it is not let go of until the ministry has
//! proved, by a signed receipt, that it has it. Nothing here starts a thread,
//! asks for a permission, or runs unless the host called.
//!
//! | module | responsibility |
//! | --- | --- |
//! | [`homeline`] | `Homeline`, the object that a host opens |
//! | [`config`], [`error`], [`clock`] | settings, the one error enum, time |
//! | [`keys`] | the host's vault, the record's secret, the device's keys |
//! | `record` | `record.db`: everything private, SQLCipher |
//! | `outbox` | `outbox.db`: sealed envelopes that wait, and their evidence |
//! | `salvage` | what can still be read of a damaged file |
//! | [`seal`] | HPKE envelopes, signed receipts |
//! | [`health`] | whether the library really runs on this phone |
//! | [`registration`], [`contacts`], [`whereabouts`] | what the traveler keeps |
//! | [`geo`] | the datums of maps, the country of a place, areas, distances |
//! | [`alerts`] | what is dangerous at a place, and what to do |
//! | [`language`] | texts in several languages |
//! | [`packs`] | what the ministry publishes for everybody, and how it comes |
//! | [`missions`], [`guides`] | who helps, and what to do |
//! | [`sos`] | reports and the state machine with its evidence |
//! | [`reference`] | what the packs say of a place |
//! | [`relay`] | other phones carry the SOS |
//! | [`retention`], [`export`], `erase` | how long data stay, and all of them out or gone |
//! | [`sync`], [`transport`] | the ministry protocol, and how bytes leave |

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a failure ends the test it happens in"
    )
)]

uniffi::setup_scaffolding!();

/// `Debug` that names the type and shows nothing: what these types hold is
/// personal, and a log or a panic message must not carry it.
macro_rules! redacted_debug {
    ($($name:ty),+ $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}

pub mod alerts;
pub mod clock;
pub mod config;
pub mod contacts;
mod erase;
pub mod error;
pub mod export;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod geo;
pub mod guides;
pub mod health;
pub mod homeline;
pub mod keys;
pub mod language;
mod lenient;
pub mod missions;
mod outbox;
pub mod packs;
mod record;
pub mod reference;
pub mod registration;
pub mod relay;
pub mod retention;
mod salvage;
pub mod seal;
#[cfg(feature = "simulation")]
pub mod simulation;
pub mod sos;
mod sqlite;
pub mod sync;
#[cfg(test)]
mod testing;
pub mod transport;
mod validate;
pub mod whereabouts;

pub use error::{HomelineError, Result};
pub use homeline::Homeline;
pub use record::RecordState;
