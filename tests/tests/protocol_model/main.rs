//! A model of the delivery protocol, checked in every state that it can reach: a phone
//! that crashes, is restored from a backup and loses its device key; a network that
//! loses, repeats, reorders and replays on every channel; a ministry with two workers
//! that die; and a change of both kinds of keys.
//!
//! | module | what it models |
//! | --- | --- |
//! | [`phone`] | the outbox on disk, what is in memory, the steps of a pass |
//! | [`evidence`] | what the core makes of evidence and of answers |
//! | [`network`] | everything that was ever sent, deliverable at any time |
//! | [`ministry`] | the store, its two workers, its keys |
//! | [`world`] | the state, what may happen, and the mutants |
//! | [`properties`] | what must be true in each state, and possible from each |
//!
//! Every decision that is pure in the core is the core's own
//! (`homeline::simulation::delivery`): what an answer means, whose receipt it is, what
//! it proves, which state is shown, whether a packet or a text message may leave, what
//! is advised. What is a transaction or an exchange there is written down once more
//! here. Left out: signatures (a key is known or it is not), time (every wait is over),
//! enrolment, countdowns, cancellations, and a second sender.
//!
//! The checker remembers a state by 64 bits of hash: among the states of a scope two
//! are taken for one with a probability below one in ten million.
//!
//! ```text
//! PROTOCOL_MODEL=large cargo test -p homeline-tests --test protocol_model -- --nocapture
//! ```
//!
//! A model that finds nothing may be blind. So each [`Mutant`] is a defect that must be
//! found, by the property that it breaks.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a failure ends the test it happens in; the sets of a model are as long as its sizes"
)]

mod evidence;
mod ministry;
mod network;
mod phone;
mod properties;
mod world;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use homeline::simulation::{Busy, Urgency, busy_wait_ms};
use ministry::KeyKind::{Receipts, Sealing};
use properties::{EXAMPLES, HANDED, LIVE, NOTHING_LOST, ONE_CASE, PASSES, PROVED};
use stateright::{Checker as _, Expectation, HasDiscoveries, Model as _};
use world::Way::{Datagram, Https, Relay, Sms};
use world::{Delivery, May, Mutant, Scope};

/// What is checked always.
const SCOPES: [Scope; 5] = [TWO_REPORTS, BY_SMS, CHANNELS, KEYS, BACKUP];

/// What is checked besides with `PROTOCOL_MODEL=large`: a few minutes.
const LARGE: [Scope; 4] = [
    Scope {
        name: "two reports, a carrier and keys",
        ways: &[Https, Relay],
        workers: 1,
        rotates: &[Receipts],
        ..TWO_REPORTS
    },
    Scope {
        name: "keys and two workers",
        workers: 2,
        ..KEYS
    },
    Scope {
        name: "keys and datagrams",
        ways: &[Https, Datagram],
        rotates: &[Sealing],
        ..KEYS
    },
    Scope {
        name: "backup, both keys and two workers",
        workers: 2,
        rotates: &[Sealing, Receipts],
        ..BACKUP
    },
];

/// Two reports, whose receipts may be taken for each other's.
const TWO_REPORTS: Scope = Scope {
    name: "two reports",
    reports: 2,
    workers: 2,
    ways: &[Https],
    rotates: &[],
    crashes: 1,
    restore: May::Not,
};

/// The same, where the short form goes by text message too.
const BY_SMS: Scope = Scope {
    name: "two reports by SMS",
    workers: 1,
    ways: &[Https, Sms],
    ..TWO_REPORTS
};

/// One report by every channel at once.
const CHANNELS: Scope = Scope {
    name: "channels",
    reports: 1,
    ways: &[Https, Datagram, Sms, Relay],
    ..TWO_REPORTS
};

/// Both keys change, and are revoked, while a report waits.
const KEYS: Scope = Scope {
    name: "keys",
    reports: 1,
    workers: 1,
    rotates: &[Sealing, Receipts],
    ..TWO_REPORTS
};

/// A phone that is put back to an older state of itself, with and without its key.
const BACKUP: Scope = Scope {
    name: "backup",
    rotates: &[Sealing],
    restore: May::Happen,
    ..KEYS
};

