//! The traveler's phones: several that share one registration.
//!
//! ```text
//! Alone ──link(code)──▶ Waiting ──the ministry's news──▶ Linked
//!                          └─────────────────────────▶ Refused
//! Linked ──leave(), or unlink() on another phone──▶ Alone
//! ```
//!
//! One phone shows a [`link_code`](Phones::link_code), the other reads it. The
//! code goes to the ministry inside the next profile; until its answer comes back
//! signed, the second phone keeps a registration of its own, and nothing of the
//! first one reaches it. From then on the ministry merges what both send, field
//! by field ([`super::merge`]), and tells each what the other has changed
//! ([`news`]). All of this works in any order and with weeks between the steps.

pub(crate) mod news;

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::fields::Stamper;
use super::link::{self, LinkCode};
use super::profile::{changed, registration_id};
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::keys::random;
use crate::record::{Record, meta_number, set_meta};
use crate::sync::protocol::{LinkRefusal, PhonesNote};

/// Whether this phone shares its registration with others.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum LinkState {
    /// It has a registration of its own.
    Alone,
    /// A code was read; the ministry has not answered yet. It does after a sync
    /// of this phone, and of the other one where that has never had a network.
    Waiting {
        /// When it was read, milliseconds UTC by this phone's clock.
        since_ms: i64,
    },
    /// It shares its registration with the phones that `list` returns.
    Linked,
    /// The code was refused: the phone keeps its own registration. Another code
    /// may be read.
    Refused {
        /// Why.
        reason: LinkRefusal,
    },
}

/// A phone of the traveler.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LinkedPhone {
    /// Id of the device.
    pub device: String,
    /// Which one it is.
    pub whose: PhoneKind,
    /// When it joined the registration, milliseconds UTC by the ministry's clock.
    pub linked_ms: i64,
    /// When the ministry last had a profile from it, as of the last news,
    /// milliseconds UTC by the ministry's clock.
    pub seen_ms: i64,
}

/// Which phone a [`LinkedPhone`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum PhoneKind {
    /// The one in hand.
    This,
    /// Another one.
    Other,
    /// Another one that was unlinked here; the ministry does not know it yet.
    Unlinking,
}

/// Something that another phone has changed, for the traveler to be told.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct MergedField {
    /// Grows; for `dismiss`.
    pub id: i64,
    /// What it belongs to: `traveler`, `contact/<id>`, `contact_order`, ...
    pub entity: String,
    /// The key of its JSON form; empty where the whole was removed.
    pub key: String,
    /// When the other phone changed it, milliseconds UTC.
    pub changed_ms: i64,
    /// The other phone.
    pub device: String,
    /// What came of it.
    pub outcome: MergeOutcome,
}

redacted_debug!(MergedField);

/// What came of a change of another phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum MergeOutcome {
    /// It was the newer one, and is in this phone's record.
    Taken,
    /// This phone had changed the same without knowing of it, and later: this
    /// phone's change stands on both.
    Kept,
}

/// The traveler's phones. Reached through `Homeline::phones`.
#[derive(uniffi::Object)]
pub struct Phones {
    pub(crate) record: Arc<Record>,
    pub(crate) stamper: Stamper,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) policy: Policy,
}

