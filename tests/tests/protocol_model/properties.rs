//! What must be true in every state, and what must be possible from every one.

use stateright::Property;

use crate::evidence::{Fault, Kind};
use crate::ministry::{Ends, KeyKind};
use crate::network::{Form, Letter, REPORTS};
use crate::phone::{Fetch, Place, Slot};
use crate::world::{Act, Delivery, State};

pub(crate) const NOTHING_LOST: &str = "no report is lost";
pub(crate) const ONE_CASE: &str = "at most one case";
pub(crate) const PROVED: &str = "no state without its evidence";
pub(crate) const HANDED: &str = "handed is never more than handed";
pub(crate) const ADVISED: &str = "an unproved report is never without advice";
pub(crate) const LIVE: &str = "a fair network leads to the receipt";

/// Passes that a fair network takes at most: one is refused for its key, one is
/// taken.
pub(crate) const PASSES: usize = 2;

/// What a property looks at.
type Condition = fn(&Delivery, &State) -> bool;

/// What must be seen to happen somewhere: so that the properties are not true for want
/// of it.
pub(crate) const EXAMPLES: [(&str, Condition); 7] = [
    ("all are received", |model, state| {
        state.pressed.count_ones() == u32::try_from(model.scope.reports).unwrap()
            && reports(state, |_, _, slot| slot.place == Place::Received)
    }),
    ("a compact receipt comes first", |_, state| {
        any(state, |report, slot| {
            slot.place == Place::Waiting && state.shows(report) == Some(Kind::Received)
        })
    }),
    ("a report is sealed anew", |_, state| {
        any(state, |_, slot| slot.earlier != 0)
    }),
    ("nobody can read a report", |_, state| {
        any(state, |_, slot| slot.place == Place::Parked)
    }),
    ("two workers are busy at once", |_, state| {
        state.ministry.workers.iter().all(Option::is_some)
    }),
    ("a phone knows the last receipt key only", |_, state| {
        state.phone.disk.service.receipts == 2
    }),
    ("a restore undoes a press that is a case", |_, state| {
        (0..REPORTS).any(|report| state.undone & 1 << report != 0 && cases(state, report) > 0)
    }),
];

fn any(state: &State, is: impl Fn(usize, &Slot) -> bool) -> bool {
    (0..REPORTS).any(|report| {
        state
            .phone
            .slot(report)
            .is_some_and(|slot| is(report, slot))
    })
}

pub(crate) fn all() -> Vec<Property<Delivery>> {
    let always = [
        Property::always(NOTHING_LOST, |_, state| reports(state, nothing_lost)),
        Property::always(ONE_CASE, |_, state| {
            (0..REPORTS).all(|report| cases(state, report) <= 1)
        }),
        Property::always(PROVED, |_, state| reports(state, proved)),
        Property::always(HANDED, |_, state| reports(state, handed)),
        Property::always(ADVISED, |_, state| reports(state, advised)),
        Property::always(LIVE, leads_to_the_receipts),
    ];
    let examples = EXAMPLES.map(|(name, happens)| Property::sometimes(name, happens));
    always.into_iter().chain(examples).collect()
}

/// Whether `is` holds of every report that was pressed and is not undone by a restore
/// from a backup of before the press; one that is not on the phone fails.
fn reports(state: &State, is: impl Fn(&State, usize, &Slot) -> bool) -> bool {
    (0..REPORTS)
        .filter(|report| state.pressed & !state.undone & 1 << report != 0)
        .all(|report| match state.phone.slot(report) {
            Some(slot) => is(state, report, slot),
            None => false,
        })
}

/// The cases that one press has made, under whatever id.
fn cases(state: &State, report: usize) -> u8 {
    ids(report)
        .map(|id| state.ministry.cases(id))
        .into_iter()
        .sum()
}

fn ids(report: usize) -> [u8; 2] {
    [report, report + REPORTS].map(|id| u8::try_from(id).unwrap())
}

/// It waits, or a person must look, or the ministry has it and has proved it.
fn nothing_lost(state: &State, report: usize, slot: &Slot) -> bool {
    match slot.place {
        Place::Waiting | Place::Parked => true,
        Place::Received => cases(state, report) > 0 && slot.marks.has_receipt(),
    }
}

/// The phone says "received" only where the ministry has it, and lets go of the
/// envelope only for a receipt.
fn proved(state: &State, report: usize, slot: &Slot) -> bool {
    let received = state.shows(report) == Some(Kind::Received);
    let settled = slot.place == Place::Received;
    (!received || cases(state, report) > 0) && settled == slot.marks.has_receipt()
}

/// The phone says "handed" only where something left it, and "parked" only of what
/// is parked.
fn handed(state: &State, report: usize, slot: &Slot) -> bool {
    match state.shows(report) {
        Some(Kind::Handed) => ids(report)
            .iter()
            .any(|id| state.network.has_anything_of(*id)),
        Some(Kind::Parked) => slot.place == Place::Parked,
        _ => true,
    }
}

fn advised(_: &State, _: usize, slot: &Slot) -> bool {
    let shown = slot.marks.shown();
    shown.kind == Kind::Received || shown.advised
}

/// From here on nothing is lost, nobody dies and no key changes: after a bounded
/// number of passes each report has its receipt.
///
/// `eventually` of the checker looks at paths that end, and the paths here need not:
/// a network may repeat for ever. So this is a property of each single state: one fair
/// continuation of it is played, by the same transitions, and must succeed. One that
/// exists from every state is what the issue asks for.
fn leads_to_the_receipts(model: &Delivery, state: &State) -> bool {
    let mut state = *state;
    // What is under way comes to nothing, at worst, and the workers end what they do.
    for report in 0..REPORTS {
        if state.phone.memory.flights[report].is_some() {
            state = model.after(&state, Act::Fail(report, Fault::NoAnswer));
        }
    }
    state = commit_all(model, state);
    for _ in 0..PASSES {
        for report in 0..REPORTS {
            if state.phone.waits(report) {
                state = fair_exchange(model, state, report);
            }
        }
    }
    reports(&state, |state, _, slot| match slot.place {
        Place::Received => true,
        Place::Waiting => false,
        // Sealed to a revoked key, and readable to nobody: a person must look.
        Place::Parked => !slot.readable && state.ministry.has_revoked(KeyKind::Sealing),
    })
}

/// Each worker commits; one that was overtaken reads and commits once more.
fn commit_all(model: &Delivery, mut state: State) -> State {
    for _ in 0..4 {
        let busy = state.ministry.workers.iter().position(Option::is_some);
        if let Some(worker) = busy {
            state = model.after(&state, Act::Commit(worker, Ends::Answered));
        }
    }
    state
}

/// A report leaves, and its true answer comes.
fn fair_exchange(model: &Delivery, state: State, report: usize) -> State {
    let state = model.after(&state, Act::Launch(report));
    let (Some(sealing), Some(slot)) =
        (state.phone.memory.flights[report], state.phone.slot(report))
    else {
        return state;
    };
    let letter = Letter {
        id: slot.id,
        form: Form::Full,
        sealing,
    };
    let state = commit_all(model, model.after(&state, Act::Take(letter)));
    match state.ministry.answer_to(letter, model.mutant) {
        Some(told) => model.after(&state, Act::Answer(report, told, Fetch::Comes)),
        None => model.after(&state, Act::Refusal(report, Fetch::Comes)),
    }
}
