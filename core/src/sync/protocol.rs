//! The ministry protocol: every type that crosses the network.
//!
//! REST over HTTPS, JSON in UTF-8, version in the path, errors as problem+json
//! (RFC 9457). The reference ministry serves these very types and its OpenAPI
//! 3.1 document is generated from them. Fields unknown to a reader are ignored;
//! a field never changes its meaning.
//!
//! | call | request | answer |
//! | --- | --- | --- |
//! | `GET /v1/service` | | [`Signed`] [`ServiceDocument`] |
//! | `POST /v1/devices` | [`Enrolment`] | [`Enrolled`] |
//! | `POST /v1/envelopes` | [`EnvelopeBatch`] | [`BatchAnswer`] |
//! | `GET /v1/changes?after=N` | | [`ChangePage`] |
//!
//! All but the first are signed by the device (RFC 9421, see
//! [`super::signature`]). What is inside an envelope is a [`Content`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::clock::ClockReading;
use crate::contacts::Contact;
use crate::registration::fields::{Field, Stamp};
use crate::registration::groups::GroupDetails;
use crate::registration::groups::wire::Person;
use crate::registration::{MedicalCard, Purpose, Traveler, Trip};
use crate::seal::signed::Signed;
use crate::sos::{Ground, SosKind};
use crate::whereabouts::{Fix, FixFlag, Gap};

/// Path of the service document.
pub const SERVICE_PATH: &str = "/v1/service";
/// Path that enrols a device.
pub const DEVICES_PATH: &str = "/v1/devices";
/// Path that takes envelopes.
pub const ENVELOPES_PATH: &str = "/v1/envelopes";
/// Path of the change feed.
pub const CHANGES_PATH: &str = "/v1/changes";
/// Media type of all bodies but problems.
pub const JSON: &str = "application/json";
/// Media type of problems (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";
/// Problem type: the ministry does not know this device; enrol and repeat.
pub const UNKNOWN_DEVICE: &str = "urn:homeline:problem:unknown-device";

/// Bytes, in JSON as standard base64 with padding (RFC 4648, section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = Byte))]
pub struct Base64(pub Vec<u8>);

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        STANDARD
            .decode(text.as_bytes())
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// What a ministry says of its service; signed by an anchor of the `Config`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServiceDocument {
    /// Grows with each change; a phone refuses a lower one than it has seen.
    pub serial: u64,
    /// When it was signed, milliseconds UTC.
    pub issued_ms: i64,
    /// Versions of the API that are served, here `[1]`.
    pub versions: Vec<u32>,
    /// X25519 keys to seal to, the preferred one first.
    pub sealing_keys: Vec<Base64>,
    /// Ed25519 keys that sign receipts and case news.
    pub receipt_keys: Vec<Base64>,
    /// Numbers that take sealed SMS, E.164.
    pub sms_numbers: Vec<String>,
    /// What the service takes at most.
    pub limits: Limits,
    /// Crises that are declared now: travelers who consented to that send their
    /// positions inside them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crises: Vec<Crisis>,
}

/// A crisis that the ministry has declared: a circle on the ground.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Crisis {
    /// Names it; the same until it ends.
    pub id: String,
    /// Centre, degrees north (WGS 84).
    pub latitude: f64,
    /// Centre, degrees east (WGS 84).
    pub longitude: f64,
    /// Radius in metres.
    pub radius_m: f64,
    /// Its beginning, milliseconds UTC.
    pub since_ms: i64,
}

/// Limits of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Envelopes in one request.
    pub batch_envelopes: u32,
    /// Bytes of one request body.
    pub request_bytes: u32,
}

/// The public keys of a device. The request is signed by the key in it, which
/// proves its possession.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Enrolment {
    /// Ed25519 public key, 32 bytes.
    pub signing_key: Base64,
    /// X25519 public key, 32 bytes.
    pub agreement_key: Base64,
}

/// The answer to an enrolment; the same for a device that is known already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Enrolled {
    /// Id of the device: hex of the first 16 bytes of SHA-256 over its signing
    /// key and its agreement key. It is the `keyid` of later signatures.
    pub device: String,
}

/// Envelopes, the most urgent first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvelopeBatch {
    /// Each one stands for itself: a bad one does not refuse the others.
    pub envelopes: Vec<SealedEnvelope>,
}

/// One envelope of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SealedEnvelope {
    /// The id in the envelope, repeated.
    pub id: Uuid,
    /// The envelope's bytes, as `seal::envelope` lays them out.
    pub sealed: Base64,
}

/// One result an envelope, in the order of the batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchAnswer {
    /// The results.
    pub results: Vec<EnvelopeResult>,
}

/// What became of one envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvelopeResult {
    /// The envelope's id.
    pub id: Uuid,
    /// The outcome.
    #[serde(flatten)]
    pub outcome: EnvelopeOutcome,
}