#[uniffi::export]
impl Phones {
    /// A text for a QR code that lets one other phone join this one's
    /// registration. Valid for an hour and for one phone; whoever reads it can
    /// join, so it is shown to nobody else. Needs no network; the phone must send
    /// its registration (a consent for `Register`) for the link to come about.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn link_code(&self) -> Result<String> {
        guard("Phones::link_code", || {
            let now_ms = self.stamper.stamp().changed_ms;
            let registration = self.record.write(|tx| {
                if meta_number(tx, "profile_version")? == 0 {
                    // The ministry must know this registration, empty as it is.
                    changed(tx)?;
                }
                registration_id(tx)
            })?;
            let expires_ms = now_ms.saturating_add(self.policy.link_code_ms);
            link::make(&self.stamper.sealer.device(), registration, expires_ms)
        })
    }

    /// Reads the code of another phone and asks, with the next sync, to join its
    /// registration. What this phone has is merged in then.
    ///
    /// Errors: `Invalid` where it is no code, one of this phone, or one that has
    /// expired; `Locked`, `KeyLost`, `Storage`.
    pub fn link(&self, code: String) -> Result<()> {
        guard("Phones::link", || {
            let read = LinkCode::read(&code).ok_or_else(|| {
                HomelineError::invalid("code", Problem::Malformed, "a link code (HLP1...)")
            })?;
            let now_ms = self.stamper.stamp().changed_ms;
            self.check(&read, now_ms)?;
            self.record.write(|tx| {
                if registration_id(tx)? == read.registration {
                    return Ok(());
                }
                tx.execute(
                    "INSERT INTO link (one, code, nonce, registration, asked_ms)
                     VALUES (1, ?1, ?2, ?3, ?4)
                     ON CONFLICT (one) DO UPDATE SET code = excluded.code,
                       nonce = excluded.nonce, registration = excluded.registration,
                       refused = NULL, asked_ms = excluded.asked_ms",
                    params![
                        code.trim(),
                        read.name(),
                        read.registration.to_string(),
                        now_ms
                    ],
                )?;
                changed(tx)
            })?;
            self.listeners.notify(Topic::Record);
            Ok(())
        })
    }

    /// Whether this phone shares its registration.
    pub fn state(&self) -> Result<LinkState> {
        guard("Phones::state", || self.record.read(state))
    }

    /// The phones that share the registration, as the ministry last told, the
    /// longest linked first; empty where this phone is alone.
    pub fn list(&self) -> Result<Vec<LinkedPhone>> {
        let device = self.stamper.sealer.device();
        guard("Phones::list", || {
            self.record.read(|tx| list(tx, device.id()))
        })
    }

    /// What other phones have changed and nobody has dismissed, the newest first.
    /// Kept for 90 days.
    pub fn merged(&self) -> Result<Vec<MergedField>> {
        guard("Phones::merged", || self.record.read(merged))
    }

    /// The traveler has seen what `merged` told, up to and including `id`.
    pub fn dismiss(&self, id: i64) -> Result<()> {
        guard("Phones::dismiss", || {
            self.record.write(|tx| {
                tx.execute("UPDATE merged SET dismissed = 1 WHERE id <= ?1", [id])?;
                Ok(())
            })
        })
    }

    /// This phone goes on alone, with a copy of what it has.
    pub fn leave(&self) -> Result<()> {
        guard("Phones::leave", || {
            self.record.write(|tx| {
                tx.execute("DELETE FROM link", [])?;
                alone(tx)
            })?;
            self.listeners.notify(Topic::Record);
            Ok(())
        })
    }

    /// Lets another phone go, for example a lost one: from the next sync on the
    /// ministry takes nothing from it and tells it nothing more. What it has
    /// already stays on it.
    ///
    /// Errors: `NotFound` where `device` is not another phone of `list`.
    pub fn unlink(&self, device: String) -> Result<()> {
        let own = self.stamper.sealer.device();
        guard("Phones::unlink", || {
            self.record.write(|tx| {
                let found = tx.execute(
                    "UPDATE phone SET unlinking = 1 WHERE device = ?1 AND device <> ?2",
                    [device.as_str(), own.id()],
                )?;
                if found == 0 {
                    return Err(HomelineError::not_found("phone"));
                }
                changed(tx)
            })?;
            self.listeners.notify(Topic::Record);
            Ok(())
        })
    }
}

