//! Relay: another phone carries the SOS out of the valley.
//!
//! A phone without a network seals its reports anew into parcels
//! ([`crate::seal::parcel`]) and hands them, as a bundle, to whoever comes by: over
//! a radio, as a file, or as a sequence of QR codes. That phone carries them to the
//! next one, or sends them at its next `sync`.
//!
//! * All parcels have one size and nothing in clear but how many phones and days
//!   they have left. A carrier cannot read them, tell whose they are, tell two of
//!   one sender from two of different ones, or answer for the ministry.
//! * Nothing that a bundle says is believed: hops and days are bounded here, so much
//!   is taken from one bundle and so much is held, see `config::policy::Carry`.
//! * Own reports go first at every request; what is carried goes before the other
//!   data of this phone: it is somebody's SOS.
//! * What was exported counts as handed over and no more. It waits on, and goes by
//!   every other channel, until a receipt comes that verifies: from the ministry, or
//!   as an answer that a carrier brings back.
//! * `erase` keeps what is carried, as it keeps own reports that still wait: a life
//!   may hang on it, and nothing of it is this traveler's. It goes at the next
//!   `sync`, or when its days are over.

mod answers;
mod bundle;
mod qr;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use bundle::{read as read_bundle, write as write_bundle};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use qr::{Scans, write as write_qr};

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Time;
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::keys::random;
use crate::outbox::{Outbox, Role};
use crate::seal::letters;
use crate::seal::parcel::{BYTES, Parcel, Way};
use crate::sos::{AttemptResult, Channel, Evidence, event};
use crate::sync::Sealer;

/// What became of a bundle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, uniffi::Record)]
pub struct RelayImport {
    /// Parcels that this phone now carries.
    pub taken: u32,
    /// Parcels that were here before.
    pub known: u32,
    /// What is no parcel, too old, or beyond the limit of a bundle.
    pub left_out: u32,
    /// Receipts for letters of this phone's reports that came back with it, and
    /// verify.
    pub receipts: u32,
}

/// How far the scan of a bundle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct RelayScan {
    /// Texts that were scanned.
    pub scanned: u32,
    /// Texts of the bundle.
    pub total: u32,
    /// What became of the bundle, when the last text has come.
    pub import: Option<RelayImport>,
}

/// What there is to hand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct RelayStatus {
    /// Sealed letters of this phone's reports that have no receipt: more than none,
    /// and it is worth asking a neighbour.
    pub own_waiting: u32,
    /// Parcels carried for others.
    pub carried: u32,
    /// Carried parcels that the ministry has taken so far.
    pub passed_on: u64,
    /// Carried parcels that the ministry could not read: they were dropped.
    pub refused: u64,
}

/// Carries sealed reports from phone to phone. Reached through `Homeline::relay`.
#[derive(uniffi::Object)]
pub struct Relay {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) time: Time,
    pub(crate) policy: Policy,
    /// What was scanned of QR texts so far.
    pub(crate) scans: Mutex<qr::Scans>,
}

#[uniffi::export]
impl Relay {
    /// A bundle for another phone, of at most `limit_bytes` (left out: 64 parcels, the
    /// most that a bundle holds): the reports of this phone that have no receipt,
    /// newly sealed, then what it carries for others. Empty where there is nothing to
    /// hand on.
    ///
    /// The reports in it count as handed to the channel `Relay`. Call it when the
    /// other phone is there to take it.
    ///
    /// Errors: `Invalid` where `limit_bytes` is less than one parcel (2,052 bytes);
    /// `Storage`.
    #[uniffi::method(default(limit_bytes = 131076))]
    pub fn export(&self, limit_bytes: u64) -> Result<Vec<u8>> {
        guard("Relay::export", || {
            let limit = usize::try_from(limit_bytes).unwrap_or(usize::MAX);
            self.bundle(limit, "limit_bytes")
        })
    }

    /// The same as at most `limit_texts` QR texts, of 924 characters each in
    /// alphanumeric mode: show them one after the other, again and again, until the
    /// other phone has them all. One parcel takes four; 64 are the most, and are taken
    /// where it is left out.
    ///
    /// Errors: `Invalid` where `limit_texts` is less than four; `Storage`.
    #[uniffi::method(default(limit_texts = 64))]
    pub fn export_qr(&self, limit_texts: u32) -> Result<Vec<String>> {
        guard("Relay::export_qr", || {
            let texts = u8::try_from(limit_texts).unwrap_or(u8::MAX);
            let bundle = self.bundle(qr::room(texts, &self.policy), "limit_texts")?;
            Ok(qr::write(&bundle, &self.policy))
        })
    }

    /// Takes a bundle of another phone. Whatever it holds, no more than the limits
    /// is taken, and what this phone itself has to send is not touched.
    ///
    /// Errors: `Invalid` where it is no bundle; `Storage`: nothing was taken.
    pub fn import(&self, bundle: Vec<u8>) -> Result<RelayImport> {
        guard("Relay::import", || self.take_bundle(&bundle))
    }

    /// Takes one scanned QR text of a bundle, in any order, as often as it is seen.
    ///
    /// Errors: `Invalid` where it is none, or where the texts do not fit together:
    /// scan again; `Storage`.
    pub fn import_qr(&self, text: String) -> Result<RelayScan> {
        guard("Relay::import_qr", || {
            let progress = self.scans().add(&text, &self.policy);
            let malformed =
                || HomelineError::invalid("text", Problem::Malformed, "a code of a bundle (HLR:…)");
            let progress = progress.ok_or_else(malformed)?;
            let import = match &progress.bundle {
                Some(bundle) => Some(self.take_bundle(bundle)?),
                None => None,
            };
            let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
            Ok(RelayScan {
                scanned: count(progress.have),
                total: count(progress.total),
                import,
            })
        })
    }

