//! The phone: what is on its disk, what is in its memory, and what it does.
//!
//! The steps are those of a pass of `sync`, of a round of datagrams, of a text
//! message and of a bundle, in the order in which the library writes and sends. What
//! it decides, it decides by the core's own functions.

use std::collections::HashMap;
use std::sync::{LazyLock, RwLock};

use homeline::simulation::delivery::{is_for_its_key, is_receipt_for};
use homeline::sync::protocol::{Problem, RETIRED_KEY};

use crate::evidence::{Event, Fault, Kind, Marks};
use crate::network::{Form, IDS, Letter, REPORTS, Sealing, Told, hash_of, uuid};
use crate::world::{Mutant, State};

/// What the phone knows of the ministry: the service document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Service {
    /// The key to seal to.
    pub(crate) sealing: u8,
    /// The keys whose receipts are believed, as a set.
    pub(crate) receipts: u8,
}

/// Where an envelope is in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// It waits.
    Waiting,
    /// The ministry has it; its bytes are gone.
    Received,
    /// A person must look.
    Parked,
}

/// A report on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    pub(crate) id: u8,
    pub(crate) place: Place,
    /// What waits.
    pub(crate) sealing: Sealing,
    /// What was sealed under this id before, as a set.
    pub(crate) earlier: u8,
    /// Whether its readable copy can be read: not when the device's key is gone.
    pub(crate) readable: bool,
    /// The text messages that were made of it, as a set; and the newest.
    sms: (u8, Option<Sealing>),
    pub(crate) marks: Marks,
}

/// What a crash leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Disk {
    pub(crate) slots: [Option<Slot>; REPORTS],
    pub(crate) service: Service,
}

/// What a crash does not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Memory {
    /// By report: what is under way by HTTPS.
    pub(crate) flights: [Option<Sealing>; REPORTS],
    /// By id: the datagrams that were sent, as a set.
    datagrams: [u8; IDS],
}

/// Id, sealing and earlier sealings of an envelope, and the letter of a receipt.
type Question = (u8, u8, u8, Letter);

/// The phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Phone {
    pub(crate) disk: Disk,
    pub(crate) memory: Memory,
    pub(crate) backup: Option<Disk>,
}

/// Whether a service document comes when it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fetch {
    Comes,
    Fails,
}

/// What happens to the keys of the device in a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DeviceKeys {
    Kept,
    Lost,
}

impl Phone {
    pub(crate) fn new(service: Service) -> Self {
        Self {
            disk: Disk {
                slots: [None; REPORTS],
                service,
            },
            memory: Memory::default(),
            backup: None,
        }
    }

    pub(crate) fn slot(&self, report: usize) -> Option<&Slot> {
        self.disk.slots[report].as_ref()
    }

    pub(crate) fn waits(&self, report: usize) -> bool {
        self.slot(report)
            .is_some_and(|slot| slot.place == Place::Waiting)
    }

    pub(crate) fn remembers_datagrams(&self) -> bool {
        self.memory.datagrams.iter().any(|set| *set != 0)
    }

    /// Stands for the signature: whether it is of a key in the service document.
    pub(crate) fn knows(&self, key: u8, mutant: Mutant) -> bool {
        let known = key < 2 && self.disk.service.receipts & 1 << key != 0;
        known || (key == 0 && mutant == Mutant::OldKeyBelieved)
    }

    fn report_of(&self, id: u8) -> Option<usize> {
        let is = |slot: &Option<Slot>| slot.as_ref().is_some_and(|slot| slot.id == id);
        self.disk.slots.iter().position(is)
    }
}

impl Slot {
    /// The letter that waits, or that did when `sealing` left.
    fn letter(&self, sealing: Sealing) -> Letter {
        Letter {
            id: self.id,
            form: Form::Full,
            sealing,
        }
    }

    /// Whether a receipt is for what left as `sealing`, or was sealed before. The core
    /// is asked once for each different question.
    fn is_for(&self, told: Told, sealing: Sealing, mutant: Mutant) -> bool {
        static ASKED: LazyLock<RwLock<HashMap<Question, bool>>> = LazyLock::new(RwLock::default);
        let question = (self.id, sealing.place(), self.earlier, told.letter);
        let known = ASKED.read().unwrap().get(&question).copied();
        let is_for = known.unwrap_or_else(|| {
            let earlier = Sealing::of(self.earlier).map(|sealing| self.letter(sealing).sha256());
            let bytes = self.letter(sealing).bytes();
            let (receipt, id) = (told.receipt(), uuid(self.id));
            let is_for = is_receipt_for(&receipt, id, &bytes, earlier.collect()).unwrap();
            ASKED.write().unwrap().insert(question, is_for);
            is_for
        });
        is_for || mutant == Mutant::AnyReceiptCounts
    }

    /// A receipt for it was believed.
    fn settle(&mut self) {
        self.marks.add(Event::Receipt);
        self.place = Place::Received;
        self.earlier = 0;
        self.sealing = Sealing::default();
    }