impl Phones {
    fn check(&self, code: &LinkCode, now_ms: i64) -> Result<()> {
        if code.device == self.stamper.sealer.device().id() {
            let other = "a code that another phone shows";
            return Err(HomelineError::invalid("code", Problem::Malformed, other));
        }
        // A clock that was never compared with the ministry's decides nothing.
        let clock_known = self.stamper.outbox.get_number("offset_ms")?.is_some();
        if clock_known && code.expires_ms < now_ms {
            let fresh = "a code of the last hour";
            return Err(HomelineError::invalid("code", Problem::OutOfRange, fresh));
        }
        Ok(())
    }
}

fn state(tx: &Connection) -> Result<LinkState> {
    let asked: Option<(i64, Option<i64>)> = tx
        .query_row("SELECT asked_ms, refused FROM link", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    Ok(match asked {
        Some((since_ms, None)) => LinkState::Waiting { since_ms },
        Some((_, Some(number))) => LinkState::Refused {
            reason: news::refusal_from_number(number),
        },
        None => {
            let phones: i64 = tx.query_row("SELECT count(*) FROM phone", [], |row| row.get(0))?;
            match phones {
                0 | 1 => LinkState::Alone,
                _ => LinkState::Linked,
            }
        }
    })
}

fn list(tx: &Connection, own: &str) -> Result<Vec<LinkedPhone>> {
    let mut statement = tx.prepare(
        "SELECT device, linked_ms, seen_ms, unlinking FROM phone
         WHERE (SELECT count(*) FROM phone) > 1 ORDER BY linked_ms, device",
    )?;
    let rows = statement.query_map([], |row| {
        let device: String = row.get(0)?;
        let unlinking: i64 = row.get(3)?;
        Ok(LinkedPhone {
            whose: match (device == own, unlinking) {
                (true, _) => PhoneKind::This,
                (false, 0) => PhoneKind::Other,
                (false, _) => PhoneKind::Unlinking,
            },
            device,
            linked_ms: row.get(1)?,
            seen_ms: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn merged(tx: &Connection) -> Result<Vec<MergedField>> {
    let mut statement = tx.prepare(
        "SELECT id, entity, key, changed_ms, device, outcome FROM merged
         WHERE dismissed = 0 ORDER BY id DESC",
    )?;
    let rows = statement.query_map([], |row| {
        let outcome: i64 = row.get(5)?;
        Ok(MergedField {
            id: row.get(0)?,
            entity: row.get(1)?,
            key: row.get(2)?,
            changed_ms: row.get(3)?,
            device: row.get(4)?,
            outcome: match outcome {
                0 => MergeOutcome::Taken,
                _ => MergeOutcome::Kept,
            },
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Gives this phone a registration of its own, new to the ministry.
fn alone(tx: &Connection) -> Result<()> {
    let id = uuid::Builder::from_random_bytes(random::<16>()?).into_uuid();
    set_meta(tx, "registration", &id.to_string())?;
    set_meta(tx, "news_seen", "0")?;
    tx.execute("DELETE FROM phone", [])?;
    changed(tx)
}

/// What the next profile says of the traveler's phones.
pub(super) fn note(tx: &Connection, device: &str) -> Result<PhonesNote> {
    let link = tx
        .query_row("SELECT code FROM link WHERE refused IS NULL", [], |row| {
            row.get(0)
        })
        .optional()?;
    let mut statement = tx.prepare("SELECT device FROM phone WHERE unlinking = 1")?;
    let unlink = statement
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(PhonesNote {
        device: device.to_owned(),
        seen: u64::try_from(meta_number(tx, "news_seen")?).unwrap_or(0),
        link,
        unlink,
    })
}

/// The registration that a read code asks to join, with the name of the code.
fn asked(tx: &Connection) -> Result<Option<(String, Uuid)>> {
    let row: Option<(String, String)> = tx
        .query_row(
            "SELECT nonce, registration FROM link WHERE refused IS NULL",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    Ok(row.and_then(|(nonce, id)| Some((nonce, Uuid::parse_str(&id).ok()?))))
}
