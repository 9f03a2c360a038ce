//! What is bound, to whom, and in how many characters.

use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;
use crate::keys::Secret;
use crate::sos::compact::COMPACT_BYTES;

fn device() -> DeviceKeys {
    DeviceKeys::from_secret(&Secret::new([1; 32])).unwrap()
}

fn ministry() -> [RecipientKey; 1] {
    [RecipientKey::from_bytes(&[2; 32]).unwrap()]
}

fn receipt_key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap()
}

fn public(key: &Ed25519KeyPair) -> Vec<u8> {
    key.public_key().as_ref().to_vec()
}

fn sealed(kind: CompactKind) -> Vec<u8> {
    seal(kind, &[7; COMPACT_BYTES], ministry()[0].public(), &device()).unwrap()
}

fn receipt(message: &[u8]) -> CompactReceipt {
    CompactReceipt::for_message(
        message,
        &Uuid::from_u128(9),
        1_750_000_000_123,
        "C-7K2M-9QXF",
    )
}

fn signed(receipt: &CompactReceipt) -> Option<Vec<u8>> {
    let key = receipt_key();
    receipt.sign(&public(&key), |message| key.sign(message).as_ref().to_vec())
}

#[test]
fn a_report_is_one_text_message_of_the_seven_bit_alphabet() {
    let text = to_text(&sealed(CompactKind::Report));
    assert_eq!(text.len(), SMS_CHARS);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    assert!(text.starts_with('H') && text.chars().all(plain));
    let receipt = to_text(&signed(&receipt(b"")).unwrap());
    assert!(receipt.len() <= SMS_CHARS);
    let longest = CompactReceipt {
        case_id: "C".repeat(CASE_BYTES_MAX),
        ..super::tests::receipt(b"")
    };
    assert_eq!(to_text(&signed(&longest).unwrap()).len(), SMS_CHARS);
}

#[test]
fn the_sender_is_proved_and_each_bit_is_bound() {
    for kind in [CompactKind::Report, CompactKind::Text] {
        let message = sealed(kind);
        let opened = open(&message, &ministry()).unwrap();
        assert_eq!(opened.content, [7; COMPACT_BYTES]);
        assert_eq!(opened.sender, device().public().agreement);
        assert_eq!(opened.kind, kind);
        for bit in 0..message.len() * 8 {
            let mut changed = message.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&changed, &ministry()).is_err(), "bit {bit}");
        }
        for length in 0..message.len() {
            assert!(
                open(&message[..length], &ministry()).is_err(),
                "{length} bytes"
            );
        }
    }
}

#[test]
fn a_message_for_another_ministry_or_of_a_claimed_sender_is_not_read() {
    let other = [RecipientKey::from_bytes(&[3; 32]).unwrap()];
    let message = sealed(CompactKind::Report);
    assert_eq!(open(&message, &other).err(), Some(OpenError::UnknownKey));
    // Somebody who names this device, with the right hint, and has not its key.
    let thief = DeviceKeys::from_secret(&Secret::new([9; 32])).unwrap();
    let mut claimed = seal(CompactKind::Report, b"x", ministry()[0].public(), &thief).unwrap();
    claimed[2..34].copy_from_slice(&device().public().agreement);
    assert_eq!(
        open(&claimed, &ministry()).err(),
        Some(OpenError::NotAuthentic)
    );
}

#[test]
fn of_two_keys_with_one_hint_the_right_one_is_found() {
    let mine = ministry()[0].public().to_owned();
    let twin = (0..=u32::MAX)
        .map(|n| {
            let mut seed = [4; 32];
            seed[..4].copy_from_slice(&n.to_be_bytes());
            RecipientKey::from_bytes(&seed).unwrap()
        })
        .find(|key| hint(key.public()) == hint(&mine))
        .unwrap();
    let [key] = ministry();
    assert!(open(&sealed(CompactKind::Report), &[twin, key]).is_ok());
}

