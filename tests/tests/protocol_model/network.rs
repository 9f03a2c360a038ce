//! The network: all that was ever sent, for whoever likes to deliver it.
//!
//! Nothing leaves these sets, and anything in them may be delivered at any time, any
//! number of times, or never. That is loss, repetition, reordering, and a listener
//! who replays what he has seen, all in one.

use homeline::seal::compact::{CompactReceipt, message_hash};
use homeline::seal::sha256_hex;
use homeline::sync::protocol::Receipt;
use uuid::Uuid;

/// Reports of a model, at most.
pub(crate) const REPORTS: usize = 2;
/// Ids of envelopes: one a report, and one for the mutant that takes a new one.
pub(crate) const IDS: usize = 2 * REPORTS;
/// A key that is nobody's: what it signs is a forgery.
pub(crate) const STRANGER: u8 = 7;

/// One sealing of a content: HPKE never makes the same bytes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Sealing {
    /// Which life of the phone made it: a restart, or a restore from a backup.
    pub(crate) turn: u8,
    /// The ministry's sealing key: the first or the second.
    pub(crate) key: u8,
}

impl Sealing {
    pub(crate) fn place(self) -> u8 {
        self.turn * 2 + self.key
    }

    pub(crate) fn bit(self) -> u8 {
        1 << self.place()
    }

    /// The sealings of a set.
    pub(crate) fn of(set: u8) -> impl Iterator<Item = Self> {
        places(set.into()).map(|place| Self {
            turn: place / 2 % 4,
            key: place % 2,
        })
    }
}

/// The places of the bits that are set. By hand: a build without optimisation spends
/// most of its time here.
fn places(mut set: u16) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        if set == 0 {
            return None;
        }
        let place = set.trailing_zeros();
        set &= set - 1;
        u8::try_from(place).ok()
    })
}

/// The form of a report on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Form {
    /// The whole report: by HTTPS, or in a parcel that another phone carries.
    Full,
    /// The compact one, in a packet.
    Datagram,
    /// The compact one, in a text message.
    Sms,
}

impl Form {
    fn index(self) -> usize {
        match self {
            Self::Full => 0,
            Self::Datagram => 1,
            Self::Sms => 2,
        }
    }
}

/// Something sealed, as the ministry gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Letter {
    pub(crate) id: u8,
    pub(crate) form: Form,
    pub(crate) sealing: Sealing,
}

impl Letter {
    /// What stands for its bytes.
    pub(crate) fn bytes(self) -> [u8; 3] {
        let form = u8::try_from(self.form.index()).unwrap_or(u8::MAX);
        [self.id, form, self.sealing.place()]
    }

    /// SHA-256 of its bytes, in hex.
    pub(crate) fn sha256(self) -> String {
        sha256_hex(&self.bytes())
    }
}

/// The UUID of an id.
pub(crate) fn uuid(id: u8) -> Uuid {
    Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0000 + u128::from(id))
}

/// A receipt: the letter that it is for, and the key that signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) letter: Letter,
    pub(crate) key: u8,
}

impl Told {
    /// As the phone reads it.
    pub(crate) fn receipt(self) -> Receipt {
        Receipt {
            envelope: uuid(self.letter.id),
            sha256: self.letter.sha256(),
            received_ms: 1,
            case: Some(case_of(self.letter.id)),
        }
    }

    /// As the phone reads it, for a compact letter.
    pub(crate) fn compact(self) -> CompactReceipt {
        let (bytes, report) = (self.letter.bytes(), uuid(self.letter.id));
        CompactReceipt::for_message(&bytes, &report, 1, &case_of(self.letter.id))
    }
}

/// What a compact receipt names a letter by.
pub(crate) fn hash_of(letter: Letter) -> [u8; 16] {
    message_hash(&letter.bytes())
}

fn case_of(id: u8) -> String {
    format!("C-{id}")
}

/// What was sent, by form and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Network {
    letters: [[u8; IDS]; 3],
    receipts: [[u16; IDS]; 3],
    /// Answers to envelopes by HTTPS: sealed to a key that is no longer opened.
    refusals: [u8; IDS],
}

impl Network {
    pub(crate) fn send(&mut self, letter: Letter) {
        self.letters[letter.form.index()][usize::from(letter.id)] |= letter.sealing.bit();
    }

    pub(crate) fn answer(&mut self, told: Told) {
        let place = told.key * 8 + told.letter.sealing.place();
        self.receipts[told.letter.form.index()][usize::from(told.letter.id)] |= 1 << place;
    }

    pub(crate) fn refuse(&mut self, letter: Letter) {
        self.refusals[usize::from(letter.id)] |= letter.sealing.bit();
    }

    pub(crate) fn has_refused(&self, id: u8, sealing: Sealing) -> bool {
        self.refusals[usize::from(id)] & sealing.bit() != 0
    }

    /// Whether anything under this id was ever sent, in any form.
    pub(crate) fn has_anything_of(&self, id: u8) -> bool {
        self.letters.iter().any(|ids| ids[usize::from(id)] != 0)
    }

    pub(crate) fn letters(&self) -> Vec<Letter> {
        let mut all = Vec::new();
        for form in [Form::Full, Form::Datagram, Form::Sms] {
            for (id, set) in (0..).zip(&self.letters[form.index()]) {
                let of_id = Sealing::of(*set);
                all.extend(of_id.map(|sealing| Letter { id, form, sealing }));
            }
        }
        all
    }

    /// The receipts for letters of this form.
    pub(crate) fn receipts(&self, form: Form) -> Vec<Told> {
        let mut all = Vec::new();
        for (id, set) in (0..).zip(&self.receipts[form.index()]) {
            for (key, set) in (0..).zip(set.to_le_bytes()) {
                all.extend(Sealing::of(set).map(|sealing| Told {
                    letter: Letter { id, form, sealing },
                    key,
                }));
            }
        }
        all
    }
}
