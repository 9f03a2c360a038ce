//! Groups: a roster that is built with no network and uploaded once.
//!
//! ```text
//! leader                                member
//! create → invitation ──QR, any text──▶ read_invitation → join
//! add ◀──────── the signed entry, sealed to the leader ────┘
//! add ◀──────── the signed leave ────── leave ──▶ the member's own next sync
//! sync: the whole group, one envelope, however many were added
//! ```
//!
//! * The leader reads an entry, nobody else does; the ministry verifies the
//!   member's own signature on it: no leader makes up members that signed.
//! * Nobody is in a group twice: not by the same phone, nor by another phone or
//!   by hand with the same document.
//! * An old text changes nothing, an altered one is refused by what is wrong.
//! * A member leaves without the leader: see [`Groups::leave`].
//! * A group belongs to the phone that made it: its keys are in the group's id.
//!
//! Nothing of a group travels with the traveler's own profile.

mod joined;
mod led;
mod stage;
#[cfg(test)]
mod tests;
mod types;
pub mod wire;

pub(crate) use stage::{groups_withdrawn, stage_groups};
pub use types::{
    AddOutcome, GroupDetails, GroupKind, GroupMember, GroupState, GroupSummary, InvitationDetails,
    InvitationState, MemberOrigin, SharedDetail,
};

use std::sync::Arc;

use rusqlite::Connection;
use uuid::Uuid;

use super::fields::Stamper;
use super::{Date, TRAVELER, Traveler, load_traveler};
use crate::config::Policy;
use crate::error::{HomelineError, Problem, Result, guard};
use crate::homeline::{Listeners, Topic};
use crate::keys::random;
use crate::record::Record;
use crate::seal::token::{Kind, Scanned, Token, TokenError};
use crate::validate;
use led::Led;
use wire::{Entry, Invitation, Leave, Person};

/// Groups that the traveler leads or has joined. Reached through
/// `Homeline::groups`.
#[derive(uniffi::Object)]
pub struct Groups {
    pub(crate) record: Arc<Record>,
    pub(crate) stamper: Stamper,
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) policy: Policy,
}

// What a leader does.
#[uniffi::export]
impl Groups {
    /// Makes a group that is led from this phone; returns its id.
    ///
    /// Errors: `Invalid` names the field; `Locked`, `KeyLost`, `Storage`.
    pub fn create(&self, details: GroupDetails) -> Result<String> {
        guard("Groups::create", || {
            let details = details.validated(&self.policy)?;
            let device = self.stamper.sealer.device();
            let (signing, agreement) = (device.public().signing, device.public().agreement);
            let salt = random::<16>()?;
            let group = Led {
                id: wire::group_id(&signing, &agreement, &salt),
                salt,
                signing,
                agreement,
                details,
                invited_until_ms: 0,
                closed_ms: None,
                version: 1,
                sent: 0,
            };
            self.record.write(|tx| led::insert(tx, &group))?;
            self.listeners.notify(Topic::Record);
            Ok(group.id.to_string())
        })
    }

    /// An invitation to the group, to be shown as a QR code (alphanumeric mode,
    /// level M) or sent as a text. It is good for 30 days; each call makes a new
    /// one, and the older ones stay good as long as the newest.
    ///
    /// Errors: `NotFound`; `Invalid` where the group is closed, or was made with
    /// keys that this phone no longer has; `Locked`, `KeyLost`, `Storage`.
    pub fn invitation(&self, group: String) -> Result<String> {
        guard("Groups::invitation", || {
            let id = group_of(&group)?;
            let device = self.stamper.sealer.device();
            let expires_ms = self.now_ms().saturating_add(self.policy.invitation_ms);
            let group = self.record.write(|tx| {
                let group = led::load(tx, id)?.ok_or_else(not_found)?;
                led::check_open(&group)?;
                led::invited(tx, id, expires_ms)?;
                Ok(group)
            })?;
            if group.signing != device.public().signing {
                return Err(HomelineError::invalid(
                    "group.key",
                    Problem::Foreign,
                    "a group that was made with this phone's present keys",
                ));
            }
            let body = Invitation {
                salt: group.salt,
                signing: group.signing,
                agreement: group.agreement,
                details: group.details,
                expires_ms,
            };
            Ok(self
                .sign(Kind::Invitation, &body)?
                .to_text(Kind::Invitation))
        })
    }