    /// What there is to hand on, and what was.
    ///
    /// Errors: `Storage`.
    pub fn status(&self) -> Result<RelayStatus> {
        guard("Relay::status", || {
            let own = self.outbox.own_for_relay(self.time.now().wall_ms)?;
            let counts = self.outbox.parcel_counts()?;
            Ok(RelayStatus {
                own_waiting: u32::try_from(own.len()).unwrap_or(u32::MAX),
                carried: counts.carried,
                passed_on: counts.passed_on,
                refused: counts.refused,
            })
        })
    }
}

impl Relay {
    fn bundle(&self, limit: usize, field: &str) -> Result<Vec<u8>> {
        let begin = bundle::write(&[]).len();
        let most = limit.saturating_sub(begin) / BYTES;
        if most == 0 {
            let expected = "room for one parcel: 2,052 bytes, or four texts";
            return Err(HomelineError::invalid(field, Problem::OutOfRange, expected));
        }
        let most = most.min(self.policy.carry.bundle_parcels);
        let mut parcels = self.own_parcels(most)?;
        let now = self.time.now();
        let room = most.saturating_sub(parcels.len());
        let carried = self.outbox.pass_parcels(room, &now)?;
        parcels.extend(carried.into_iter().map(|mut parcel| {
            parcel.hops = parcel.hops.saturating_sub(1);
            parcel
        }));
        if parcels.is_empty() {
            return Ok(Vec::new());
        }
        shuffle(&mut parcels)?;
        Ok(bundle::write(&parcels))
    }

    /// Own reports, sealed anew, and the evidence that they were handed over.
    fn own_parcels(&self, most: usize) -> Result<Vec<Parcel>> {
        let now = self.time.now();
        let own = self.outbox.own_for_relay(now.wall_ms)?;
        let packed = letters::pack(own.iter().map(|own| own.sealed.as_slice()), most);
        let key = self.sealer.sealing_key()?;
        let carry = &self.policy.carry;
        let parcels = packed
            .parcels
            .iter()
            .map(|plain| Parcel::seal(Way::ToMinistry, carry.hops, carry.days, plain, &key))
            .collect::<Result<Vec<_>>>()?;
        if parcels.is_empty() {
            return Ok(parcels);
        }
        let evidence = Evidence::Attempt {
            channel: Channel::Relay,
            result: AttemptResult::NoAnswer,
            carried: true,
        };
        let events = packed
            .packed
            .iter()
            .filter_map(|index| own.get(*index))
            .filter(|own| own.role == Role::Report)
            .filter_map(|own| own.report)
            .map(|report| event(report, &now, &evidence))
            .collect::<Result<Vec<_>>>()?;
        // On a full disk the report must leave all the same: its state says less
        // than is true then, never more.
        let _ = self.outbox.retry(&[], 0, &events);
        let _ = self.outbox.note_own_parcels(&parcels);
        self.listeners.notify(Topic::Sos);
        Ok(parcels)
    }

    fn take_bundle(&self, bytes: &[u8]) -> Result<RelayImport> {
        let read = bundle::read(bytes, self.policy.carry.bundle_parcels).ok_or_else(|| {
            HomelineError::invalid("bundle", Problem::Malformed, "a bundle of version 1")
        })?;
        let mut import = self.take(read.parcels)?;
        import.left_out = import.left_out.saturating_add(read.left_out);
        Ok(import)
    }

    /// Takes parcels of a bundle or of the change feed.
    pub(crate) fn take(&self, parcels: Vec<Parcel>) -> Result<RelayImport> {
        let carry = &self.policy.carry;
        let given = parcels.len();
        let mut carried = Vec::with_capacity(given);
        let (mut own, mut receipts) = (0, 0);
        let alive = parcels.into_iter().filter(|parcel| parcel.days > 0);
        for mut parcel in alive {
            if parcel.way == Way::ToPhone
                && let Some(believed) = self.apply_answer(&parcel)?
            {
                own += 1;
                receipts += believed;
                continue;
            }
            parcel.days = parcel.days.min(carry.days);
            parcel.hops = passed(parcel.hops, carry.hops, random::<1>()?);
            carried.push(parcel);
        }
        let over = given.saturating_sub(carried.len()).saturating_sub(own);
        let mut import = RelayImport {
            left_out: u32::try_from(over).unwrap_or(u32::MAX),
            receipts,
            ..RelayImport::default()
        };
        if !carried.is_empty() {
            let taken = self.outbox.take_parcels(&carried, &self.time.now())?;
            import.taken = taken.stored;
            import.known = taken.known;
            // Import after import without a pass must not let the log grow.
            self.outbox.checkpoint()?;
        }
        if receipts > 0 {
            self.listeners.notify(Topic::Sos);
        }
        Ok(import)
    }

    fn scans(&self) -> std::sync::MutexGuard<'_, qr::Scans> {
        self.scans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hops that are kept of a parcel that came with `hops`. One that came with the
/// most of all is one of its sender, for who gave it to us, unless some that are not
/// come with as many: so half of those keep them when they are passed on (as
/// Freenet does it at its highest hops-to-live). Pure.
fn passed(hops: u8, most: u8, coin: [u8; 1]) -> u8 {
    let [coin] = coin;
    if hops >= most {
        most.saturating_add(coin & 1)
    } else {
        hops
    }
}

/// Own parcels do not stand before those of others (Fisher and Yates).
fn shuffle(parcels: &mut [Parcel]) -> Result<()> {
    for last in (1..parcels.len()).rev() {
        let random = u64::from_le_bytes(random::<8>()?);
        let choices = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
        let other = usize::try_from(random % choices).unwrap_or(0);
        parcels.swap(last, other);
    }
    Ok(())
}
