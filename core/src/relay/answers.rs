//! Answers: receipts of the ministry that carriers bring back.
//!
//! An answer is a parcel to the phone that has sealed the report. It names nobody,
//! so each phone tries whether it is its own. What it holds is believed only as far
//! as it is signed: receipts by a receipt key; and the service document that has
//! those keys, by an anchor of the `Config`, since a phone that was never online
//! knows none.

use super::Relay;
use crate::error::Result;
use crate::seal::letters::{self, Inside};
use crate::seal::parcel::Parcel;
use crate::seal::signed::{Context, Signed};
use crate::sos::event;
use crate::sync::protocol::{CarriedAnswer, Receipt};
use crate::sync::{is_receipt_for, receipt_evidence};

impl Relay {
    /// Tries whether a parcel is an answer to this phone, and applies what it
    /// proves: how many receipts were believed. `None`: it is for another one.
    pub(super) fn apply_answer(&self, parcel: &Parcel) -> Result<Option<u32>> {
        let Some(plain) = parcel.open_at_device(&self.sealer.device()) else {
            return Ok(None);
        };
        let mut believed = 0;
        if let Some(Inside::Whole(parts)) = letters::read(&plain) {
            for part in parts {
                if let Ok(answer) = serde_json::from_slice::<CarriedAnswer>(&part) {
                    believed += self.believe(&answer)?;
                }
            }
        }
        Ok(Some(believed))
    }

    fn believe(&self, answer: &CarriedAnswer) -> Result<u32> {
        if let Some(service) = &answer.service {
            self.sealer.accept_service(service, &self.outbox)?;
        }
        let mut believed = 0;
        for signed in &answer.receipts {
            believed += u32::from(self.believe_receipt(signed)?);
        }
        Ok(believed)
    }

    /// As for a receipt that came by itself: for this very envelope, or nothing.
    /// The ministry's time in it is days old, and no clock is set by it.
    fn believe_receipt(&self, signed: &Signed) -> Result<bool> {
        let keys = self.sealer.receipt_keys();
        let Ok(receipt) = signed.verify::<Receipt>(Context::Receipt, &keys) else {
            return Ok(false);
        };
        let Some(waiting) = self.outbox.waiting(receipt.envelope)? else {
            return Ok(false);
        };
        let earlier = || self.outbox.earlier_sealings(waiting.id);
        if !is_receipt_for(&receipt, waiting.id, &waiting.sealed, earlier)? {
            return Ok(false);
        }
        let evidence = receipt_evidence(waiting.role, &receipt, signed)?;
        let row = match (waiting.report, &evidence) {
            (Some(report), Some(evidence)) => Some(event(report, &self.time.now(), evidence)?),
            _ => None,
        };
        self.outbox.received(waiting.id, row.as_ref())?;
        Ok(true)
    }

    /// Tries the answers that came while the device's keys were locked.
    pub(crate) fn settle(&self) -> Result<()> {
        for carried in self.outbox.carried_answers()? {
            if self.apply_answer(&carried.parcel)?.is_some() {
                self.outbox.drop_parcel(carried.seq)?;
            }
        }
        Ok(())
    }
}
