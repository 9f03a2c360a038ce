//! The registration card: what a duty officer verifies with no network.
//!
//! The ministry issues it when it has a profile, and signs it with a receipt key
//! of its service document: an officer's app takes the keys from there, and keeps
//! a retired one until the last card that it signed has run out. The label of the
//! token's kind keeps a receipt from being taken for a card.
//!
//! It comes by the change feed (kind `card`), sealed to the device, and stays
//! sealed in the outbox until the record is open. A changed profile brings a new
//! card with the same number; a removed registration ends it on the phone. An
//! officer who is offline cannot know of that: there is no list of revoked cards,
//! a card is short-lived instead.

use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};

use crate::config::Policy;
use crate::error::{HomelineError, Result, StorageProblem, guard};
use crate::seal::token::{Kind, Scanned, Token, TokenError};
use crate::sync::protocol::CardNews;
use crate::validate;

/// Body of a card: `HLC:`, see [`crate::seal::token`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The registration number, for example `R-7K2M-9QXF`.
    pub number: String,
    /// Name, in the traveler's own script; at most 192 bytes of it.
    pub name: String,
    /// The last four characters of the travel document's number: enough beside
    /// the document, and useless without it.
    pub document_end: Option<String>,
    /// Nationality, as in the document's machine-readable zone (ICAO Doc 9303).
    pub nationality: Option<String>,
    /// When it was issued, milliseconds UTC.
    pub issued_ms: i64,
    /// Until when it is valid, milliseconds UTC.
    pub valid_until_ms: i64,
}

/// What a card says, verified.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct CardDetails {
    /// The registration number.
    pub number: String,
    /// Name, in the traveler's own script.
    pub name: String,
    /// The last four characters of the travel document's number.
    pub document_end: Option<String>,
    /// Nationality, as in the document's machine-readable zone.
    pub nationality: Option<String>,
    /// When it was issued, milliseconds UTC.
    pub issued_ms: i64,
    /// Until when it is valid, milliseconds UTC.
    pub valid_until_ms: i64,
    /// Whether it is valid at the time that was asked for.
    pub state: CardState,
}

/// Whether a card is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum CardState {
    /// It is.
    Valid,
    /// Its time is over: the registration may still be there, ask the ministry.
    Expired,
}

/// The traveler's own card.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct RegistrationCard {
    /// The text to show as a QR code (alphanumeric mode, level M).
    pub text: String,
    /// What it says.
    pub card: CardDetails,
}

redacted_debug!(Card, CardDetails, RegistrationCard);

/// Verifies the text of a registration card at the time `now_ms` (milliseconds
/// UTC), with no network. `keys` are the ministry's receipt keys: Ed25519 public
/// keys of 32 bytes, from its service document. An expired card is a state of the
/// answer, not an error.
///
/// Errors: `Invalid` with the field `card` (no card, or damaged), `card.key`
/// (signed by none of `keys`), `card.signature` (altered), `card.version`,
/// `card.body`.
#[uniffi::export]
pub fn verify_card(text: String, keys: Vec<Vec<u8>>, now_ms: i64) -> Result<CardDetails> {
    guard("verify_card", || {
        let longest = Policy::STANDARD.token_bytes;
        Scanned::read_kind(Kind::Card, &text, longest)
            .and_then(|scanned| scanned.token()?.verify(Kind::Card, &keys))
            .map(|card| view(card, now_ms))
            .map_err(|error| error.of("card", Kind::Card))
    })
}

impl Card {
    /// The card as text; `sign` is the Ed25519 function of the ministry's receipt
    /// key `public`.
    pub fn issue(&self, public: &[u8], sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Result<String> {
        let card = Self {
            name: validate::cut(&self.name, Policy::STANDARD.token_name_bytes),
            ..self.clone()
        };
        Ok(Token::sign(Kind::Card, &card, public, sign)?.to_text(Kind::Card))
    }
}

fn view(card: Card, now_ms: i64) -> CardDetails {
    CardDetails {
        state: if now_ms > card.valid_until_ms {
            CardState::Expired
        } else {
            CardState::Valid
        },
        number: card.number,
        name: card.name,
        document_end: card.document_end,
        nationality: card.nationality,
        issued_ms: card.issued_ms,
        valid_until_ms: card.valid_until_ms,
    }
}

/// Takes what the ministry says of the card; `keys` are its receipt keys. A card
/// that would not convince an officer is none.
pub(crate) fn apply(tx: &Connection, news: &CardNews, keys: &[Vec<u8>]) -> Result<()> {
    let text = news.card.as_deref();
    let card = text.and_then(|text| Some((text, read(text, keys).ok()?)));
    save(tx, card.as_ref().map(|(text, card)| (*text, card)))
}

fn read(text: &str, keys: &[Vec<u8>]) -> Result<Card, TokenError> {
    Scanned::read_kind(Kind::Card, text, Policy::STANDARD.token_bytes)?
        .token()?
        .verify(Kind::Card, keys)
}

fn save(tx: &Connection, card: Option<(&str, &Card)>) -> Result<()> {
    tx.execute("DELETE FROM card", [])?;
    if let Some((text, card)) = card {
        let json = serde_json::to_string(card).map_err(|_| HomelineError::bug("card"))?;
        tx.execute(
            "INSERT INTO card (one, text, json) VALUES (1, ?1, ?2)",
            [text, &json],
        )?;
    }
    Ok(())
}

/// The card that the ministry has issued last, as it stands at `now_ms`.
pub(super) fn load(tx: &Connection, now_ms: i64) -> Result<Option<RegistrationCard>> {
    let row: Option<(String, String)> = tx
        .query_row("SELECT text, json FROM card", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    row.map(|(text, json)| {
        let card = serde_json::from_str(&json).map_err(|_| StorageProblem::Damaged)?;
        Ok(RegistrationCard {
            text,
            card: view(card, now_ms),
        })
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{DeviceKeys, Secret};

    fn card(name: &str) -> Card {
        Card {
            number: "R-7K2M-9QXF".into(),
            name: name.into(),
            document_end: Some("4567".into()),
            nationality: Some("CHN".into()),
            issued_ms: 1_750_000_000_000,
            valid_until_ms: 1_781_536_000_000,
        }
    }

    fn issue(card: &Card) -> (String, Vec<Vec<u8>>) {
        let ministry = DeviceKeys::from_secret(&Secret::new([4; 32])).unwrap();
        let public = ministry.public().signing.to_vec();
        let text = card.issue(&public, |bytes| ministry.sign(bytes)).unwrap();
        (text, vec![public])
    }

    #[test]
    fn a_card_says_what_was_issued_until_it_runs_out() {
        let given = card("李伟");
        let (text, keys) = issue(&given);
        let at = |now_ms| verify_card(text.to_lowercase(), keys.clone(), now_ms).unwrap();
        assert_eq!(at(given.valid_until_ms).state, CardState::Valid);
        assert_eq!(at(given.valid_until_ms + 1).state, CardState::Expired);
        // A clock that is behind does not make a card a forgery.
        assert_eq!(at(0).state, CardState::Valid);
        assert_eq!(at(0), view(given, 0));
    }

    #[test]
    fn a_name_of_any_length_and_script_leaves_a_card_that_verifies() {
        for name in ["", "e\u{301}\u{327}", "שָׁלוֹם", &"𠮷".repeat(10_000)] {
            let (text, keys) = issue(&card(name));
            let read = verify_card(text, keys, 0).unwrap();
            assert!(name.starts_with(&read.name), "{name}");
            assert!(name.len() > 192 || read.name == name);
        }
    }
}