    /// Takes a text that a member's phone shows: an entry or a leave.
    ///
    /// Errors: `Invalid` names what is wrong: the text itself (`entry.signature`
    /// altered, `entry.recipient` and `entry.group` meant for another leader or
    /// group, `entry.serial` an older one again), `invitation.expires`,
    /// `group.closed`, `group.members`; `Locked`, `KeyLost`, `Storage`.
    pub fn add(&self, text: String) -> Result<AddOutcome> {
        guard("Groups::add", || {
            let wrong = |error: TokenError| error.of("entry", Kind::Entry);
            let scanned = Scanned::read(&text, self.policy.token_bytes).map_err(wrong)?;
            let outcome = match scanned.kind {
                Kind::Entry => {
                    let device = self.stamper.sealer.device();
                    let token = scanned.open(&device).map_err(wrong)?;
                    let entry: Entry = token.verify_own(Kind::Entry).map_err(wrong)?;
                    check_person(&entry.person, &self.policy)?;
                    let now_ms = self.now_ms();
                    let bytes = token.to_bytes();
                    self.record
                        .write(|tx| led::add_entry(tx, &entry, &bytes, now_ms, &self.policy))?
                }
                Kind::Leave => {
                    let wrong = |error: TokenError| error.of("leave", Kind::Leave);
                    let token = scanned.token().map_err(wrong)?;
                    let leave: Leave = token.verify_own(Kind::Leave).map_err(wrong)?;
                    self.record
                        .write(|tx| led::add_leave(tx, &leave, &token.to_bytes()))?
                }
                Kind::Card | Kind::Invitation => return Err(wrong(TokenError::OtherKind)),
            };
            self.listeners.notify(Topic::Record);
            Ok(outcome)
        })
    }

    /// Puts somebody into the group who has no phone: a child, a parent. The
    /// leader answers for that person's consent. Only what the kind of the group
    /// asks for is kept.
    ///
    /// Errors: `NotFound`; `Invalid` names the field, `member` where that person
    /// has left by an own word; `Locked`, `KeyLost`, `Storage`.
    pub fn add_by_hand(&self, group: String, traveler: Traveler) -> Result<AddOutcome> {
        guard("Groups::add_by_hand", || {
            let id = group_of(&group)?;
            let now_ms = self.now_ms();
            let today = Date::today(now_ms);
            let traveler = traveler.validated(TRAVELER, today, &self.policy)?;
            let outcome = self.record.write(|tx| {
                let kind = led::load(tx, id)?.ok_or_else(not_found)?.details.kind;
                let person = Person::of(&traveler, kind, &self.policy)?;
                led::add_by_hand(tx, id, &person, now_ms, &self.policy)
            })?;
            self.listeners.notify(Topic::Record);
            Ok(outcome)
        })
    }

    /// Who is in a group that this phone leads, in the order of coming.
    ///
    /// Errors: `NotFound`; `Locked`, `KeyLost`, `Storage`.
    pub fn members(&self, group: String) -> Result<Vec<GroupMember>> {
        guard("Groups::members", || {
            let id = group_of(&group)?;
            let members = self.record.read(|tx| {
                led::load(tx, id)?.ok_or_else(not_found)?;
                led::members(tx, id)
            })?;
            Ok(members.into_iter().map(member).collect())
        })
    }

    /// Takes a member out; a later sync tells the ministry.
    ///
    /// Errors: `NotFound`; `Locked`, `KeyLost`, `Storage`.
    pub fn remove_member(&self, group: String, member: String) -> Result<()> {
        guard("Groups::remove_member", || {
            let id = group_of(&group)?;
            self.record
                .write(|tx| led::remove_member(tx, id, &member))?;
            self.listeners.notify(Topic::Record);
            Ok(())
        })
    }

