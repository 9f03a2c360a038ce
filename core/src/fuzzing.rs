//! The parsers as plain functions, for `core/fuzz` and the tests here. Only with the
//! feature `fuzzing`, never in a release.
//!
//! Each takes any bytes, and panics where an answer is not what was promised. A new
//! one is a function here and a file of five lines there.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a panic is what a fuzzer looks for"
)]

mod alerts;
mod boundaries;
mod help;
mod packs;

pub use alerts::{alerts, area};
pub use boundaries::boundaries;
pub use packs::packs;

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::config::Policy;
use crate::contacts::Contact;
use crate::geo::{Datum, position_in};
use crate::keys::{DeviceKeys, Secret};
use crate::registration::card::{Card, verify_card};
use crate::registration::fields::{self, Field, REMOVED};
use crate::registration::groups::wire::{Entry, Invitation, Leave};
use crate::registration::link::{self, LinkCode};
use crate::registration::merge::{believed_ms, merge};
use crate::registration::{
    Dependent, NameMatch, TRAVELER, Traveler, Trip, compare_name, dependents_of, read_mrz,
    scan_mrz, trips_of,
};
use crate::relay;
use crate::seal::compact::{self, CASE_BYTES_MAX, CompactKind, CompactReceipt};
use crate::seal::envelope::{self, RecipientKey};
use crate::seal::letters::{self, Inside};
use crate::seal::signed::Context;
use crate::seal::token::{Kind, Scanned, SelfSigned, Token};
use crate::sos::compact::{CompactReport, TextPart};
use crate::sync::protocol::{CarriedAnswer, Content, ProfileNews};
use crate::whereabouts::exchange::{self, Imported, TrackPiece};
use crate::whereabouts::{Position, pack, unpack};

pub use help::{guide_search, help_items};

/// GPX: what is taken is written, and comes back the same.
pub fn gpx(bytes: &[u8]) {
    if let Ok(imported) = exchange::gpx::read(bytes, &Policy::STANDARD) {
        let file = exchange::gpx::write(&imported.pieces).unwrap();
        let back = exchange::gpx::read(&file, &Policy::STANDARD).unwrap();
        same(&imported, &back);
    }
}

/// GeoJSON: what is taken is written, and comes back the same; as GPX, too.
pub fn geojson(bytes: &[u8]) {
    if let Ok(imported) = exchange::geojson::read(bytes, &Policy::STANDARD) {
        let file = exchange::geojson::write(&imported.pieces).unwrap();
        let back = exchange::geojson::read(&file, &Policy::STANDARD).unwrap();
        same(&imported, &back);
        let file = exchange::gpx::write(&imported.pieces).unwrap();
        let back = exchange::gpx::read(&file, &Policy::STANDARD).unwrap();
        same(&imported, &back);
    }
}

fn same(sent: &Imported, back: &Imported) {
    let count = |pieces: &[TrackPiece]| -> Vec<usize> {
        pieces.iter().map(|piece| piece.fixes.len()).collect()
    };
    assert_eq!(count(&sent.pieces), count(&back.pieces));
    let fixes = |from: &Imported| -> Vec<_> {
        let fixes = from.pieces.iter().flat_map(|piece| &piece.fixes);
        fixes.map(|fix| (fix.time_ms, fix.source)).collect()
    };
    assert_eq!(fixes(sent), fixes(back));
}

/// Positions, sixteen bytes each: any numbers have an answer or are refused, and
/// what has one is a position in every datum.
pub fn datum(bytes: &[u8]) {
    for pair in bytes.as_chunks::<16>().0 {
        let [latitude, longitude] = pair.as_chunks::<8>().0 else {
            continue;
        };
        let (latitude, longitude) = (
            f64::from_le_bytes(*latitude),
            f64::from_le_bytes(*longitude),
        );
        let datums = [Datum::Wgs84, Datum::Gcj02, Datum::Bd09];
        for from in [
            Position::Wgs84 {
                latitude,
                longitude,
            },
            Position::Gcj02 {
                latitude,
                longitude,
            },
            Position::Bd09 {
                latitude,
                longitude,
            },
        ] {
            for to in datums {
                if let Ok(there) = position_in(from, to) {
                    for back in datums {
                        position_in(there, back).unwrap();
                    }
                }
            }
        }
    }
}

