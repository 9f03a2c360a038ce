//! What is sealed inside an envelope: only the ministry and the phone that sealed
//! it read it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Attachment, Base64};
use crate::clock::ClockReading;
use crate::contacts::Contact;
use crate::registration::fields::Field;
use crate::registration::groups::GroupDetails;
use crate::registration::groups::wire::Person;
use crate::registration::{MedicalCard, Purpose, Traveler, Trip};
use crate::sos::{Ground, SosKind};
use crate::whereabouts::{Fix, FixFlag, Gap};

/// What is sealed inside an envelope.
#[allow(
    clippy::large_enum_variant,
    reason = "one at a time: made, sealed and dropped"
)]
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Content {
    /// A press of the button.
    Sos(SosReport),
    /// A better position for a report.
    SosUpdate(SosUpdate),
    /// The traveler takes a report back.
    SosCancel(SosCancel),
    /// Who calls, prepared before and sent only beside an SOS.
    Standing(Standing),
    /// The traveler registers, or changes the registration.
    Profile(Profile),
    /// Positions, under the traveler's consent.
    Positions(Positions),
    /// The medical card, prepared before and sent only beside an SOS of the kind
    /// `Medical`.
    Medical(Medical),
    /// The traveler has erased the phone and asks the ministry to do the same.
    Erase(Erase),
    /// A group that was made on the leader's phone.
    Group(Group),
    /// A member leaves a group, told by the member's own phone.
    GroupLeave(GroupLeave),
    /// A file that belongs to a report is announced.
    Attachment(Attachment),
}

/// An SOS report.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SosReport {
    /// Id of the report and of its envelope (UUIDv7), the same on every channel.
    pub report: Uuid,
    /// Counts the reports of this device from 1.
    pub sequence: u64,
    /// The phone's clocks at the press.
    pub pressed: ClockReading,
    /// The kind of emergency.
    pub kind: SosKind,
    /// What the traveler wrote.
    pub note: String,
    /// Whether the note was longer and has been cut.
    #[serde(default)]
    pub note_cut: bool,
    /// People concerned, the traveler included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<u32>,
    /// Charge of the battery in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub battery_percent: Option<u8>,
    /// Where: given with the press, or the last known one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<AgedFix>,
    /// Positions before that, the newest first.
    #[serde(default)]
    pub recent: Vec<AgedFix>,
    /// Envelope id of the standing envelope that says who calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Uuid>,
    /// Envelope id of the medical card that goes beside this report. Where the
    /// card is corrected while it waits, the newer one comes under another id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medical: Option<Uuid>,
    /// The ground that the report is sent on.
    #[serde(default)]
    pub ground: Ground,
}

/// A fix, never without its age.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgedFix {
    /// The fix.
    pub fix: Fix,
    /// Milliseconds from the fix to the press; absent where no clock can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<i64>,
    /// What is odd about it; mostly nothing. A doubtful one is in a report only
    /// where the phone knew no better.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<FixFlag>,
}

/// A better position for a report that was pressed before.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SosUpdate {
    /// The report.
    pub report: Uuid,
    /// The phone's clocks when it came.
    pub at: ClockReading,
    /// The position.
    pub position: AgedFix,
}

/// The traveler takes a stored report back.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SosCancel {
    /// The report.
    pub report: Uuid,
    /// The phone's clocks when it was taken back.
    pub at: ClockReading,
}

/// Who the traveler is, for the duty officer who reads an SOS.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Standing {
    /// The phone's clocks when it was made.
    pub as_of: ClockReading,
    /// The traveler, if registered on the phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traveler: Option<Traveler>,
    /// Whom to call, the first one first; at most the first five, so that it stays
    /// small. The profile has them all.
    pub contacts: Vec<Contact>,
    /// The last known position when it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<AgedFix>,
    /// The trip of then, or the next one, with the stays of then and the next
    /// ones only: which of them it is at the press, their dates say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trip: Option<Trip>,
    /// When the traveler last confirmed the registration, milliseconds UTC by the
    /// phone's best time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_ms: Option<i64>,
    /// The consents that were in force.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<ConsentInForce>,
}

/// A consent that was in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsentInForce {
    /// What for.
    pub purpose: Purpose,
    /// Version of the text that the traveler saw.
    pub text_version: String,
}

/// The medical card, for the doctor.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Medical {
    /// The phone's clocks when it was made.
    pub as_of: ClockReading,
    /// The card.
    pub card: MedicalCard,
    /// The ground that it is sent on.
    #[serde(default)]
    pub ground: Ground,
}

