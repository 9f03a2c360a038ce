//! What a phone finds in its feed about its registration: the fields that it may
//! not have, the other phones, the answer to its link code.
//!
//! There is one set of news for each phone at a time, made anew when something
//! changes, so that a phone that was away for a year finds no year of news. It is
//! cut into parts that a phone can read one by one.

use homeline::registration::fields::Field;
use homeline::registration::fields::Stamp;
use homeline::seal::signed::Context;
use homeline::sync::protocol::{Base64, LinkAnswer, Membership, Overruled, PhoneNews, ProfileNews};
use rusqlite::{OptionalExtension as _, Transaction, params};
use uuid::Uuid;

use super::links::refusal;
use super::{Result, Store};
use super::{Tell, believed, fields_of, last_profile, members};
use crate::intake::Sender;
use crate::store::{feed, now_ms};

/// Bytes of fields in one part: a phone reads at most 1 MiB at a time.
const PART_BYTES: usize = 96 * 1024;
/// Meetings of changes are told for so long: a phone may be away.
const OVERRULED_MS: i64 = 30 * 24 * 3_600_000;

impl Store {
    pub(super) fn tell(
        &self,
        tx: &Transaction<'_>,
        registration: &Uuid,
        sender: &Sender,
        tell: Tell,
    ) -> Result<()> {
        match tell {
            Tell::Nobody => Ok(()),
            Tell::Sender => self.publish_profile(tx, registration, sender),
            Tell::All => self.tell_members(tx, registration),
        }
    }

    pub(super) fn tell_members(&self, tx: &Transaction<'_>, registration: &Uuid) -> Result<()> {
        let members = members(tx, registration)?;
        let alone = members.len() == 1;
        for member in members {
            // A phone that was never told of another knows all of it itself.
            if !alone
                || was_told(tx, &member)?
                || !self.lacks(tx, registration, &member)?.is_empty()
            {
                self.publish_profile(tx, registration, &member)?;
            }
        }
        Ok(())
    }

    /// Tells every phone that was told anything once more, signed anew.
    pub(in crate::store) fn tell_all(&self, tx: &Transaction<'_>) -> Result<()> {
        let told = {
            let mut select =
                tx.prepare_cached("SELECT DISTINCT recipient FROM changes WHERE kind = 'profile'")?;
            let rows = select.query_map([], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<Vec<Sender>>>()?
        };
        for device in told {
            let registration: Option<[u8; 16]> = tx
                .query_row(
                    "SELECT registration FROM members WHERE sender = ?1",
                    [device],
                    |row| row.get(0),
                )
                .optional()?;
            match registration {
                Some(id) => self.publish_profile(tx, &Uuid::from_bytes(id), &device)?,
                // Of a registration that it is a stranger to nothing is left to say.
                None => clear(tx, &device)?,
            }
        }
        Ok(())
    }

    /// Tells a device that it does not belong to the registration, and nothing else.
    pub(super) fn tell_stranger(
        &self,
        tx: &Transaction<'_>,
        device: &Sender,
        registration: &Uuid,
    ) -> Result<()> {
        clear(tx, device)?;
        let news = ProfileNews {
            to: Base64(device.to_vec()),
            registration: *registration,
            membership: Membership::Stranger,
            link: answer(tx, device)?,
            phones: Vec::new(),
            overruled: Vec::new(),
            fields: Vec::new(),
        };
        self.put_news(tx, device, 0, &news)
    }

    fn publish_profile(
        &self,
        tx: &Transaction<'_>,
        registration: &Uuid,
        member: &Sender,
    ) -> Result<()> {
        clear(tx, member)?;
        let mut parts = parts(self.lacks(tx, registration, member)?);
        let first = ProfileNews {
            to: Base64(member.to_vec()),
            registration: *registration,
            membership: Membership::Member,
            link: answer(tx, member)?,
            phones: phones(tx, registration)?,
            overruled: overruled(tx, registration)?,
            fields: parts.next().unwrap_or_default(),
        };
        self.put_news(tx, member, 0, &first)?;
        for (number, fields) in (1_usize..).zip(parts) {
            let part = ProfileNews {
                fields,
                phones: Vec::new(),
                overruled: Vec::new(),
                ..first.clone()
            };
            self.put_news(tx, member, number, &part)?;
        }
        Ok(())
    }

    /// The merged fields that the member has not sent itself.
    fn lacks(
        &self,
        tx: &Transaction<'_>,
        registration: &Uuid,
        member: &Sender,
    ) -> Result<Vec<Field>> {
        let mut fields = fields_of(tx, registration)?;
        if let Some(last) = last_profile(tx, member, registration)? {
            let has = |field: &Field| {
                let name = (field.entity.clone(), field.key.clone());
                let own = last.fields.0.get(&name);
                own.is_some_and(|own| believed(own, last.received_ms) == *field)
            };
            fields.retain(|field| !has(field));
        }
        Ok(fields)
    }

    fn put_news(
        &self,
        tx: &Transaction<'_>,
        device: &Sender,
        part: usize,
        news: &ProfileNews,
    ) -> Result<()> {
        let signed = self.keys.receipt().sign(Context::Profile, news)?;
        feed::add(tx, device, &format!("profile/{part}"), "profile", &signed)
    }
}

fn was_told(tx: &Transaction<'_>, device: &Sender) -> Result<bool> {
    Ok(tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM changes WHERE recipient = ?1 AND kind = 'profile')",
        [device],
        |row| row.get(0),
    )?)
}

