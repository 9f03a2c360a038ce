//! What phones have carried for others: one case, however it comes.
//!
//! Bounded: so many parcels of one device in a day; so many pieces of one device,
//! of all together, and for so long. What is over gives way, the oldest first.

use std::collections::BTreeMap;

use homeline::seal::letters::{self, Inside, Piece};
use homeline::seal::parcel::{Parcel, Way};
use homeline::seal::signed::Signed;
use homeline::sync::protocol::{CarriedAnswer, EnvelopeOutcome};
use rusqlite::{Transaction, params};
use uuid::Uuid;

use super::{Result, Store, StoreError, feed, now_ms};
use crate::intake::{self, Sender};

const DAY_MS: i64 = 24 * 3_600_000;
/// Parcels that one device may bring in a day: four full stores of a phone.
const DAY_PARCELS: i64 = 1_024;
/// Pieces that wait, of one device: four of the longest envelopes.
const DEVICE_PIECES: i64 = 128;
/// Pieces that wait, of all: 40 MB.
const ALL_PIECES: i64 = 20_000;
/// How long they wait: what a phone may carry, at each of two phones.
const PIECE_MS: i64 = 14 * DAY_MS;
/// How an answer sets out: as a parcel of a phone.
const ANSWER_HOPS: u8 = 5;
const ANSWER_DAYS: u8 = 7;

/// The device that brings parcels.
pub(crate) struct Carrier {
    /// Its id.
    pub(crate) device: String,
    /// Its X25519 public key: whose feed takes the answers.
    pub(crate) agreement: Sender,
}

/// Receipts by the phone that they are for, with the envelopes that they prove.
type Receipts = BTreeMap<Sender, Vec<(Uuid, Signed)>>;

impl Store {
    /// Takes what was in the parcels of one request, and puts the answers into the
    /// carrier's feed. `false`: this device has brought enough today.
    pub(crate) fn take_parcels(
        &self,
        carrier: &Carrier,
        opened: Vec<Option<Inside>>,
        service: &Signed,
    ) -> Result<bool> {
        let count = i64::try_from(opened.len()).unwrap_or(i64::MAX);
        self.write(|tx| {
            if !count_parcels(tx, &carrier.device, count)? {
                return Ok(false);
            }
            let mut receipts = Receipts::new();
            for inside in opened.into_iter().flatten() {
                match inside {
                    Inside::Whole(envelopes) => {
                        for envelope in envelopes {
                            self.take_carried(tx, envelope, &mut receipts)?;
                        }
                    }
                    Inside::Piece(piece) => {
                        if let Some(envelope) = add_piece(tx, carrier, &piece)? {
                            self.take_carried(tx, envelope, &mut receipts)?;
                        }
                    }
                }
            }
            for (sender, receipts) in receipts {
                answer(tx, carrier, &sender, receipts, service)?;
            }
            Ok(true)
        })
    }

    fn take_carried(
        &self,
        tx: &Transaction<'_>,
        envelope: Vec<u8>,
        receipts: &mut Receipts,
    ) -> Result<()> {
        let Ok(letter) = intake::read_carried(envelope, &self.keys.sealing()) else {
            return Ok(());
        };
        match self.take_one(tx, &letter)? {
            EnvelopeOutcome::Accepted { receipt } | EnvelopeOutcome::Duplicate { receipt } => {
                let of_sender = receipts.entry(letter.sender).or_default();
                of_sender.push((letter.id, receipt));
            }
            EnvelopeOutcome::Refused { .. } => {}
        }
        Ok(())
    }
}

/// Counts parcels of today; `false` where they are too many.
fn count_parcels(tx: &Transaction<'_>, device: &str, count: i64) -> Result<bool> {
    let day = now_ms() / DAY_MS;
    let parcels: i64 = tx.query_row(
        "INSERT INTO parcel_days (carrier, day, parcels) VALUES (?1, ?2, ?3)
         ON CONFLICT (carrier, day) DO UPDATE SET parcels = parcels + excluded.parcels
         RETURNING parcels",
        params![device, day, count],
        |row| row.get(0),
    )?;
    tx.execute("DELETE FROM parcel_days WHERE day < ?1", [day])?;
    Ok(parcels <= DAY_PARCELS)
}