/// A machine-readable zone: what is read is read again from its own suggestion, and
/// scanning and reading agree.
pub fn mrz(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    // What stands after a zero byte is a name to compare.
    let (zone, name) = text.split_once('\0').unwrap_or((&text, "李伟"));
    let scan = scan_mrz(zone.to_owned()).unwrap();
    let read = read_mrz(zone.to_owned());
    assert_eq!(scan.mrz.is_some(), read.is_ok());
    assert_eq!(scan.mrz.is_some(), scan.faults.is_empty());
    if let Some(suggestion) = scan.suggestion {
        assert!(read_mrz(suggestion).is_ok());
    }
    if let Ok(mrz) = read {
        let own = [mrz.surname.as_str(), mrz.given_names.as_str()].join(" ");
        // A zone of fillers has no letters to compare.
        if own.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            let outcome = compare_name(mrz.clone(), own).unwrap();
            assert_eq!(outcome, NameMatch::Same);
        }
        compare_name(mrz, name.to_owned()).unwrap();
    }
}

/// Texts that were scanned: tokens of every kind and link codes. Nothing that was
/// not signed is believed; the bodies are then signed and read, so that what stands
/// behind the signature is reached, too.
pub fn token(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let device = DeviceKeys::from_secret(&Secret::new([1; 32])).unwrap();
    let key = device.public().signing;
    let keys = [key.to_vec(), vec![], vec![7; 32]];
    if let Ok(scanned) = Scanned::read(&text, Policy::STANDARD.token_bytes) {
        assert!(scanned.open(&device).is_err());
        if let Ok(token) = scanned.token() {
            let again = Scanned::read(&token.to_text(scanned.kind), usize::MAX).unwrap();
            assert!(again.token().unwrap() == token);
            let _ = token.verify_own::<Invitation>(scanned.kind);
            let _ = token.verify_own::<Entry>(scanned.kind);
            let _ = token.verify_own::<Leave>(scanned.kind);
            assert!(token.verify::<Card>(scanned.kind, &keys).is_err());
        }
    }
    assert!(verify_card(text.clone(), keys.to_vec(), 0).is_err());
    if let Some(code) = LinkCode::read(&text) {
        assert!(!code.is_signed_by(&key));
        let own = link::make(&device, code.registration, code.expires_ms).unwrap();
        let own = LinkCode::read(&own).unwrap();
        assert!(own.is_signed_by(&key) && own.registration == code.registration);
    }
    body::<Invitation>(bytes, Kind::Invitation, &device);
    body::<Entry>(bytes, Kind::Entry, &device);
    body::<Leave>(bytes, Kind::Leave, &device);
    if let Ok(card) = postcard::from_bytes::<Card>(bytes) {
        let text = card.issue(&key, |message| device.sign(message)).unwrap();
        if text.len() <= Policy::STANDARD.token_bytes {
            verify_card(text, keys.to_vec(), card.issued_ms).unwrap();
        }
    }
}

/// A body as it came, signed by whoever it names: only by the device itself is it
/// believed.
fn body<T: SelfSigned + Serialize + DeserializeOwned>(
    bytes: &[u8],
    kind: Kind,
    device: &DeviceKeys,
) {
    if let Ok(body) = postcard::from_bytes::<T>(bytes) {
        let own = *body.signer() == device.public().signing;
        let token = Token::sign(kind, &body, body.signer(), |message| device.sign(message));
        let sealed = token
            .unwrap()
            .seal(kind, &device.public().agreement)
            .unwrap();
        let opened = Scanned::read_kind(kind, &sealed, usize::MAX).unwrap();
        let opened = opened.open(device).unwrap();
        assert_eq!(opened.verify_own::<T>(kind).is_ok(), own);
    }
}

