//! The ministry: a durable store, two workers that each take a letter, read, and
//! commit later, and two kinds of keys that are changed.
//!
//! The store's own rules are those of `tests/ministry/src/store`: one row a report,
//! one row an envelope, each by a UNIQUE; a duplicate gets the first receipt again,
//! for the bytes that came, signed by a key that is still believed. They stand in SQL
//! and in transactions there, so they are written down once more here.

use crate::network::{Form, IDS, Letter, Network, Sealing, Told};
use crate::phone::Service;
use crate::world::Mutant;

/// What a worker has in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Job {
    letter: Letter,
    /// Whether the envelope was there when it looked.
    saw_envelope: bool,
    /// Whether the case was.
    saw_case: bool,
}

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum KeyKind {
    /// What phones seal to.
    Sealing,
    /// What signs receipts.
    Receipts,
}

/// A key and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Key {
    /// The first.
    #[default]
    First,
    /// The second; the first still counts.
    Second,
    /// The second; the first may be known to a thief.
    SecondOnly,
}

impl Key {
    fn of_now(self) -> u8 {
        u8::from(self != Self::First)
    }

    /// Which keys count, as a set.
    fn counting(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 3,
            Self::SecondOnly => 2,
        }
    }

    /// The step after.
    fn next(self) -> Option<Self> {
        match self {
            Self::First => Some(Self::Second),
            Self::Second => Some(Self::SecondOnly),
            Self::SecondOnly => None,
        }
    }
}

/// The ministry. Workers are alike: they are kept in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Ministry {
    /// Rows in `cases`, by the report's id.
    cases: [u8; IDS],
    /// Row in `envelopes`: the first receipt.
    envelopes: [Option<(Sealing, u8)>; IDS],
    pub(crate) workers: [Option<Job>; 2],
    pub(crate) sealing: Key,
    pub(crate) receipts: Key,
}

impl Ministry {
    pub(crate) fn cases(&self, id: u8) -> u8 {
        self.cases[usize::from(id)]
    }

    /// The service document of now.
    pub(crate) fn document(&self) -> Service {
        Service {
            sealing: self.sealing.of_now(),
            receipts: self.receipts.counting(),
        }
    }

    /// Whether the first key of this kind is revoked.
    pub(crate) fn has_revoked(&self, kind: KeyKind) -> bool {
        *self.key(kind) == Key::SecondOnly
    }

    pub(crate) fn may_rotate(&self, kind: KeyKind) -> bool {
        self.key(kind).next().is_some()
    }

    pub(crate) fn rotate(&mut self, kind: KeyKind) {
        let key = match kind {
            KeyKind::Sealing => &mut self.sealing,
            KeyKind::Receipts => &mut self.receipts,
        };
        *key = key.next().unwrap_or(*key);
    }

    fn key(&self, kind: KeyKind) -> &Key {
        match kind {
            KeyKind::Sealing => &self.sealing,
            KeyKind::Receipts => &self.receipts,
        }
    }

    /// A worker that has nothing to do takes a letter and reads the store.
    pub(crate) fn take(&mut self, letter: Letter, network: &mut Network, mutant: Mutant) {
        if !self.opens(letter) {
            // Said of an envelope by HTTPS; whoever sends a packet hears nothing.
            if letter.form == Form::Full {
                network.refuse(letter);
            }
            return;
        }
        let job = self.read(letter);
        if let Some(idle) = self.workers.iter_mut().find(|worker| worker.is_none()) {
            *idle = Some(job);
        }
        self.workers.sort_unstable();
        if mutant == Mutant::AnswersBeforeCommit {
            let key = self.receipts.of_now();
            network.answer(Told { letter, key });
        }
    }

    fn read(&self, letter: Letter) -> Job {
        let id = usize::from(letter.id);
        Job {
            letter,
            saw_envelope: letter.form == Form::Full && self.envelopes[id].is_some(),
            saw_case: self.cases[id] > 0,
        }
    }

    /// A worker dies with what it has not committed.
    pub(crate) fn die(&mut self, worker: usize) {
        self.workers[worker] = None;
        self.workers.sort_unstable();
    }

    /// A worker commits; its receipt goes out, or the worker dies just before that.
    pub(crate) fn commit(
        &mut self,
        worker: usize,
        ends: Ends,
        network: &mut Network,
        mutant: Mutant,
    ) {
        let Some(job) = self.workers[worker] else {
            return;
        };
        let key = match self.store(job, mutant) {
            Ok(key) => key,
            // Another one was faster: rolled back, and read again.
            Err(Raced) => {
                self.workers[worker] = Some(self.read(job.letter));
                self.workers.sort_unstable();
                return;
            }
        };
        if ends == Ends::Answered {
            network.answer(key);
        }
        self.workers[worker] = None;
        self.workers.sort_unstable();
    }

    /// The transaction, and the receipt that it makes.
    fn store(&mut self, job: Job, mutant: Mutant) -> Result<Told, Raced> {
        let Job { letter, .. } = job;
        let id = usize::from(letter.id);
        let unique = mutant != Mutant::CaseWithoutUnique;
        if letter.form == Form::Full && !job.saw_envelope && self.envelopes[id].is_some() && unique
        {
            return Err(Raced);
        }
        let there = job.saw_case || unique && self.cases[id] > 0;
        if !there {
            self.cases[id] += 1;
        }
        if letter.form == Form::Full && self.envelopes[id].is_none() {
            self.envelopes[id] = Some((letter.sealing, self.receipts.of_now()));
        }
        Ok(self.receipt(letter, mutant))
    }

    fn opens(&self, letter: Letter) -> bool {
        self.sealing.counting() & 1 << letter.sealing.key != 0
    }

    /// The receipt for a letter that is stored: the first one of its envelope, unless
    /// that is for other bytes, or signed by a key that is not believed any more.
    fn receipt(&self, letter: Letter, mutant: Mutant) -> Told {
        let fresh = Told {
            letter,
            key: self.receipts.of_now(),
        };
        let Some((sealing, key)) =
            self.envelopes[usize::from(letter.id)].filter(|_| letter.form == Form::Full)
        else {
            return fresh;
        };
        let believed = self.receipts.counting() & 1 << key != 0;
        match sealing == letter.sealing && believed || mutant == Mutant::FirstReceiptAgain {
            true => Told {
                letter: Letter { sealing, ..letter },
                key,
            },
            false => fresh,
        }
    }

    /// What an envelope that is stored is answered with now; `None`: it is refused for
    /// its key.
    pub(crate) fn answer_to(&self, letter: Letter, mutant: Mutant) -> Option<Told> {
        self.opens(letter).then(|| self.receipt(letter, mutant))
    }
}

/// A UNIQUE was in the way.
struct Raced;

/// How a worker ends a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ends {
    /// The receipt is on the network.
    Answered,
    /// The worker died first.
    Died,
}