#[test]
fn every_state_keeps_the_promises() {
    let large = std::env::var("PROTOCOL_MODEL").is_ok_and(|size| size == "large");
    let more = if large { LARGE.as_slice() } else { &[] };
    let (mut states, mut seen) = (0, BTreeSet::new());
    for scope in SCOPES.iter().chain(more) {
        states += check(scope, &mut seen);
    }
    // What was never seen to happen was not checked either.
    assert_eq!(seen, EXAMPLES.map(|(name, _)| name).into());
    println!("{{\"protocol_model_states\":{states}}}");
}

/// Checks a scope to its end: how many states it has.
fn check(scope: &Scope, seen: &mut BTreeSet<&'static str>) -> usize {
    let (scope, mutant) = (*scope, Mutant::None);
    // It ends when no state is left, or when every property has failed.
    let checker = Delivery { scope, mutant }
        .checker()
        .threads(2)
        .spawn_bfs()
        .join();
    for property in checker.model().properties() {
        match property.expectation {
            Expectation::Sometimes => {
                seen.extend(checker.discovery(property.name).map(|_| property.name));
            }
            Expectation::Always | Expectation::Eventually => {
                checker.assert_no_discovery(property.name);
            }
        }
    }
    assert!(checker.is_done(), "{}", scope.name);
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    println!("{}: {states} states, {depth} deep", scope.name);
    states
}

/// The checker finds the mutant in this scope, by the property that it breaks; and
/// the shortest way there.
fn found(mutant: Mutant, scope: Scope, property: &'static str) {
    const DEEPEST: usize = 14;
    let model = Delivery { scope, mutant };
    // Its own path is one that it came by; so it is let go one step deeper each time.
    let shortest = (0..DEEPEST).find(|steps| {
        let depth = NonZeroUsize::MIN.saturating_add(steps + 1);
        let checker = model
            .checker()
            .target_max_depth(depth.get())
            .finish_when(HasDiscoveries::AnyOf(BTreeSet::from([property])))
            .spawn_bfs()
            .join();
        checker.discovery(property).is_some()
    });
    let steps = shortest.expect("a mutant that is not found");
    println!("{mutant:?} breaks \"{property}\" after {steps} steps");
}

#[test]
fn what_would_lose_a_report_is_found() {
    found(Mutant::ForgetOnSend, TWO_REPORTS, NOTHING_LOST);
    found(Mutant::CrashLosesCommitted, TWO_REPORTS, NOTHING_LOST);
}

#[test]
fn what_would_open_a_second_case_is_found() {
    found(Mutant::CaseWithoutUnique, TWO_REPORTS, ONE_CASE);
    found(Mutant::ResealUnderNewId, KEYS, ONE_CASE);
}

#[test]
fn what_would_say_more_than_is_proved_is_found() {
    found(Mutant::AnyReceiptCounts, TWO_REPORTS, PROVED);
    found(Mutant::AnyCompactReceiptCounts, BY_SMS, PROVED);
    found(Mutant::StatusOn200, TWO_REPORTS, PROVED);
    found(Mutant::AnswersBeforeCommit, TWO_REPORTS, PROVED);
    found(Mutant::OldKeyBelieved, KEYS, PROVED);
    found(Mutant::HandedWithoutLine, TWO_REPORTS, HANDED);
}

#[test]
fn what_would_wait_for_ever_is_found() {
    found(Mutant::ParkOnAnyRefusal, TWO_REPORTS, LIVE);
    found(Mutant::KeysNeverFetched, KEYS, LIVE);
    found(Mutant::FirstReceiptAgain, BACKUP, LIVE);
}

/// The model has no time: a fair network brings the receipt within [`PASSES`] passes.
/// Whatever the ministry asked for before, the wait for each is bounded.
#[test]
fn the_passes_of_a_fair_network_come_within_minutes() {
    let waits = [1, 2, 30, u32::MAX].into_iter().flat_map(|attempts| {
        ["", "1", "86400", "Sun, 06 Nov 2094 08:49:37 GMT"].map(|retry_after| {
            let busy = Busy {
                status: 503,
                content_type: "application/problem+json",
                retry_after,
                body: br#"{"type":"about:blank","status":503,"spread_s":86400}"#,
            };
            busy_wait_ms(Urgency::Sos, attempts, &busy, u32::MAX).unwrap()
        })
    });
    let longest_ms = waits.max().unwrap();
    let passes = i64::try_from(PASSES).unwrap();
    println!("at most {longest_ms} ms before each of {passes} passes");
    assert!(longest_ms * passes <= 15 * 60_000, "{longest_ms}");
}