/// A bundle of another phone: what is read is written to the same, no more is taken
/// than the limit, and nothing of it opens. What is inside a parcel, in clear: read
/// without a panic, and never more than there is.
pub fn bundle(bytes: &[u8]) {
    let most = Policy::STANDARD.carry.bundle_parcels;
    let device = DeviceKeys::from_secret(&Secret::new([1; 32])).unwrap();
    if let Some(read) = relay::read_bundle(bytes, most) {
        assert!(read.parcels.len() <= most);
        let again = relay::write_bundle(&read.parcels);
        let back = relay::read_bundle(&again, most).unwrap();
        assert!(back.parcels == read.parcels && back.left_out == 0);
        for parcel in &read.parcels {
            assert!(parcel.open_at_device(&device).is_none());
        }
    }
    match letters::read(bytes) {
        Some(Inside::Whole(envelopes)) => {
            assert!(envelopes.concat().len() + 2 * envelopes.len() < bytes.len());
            for envelope in envelopes {
                let _ = envelope::id_of(&envelope);
                let _ = serde_json::from_slice::<CarriedAnswer>(&envelope);
            }
        }
        Some(Inside::Piece(piece)) => {
            assert!(piece.index < piece.total && piece.bytes.len() < bytes.len());
            let _ = letters::join(&piece.set, &[piece.bytes]);
        }
        None => {}
    }
}

/// Scanned texts of bundles, one a line: bounded, and no bundle is made of what does
/// not belong to it. Then the bytes as a bundle of their own, scanned among them.
pub fn bundle_texts(bytes: &[u8]) {
    let policy = Policy::STANDARD;
    let mut scans = relay::Scans::default();
    for line in String::from_utf8_lossy(bytes).lines() {
        if let Some(progress) = scans.add(line, &policy) {
            assert!(progress.have <= progress.total);
            assert!(progress.total <= usize::from(policy.carry.qr_texts));
            if let Some(bundle) = progress.bundle {
                assert!(!relay::write_qr(&bundle, &policy).is_empty());
            }
        }
    }
    let texts = relay::write_qr(bytes, &policy);
    let last = texts
        .iter()
        .rev()
        .map(|text| scans.add(text, &policy))
        .last();
    if let Some(done) = last {
        assert!(done.unwrap().bundle.unwrap() == bytes);
    }
}

/// A receipt of a packet or a text message: none is believed that was not signed by a
/// key of ours, and one that is reads back to its very bytes.
pub fn receipt(bytes: &[u8]) {
    let device = DeviceKeys::from_secret(&Secret::new([1; 32])).unwrap();
    let key = device.public().signing;
    let signed = |receipt: &CompactReceipt| receipt.sign(&key, |body| device.sign(body).to_vec());
    for keys in [
        vec![],
        vec![vec![]],
        vec![vec![7; 32]],
        vec![vec![7; 32], vec![9; 5]],
    ] {
        assert!(CompactReceipt::verify(bytes, &keys).is_err());
    }
    if let Ok(receipt) = CompactReceipt::verify(bytes, &[key.to_vec()]) {
        assert_eq!(signed(&receipt).as_deref(), Some(bytes));
    }
    // The same bytes as what a receipt says, so that what stands behind the
    // signature is reached.
    let case = String::from_utf8_lossy(bytes).into_owned();
    let receipt = CompactReceipt {
        case_id: case,
        ..CompactReceipt::for_message(bytes, &uuid::Uuid::nil(), 1, "C")
    };
    if let Some(own) = signed(&receipt) {
        assert_eq!(CompactReceipt::verify(&own, &[key.to_vec()]), Ok(receipt));
        assert!(own.len() <= 120 + CASE_BYTES_MAX);
    }
}

/// A packed block: what is unpacked is packed and unpacked to the same.
pub fn pack_block(bytes: &[u8]) {
    if let Ok(fixes) = unpack(bytes) {
        let again = pack(&fixes).unwrap();
        assert!(unpack(&again).unwrap() == fixes);
    }
}

