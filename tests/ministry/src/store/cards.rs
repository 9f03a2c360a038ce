//! Registration cards: issued when a profile is on disk, sent by the change feed.
//!
//! The number stays the same as long as the sender registers; a card is issued
//! anew when what it says of its holder changes. Only the newest waits in the feed.

use homeline::registration::card::Card;
use homeline::registration::{TRAVELER, Traveler, fields};
use homeline::seal::sha256_hex;
use homeline::seal::signed::Context;
use homeline::sync::protocol::{CardNews, Content};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::cases::number;
use super::{Result, Store, StoreError, feed, now_ms};
use crate::intake::Sender;

/// A card is valid for so long. Nobody can revoke it from an officer who is
/// offline, so it is short; a phone that registers changes gets a new one.
const VALID_MS: i64 = 365 * 24 * 3_600_000;

impl Store {
    /// Issues a card to `sender`, or ends it, where the stored profile says
    /// something else of its holder than the last card.
    pub(super) fn issue_card(&self, tx: &Transaction<'_>, sender: &Sender) -> Result<()> {
        let traveler = registered(tx, sender)?;
        let known: Option<(String, String)> = tx
            .query_row(
                "SELECT number, holder FROM cards WHERE sender = ?1",
                [sender],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        if traveler.is_none() && known.is_none() {
            return Ok(());
        }
        let issued_ms = now_ms();
        let blank = traveler.as_ref().map(card_of);
        let holder = match &blank {
            Some(card) => sha256_hex(&serde_json::to_vec(card)?),
            None => String::new(),
        };
        let number = match known {
            Some((_, last)) if last == holder => return Ok(()),
            Some((number, _)) => number,
            None => number('R')?,
        };
        let card = blank
            .map(|card| self.sign_card(card, &number, issued_ms))
            .transpose()?;
        tx.execute(
            "INSERT INTO cards (sender, number, holder, issued_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (sender) DO UPDATE SET holder = excluded.holder,
                 issued_ms = excluded.issued_ms",
            params![sender, number, holder, issued_ms],
        )?;
        let news = CardNews {
            card,
            at_ms: issued_ms,
        };
        self.publish_card(tx, sender, &news)
    }

    /// Issues every card anew: the key that signed them is not to be believed.
    pub(super) fn issue_all(&self, tx: &Transaction<'_>) -> Result<()> {
        // No holder has this: what is issued differs from it.
        tx.execute("UPDATE cards SET holder = 'anew' WHERE holder <> ''", [])?;
        let senders = {
            let mut select = tx.prepare_cached("SELECT sender FROM cards WHERE holder <> ''")?;
            let rows = select.query_map([], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<Vec<Sender>>>()?
        };
        for sender in senders {
            self.issue_card(tx, &sender)?;
        }
        Ok(())
    }

    fn sign_card(&self, card: Card, number: &str, issued_ms: i64) -> Result<String> {
        let receipt = self.keys.receipt();
        Card {
            number: number.to_owned(),
            issued_ms,
            valid_until_ms: issued_ms.saturating_add(VALID_MS),
            ..card
        }
        .issue(receipt.public(), |bytes| receipt.sign_bytes(bytes))
        .map_err(|_| StoreError::Seal)
    }

    fn publish_card(&self, tx: &Transaction<'_>, sender: &Sender, news: &CardNews) -> Result<()> {
        let signed = self.keys.receipt().sign(Context::CardNews, news)?;
        feed::add(tx, sender, "card", "card", &signed)
    }
}

/// The traveler in the stored profile of `sender`.
fn registered(tx: &Transaction<'_>, sender: &Sender) -> Result<Option<Traveler>> {
    let content: Option<Vec<u8>> = tx
        .query_row(
            "SELECT content FROM profiles WHERE sender = ?1 ORDER BY received_ms DESC LIMIT 1",
            [sender],
            |row| row.get(0),
        )
        .optional()?;
    Ok(
        match content.map(|content| serde_json::from_slice(&content)) {
            Some(Ok(Content::Profile(profile))) => fields::entity(&profile.fields, TRAVELER),
            _ => None,
        },
    )
}

/// What a card says of the traveler.
fn card_of(traveler: &Traveler) -> Card {
    let document = traveler.documents.first();
    Card {
        number: String::new(),
        name: traveler.name.clone(),
        document_end: document.map(|document| end(&document.number)),
        nationality: traveler
            .nationality
            .clone()
            .or_else(|| document?.issuing_state.clone()),
        issued_ms: 0,
        valid_until_ms: 0,
    }
}

/// The last four letters and digits.
fn end(number: &str) -> String {
    let bare: Vec<char> = number.chars().filter(|c| c.is_alphanumeric()).collect();
    bare.iter()
        .skip(bare.len().saturating_sub(4))
        .collect::<String>()
}
