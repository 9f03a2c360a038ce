//! The ministry from outside: real sockets, real TLS, phones made by hand.
//!
//! The phones here seal and sign with `hpke` and `ring` alone, after the words
//! of the OpenAPI document, so that the documented format is proved by a second
//! implementation.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod changes;
mod desk;
mod document;
mod envelopes;
mod erase;
mod groups;
mod hostile;
mod keys;
mod life;
mod phone;
mod program;
mod sms;
