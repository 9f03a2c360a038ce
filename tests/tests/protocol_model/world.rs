//! The state of it all, and what may happen next.

use stateright::{Model, Property};

use crate::evidence::Fault;
use crate::ministry::{Ends, KeyKind, Ministry};
use crate::network::{Form, Letter, Network, REPORTS, STRANGER, Sealing, Told};
use crate::phone::{DeviceKeys, Fetch, Phone};
use crate::properties;

/// A way from the phone to the ministry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Https,
    Datagram,
    Sms,
    Relay,
}

/// Whether something is part of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum May {
    Happen,
    Not,
}

/// How large a model is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) name: &'static str,
    pub(crate) reports: usize,
    pub(crate) workers: usize,
    pub(crate) ways: &'static [Way],
    /// Kinds of keys that are changed once, and then revoked.
    pub(crate) rotates: &'static [KeyKind],
    /// Crashes; where there are no datagrams, as many as one likes.
    pub(crate) crashes: u8,
    /// A backup at any time, and a restore from it at any later time.
    pub(crate) restore: May,
}

/// A defect that a model is given, so that the checks are seen to find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// None: the protocol as it is.
    None,
    /// The phone takes any receipt of the ministry for the one that it waits for.
    AnyReceiptCounts,
    /// The same of compact receipts.
    AnyCompactReceiptCounts,
    /// The ministry's store has no UNIQUE.
    CaseWithoutUnique,
    /// The phone lets go of a report when it is sent.
    ForgetOnSend,
    /// HTTP 200 makes a report received.
    StatusOn200,
    /// A report is sealed anew under a new id.
    ResealUnderNewId,
    /// What was committed last is not synced.
    CrashLosesCommitted,
    /// A receipt key that the ministry has revoked is still believed.
    OldKeyBelieved,
    /// An attempt without a connection counts as handed over.
    HandedWithoutLine,
    /// The ministry's receipt goes out before its commit.
    AnswersBeforeCommit,
    /// A duplicate gets the very first receipt, whatever its bytes are.
    FirstReceiptAgain,
    /// Any 4xx and any refusal parks the report.
    ParkOnAnyRefusal,
    /// The service document is not fetched for an unknown receipt key.
    KeysNeverFetched,
}

/// How often what is bounded has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Used {
    pub(crate) crashes: u8,
    pub(crate) restores: u8,
}

/// All that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) phone: Phone,
    pub(crate) network: Network,
    pub(crate) ministry: Ministry,
    /// The reports whose press has returned, as a set.
    pub(crate) pressed: u8,
    /// Of them, those that a restore has taken from the phone.
    pub(crate) undone: u8,
    pub(crate) used: Used,
}

/// What may happen. A number without a name is a report's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Press(usize),
    Launch(usize),
    Stay(usize),
    Fail(usize, Fault),
    Answer(usize, Told, Fetch),
    Refusal(usize, Fetch),
    /// The service document is fetched because it is old.
    Refresh,
    SendDatagram(usize),
    SendSms(usize),
    CompactAnswer(Told),
    HandOver(usize),
    CarriedAnswer(Told, Fetch),
    Crash,
    Backup,
    Restore(DeviceKeys),
    /// A worker takes a letter and reads.
    Take(Letter),
    Commit(usize, Ends),
    WorkerDies(usize),
    Rotate(KeyKind),
}

/// The model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery {
    pub(crate) scope: Scope,
    pub(crate) mutant: Mutant,
}

impl Delivery {
    fn has(&self, way: Way) -> bool {
        self.scope.ways.contains(&way)
    }

    fn phone_acts(&self, state: &State, acts: &mut Vec<Act>) {
        let next = (0..self.scope.reports).find(|report| state.pressed & 1 << report == 0);
        acts.extend(next.map(Act::Press));
        for report in 0..self.scope.reports {
            self.report_acts(state, report, acts);
        }
        if state.phone.disk.service != state.ministry.document() {
            acts.push(Act::Refresh);
        }
        if state.used.crashes < self.scope.crashes && state.pressed != 0 {
            acts.push(Act::Crash);
        }
        if self.scope.restore == May::Happen && state.used.restores == 0 {
            match state.phone.backup {
                None => acts.push(Act::Backup),
                Some(_) => acts.extend([DeviceKeys::Kept, DeviceKeys::Lost].map(Act::Restore)),
            }
        }
    }

    fn report_acts(&self, state: &State, report: usize, acts: &mut Vec<Act>) {
        let flight = state.phone.memory.flights[report];
        if state.phone.waits(report) && flight.is_none() {
            acts.extend([Act::Launch(report), Act::Stay(report)]);
        }
        if self.has(Way::Relay) && state.phone.waits(report) {
            acts.push(Act::HandOver(report));
        }
        if self.has(Way::Datagram) && state.may_send_datagram(report) {
            acts.push(Act::SendDatagram(report));
        }
        if self.has(Way::Sms) && state.may_send_sms(report) {
            acts.push(Act::SendSms(report));
        }
        if let Some(sealing) = flight {
            self.flight_acts(state, report, sealing, acts);
        }
    }

