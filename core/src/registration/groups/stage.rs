//! The way of groups and leaves to the outbox.
//!
//! A group goes as one envelope for each version that sync finds, however many
//! were added since; a newer one replaces the one that still waits. The ids are
//! made from group and version: a crash between record and outbox repeats the
//! step with the same envelope.
//!
//! The leader uploads under the own consent for [`Purpose::Register`]. A leave
//! needs none: it takes a consent back, and says nothing of the person.

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::joined;
use super::led::{self, Led};
use crate::error::Result;
use crate::outbox::{Lane, NewEnvelope, Outbox, Role};
use crate::record::{Record, meta};
use crate::registration::{Purpose, in_force};
use crate::seal::token::{Kind, Token};
use crate::sync::protocol::{Base64, Content, Group, GroupLeave, GroupPerson};
use crate::sync::{Sealer, stable_id};

/// What staging has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Staged {
    /// Something new is in the outbox, perhaps in place of something older.
    pub(crate) anything: bool,
    /// A group stays on the phone for want of consent.
    pub(crate) without_consent: bool,
}

/// Moves groups and leaves that the outbox does not have yet there.
pub(crate) fn stage_groups(record: &Record, outbox: &Outbox, sealer: &Sealer) -> Result<Staged> {
    let (groups, leaves, instance, consent) = record.write(|tx| {
        let groups = led::all(tx)?
            .into_iter()
            .filter(|group| group.version > group.sent)
            .map(|group| Ok((upload(tx, &group)?, group.version, group.sent)))
            .collect::<Result<Vec<_>>>()?;
        Ok((
            groups,
            joined::unsent_leaves(tx)?,
            meta(tx, "instance")?,
            in_force(tx, Purpose::Register)?,
        ))
    })?;
    let mut staged = Staged::default();
    for leave in leaves {
        staged.anything = true;
        // Always there: the rows were chosen by it.
        let bytes = leave.leave.unwrap_or_default();
        let content = Content::GroupLeave(GroupLeave {
            leave: Base64(bytes),
        });
        let id = stable_id(&instance, &format!("leave/{}", leave.id), leave.serial);
        enqueue(outbox, sealer, id, Role::GroupLeave, leave.id, &content)?;
        record.write(|tx| joined::leave_sent(tx, leave.id, leave.serial))?;
    }
    for (group, version, sent) in groups {
        // A group that nobody has come to is nobody's business yet.
        if sent == 0 && group.members.is_empty() && group.leaves.is_empty() {
            continue;
        }
        if !consent {
            staged.without_consent = true;
            continue;
        }
        staged.anything = true;
        let subject = group.id;
        let id = stable_id(&instance, &format!("group/{subject}"), version);
        let content = Content::Group(group);
        enqueue(outbox, sealer, id, Role::Group, subject, &content)?;
        record.write(|tx| {
            tx.execute(
                "UPDATE led_group SET sent = ?2 WHERE id = ?1",
                params![subject, version],
            )?;
            Ok(())
        })?;
    }
    Ok(staged)
}

fn enqueue(
    outbox: &Outbox,
    sealer: &Sealer,
    id: Uuid,
    role: Role,
    subject: Uuid,
    content: &Content,
) -> Result<()> {
    outbox.enqueue(&NewEnvelope {
        id,
        lane: Lane::Registration,
        role,
        report: Some(subject),
        sealed: sealer.to_ministry(content, id)?,
        readable: Some(sealer.to_self(content, id)?),
        not_before_ms: 0,
    })
}

/// Consent has been taken back: what waited was deleted, and goes again when it
/// is given anew. What has arrived keeps its id, so it is not sent twice.
pub(crate) fn groups_withdrawn(tx: &Connection) -> Result<()> {
    tx.execute("UPDATE led_group SET sent = 0", [])?;
    Ok(())
}

/// The group as the ministry is told of it.
fn upload(tx: &Connection, group: &Led) -> Result<Group> {
    let members = led::members(tx, group.id)?
        .into_iter()
        .map(|(id, by_hand, person)| {
            let entries = tokens(tx, group.id, "entry", Some(&id))?;
            Ok(GroupPerson {
                by_hand: (by_hand && entries.is_empty()).then_some(person),
                entries,
                member: Uuid::parse_str(&id).unwrap_or_default(),
            })
        })
        .collect::<Result<_>>()?;
    Ok(Group {
        id: group.id,
        version: u64::try_from(group.version).unwrap_or(0),
        salt: Base64(group.salt.to_vec()),
        signing_key: Base64(group.signing.to_vec()),
        details: group.details.clone(),
        closed_ms: group.closed_ms,
        members,
        leaves: tokens(tx, group.id, "leave", None)?,
    })
}

/// Signed words of a group: of one member, or of all.
fn tokens(tx: &Connection, group: Uuid, column: &str, member: Option<&str>) -> Result<Vec<Base64>> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT {column} FROM group_entry WHERE group_id = ?1 AND {column} IS NOT NULL
             AND (?2 IS NULL OR member = ?2) ORDER BY device"
    ))?;
    let rows = statement.query_map(params![group, member], |row| Ok(Base64(row.get(0)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The text of a leave that was signed before.
pub(super) fn leave_text(bytes: &[u8]) -> Option<String> {
    Some(Token::from_bytes(bytes).ok()?.to_text(Kind::Leave))
}