/// Keeps a piece; the envelope, once all of its pieces are here.
fn add_piece(tx: &Transaction<'_>, carrier: &Carrier, piece: &Piece) -> Result<Option<Vec<u8>>> {
    let now = now_ms();
    tx.execute(
        "INSERT OR IGNORE INTO parcel_pieces
           (piece_set, number, total, carrier, received_ms, bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            piece.set,
            piece.index,
            piece.total,
            carrier.device,
            now,
            piece.bytes
        ],
    )?;
    let mut select = tx.prepare_cached(
        "SELECT bytes FROM parcel_pieces WHERE piece_set = ?1 AND total = ?2 ORDER BY number",
    )?;
    let pieces = select
        .query_map(params![piece.set, piece.total], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<Vec<u8>>>>()?;
    if pieces.len() == usize::from(piece.total) {
        tx.execute(
            "DELETE FROM parcel_pieces WHERE piece_set = ?1 AND total = ?2",
            params![piece.set, piece.total],
        )?;
        return Ok(letters::join(&piece.set, &pieces));
    }
    bound_pieces(tx, &carrier.device, now)?;
    Ok(None)
}

fn bound_pieces(tx: &Transaction<'_>, device: &str, now: i64) -> Result<()> {
    tx.execute(
        "DELETE FROM parcel_pieces WHERE received_ms < ?1",
        [now - PIECE_MS],
    )?;
    tx.execute(
        "DELETE FROM parcel_pieces WHERE row IN
           (SELECT row FROM parcel_pieces WHERE carrier = ?1
            ORDER BY row DESC LIMIT -1 OFFSET ?2)",
        params![device, DEVICE_PIECES],
    )?;
    tx.execute(
        "DELETE FROM parcel_pieces WHERE row IN
           (SELECT row FROM parcel_pieces ORDER BY row DESC LIMIT -1 OFFSET ?1)",
        [ALL_PIECES],
    )?;
    Ok(())
}

/// Puts the receipts that this carrier has not got yet into its feed, for the sender
/// of the reports: one parcel for as many as fit.
fn answer(
    tx: &Transaction<'_>,
    carrier: &Carrier,
    sender: &Sender,
    receipts: Vec<(Uuid, Signed)>,
    service: &Signed,
) -> Result<()> {
    let mut news = Vec::new();
    for (envelope, receipt) in receipts {
        let added = tx.execute(
            "INSERT OR IGNORE INTO parcel_answers (carrier, envelope) VALUES (?1, ?2)",
            params![carrier.agreement, envelope.as_bytes()],
        )?;
        if added > 0 {
            news.push(receipt);
        }
    }
    for plain in plains(&news, service)? {
        let parcel = Parcel::seal(Way::ToPhone, ANSWER_HOPS, ANSWER_DAYS, &plain, sender)
            .map_err(|_| StoreError::Seal)?;
        feed::hand_on(tx, &carrier.agreement, &parcel.to_bytes())?;
    }
    Ok(())
}

/// What is inside the answers: receipts, and the service document where it fits
/// beside one; a phone that knows no keys could not believe them without it.
fn plains(receipts: &[Signed], service: &Signed) -> Result<Vec<Vec<u8>>> {
    let mut out = Vec::new();
    let mut rest = receipts;
    while !rest.is_empty() {
        let most = |service: Option<&Signed>| {
            (1..=rest.len()).rev().find_map(|count| {
                let (now, later) = rest.split_at_checked(count)?;
                let answer = CarriedAnswer {
                    receipts: now.to_vec(),
                    service: service.cloned(),
                };
                let json = serde_json::to_vec(&answer).ok()?;
                Some((letters::one(&json)?, later))
            })
        };
        let (plain, later) = most(Some(service))
            .or_else(|| most(None))
            .ok_or(StoreError::Seal)?;
        out.push(plain);
        rest = later;
    }
    Ok(out)
}