fn clear(tx: &Transaction<'_>, device: &Sender) -> Result<()> {
    tx.execute(
        "DELETE FROM changes WHERE recipient = ?1 AND kind = 'profile'",
        [device],
    )?;
    Ok(())
}

/// The fields in parts of about [`PART_BYTES`].
fn parts(fields: Vec<Field>) -> impl Iterator<Item = Vec<Field>> {
    let mut out: Vec<Vec<Field>> = Vec::new();
    let mut room = 0;
    for field in fields {
        let size = field.value.to_string().len() + field.entity.len() + field.key.len() + 120;
        match out.last_mut() {
            Some(part) if size <= room => part.push(field),
            _ => {
                out.push(vec![field]);
                room = PART_BYTES;
            }
        }
        room = room.saturating_sub(size);
    }
    out.into_iter()
}

/// The answer to the last code that a device has brought.
fn answer(tx: &Transaction<'_>, device: &Sender) -> Result<Option<LinkAnswer>> {
    let last: Option<([u8; 16], String)> = tx
        .query_row(
            "SELECT nonce, state FROM links WHERE sender = ?1 AND state <> 'waiting'
             ORDER BY received_ms DESC LIMIT 1",
            [device],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    Ok(last.map(|(nonce, state)| LinkAnswer {
        nonce: homeline::seal::hex(&nonce),
        refused: refusal(&state),
    }))
}

fn phones(tx: &Transaction<'_>, registration: &Uuid) -> Result<Vec<PhoneNews>> {
    let mut select = tx.prepare_cached(
        "SELECT device, joined_ms, seen_ms FROM members
         WHERE registration = ?1 AND device <> '' ORDER BY joined_ms, device",
    )?;
    let rows = select.query_map([registration.as_bytes()], |row| {
        Ok(PhoneNews {
            device: row.get(0)?,
            linked_ms: row.get(1)?,
            seen_ms: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn overruled(tx: &Transaction<'_>, registration: &Uuid) -> Result<Vec<Overruled>> {
    let since = now_ms().saturating_sub(OVERRULED_MS);
    tx.execute(
        "DELETE FROM overruled WHERE registration = ?1 AND at_ms < ?2",
        params![registration.as_bytes(), since],
    )?;
    let mut select = tx.prepare_cached(
        // The latest: a phone whose clock jumps about must not fill the feed.
        "SELECT entity, key, newer_ms, newer_device, older_ms, older_device FROM overruled
         WHERE registration = ?1 ORDER BY at_ms DESC LIMIT 200",
    )?;
    let rows = select.query_map([registration.as_bytes()], |row| {
        Ok(Overruled {
            entity: row.get(0)?,
            key: row.get(1)?,
            newer: Stamp {
                changed_ms: row.get(2)?,
                device: row.get(3)?,
            },
            older: Stamp {
                changed_ms: row.get(4)?,
                device: row.get(5)?,
            },
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