    fn park(&mut self) {
        if self.place == Place::Waiting {
            self.place = Place::Parked;
            self.marks.add(Event::Refused);
        }
    }
}

impl State {
    /// A press: on disk when it returns.
    pub(crate) fn press(&mut self, report: usize) {
        let sealing = self.new_sealing(self.used.restores);
        self.phone.disk.slots[report] = Some(Slot {
            id: id_of(report),
            place: Place::Waiting,
            sealing,
            earlier: 0,
            readable: true,
            sms: (0, None),
            marks: Marks::default(),
        });
        self.pressed |= 1 << report;
    }

    fn new_sealing(&self, turn: u8) -> Sealing {
        let key = self.phone.disk.service.sealing;
        Sealing { turn, key }
    }

    fn seal_anew(&mut self, report: usize, mutant: Mutant) {
        let sealing = self.new_sealing(self.used.restores);
        let Some(slot) = &mut self.phone.disk.slots[report] else {
            return;
        };
        if slot.place != Place::Waiting || slot.sealing == sealing {
            return;
        }
        slot.earlier |= slot.sealing.bit();
        slot.sealing = sealing;
        if mutant == Mutant::ResealUnderNewId {
            slot.id = id_of(report + REPORTS);
            slot.earlier = 0;
        }
    }

    /// A pass sends the report: sealed to a key of the service document, if it can be.
    pub(crate) fn launch(&mut self, report: usize, mutant: Mutant) {
        let key = self.phone.disk.service.sealing;
        let stale = |slot: &Slot| slot.sealing.key != key && slot.readable;
        if self.phone.slot(report).is_some_and(stale) {
            self.seal_anew(report, mutant);
        }
        let Some(slot) = self.phone.disk.slots[report] else {
            return;
        };
        self.network.send(slot.letter(slot.sealing));
        self.phone.memory.flights[report] = Some(slot.sealing);
        if mutant == Mutant::ForgetOnSend {
            self.phone.disk.slots[report] = None;
        }
    }

    /// Nothing of a pass leaves the phone.
    pub(crate) fn stay(&mut self, report: usize, mutant: Mutant) {
        let fault = match mutant {
            Mutant::HandedWithoutLine => Fault::NoAnswer,
            _ => Fault::NoConnection,
        };
        self.note(report, Event::Fault(fault));
    }

    fn note(&mut self, report: usize, event: Event) {
        if let Some(slot) = &mut self.phone.disk.slots[report] {
            slot.marks.add(event);
        }
    }

    /// What is under way ends without the ministry.
    pub(crate) fn fail(&mut self, report: usize, fault: Fault, mutant: Mutant) {
        self.phone.memory.flights[report] = None;
        self.note(report, Event::Fault(fault));
        let Some(slot) = &mut self.phone.disk.slots[report] else {
            return;
        };
        match (fault, mutant) {
            (Fault::Page(200), Mutant::StatusOn200) => slot.settle(),
            (Fault::Page(404), Mutant::ParkOnAnyRefusal) => slot.park(),
            _ => {}
        }
    }

    /// A receipt answers what is under way: whichever a middle box has chosen.
    pub(crate) fn answered(&mut self, report: usize, told: Told, fetch: Fetch, mutant: Mutant) {
        let Some(sealing) = self.phone.memory.flights[report].take() else {
            return;
        };
        if !self.phone.knows(told.key, mutant) && mutant != Mutant::KeysNeverFetched {
            self.fetch(fetch);
        }
        let known = self.phone.knows(told.key, mutant);
        let Some(slot) = &mut self.phone.disk.slots[report] else {
            return;
        };
        if known && slot.is_for(told, sealing, mutant) {
            slot.settle();
        } else {
            slot.marks.add(Event::BadReceipt);
        }
    }

    /// A newer service document, if it comes. Its signature and serial are the
    /// library's own part: here it is always the ministry's of now.
    pub(crate) fn fetch(&mut self, fetch: Fetch) {
        if fetch == Fetch::Comes {
            self.phone.disk.service = self.ministry.document();
        }
    }

    /// The ministry refuses what is under way for its key.
    pub(crate) fn refused(&mut self, report: usize, fetch: Fetch, mutant: Mutant) {
        let Some(sealing) = self.phone.memory.flights[report].take() else {
            return;
        };
        let problem = Problem {
            kind: RETIRED_KEY.into(),
            title: String::new(),
            status: 422,
        };
        if !is_for_its_key(&problem) || mutant == Mutant::ParkOnAnyRefusal {
            if let Some(slot) = &mut self.phone.disk.slots[report] {
                slot.park();
            }
            return;
        }
        self.fetch(fetch);
        let useless = sealing.key == self.phone.disk.service.sealing;
        match self.phone.slot(report).map(|slot| slot.readable) {
            Some(false) if !useless => {
                if let Some(slot) = &mut self.phone.disk.slots[report] {
                    slot.park();
                }
                return;
            }
            Some(true) if !useless => self.seal_anew(report, mutant),
            _ => {}
        }
        self.note(report, Event::KeyRetired);
    }