/// A registration, whole: every field with when and where it was changed. A
/// ministry keeps the newest of each field, whichever phone of the traveler it
/// comes from. The entity `traveler` is a [`Traveler`], `contact/<uuid>` a
/// [`Contact`], `contact_order` the ids of the contacts, the first one to call
/// first, `dependent/<uuid>` a [`crate::registration::Dependent`], `trip/<uuid>` a
/// [`Trip`] with `closed` where it is over, and `confirmed` says when the traveler
/// last confirmed it all. `consent/<purpose>` is the last word on a consent:
/// `in_force` says whether the ministry may act under it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Profile {
    /// Grows with each change on this device.
    pub version: u64,
    /// Names the registration: all phones of one traveler share it.
    pub registration: Uuid,
    /// The fields, removals included.
    pub fields: Vec<Field>,
    /// What concerns the other phones of the traveler.
    #[serde(default)]
    pub phones: PhonesNote,
}

/// What a phone says of itself and of the traveler's other phones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PhonesNote {
    /// Id of the device itself: binds its signing key to the key that sealed this.
    pub device: String,
    /// `seq` of the last [`ProfileNews`] that is in the fields; 0 for none.
    pub seen: u64,
    /// A link code of another phone, whose registration this one is to join. Until
    /// the ministry has answered, `registration` is the phone's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Devices that are to leave the registration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unlink: Vec<String>,
}

/// A group, whole, as its leader's phone has it. The ministry takes the newest
/// version. `id` must be the one that `registration::groups::wire::group_id` makes
/// of `signing_key`, the envelope's sender and `salt`: only the leader's phone can
/// upload it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Group {
    /// Id of the group.
    pub id: Uuid,
    /// Grows with each change on the leader's phone.
    pub version: u64,
    /// 16 bytes.
    pub salt: Base64,
    /// The leader's Ed25519 public key, 32 bytes.
    pub signing_key: Base64,
    /// What the group is about.
    pub details: GroupDetails,
    /// When it was closed, milliseconds UTC by the leader's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_ms: Option<i64>,
    /// Who is in.
    pub members: Vec<GroupPerson>,
    /// Signed leaves that were brought to the leader: tokens of kind leave. A
    /// leave wins over every older entry of that member.
    pub leaves: Vec<Base64>,
}

/// A member of a group.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupPerson {
    /// The member's id in this group.
    pub member: Uuid,
    /// Entries that the member's phones have signed: tokens of kind entry, see
    /// `seal::token`. What does not verify is ignored.
    pub entries: Vec<Base64>,
    /// Who it is, where no phone of the member's has signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<Person>,
}

/// A member leaves a group. It needs no consent and says nothing of the person.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupLeave {
    /// The signed leave: a token of kind leave, see `seal::token`.
    pub leave: Base64,
}

/// Positions in one envelope, at most, packed ones counted: a block of a few
/// bytes may hold a thousand, so a ministry refuses more than this.
pub const ENVELOPE_FIXES_MAX: usize = 4_096;

/// A run of positions, [`ENVELOPE_FIXES_MAX`] at most.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Positions {
    /// Positions one by one, as phones of the first version send them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<Fix>,
    /// Packed blocks of positions, in order of time; the format is documented at
    /// [`crate::whereabouts::unpack`], which reads one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Base64>,
    /// Times without a position: no line is to be drawn through them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// The traveler asks the ministry to delete what it holds of the sender:
/// registration, standing envelopes, positions. What belongs to a case stays, as
/// the ministry's own record of its work. The receipt says that it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Erase {
    /// The registration, where the phone could still read its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Uuid>,
    /// The phone's clocks when it was asked.
    pub at: ClockReading,
}

redacted_debug!(
    Content,
    SosReport,
    AgedFix,
    SosUpdate,
    SosCancel,
    Standing,
    Profile,
    Positions,
    Medical,
    Group,
    GroupPerson,
    GroupLeave
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_version_1_sealed_is_still_read() {
        let clock = r#"{"wall_ms":1,"monotonic_ms":2,"boot_id":"b"}"#;
        let report: Content = serde_json::from_str(&format!(
            r#"{{"type":"sos","report":"00000000-0000-0000-0000-000000000001","sequence":1,
                "pressed":{clock},"kind":"medical","note":""}}"#
        ))
        .unwrap();
        let Content::Sos(report) = report else {
            panic!("not a report");
        };
        assert_eq!(
            (report.medical, report.ground),
            (None, Ground::VitalInterest)
        );
        let standing: Content = serde_json::from_str(&format!(
            r#"{{"type":"standing","as_of":{clock},"contacts":[]}}"#
        ))
        .unwrap();
        let Content::Standing(standing) = standing else {
            panic!("not a standing");
        };
        assert!(standing.trip.is_none() && standing.consents.is_empty());
        assert_eq!(standing.confirmed_ms, None);
    }
}