    /// Closes the group: the trip is over, nobody comes any more. Leaves are
    /// still taken.
    ///
    /// Errors: `NotFound`; `Locked`, `KeyLost`, `Storage`.
    pub fn close(&self, group: String) -> Result<()> {
        guard("Groups::close", || {
            let id = group_of(&group)?;
            let now_ms = self.now_ms();
            self.record.write(|tx| {
                led::load(tx, id)?.ok_or_else(not_found)?;
                led::close(tx, id, now_ms)
            })?;
            self.listeners.notify(Topic::Record);
            Ok(())
        })
    }
}

// What a member does, and what both see.
#[uniffi::export]
impl Groups {
    /// What an invitation asks the traveler to join, for the screen that asks.
    ///
    /// Errors: `Invalid` names what is wrong with the text; `Locked`, `KeyLost`,
    /// `Storage`.
    pub fn read_invitation(&self, text: String) -> Result<InvitationDetails> {
        guard("Groups::read_invitation", || {
            let invitation = self.invited(&text)?;
            let id = invitation.group();
            let known = self.record.read(|tx| joined::load(tx, id))?;
            let state = if known.is_some_and(|known| known.leave.is_none()) {
                InvitationState::Joined
            } else if self.now_ms() > invitation.expires_ms {
                InvitationState::Expired
            } else {
                InvitationState::Open
            };
            Ok(InvitationDetails {
                group: id.to_string(),
                shares: invitation.details.kind.shares(),
                details: invitation.details,
                expires_ms: invitation.expires_ms,
                state,
            })
        })
    }

    /// Joins: returns the entry to show or send to the leader, whom alone it can
    /// be read by. `text_version` names the text that the traveler consented to.
    /// Called again, it makes a newer entry with the details of now.
    ///
    /// Errors: `Invalid` names what is wrong with the text, or `traveler` where
    /// none is saved; `invitation.expires`; `Locked`, `KeyLost`, `Storage`.
    pub fn join(&self, text: String, text_version: String) -> Result<String> {
        guard("Groups::join", || {
            let text_version = types::short("text_version", &text_version, &self.policy)?;
            let invitation = self.invited(&text)?;
            let now_ms = self.now_ms();
            if now_ms > invitation.expires_ms {
                return Err(HomelineError::invalid(
                    "invitation.expires",
                    Problem::Expired,
                    "an invitation that is still good",
                ));
            }
            let device = self.stamper.sealer.device();
            let group = invitation.group();
            let sealed = self.record.write(|tx| {
                let serial = self.serial(tx, group, now_ms)?;
                let entry = Entry {
                    group,
                    signing: device.public().signing,
                    serial,
                    person: self.person(tx, invitation.details.kind)?,
                    text_version: text_version.clone(),
                };
                joined::join(tx, group, &invitation.details, serial)?;
                self.sign(Kind::Entry, &entry)?
                    .seal(Kind::Entry, &invitation.agreement)
            })?;
            self.listeners.notify(Topic::Record);
            Ok(sealed)
        })
    }

    /// Leaves: returns the text to show or send to the leader. The traveler's own
    /// next sync tells the ministry too, so it does not depend on the leader.
    /// Called again, it returns the same text.
    ///
    /// Errors: `NotFound` where the traveler has not joined; `Locked`, `KeyLost`,
    /// `Storage`.
    pub fn leave(&self, group: String) -> Result<String> {
        guard("Groups::leave", || {
            let id = group_of(&group)?;
            let now_ms = self.now_ms();
            let device = self.stamper.sealer.device();
            let text = self.record.write(|tx| {
                let known = joined::load(tx, id)?.ok_or_else(not_found)?;
                if let Some(text) = known.leave.as_deref().and_then(stage::leave_text) {
                    return Ok(text);
                }
                let serial = self.serial(tx, id, now_ms)?;
                let leave = Leave {
                    group: id,
                    signing: device.public().signing,
                    serial,
                };
                let token = self.sign(Kind::Leave, &leave)?;
                joined::leave(tx, id, serial, &token.to_bytes())?;
                Ok(token.to_text(Kind::Leave))
            })?;
            self.listeners.notify(Topic::Record);
            Ok(text)
        })
    }