/// Compact messages: texts and bytes as they come, as what is sealed, and as what is
/// signed. Nothing that was not sealed or signed is believed, and what is read is
/// written to the same.
pub fn compact(bytes: &[u8]) {
    let device = DeviceKeys::from_secret(&Secret::new([1; 32])).unwrap();
    // Not the key of the seeds: nothing that comes from outside opens.
    let ministry = [RecipientKey::from_bytes(&[3; 32]).unwrap()];
    let keys = [device.public().signing.to_vec()];
    let from_text = compact::from_text(&String::from_utf8_lossy(bytes));
    for message in [Some(bytes.to_vec()), from_text].into_iter().flatten() {
        assert!(compact::open(&message, &ministry).is_err());
        assert!(CompactReceipt::verify(&message, &keys).is_err());
        // The body of a receipt, signed by whoever it is: what is read is written.
        let signature = device.sign(&Context::CompactReceipt.message(&message));
        let signed = [message.as_slice(), &signature].concat();
        if let Ok(receipt) = CompactReceipt::verify(&signed, &keys) {
            let again = receipt.sign(&keys[0], |body| device.sign(body).to_vec());
            assert!(again.unwrap() == signed);
        }
    }
    for kind in [CompactKind::Report, CompactKind::Text] {
        let sealed = compact::seal(kind, bytes, ministry[0].public(), &device).unwrap();
        let opened = compact::open(&sealed, &ministry).unwrap();
        assert!(opened.content == bytes && opened.kind == kind);
    }
    if let Some(report) = CompactReport::decode(bytes) {
        report.to_report();
        let once = CompactReport::decode(&report.encode()).unwrap();
        assert!(once == report);
    }
    if let Some(part) = TextPart::decode(bytes) {
        assert!(TextPart::decode(&part.encode().unwrap()) == Some(part));
    }
    let note = String::from_utf8_lossy(bytes);
    let parts = TextPart::split(Uuid::nil(), &note, 15);
    let whole: String = parts.iter().map(|part| part.text.as_str()).collect();
    assert!(note.trim().starts_with(&whole));
}

/// Fields of a registration that somebody made up: the laws of the merge hold, and
/// what is read of them are the entities that are there.
pub fn hostile_fields(bytes: &[u8]) {
    // As news for a phone, as what a phone sends, and as two lists that meet.
    let _ = serde_json::from_slice::<Content>(bytes);
    if let Ok(news) = serde_json::from_slice::<ProfileNews>(bytes) {
        met(&[], &news.fields);
    }
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let list = |at: usize| -> Vec<Field> {
        let some = value.get(at).and_then(Value::as_array);
        some.into_iter().flatten().filter_map(field).collect()
    };
    met(&list(0), &list(1));
}

/// A short form, so that a fuzzer finds fields: `[entity, key, value, ms, device]`.
fn field(value: &Value) -> Option<Field> {
    serde_json::from_value(value.clone()).ok().or_else(|| {
        Some(Field {
            entity: value.get(0)?.as_str()?.to_owned(),
            key: value.get(1)?.as_str()?.to_owned(),
            value: value.get(2).cloned().unwrap_or(json!(null)),
            changed_ms: value.get(3)?.as_i64()?,
            device: value.get(4)?.as_str()?.to_owned(),
        })
    })
}

fn met(mine: &[Field], theirs: &[Field]) {
    let one = merge(mine.to_vec(), theirs).fields;
    let other = merge(theirs.to_vec(), mine).fields;
    assert!(one == other, "whoever merges");
    assert!(merge(one.clone(), theirs).fields == one, "once more");
    for field in &one {
        let believed = believed_ms(field, 1_000);
        assert!(believed <= field.changed_ms.max(1_000));
    }
    let _: Option<Traveler> = fields::entity(&one, TRAVELER);
    dependents_of(&one);
    trips_of(&one);
    all::<Contact>(&one, "contact");
    all::<Dependent>(&one, "dependent");
    all::<Trip>(&one, "trip");
    // Any object can be read as a value: each that is there is found.
    let there: BTreeSet<&str> = one
        .iter()
        .filter(|field| field.key != REMOVED)
        .filter_map(|field| field.entity.strip_prefix("contact/"))
        .collect();
    let found = fields::entities::<Value>(&one, "contact");
    assert!(
        found.iter().map(|(id, _)| id.as_str()).eq(there),
        "entities"
    );
}

/// One by one and all at once is the same.
fn all<T: DeserializeOwned + Serialize>(list: &[Field], kind: &str) {
    for (id, read) in fields::entities::<T>(list, kind) {
        let alone: T = fields::entity(list, &format!("{kind}/{id}")).unwrap();
        let json = |it: &T| serde_json::to_value(it).unwrap();
        assert!(json(&alone) == json(&read));
    }
}

#[cfg(test)]
mod tests;
