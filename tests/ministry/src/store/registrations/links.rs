//! Link codes: how a second phone comes into a registration, and how one goes.
//!
//! A code is judged by the ministry's clock at the time that it came. It waits
//! where the phone that made it has not been heard of yet, and is judged when
//! that phone has sent its registration. Once judged, it stays so.

use homeline::registration::link::{FARTHEST_MS, GRACE_MS, LinkCode};
use homeline::sync::protocol::LinkRefusal;
use rusqlite::{OptionalExtension as _, Transaction, params};
use uuid::Uuid;

use super::{Arrival, Tell, believed, last_profile, members, membership, merge_in, seat};
use super::{Result, Store};
use crate::intake::Sender;

/// What is to become of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Wait,
    Link,
    Refuse(LinkRefusal),
}

/// The registration that a profile is for: the one that it names, save where the
/// sender has been linked by the code in it and has not heard of that yet.
pub(super) fn registration_of(tx: &Transaction<'_>, arrival: &Arrival<'_>) -> Result<Uuid> {
    let named = arrival.profile.registration;
    let Some(code) = arrival
        .profile
        .phones
        .link
        .as_deref()
        .and_then(LinkCode::read)
    else {
        return Ok(named);
    };
    let linked: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM links JOIN members USING (sender, registration)
         WHERE nonce = ?1 AND sender = ?2 AND state = 'linked')",
        params![code.nonce, arrival.sender],
        |row| row.get(0),
    )?;
    Ok(if linked { code.registration } else { named })
}

impl Store {
    /// Takes the code of a profile, if it brings a new one, and judges it.
    pub(super) fn take_link(
        &self,
        tx: &Transaction<'_>,
        arrival: &Arrival<'_>,
        registration: &Uuid,
    ) -> Result<()> {
        let Some(text) = &arrival.profile.phones.link else {
            return Ok(());
        };
        let Some(code) = LinkCode::read(text).filter(|code| code.registration != *registration)
        else {
            return Ok(());
        };
        let known: Option<String> = tx
            .query_row(
                "SELECT state FROM links WHERE nonce = ?1 AND sender = ?2",
                params![code.nonce, arrival.sender],
                |row| row.get(0),
            )
            .optional()?;
        match known.as_deref() {
            Some("waiting") => Ok(()),
            // It was linked by this code and has gone since.
            Some("linked") => {
                let used = Verdict::Refuse(LinkRefusal::Used);
                self.settle(tx, arrival.sender, &code, used, arrival.received_ms)
            }
            _ => {
                tx.execute(
                    "INSERT OR REPLACE INTO links
                         (nonce, sender, registration, issuer, code, received_ms, state)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting')",
                    params![
                        code.nonce,
                        arrival.sender,
                        code.registration.as_bytes(),
                        code.device,
                        text.trim(),
                        arrival.received_ms
                    ],
                )?;
                self.judge(tx, arrival.sender, &code, arrival.received_ms)
            }
        }
    }