    fn flight_acts(&self, state: &State, report: usize, sealing: Sealing, acts: &mut Vec<Act>) {
        let tempting = Fault::TEMPTING.iter();
        let faults = Fault::different().iter().chain(tempting);
        let last = match self.mutant {
            Mutant::None => Fault::different().len(),
            _ => usize::MAX,
        };
        acts.extend(faults.take(last).map(|fault| Act::Fail(report, *fault)));
        let Some(slot) = state.phone.slot(report) else {
            return;
        };
        let letter = Letter {
            id: slot.id,
            form: Form::Full,
            sealing,
        };
        let receipts = state.network.receipts(Form::Full);
        for told in receipts.into_iter().chain(self.forged(state, letter)) {
            acts.push(Act::Answer(report, told, Fetch::Comes));
            if !state.phone.knows(told.key, self.mutant) {
                acts.push(Act::Answer(report, told, Fetch::Fails));
            }
        }
        if state.network.has_refused(slot.id, sealing) {
            acts.extend([Fetch::Comes, Fetch::Fails].map(|fetch| Act::Refusal(report, fetch)));
        }
    }

    /// Receipts that the ministry never made: by a stranger's key, and by a stolen
    /// one. A phone that has not heard of the theft would believe those of the thief,
    /// and nothing could keep it from that: they come from then on.
    fn forged(&self, state: &State, letter: Letter) -> impl Iterator<Item = Told> + use<> {
        let heard = state.phone.disk.service.receipts & 1 == 0;
        let stolen = state.ministry.has_revoked(KeyKind::Receipts) && heard;
        [Some(STRANGER), stolen.then_some(0)]
            .into_iter()
            .flatten()
            .map(move |key| Told { letter, key })
    }

    /// What comes by itself, with no request under way.
    fn answer_acts(&self, state: &State, acts: &mut Vec<Act>) {
        let forms = [
            (Form::Datagram, state.phone.remembers_datagrams()),
            (Form::Sms, true),
        ];
        for (form, may) in forms {
            if may {
                let receipts = state.network.receipts(form).into_iter();
                acts.extend(receipts.map(Act::CompactAnswer));
            }
        }
        for letter in state.network.letters() {
            let may = letter.form == Form::Full && self.has(Way::Relay);
            for told in self.forged(state, letter) {
                match letter.form {
                    Form::Full if may => acts.push(Act::CarriedAnswer(told, Fetch::Fails)),
                    Form::Full => {}
                    Form::Datagram | Form::Sms => acts.push(Act::CompactAnswer(told)),
                }
            }
        }
        if self.has(Way::Relay) {
            // Sealed to the device: without its key nobody opens it.
            let opens = |told: &Told| {
                let report = usize::from(told.letter.id) % REPORTS;
                state.phone.slot(report).is_some_and(|slot| slot.readable)
            };
            for told in state.network.receipts(Form::Full).into_iter().filter(opens) {
                acts.push(Act::CarriedAnswer(told, Fetch::Comes));
                acts.push(Act::CarriedAnswer(told, Fetch::Fails));
            }
        }
    }

    fn ministry_acts(&self, state: &State, acts: &mut Vec<Act>) {
        let busy = state.ministry.workers.iter().flatten().count();
        if busy < self.scope.workers {
            acts.extend(state.network.letters().into_iter().map(Act::Take));
        }
        for (worker, job) in state.ministry.workers.iter().enumerate() {
            if job.is_some() {
                acts.extend([Ends::Answered, Ends::Died].map(|ends| Act::Commit(worker, ends)));
                acts.push(Act::WorkerDies(worker));
            }
        }
        let rotates = self.scope.rotates.iter();
        let may = rotates.filter(|kind| state.ministry.may_rotate(**kind));
        acts.extend(may.map(|kind| Act::Rotate(*kind)));
    }

    /// The state after an act.
    pub(crate) fn after(&self, before: &State, act: Act) -> State {
        let mut state = *before;
        let mutant = self.mutant;
        match act {
            Act::Press(report) => state.press(report),
            Act::Launch(report) => state.launch(report, mutant),
            Act::Stay(report) => state.stay(report, mutant),
            Act::Fail(report, fault) => state.fail(report, fault, mutant),
            Act::Answer(report, told, fetch) => state.answered(report, told, fetch, mutant),
            Act::Refusal(report, fetch) => state.refused(report, fetch, mutant),
            Act::Refresh => state.fetch(Fetch::Comes),
            Act::SendDatagram(report) => state.send_datagram(report),
            Act::SendSms(report) => state.send_sms(report),
            Act::CompactAnswer(told) => state.compact_answer(told, mutant),
            Act::HandOver(report) => state.hand_over(report),
            Act::CarriedAnswer(told, document) => state.carried_answer(told, document, mutant),
            Act::Crash => state.crash(u8::from(self.has(Way::Datagram)), mutant),
            Act::Backup => state.phone.backup = Some(state.phone.disk),
            Act::Restore(keys) => state.restore(keys),
            Act::Take(letter) => state.ministry.take(letter, &mut state.network, mutant),
            Act::Commit(worker, ends) => {
                state
                    .ministry
                    .commit(worker, ends, &mut state.network, mutant);
            }
            Act::WorkerDies(worker) => state.ministry.die(worker),
            Act::Rotate(kind) => state.ministry.rotate(kind),
        }
        state
    }
}

impl Model for Delivery {
    type State = State;
    type Action = Act;

    fn init_states(&self) -> Vec<State> {
        let ministry = Ministry::default();
        vec![State {
            phone: Phone::new(ministry.document()),
            network: Network::default(),
            ministry,
            pressed: 0,
            undone: 0,
            used: Used::default(),
        }]
    }

    fn actions(&self, state: &State, acts: &mut Vec<Act>) {
        self.phone_acts(state, acts);
        self.answer_acts(state, acts);
        self.ministry_acts(state, acts);
    }

    fn next_state(&self, before: &State, act: Act) -> Option<State> {
        let after = self.after(before, act);
        (after != *before).then_some(after)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
