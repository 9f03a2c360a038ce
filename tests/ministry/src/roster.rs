//! A group as it was uploaded, read with care: pure.
//!
//! What the leader's phone says of who is in counts only with the member's own
//! signature, or as written down by the leader. Nobody is in a group twice,
//! whatever the leader's phone has let through.

use homeline::registration::groups::GroupDetails;
use homeline::registration::groups::wire::{Document, Entry, Leave, Person, group_id};
use homeline::seal::token::{Kind, Token};
use homeline::sync::protocol::{Base64, Group};
use uuid::Uuid;

use crate::intake::Sender;

/// One phone's entry, or a person that the leader wrote down.
pub(crate) struct Row {
    pub(crate) member: Uuid,
    /// The phone's Ed25519 key; empty where the leader wrote it down.
    pub(crate) device: Vec<u8>,
    pub(crate) serial: i64,
    pub(crate) person: Person,
}

/// What is believed of a group.
#[derive(Default)]
pub(crate) struct Roster {
    pub(crate) rows: Vec<Row>,
    pub(crate) leaves: Vec<Leave>,
    /// Entries and leaves that do not verify, or are of another group.
    pub(crate) unverified: u32,
}

/// Whether the group was made by the phone that sealed the envelope.
pub(crate) fn is_senders(group: &Group, sender: &Sender) -> bool {
    let keys = (
        <&[u8; 32]>::try_from(group.signing_key.0.as_slice()),
        <&[u8; 16]>::try_from(group.salt.0.as_slice()),
    );
    match keys {
        (Ok(signing), Ok(salt)) => group_id(signing, sender, salt) == group.id,
        _ => false,
    }
}

/// A leave, if its signature holds.
pub(crate) fn leave(bytes: &Base64) -> Option<Leave> {
    Token::from_bytes(&bytes.0)
        .ok()?
        .verify_own(Kind::Leave)
        .ok()
}

fn entry(bytes: &Base64, group: Uuid) -> Option<Entry> {
    let entry: Entry = Token::from_bytes(&bytes.0)
        .ok()?
        .verify_own(Kind::Entry)
        .ok()?;
    (entry.group == group).then_some(entry)
}

/// Reads a group.
pub(crate) fn read(group: &Group) -> Roster {
    let mut roster = Roster::default();
    for given in &group.leaves {
        match leave(given).filter(|leave| leave.group == group.id) {
            Some(leave) => roster.leaves.push(leave),
            None => roster.unverified += 1,
        }
    }
    for member in &group.members {
        for given in &member.entries {
            match entry(given, group.id) {
                Some(entry) => roster.add(Row {
                    member: member.member,
                    device: entry.signing.to_vec(),
                    serial: entry.serial,
                    person: entry.person,
                }),
                None => roster.unverified += 1,
            }
        }
        if let Some(person) = &member.by_hand {
            roster.add(Row {
                member: member.member,
                device: Vec::new(),
                serial: 0,
                person: person.clone(),
            });
        }
    }
    roster
}

impl Roster {
    /// Adds a row under the member that the person already is, if any.
    fn add(&mut self, mut row: Row) {
        let signed = !row.device.is_empty();
        if signed && self.rows.iter().any(|known| known.device == row.device) {
            return;
        }
        let of_another_state = |member: Uuid| {
            let mut own = self.rows.iter().filter(|known| known.member == member);
            own.any(|known| contradict(&known.person, &row.person))
        };
        let same = self
            .rows
            .iter()
            .find(|known| same(&known.person, &row.person) && !of_another_state(known.member));
        if let Some(known) = same {
            row.member = known.member;
        }
        self.rows.push(row);
    }
}

/// Whether two people show the same document.
pub(crate) fn same(one: &Person, other: &Person) -> bool {
    let documents = one.document.as_ref().zip(other.document.as_ref());
    documents.is_some_and(|(one, other): (&Document, &Document)| one.is(other))
}

/// Whether two people show documents of the same number, of two states.
fn contradict(one: &Person, other: &Person) -> bool {
    let documents = one.document.as_ref().zip(other.document.as_ref());
    documents.is_some_and(|(one, other)| one.key() == other.key() && !one.is(other))
}

/// Whether two groups may be one trip: their days overlap, as far as they are
/// known.
pub(crate) fn overlap(one: &GroupDetails, other: &GroupDetails) -> bool {
    let before = |end: &Option<String>, begin: &Option<String>| match (end, begin) {
        (Some(end), Some(begin)) => end < begin,
        _ => false,
    };
    !before(&one.last_day, &other.first_day) && !before(&other.last_day, &one.first_day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeline::registration::groups::GroupKind;

    fn days(first: Option<&str>, last: Option<&str>) -> GroupDetails {
        GroupDetails {
            name: String::new(),
            kind: GroupKind::Tour,
            agency: None,
            first_day: first.map(str::to_owned),
            last_day: last.map(str::to_owned),
        }
    }

    #[test]
    fn trips_overlap_by_their_days() {
        let may = days(Some("2026-05-01"), Some("2026-05-10"));
        let rows = [
            (days(Some("2026-05-10"), None), true),
            (days(Some("2026-05-11"), None), false),
            (days(None, Some("2026-05-01")), true),
            (days(None, Some("2026-04-30")), false),
            (days(None, None), true),
        ];
        for (other, expected) in rows {
            assert_eq!(overlap(&may, &other), expected);
            assert_eq!(overlap(&other, &may), expected);
        }
    }

    #[test]
    fn one_document_is_one_member_in_whatever_hands() {
        let person = |number: &str, issuer: &str| Person {
            name: "n".into(),
            phone: None,
            document: Some(Document {
                issuer: issuer.into(),
                number: number.into(),
            }),
        };
        let row = |member: u128, device: u8, person| Row {
            member: Uuid::from_u128(member),
            device: vec![device; 32],
            serial: 1,
            person,
        };
        let mut roster = Roster::default();
        roster.add(row(1, 1, person("E 1234567", "CHN")));
        roster.add(row(2, 2, person("e1234567", "")));
        roster.add(row(3, 3, person("E1234567", "UTO")));
        roster.add(row(4, 1, person("X", "CHN")));
        let members: Vec<u128> = roster.rows.iter().map(|row| row.member.as_u128()).collect();
        assert_eq!(
            members,
            [1, 1, 3],
            "another state's number is another document"
        );
    }
}