    /// Judges the codes that waited for this registration.
    pub(super) fn answer_waiting(&self, tx: &Transaction<'_>, registration: &Uuid) -> Result<()> {
        let mut select = tx.prepare_cached(
            "SELECT sender, code, received_ms FROM links
             WHERE registration = ?1 AND state = 'waiting' ORDER BY received_ms, sender",
        )?;
        let waiting = select
            .query_map([registration.as_bytes()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?
            .collect::<rusqlite::Result<Vec<(Sender, String, i64)>>>()?;
        for (sender, text, received_ms) in waiting {
            if let Some(code) = LinkCode::read(&text) {
                self.judge(tx, &sender, &code, received_ms)?;
            }
        }
        Ok(())
    }

    fn judge(
        &self,
        tx: &Transaction<'_>,
        sender: &Sender,
        code: &LinkCode,
        received_ms: i64,
    ) -> Result<()> {
        let verdict = verdict(tx, sender, code, received_ms)?;
        self.settle(tx, sender, code, verdict, received_ms)
    }

    fn settle(
        &self,
        tx: &Transaction<'_>,
        sender: &Sender,
        code: &LinkCode,
        verdict: Verdict,
        received_ms: i64,
    ) -> Result<()> {
        let state = match verdict {
            Verdict::Wait => return Ok(()),
            Verdict::Link => "linked",
            Verdict::Refuse(reason) => name(reason),
        };
        tx.execute(
            "UPDATE links SET state = ?3 WHERE nonce = ?1 AND sender = ?2",
            params![code.nonce, sender, state],
        )?;
        if verdict == Verdict::Link {
            return self.join(tx, sender, &code.registration, received_ms);
        }
        match membership(tx, sender)? {
            Some(own) => self.tell(tx, &own, sender, Tell::Sender),
            None => Ok(()),
        }
    }

    /// Moves a device into a registration, with what it has sent of its own.
    fn join(
        &self,
        tx: &Transaction<'_>,
        sender: &Sender,
        registration: &Uuid,
        now_ms: i64,
    ) -> Result<()> {
        let (device, from): (String, Option<Uuid>) = tx
            .query_row(
                "SELECT device, registration FROM members WHERE sender = ?1",
                [sender],
                |row| Ok((row.get(0)?, Some(Uuid::from_bytes(row.get(1)?)))),
            )
            .optional()?
            .unwrap_or_default();
        let Some(from) = from else { return Ok(()) };
        let last = last_profile(tx, sender, &from)?;
        tx.execute(
            "UPDATE OR REPLACE profiles SET registration = ?3
             WHERE sender = ?1 AND registration = ?2",
            params![sender, from.as_bytes(), registration.as_bytes()],
        )?;
        seat(tx, sender, &device, registration, now_ms)?;
        self.tell_members(tx, &from)?;
        if let Some(last) = last {
            let fields: Vec<_> = last
                .fields
                .0
                .into_values()
                .map(|field| believed(&field, last.received_ms))
                .collect();
            // A phone that joins has seen nothing of the registration.
            let profile = homeline::sync::protocol::Profile {
                version: 0,
                registration: *registration,
                fields: Vec::new(),
                phones: Default::default(),
            };
            let arrival = Arrival {
                sender,
                device,
                profile: &profile,
                received_ms: now_ms,
            };
            merge_in(tx, &arrival, registration, &fields)?;
        }
        self.tell_members(tx, registration)
    }

    /// Lets the devices go that the sender has unlinked.
    pub(super) fn unlink(
        &self,
        tx: &Transaction<'_>,
        arrival: &Arrival<'_>,
        registration: &Uuid,
    ) -> Result<Tell> {
        let mut tell = Tell::Nobody;
        for device in &arrival.profile.phones.unlink {
            let gone: Option<Sender> = tx
                .query_row(
                    "DELETE FROM members
                     WHERE registration = ?1 AND device = ?2 AND device <> '' AND sender <> ?3
                     RETURNING sender",
                    params![registration.as_bytes(), device, arrival.sender],
                    |row| row.get(0),
                )
                .optional()?;
            if let Some(gone) = gone {
                self.tell_stranger(tx, &gone, registration)?;
                tell = Tell::All;
            }
        }
        Ok(tell)
    }
}

fn verdict(
    tx: &Transaction<'_>,
    sender: &Sender,
    code: &LinkCode,
    received_ms: i64,
) -> Result<Verdict> {
    let signing: Option<Vec<u8>> = tx
        .query_row(
            "SELECT signing FROM devices WHERE id = ?1",
            [&code.device],
            |row| row.get(0),
        )
        .optional()?;
    let Some(signing) = signing else {
        return Ok(Verdict::Wait);
    };
    if !code.is_signed_by(&signing) {
        return Ok(Verdict::Refuse(LinkRefusal::NotGenuine));
    }
    let too_old = received_ms > code.expires_ms.saturating_add(GRACE_MS);
    if too_old || code.expires_ms > received_ms.saturating_add(FARTHEST_MS) {
        return Ok(Verdict::Refuse(LinkRefusal::Expired));
    }
    let used: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM links
         WHERE nonce = ?1 AND sender <> ?2 AND state IN ('linked', 'used'))",
        params![code.nonce, sender],
        |row| row.get(0),
    )?;
    if used {
        return Ok(Verdict::Refuse(LinkRefusal::Used));
    }
    // The device of a member is proved, see `proved_device`.
    let issued_inside: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM members
         WHERE registration = ?1 AND device = ?2 AND sender <> ?3)",
        params![code.registration.as_bytes(), code.device, sender],
        |row| row.get(0),
    )?;
    Ok(if issued_inside {
        Verdict::Link
    } else if members(tx, &code.registration)?.is_empty() {
        Verdict::Wait
    } else {
        Verdict::Refuse(LinkRefusal::NotLinked)
    })
}

fn name(reason: LinkRefusal) -> &'static str {
    match reason {
        LinkRefusal::NotGenuine => "not_genuine",
        LinkRefusal::Expired => "expired",
        LinkRefusal::Used => "used",
        LinkRefusal::NotLinked => "not_linked",
    }
}

/// The refusal that a state stands for; `None` where the phones are linked.
pub(super) fn refusal(state: &str) -> Option<LinkRefusal> {
    [
        LinkRefusal::NotGenuine,
        LinkRefusal::Expired,
        LinkRefusal::Used,
        LinkRefusal::NotLinked,
    ]
    .into_iter()
    .find(|reason| name(*reason) == state)
}
