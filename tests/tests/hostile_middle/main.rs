//! A button pressed towards a server that speaks TLS with a certificate the phone
//! accepts, and then anything: bombs, floods, drips and cuts. Each story is one
//! attack:
//!
//! 1. a phone that the ministry knows presses, and a short pass meets the attacker;
//! 2. the pass has returned, the phone claims no more than was proved, its memory is
//!    what it was;
//! 3. a pass meets the real ministry, and the report is one case there.
//!
//! The phone is the real library in a process of its own: a stack that overflows or
//! memory that is taken without end is seen as that, and ends no test but its own.
//!
//! * [`http1`], [`http2`]: the protocols, byte by byte and frame by frame.
//! * [`bombs`]: whole answers whose content is the attack, in each kind of answer.
//! * [`packet`]: the way that is left while HTTPS is held up.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure ends the test it happens in"
)]

mod bombs;
mod http1;
mod http2;
mod packet;
mod raw;
mod story;