    /// A datagram of a report leaves.
    pub(crate) fn send_datagram(&mut self, report: usize) {
        let sealing = self.new_sealing(self.used.crashes + self.used.restores);
        let Some(slot) = &mut self.phone.disk.slots[report] else {
            return;
        };
        let letter = Letter {
            id: slot.id,
            form: Form::Datagram,
            sealing,
        };
        slot.marks.add(Event::Datagram);
        self.phone.memory.datagrams[usize::from(letter.id)] |= sealing.bit();
        self.network.send(letter);
    }

    /// A text message of a report leaves: the one that was made before, if it is
    /// sealed to the key of now.
    pub(crate) fn send_sms(&mut self, report: usize) {
        let fresh = self.new_sealing(self.used.restores);
        let Some(slot) = &mut self.phone.disk.slots[report] else {
            return;
        };
        let sealing = match slot.sms.1 {
            Some(made) if made.key == fresh.key || !slot.readable => made,
            _ if slot.readable => fresh,
            _ => return,
        };
        slot.sms = (slot.sms.0 | sealing.bit(), Some(sealing));
        slot.marks.add(Event::Sms);
        self.network.send(Letter {
            id: slot.id,
            form: Form::Sms,
            sealing,
        });
    }

    /// A compact receipt comes, by packet or by text message.
    pub(crate) fn compact_answer(&mut self, told: Told, mutant: Mutant) {
        if !self.phone.knows(told.key, mutant) {
            return;
        }
        let receipt = told.compact();
        let memory = self.phone.memory;
        for slot in self.phone.disk.slots.iter_mut().flatten() {
            let sent = match told.letter.form {
                Form::Datagram => memory.datagrams[usize::from(slot.id)],
                Form::Sms => slot.sms.0,
                Form::Full => return,
            };
            let mut sent = Sealing::of(sent).map(|sealing| Letter {
                id: slot.id,
                form: told.letter.form,
                sealing,
            });
            if sent.any(|letter| receipt.is_for(&hash_of(letter), &uuid(slot.id)))
                || mutant == Mutant::AnyCompactReceiptCounts
            {
                slot.marks.add(Event::Compact);
            }
        }
    }

    /// The report is handed to another phone.
    pub(crate) fn hand_over(&mut self, report: usize) {
        let Some(slot) = &mut self.phone.disk.slots[report] else {
            return;
        };
        slot.marks.add(Event::Relay);
        let letter = slot.letter(slot.sealing);
        self.network.send(letter);
    }

    /// A carrier brings a receipt, and with it a service document or not.
    pub(crate) fn carried_answer(&mut self, told: Told, document: Fetch, mutant: Mutant) {
        self.fetch(document);
        let known = self.phone.knows(told.key, mutant);
        let Some(report) = self.phone.report_of(told.letter.id) else {
            return;
        };
        let Some(slot) = &mut self.phone.disk.slots[report] else {
            return;
        };
        let waits = slot.place == Place::Waiting;
        if known && waits && slot.is_for(told, slot.sealing, mutant) {
            slot.settle();
        }
    }

    /// The app dies and starts again. It is counted where the next life seals what the
    /// one before has not.
    pub(crate) fn crash(&mut self, counted: u8, mutant: Mutant) {
        self.phone.memory = Memory::default();
        self.used.crashes += counted;
        if mutant == Mutant::CrashLosesCommitted
            && let Some(newest) = self.phone.disk.slots.iter_mut().rev().flatten().next()
            && newest.place == Place::Waiting
        {
            let newest = newest.id;
            self.phone.disk.slots[usize::from(newest) % REPORTS] = None;
        }
    }

    /// The phone's files are put back to those of a backup. What was pressed after it
    /// is not on this phone any more, and no program could know of it.
    pub(crate) fn restore(&mut self, keys: DeviceKeys) {
        let Some(disk) = self.phone.backup.take() else {
            return;
        };
        self.phone.disk = disk;
        self.phone.memory = Memory::default();
        self.used.restores += 1;
        for (report, slot) in self.phone.disk.slots.iter_mut().enumerate() {
            match slot {
                Some(slot) if keys == DeviceKeys::Lost => slot.readable = false,
                Some(_) => {}
                None => self.undone |= self.pressed & 1 << report,
            }
        }
    }

    /// Whether a datagram of the report may leave.
    pub(crate) fn may_send_datagram(&self, report: usize) -> bool {
        self.phone
            .slot(report)
            .is_some_and(|slot| slot.marks.shown().datagram && slot.readable)
    }

    /// Whether a text message of the report may.
    pub(crate) fn may_send_sms(&self, report: usize) -> bool {
        self.phone
            .slot(report)
            .is_some_and(|slot| slot.marks.shown().sms && (slot.readable || slot.sms.1.is_some()))
    }

    /// What the phone shows of a report.
    pub(crate) fn shows(&self, report: usize) -> Option<Kind> {
        self.phone.slot(report).map(|slot| slot.marks.shown().kind)
    }
}

/// The id of a report's envelope.
fn id_of(report: usize) -> u8 {
    u8::try_from(report).unwrap()
}