#[test]
fn a_receipt_is_for_one_message_and_each_bit_is_bound() {
    let message = sealed(CompactKind::Report);
    let receipt = receipt(&message);
    let bytes = signed(&receipt).unwrap();
    let keys = [vec![8; 32], public(&receipt_key())];
    let read = CompactReceipt::verify(&bytes, &keys).unwrap();
    assert_eq!(read, receipt);
    let report = Uuid::from_u128(9);
    assert!(read.is_for(&message_hash(&message), &report));
    assert!(!read.is_for(&message_hash(b"other"), &report));
    assert!(!read.is_for(&message_hash(&message), &Uuid::from_u128(10)));
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(
            CompactReceipt::verify(&changed, &keys).is_err(),
            "bit {bit}"
        );
    }
    for length in 0..bytes.len() {
        assert!(CompactReceipt::verify(&bytes[..length], &keys).is_err());
    }
    assert_eq!(
        CompactReceipt::verify(&bytes, &[]).err(),
        Some(VerifyError::UnknownKey)
    );
}

#[test]
fn a_signature_of_another_kind_is_no_receipt() {
    let key = receipt_key();
    let other = receipt(b"").sign(&public(&key), |message| {
        let body = message.split(|byte| *byte == 0).next().unwrap().len() + 1;
        let message = Context::Receipt.message(&message[body..]);
        key.sign(&message).as_ref().to_vec()
    });
    assert_eq!(
        CompactReceipt::verify(&other.unwrap(), &[public(&key)]).err(),
        Some(VerifyError::Signature)
    );
}

#[test]
fn a_receipt_that_does_not_fit_is_not_made() {
    for case_id in ["", "案", "C 1", "C-7890123456789012345678X"] {
        let case_id = case_id.to_owned();
        assert!(
            signed(&CompactReceipt {
                case_id,
                ..receipt(b"")
            })
            .is_none()
        );
    }
    for received_ms in [-1, 1 << 48] {
        assert!(
            signed(&CompactReceipt {
                received_ms,
                ..receipt(b"")
            })
            .is_none()
        );
    }
}

#[test]
fn a_text_is_read_as_gateways_hand_it_over() {
    let message = sealed(CompactKind::Report);
    let text = to_text(&message);
    let (first, second) = text.split_at(70);
    let broken = format!(" {first}\r\n{second}\n");
    assert_eq!(from_text(&broken), Some(message));
    for other in [
        "",
        "H",
        "Ni hao",
        "救命",
        "AAAA",
        "HAAA====",
        text.get(1..).unwrap(),
    ] {
        assert_eq!(from_text(other), None, "{other}");
    }
}

/// Made once with the keys above; any implementation of a ministry must open it.
#[test]
fn a_message_and_a_receipt_of_before_are_read() {
    let message = "HM9I3jPiVYUcNOGlRIdqIc4IYrGRQ9smmpPqSdU/oqY4GH8n/4z4tfr6vlM62RUl+pBmpTM77S83kPMX\
         9Zh/VsUQsO0EkFy8/Aea0raVte8rc3o/9csGTHsUWKZB7NGKMBaXJO2dizrM6r7Pt9ZI9fr4gzDVshPf";
    let opened = open(&from_text(message).unwrap(), &ministry()).unwrap();
    assert_eq!(opened.content, [7; COMPACT_BYTES]);
    assert_eq!(opened.sender, device().public().agreement);
    let text = "HnWrUwoT5FkUmCt5+bfj+6mUAAAAAAAAAAkBl3Qg3HtDLTdLMk0tOVFYRp+XWOA6JUFSM2a5/ni65g2m\
         33rN3Bm0R89QJC9n0ve0u4QW+8roCTj1zr/32IswWcJpFlP6kceGjzhmE515IQ4=";
    let keys = [public(&receipt_key())];
    let read = CompactReceipt::verify(&from_text(text).unwrap(), &keys).unwrap();
    assert_eq!(read, receipt(b"message"));
    assert_eq!(
        to_text(&signed(&read).unwrap()),
        text,
        "Ed25519 has no chance in it"
    );
}