    /// The groups that this phone leads and those that the traveler has joined.
    pub fn list(&self) -> Result<Vec<GroupSummary>> {
        guard("Groups::list", || self.record.read(summaries))
    }
}

impl Groups {
    fn now_ms(&self) -> i64 {
        self.stamper.stamp().changed_ms
    }

    fn sign<T: serde::Serialize>(&self, kind: Kind, body: &T) -> Result<Token> {
        let device = self.stamper.sealer.device();
        Token::sign(kind, body, &device.public().signing, |bytes| {
            device.sign(bytes)
        })
    }

    /// The invitation in `text`, signed by the leader that it names.
    fn invited(&self, text: &str) -> Result<Invitation> {
        let wrong = |error: TokenError| error.of("invitation", Kind::Invitation);
        let scanned = Scanned::read_kind(Kind::Invitation, text, self.policy.token_bytes);
        let invitation: Invitation = scanned
            .and_then(|scanned| scanned.token())
            .and_then(|token| token.verify_own(Kind::Invitation))
            .map_err(wrong)?;
        Ok(Invitation {
            details: invitation.details.validated(&self.policy)?,
            ..invitation
        })
    }

    fn person(&self, tx: &Connection, kind: GroupKind) -> Result<Person> {
        let traveler = load_traveler(tx)?.ok_or_else(|| {
            HomelineError::invalid("traveler", Problem::Empty, "a traveler saved before")
        })?;
        Person::of(&traveler, kind, &self.policy)
    }

    fn serial(&self, tx: &Connection, group: Uuid, now_ms: i64) -> Result<i64> {
        let last = joined::load(tx, group)?.map(|known| known.serial);
        Ok(joined::next_serial(last, now_ms))
    }
}

fn summaries(tx: &Connection) -> Result<Vec<GroupSummary>> {
    let mut out = Vec::new();
    for group in led::all(tx)? {
        let members = u32::try_from(led::count(tx, group.id)?).unwrap_or(u32::MAX);
        let state = match group.closed_ms {
            Some(_) => GroupState::Closed { members },
            None => GroupState::Led {
                members,
                handed_over: group.sent >= group.version,
            },
        };
        out.push(GroupSummary {
            id: group.id.to_string(),
            details: group.details,
            state,
        });
    }
    for group in joined::all(tx)? {
        out.push(GroupSummary {
            id: group.id.to_string(),
            details: group.details,
            state: match group.leave {
                None => GroupState::Joined,
                Some(_) => GroupState::Left,
            },
        });
    }
    Ok(out)
}

fn member((id, by_hand, person): (String, bool, Person)) -> GroupMember {
    GroupMember {
        id,
        name: person.name,
        phone: person.phone,
        document_number: person.document.map(|document| document.number),
        origin: match by_hand {
            true => MemberOrigin::ByHand,
            false => MemberOrigin::Phone,
        },
    }
}

/// What a member's phone says of its owner is checked as if it were typed here.
fn check_person(person: &Person, policy: &Policy) -> Result<()> {
    validate::line("entry.name", &person.name, policy)?;
    if let Some(phone) = &person.phone {
        validate::phone("entry.phone", phone)?;
    }
    if let Some(document) = &person.document {
        types::short("entry.document.number", &document.number, policy)?;
        if document.issuer.chars().count() > 3 {
            return Err(HomelineError::invalid(
                "entry.document.issuer",
                Problem::Malformed,
                "a state of ICAO Doc 9303",
            ));
        }
    }
    Ok(())
}

fn group_of(id: &str) -> Result<Uuid> {
    Uuid::parse_str(id).map_err(|_| not_found())
}

fn not_found() -> HomelineError {
    HomelineError::not_found("group")
}