/// The outcome of one envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EnvelopeOutcome {
    /// Stored and synced by the ministry just now.
    Accepted {
        /// A signed [`Receipt`].
        receipt: Signed,
    },
    /// The ministry had it already; the first receipt again.
    Duplicate {
        /// A signed [`Receipt`].
        receipt: Signed,
    },
    /// Refused for good: repeating it would not help.
    Refused {
        /// Why.
        problem: Problem,
    },
}

/// A problem (RFC 9457). Texts are for engineers; they hold no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// URI that names the kind of problem, or `about:blank`.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// The kind of problem in a few words.
    #[serde(default)]
    pub title: String,
    /// The HTTP status code.
    #[serde(default)]
    pub status: u16,
}

fn about_blank() -> String {
    "about:blank".into()
}

/// Body of a receipt: the ministry has this envelope on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// The envelope's id.
    pub envelope: Uuid,
    /// SHA-256 of the envelope's bytes, in hex.
    pub sha256: String,
    /// When it was stored, milliseconds UTC by the ministry's clock.
    pub received_ms: i64,
    /// The case that the report opened or belongs to; absent for other contents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
}

/// A page of the change feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangePage {
    /// In order of `seq`.
    pub changes: Vec<Change>,
    /// Whether there are more after these.
    pub more: bool,
}

/// One change. Later versions add kinds; a phone skips those it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// Position in the feed; `after` takes the last one that was stored.
    pub seq: u64,
    /// `case`: `sealed` opens at the device to a [`Signed`] [`CaseNews`];
    /// `profile`: to a [`Signed`] [`ProfileNews`]; `card`: to a [`Signed`] [`CardNews`].
    pub kind: String,
    /// An envelope in base mode to the device's agreement key.
    pub sealed: Base64,
}

/// Body of the news of a case.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CaseNews {
    /// The report that the case is about.
    pub report: Uuid,
    /// The ministry's case number.
    pub case: String,
    /// What the case has come to.
    pub state: CaseState,
    /// The mission that took it.
    pub mission: String,
    /// Who took it, as the mission wants to be shown.
    pub officer: String,
    /// When, milliseconds UTC by the ministry's clock.
    pub at_ms: i64,
}

/// State of a case at the ministry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CaseState {
    /// A duty officer has read the report and taken the case.
    Acknowledged,
    /// The case is closed.
    Closed,
}

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

/// Body of the news of a registration, for one of its phones: what other phones
/// of the traveler have changed. A long one comes in several changes.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProfileNews {
    /// X25519 key of the device that it is for.
    pub to: Base64,
    /// The registration that it is about.
    pub registration: Uuid,
    /// Whether the device belongs to it.
    pub membership: Membership,
    /// The answer to the last link code that the device sent, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkAnswer>,
    /// All phones of the registration.
    #[serde(default)]
    pub phones: Vec<PhoneNews>,
    /// Changes that met within the last month, of two phones that had not heard
    /// of each other's.
    #[serde(default)]
    pub overruled: Vec<Overruled>,
    /// Fields that the device may not have, with their stamps.
    #[serde(default)]
    pub fields: Vec<Field>,
}

/// Whether a device belongs to a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Membership {
    /// It does.
    Member,
    /// It does not, or no longer: what it sends under this id is kept as its own.
    Stranger,
}

/// The answer to a link code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkAnswer {
    /// Random number of the code, in hex.
    pub nonce: String,
    /// Why it was refused; absent where the phones are linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<LinkRefusal>,
}

/// Why a link code was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LinkRefusal {
    /// Not made by the phone that it names.
    NotGenuine,
    /// Too old, or from a phone with a wrong clock.
    Expired,
    /// Another phone has used it.
    Used,
    /// The phone that made it does not belong to the registration.
    NotLinked,
}

/// One phone of a registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PhoneNews {
    /// Id of the device.
    pub device: String,
    /// When it joined, milliseconds UTC by the ministry's clock.
    pub linked_ms: i64,
    /// When its last profile came, milliseconds UTC by the ministry's clock.
    pub seen_ms: i64,
}

/// Two changes of one field that met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overruled {
    /// The entity.
    pub entity: String,
    /// The key; empty where one of them removed the entity.
    pub key: String,
    /// The change that stands.
    pub newer: Stamp,
    /// The change that does not.
    pub older: Stamp,
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

/// Body of a change of kind `card`: the traveler's registration card, or its end.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CardNews {
    /// The card as text, see `registration::card`; absent where the registration
    /// was removed, and so its card ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// When, milliseconds UTC by the ministry's clock.
    pub at_ms: i64,
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
    CaseNews,
    Content,
    SosReport,
    AgedFix,
    SosUpdate,
    SosCancel,
    Standing,
    Profile,
    ProfileNews,
    Positions,
    Medical,
    Group,
    GroupPerson,
    GroupLeave,
    CardNews
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
