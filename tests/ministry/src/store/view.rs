//! From the letters of a case to what the duty officer reads. Pure.
//!
//! Only the words of the case's own sender count. The position is that of the
//! latest update by the phone's own clocks, for a late channel may bring an
//! early update; a position is never without its age.

use homeline::clock::{ClockReading, elapsed_ms};
use homeline::contacts::{Contact, contacts_of};
use homeline::registration::{
    Agreement, Capacity, Certainty, Dependent, DocumentKind, MedicalCard, Stay, TRAVELER, Traveler,
    TravelerKind, Trip, confirmed_of, dependents_of, fields, stay_at, trip_at, trips_of,
};
use homeline::sos::{Ground, LocationHandover, SosKind, location_texts};
use homeline::sync::protocol::{AgedFix, ConsentInForce, Content, Medical, SosReport};
use homeline::whereabouts::{FixFlag, FixSource, Position};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::cases::Case;
use super::compact::{CompactView, TextView};
use crate::intake::Sender;

/// A case as the desk shows it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseView {
    /// The case number, for example `C-7K2M-9QXF`.
    pub id: String,
    /// The report that it is about.
    pub report: Uuid,
    /// What it has come to.
    pub state: DeskState,
    /// The kind of emergency; absent while only an update has arrived.
    pub kind: Option<SosKind>,
    /// What the traveler wrote.
    pub note: String,
    /// Whether the phone had to cut the note.
    pub note_cut: bool,
    /// When it was pressed, milliseconds UTC by the phone's clock.
    pub pressed_ms: Option<i64>,
    /// When the report (or the first word of it) was stored here.
    pub received_ms: i64,
    /// The report's number on its device.
    pub sequence: Option<u64>,
    /// Who calls, where that is known.
    pub traveler: Option<TravelerView>,
    /// Whom to call, the first one first, each with what they may be told.
    pub contacts: Vec<Contact>,
    /// For whom the traveler is registered too, as the latest profile says.
    #[serde(default)]
    pub dependents: Vec<DependentView>,
    /// Where the traveler should have been at the press, as registered.
    pub stay: Option<StayView>,
    /// When the traveler last confirmed the registration, milliseconds UTC by the
    /// phone's best time.
    pub confirmed_ms: Option<i64>,
    /// The medical card, beside a medical report only.
    pub medical: Option<MedicalView>,
    /// The ground that the report was sent on.
    pub ground: Option<Ground>,
    /// The consents that were in force when the phone prepared who calls.
    pub consents: Vec<ConsentInForce>,
    /// The latest position.
    pub position: Option<PositionView>,
    /// Updates that have arrived.
    pub updates: usize,
    /// Files that follow the report, in order of their announcement.
    #[serde(default)]
    pub attachments: Vec<AttachmentView>,
    /// People concerned.
    pub people: Option<u32>,
    /// Charge of the phone at the press.
    pub battery_percent: Option<u8>,
    /// How often the report has arrived, the first time included.
    pub times_received: u64,
    /// What has come of it in the compact form, by text message or packet.
    #[serde(default)]
    pub compact: Option<CompactView>,
    /// The device that sent it, where it is enrolled.
    pub device: Option<String>,
    /// The mission that took the case.
    pub mission: Option<String>,
    /// Who took it.
    pub officer: Option<String>,
    /// When it was acknowledged, milliseconds UTC by the ministry's clock.
    pub acknowledged_ms: Option<i64>,
    /// When it was closed.
    pub closed_ms: Option<i64>,
    /// When the traveler's cancellation was stored.
    pub cancelled_ms: Option<i64>,
    /// Letters about this report that its sender did not seal. They change
    /// nothing here; an officer may want to know.
    pub foreign_letters: usize,
}

/// A file that follows a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentView {
    /// Its id.
    pub id: Uuid,
    /// Media type, as the phone says.
    pub media_type: String,
    /// Name, as the phone says.
    pub name: Option<String>,
    /// Bytes of the file.
    pub bytes: u64,
    /// When it was announced, milliseconds UTC.
    pub announced_ms: i64,
    /// When it was whole and opened, milliseconds UTC.
    pub complete_ms: Option<i64>,
    /// Chunks that have come.
    pub chunks_here: u64,
    /// Chunks in all.
    pub chunks: u64,
    /// Whether what came is not what was announced.
    pub refused: bool,
    /// Whether another phone than the report's sealed it, or the same one with other
    /// keys.
    pub of_other_sender: bool,
}

/// State of a case at the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeskState {
    /// Nobody has taken it.
    New,
    /// A duty officer has.
    Acknowledged,
    /// The traveler has taken the report back, and no officer has acted since.
    Cancelled,
    /// It is closed.
    Closed,
}

/// Who calls, for the desk.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TravelerView {
    /// Name.
    pub name: String,
    /// Phone.
    pub phone: Option<String>,
    /// Number of the travel document.
    pub document_number: Option<String>,
    /// Why abroad, with the school, the employer or the ship.
    pub kind: TravelerKind,
    /// Name in Latin letters.
    pub latin_name: Option<String>,
    /// Date of birth, as far as it is known.
    pub birth_date: Option<String>,
    /// Three letters.
    pub nationality: Option<String>,
    /// Languages (BCP 47), the best one first.
    pub languages: Vec<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// All travel documents, the one abroad first.
    pub documents: Vec<DocumentView>,
}

/// A travel document, for the desk.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentView {
    /// Number.
    pub number: String,
    /// What it is, where that is known.
    pub kind: Option<DocumentKind>,
    /// Three letters.
    pub issuing_state: Option<String>,
    /// Last day of validity, `YYYY-MM-DD`.
    pub expiry_date: Option<String>,
}

/// Somebody for whom the traveler is registered too, for the desk.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependentView {
    /// Who.
    #[serde(flatten)]
    pub person: TravelerView,
    /// As what the traveler acts for the person.
    pub capacity: Capacity,
    /// How and when the person agreed.
    pub agreed: Agreement,
}

/// Where the traveler should have been, as registered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayView {
    /// What the trip is for.
    pub title: Option<String>,
    /// The declared return, `YYYY-MM-DD` at home.
    pub returns: Option<String>,
    /// The stay of the press; absent between two stays.
    pub stay: Option<Stay>,
    /// How sure it is that it was this one.
    pub certainty: Certainty,
    /// The next stay.
    pub next: Option<Stay>,
}

/// A medical card, with where it comes from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MedicalView {
    /// The card.
    pub card: MedicalCard,
    /// The ground that it was sent on.
    pub ground: Ground,
    /// When the phone prepared it, milliseconds UTC by its own clock.
    pub made_ms: i64,
    /// When it was stored here, milliseconds UTC.
    pub received_ms: i64,
}

/// A position, with how old and how sure it is.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct PositionView {
    /// Latitude in degrees, in `datum`.
    pub latitude: f64,
    /// Longitude in degrees, in `datum`.
    pub longitude: f64,
    /// `wgs84`, `gcj02` or `bd09`.
    pub datum: String,
    /// Radius of 68 % confidence in metres.
    pub accuracy_m: Option<f64>,
    /// Milliseconds from the fix to the press, or to the update that brought
    /// it, as the phone says; absent where it could not tell.
    pub age_ms: Option<i64>,
    /// From what.
    pub source: FixSource,
    /// Time of the fix, milliseconds UTC as its source had it.
    pub time_ms: i64,
    /// What is odd about it: a jump, from the future, made up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<FixFlag>,
    /// The same as texts for a local emergency centre.
    pub handover: LocationHandover,
    /// When it was stored here, milliseconds UTC.
    pub received_ms: i64,
}

/// One letter about a case.
pub(super) struct Word {
    pub(super) sender: Sender,
    pub(super) received_ms: i64,
    pub(super) content: Content,
}

/// All that a view is made from, beside the case's own row.
pub(super) struct Material {
    pub(super) words: Vec<Word>,
    pub(super) who: Who,
    pub(super) dependents: Vec<Dependent>,
    /// The medical card, and when it was stored.
    pub(super) medical: Option<(Medical, i64)>,
    pub(super) attachments: Vec<AttachmentView>,
    pub(super) times_received: u64,
    pub(super) compact: Option<CompactView>,
    pub(super) device: Option<String>,
}

/// Who calls and whom to call.
#[derive(Default)]
pub(super) struct Who {
    traveler: Option<Traveler>,
    contacts: Vec<Contact>,
    trips: Vec<Trip>,
    confirmed_ms: Option<i64>,
    consents: Vec<ConsentInForce>,
    /// The last known position of then, with the phone's clocks of then.
    position: Option<(ClockReading, AgedFix)>,
}

impl Who {
    pub(super) fn says_something(&self) -> bool {
        self.traveler.is_some() || !self.contacts.is_empty() || !self.trips.is_empty()
    }
}

impl From<Content> for Who {
    fn from(content: Content) -> Self {
        match content {
            Content::Standing(standing) => Self {
                traveler: standing.traveler,
                contacts: standing.contacts,
                trips: standing.trip.into_iter().collect(),
                confirmed_ms: standing.confirmed_ms,
                consents: standing.consents,
                position: standing.position.map(|fix| (standing.as_of, fix)),
            },
            Content::Profile(profile) => Self {
                traveler: fields::entity(&profile.fields, TRAVELER),
                contacts: contacts_of(&profile.fields),
                trips: trips_of(&profile.fields)
                    .into_iter()
                    .filter(|saved| saved.closed.is_none())
                    .map(|saved| saved.trip)
                    .collect(),
                confirmed_ms: confirmed_of(&profile.fields),
                consents: Vec::new(),
                position: None,
            },
            _ => Self::default(),
        }
    }
}

pub(super) fn view(case: Case, material: Material) -> CaseView {
    let total = material.words.len();
    let own: Vec<Word> = material
        .words
        .into_iter()
        .filter(|word| word.sender == case.sender)
        .collect();
    let report = own.iter().find_map(|word| match &word.content {
        Content::Sos(report) => Some((report, word.received_ms)),
        _ => None,
    });
    let cancelled_ms = own.iter().find_map(|word| match &word.content {
        Content::SosCancel(_) => Some(word.received_ms),
        _ => None,
    });
    let (report, received_ms) = report.unzip();
    CaseView {
        state: state(&case, cancelled_ms),
        kind: report.map(|report| report.kind),
        note: report.map(|report| report.note.clone()).unwrap_or_default(),
        note_cut: report.is_some_and(|report| report.note_cut),
        pressed_ms: report.map(|report| report.pressed.wall_ms),
        received_ms: received_ms.unwrap_or(case.opened_ms),
        sequence: report.map(|report| report.sequence),
        stay: stay(
            &material.who.trips,
            pressed_at(report, received_ms.unwrap_or(case.opened_ms)),
        ),
        confirmed_ms: material.who.confirmed_ms,
        medical: material.medical.map(|(letter, received_ms)| MedicalView {
            card: letter.card,
            ground: letter.ground,
            made_ms: letter.as_of.wall_ms,
            received_ms,
        }),
        ground: report.map(|report| report.ground.clone()),
        consents: material.who.consents,
        position: position(report, received_ms, &own, material.who.position),
        traveler: material.who.traveler.map(traveler),
        contacts: material.who.contacts,
        dependents: material.dependents.into_iter().map(dependent).collect(),
        updates: own.iter().filter(|word| update_of(word).is_some()).count(),
        attachments: material.attachments,
        people: report.and_then(|report| report.people),
        battery_percent: report.and_then(|report| report.battery_percent),
        times_received: material.times_received,
        compact: material.compact,
        device: material.device,
        mission: Some(case.mission).filter(|name| !name.is_empty()),
        officer: Some(case.officer).filter(|name| !name.is_empty()),
        acknowledged_ms: case.acknowledged_ms,
        closed_ms: case.closed_ms,
        cancelled_ms,
        foreign_letters: total - own.len(),
        id: case.number,
        report: case.report,
    }
}

/// The latest act decides between the traveler's cancellation and the officer's
/// acknowledgement: a cancellation may be forced, and an officer who has seen
/// it can take the case all the same.
fn state(case: &Case, cancelled_ms: Option<i64>) -> DeskState {
    match (case.closed_ms, case.acknowledged_ms, cancelled_ms) {
        (Some(_), _, _) => DeskState::Closed,
        (None, Some(acknowledged), Some(cancelled)) if cancelled < acknowledged => {
            DeskState::Acknowledged
        }
        (None, _, Some(_)) => DeskState::Cancelled,
        (None, Some(_), None) => DeskState::Acknowledged,
        (None, None, None) => DeskState::New,
    }
}

fn traveler(traveler: Traveler) -> TravelerView {
    TravelerView {
        name: traveler.name,
        phone: traveler.phone,
        document_number: traveler
            .documents
            .first()
            .map(|document| document.number.clone()),
        kind: traveler.kind,
        latin_name: traveler.latin_name,
        birth_date: traveler.birth_date,
        nationality: traveler.nationality,
        languages: traveler.languages,
        email: traveler.email,
        documents: traveler
            .documents
            .into_iter()
            .map(|document| DocumentView {
                number: document.number,
                kind: document.kind,
                issuing_state: document.issuing_state,
                expiry_date: document.expiry_date,
            })
            .collect(),
    }
}

fn dependent(dependent: Dependent) -> DependentView {
    DependentView {
        person: traveler(dependent.person),
        capacity: dependent.capacity,
        agreed: dependent.agreed,
    }
}

/// The dependents in a letter: only a profile has them.
pub(super) fn dependents(content: &Content) -> Vec<Dependent> {
    match content {
        Content::Profile(profile) => dependents_of(&profile.fields),
        _ => Vec::new(),
    }
}

/// When it was pressed, by the phone's clock where that can be right: not later
/// than it came, and not so long before that the clock is likelier to be wrong
/// than the report to have waited.
fn pressed_at(report: Option<&SosReport>, received_ms: i64) -> i64 {
    report
        .and_then(|report| believed(report.pressed.wall_ms, received_ms))
        .unwrap_or(received_ms)
}

fn believed(wall_ms: i64, received_ms: i64) -> Option<i64> {
    const DAY_MS: i64 = 86_400_000;
    let waited = received_ms.saturating_sub(wall_ms);
    (-DAY_MS..30 * DAY_MS).contains(&waited).then_some(wall_ms)
}

/// Where the traveler should have been at `at_ms`.
fn stay(trips: &[Trip], at_ms: i64) -> Option<StayView> {
    let trip = trip_at(trips, at_ms)?;
    let placement = stay_at(&trip.stays, at_ms);
    Some(StayView {
        title: trip.title.clone(),
        returns: trip.returns.clone(),
        stay: placement.stay.cloned(),
        certainty: placement.certainty,
        next: placement.next.cloned(),
    })
}

fn update_of(word: &Word) -> Option<(&ClockReading, &AgedFix, i64)> {
    match &word.content {
        Content::SosUpdate(update) => Some((&update.at, &update.position, word.received_ms)),
        _ => None,
    }
}

/// The latest update's position, or else the report's own, or else the one that
/// was prepared before: a press before the first unlock knows no other.
fn position(
    report: Option<&SosReport>,
    received_ms: Option<i64>,
    own: &[Word],
    prepared: Option<(ClockReading, AgedFix)>,
) -> Option<PositionView> {
    let latest =
        own.iter().filter_map(update_of).reduce(
            |best, next| {
                if is_later(next.0, best.0) { next } else { best }
            },
        );
    match latest {
        Some((at, fix, received_ms)) => Some(position_view(fix, at, received_ms)),
        None => {
            let (report, received_ms) = report.zip(received_ms)?;
            let prepared = || prepared.map(|(as_of, fix)| at_press(fix, &as_of, report));
            report
                .position
                .clone()
                .or_else(prepared)
                .map(|fix| position_view(&fix, &report.pressed, received_ms))
        }
    }
}

/// A position that was prepared at `as_of`, with its age at the press.
fn at_press(fix: AgedFix, as_of: &ClockReading, report: &SosReport) -> AgedFix {
    let since = elapsed_ms(as_of, &report.pressed);
    AgedFix {
        age_ms: fix
            .age_ms
            .zip(since)
            .map(|(age, since)| age.saturating_add(since)),
        ..fix
    }
}

/// Within one boot by the monotonic counter, across boots by wall time.
pub(super) fn is_later(next: &ClockReading, best: &ClockReading) -> bool {
    if next.boot_id == best.boot_id {
        next.monotonic_ms >= best.monotonic_ms
    } else {
        next.wall_ms >= best.wall_ms
    }
}

fn position_view(aged: &AgedFix, at: &ClockReading, received_ms: i64) -> PositionView {
    let (latitude, longitude) = aged.fix.position.degrees();
    let datum = match aged.fix.position {
        Position::Wgs84 { .. } => "wgs84",
        Position::Gcj02 { .. } => "gcj02",
        Position::Bd09 { .. } => "bd09",
    };
    PositionView {
        latitude,
        longitude,
        datum: datum.into(),
        accuracy_m: aged.fix.accuracy_m,
        age_ms: aged.age_ms,
        source: aged.fix.source,
        time_ms: aged.fix.time_ms,
        flags: aged.flags.clone(),
        handover: location_texts(aged, believed(at.wall_ms, received_ms)),
        received_ms,
    }
}

macro_rules! redacted {
    ($($name:ty),+ $(,)?) => {$(
        /// Names the type and shows nothing: what it holds is personal.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}

redacted!(
    CaseView,
    TravelerView,
    DocumentView,
    DependentView,
    StayView,
    MedicalView,
    PositionView,
    CompactView,
    TextView
);

#[cfg(test)]
mod tests {
    use super::*;

    fn case(acknowledged_ms: Option<i64>, closed_ms: Option<i64>) -> Case {
        Case {
            report: Uuid::nil(),
            number: String::new(),
            sender: [0; 32],
            opened_ms: 0,
            officer: String::new(),
            mission: String::new(),
            acknowledged_ms,
            closed_ms,
        }
    }

    #[test]
    fn the_latest_act_decides_the_state() {
        let rows = [
            (None, None, None, DeskState::New),
            (Some(5), None, None, DeskState::Acknowledged),
            (None, None, Some(5), DeskState::Cancelled),
            (Some(5), None, Some(6), DeskState::Cancelled),
            (Some(6), None, Some(5), DeskState::Acknowledged),
            (Some(5), Some(7), Some(9), DeskState::Closed),
        ];
        for (acknowledged, closed, cancelled, expected) in rows {
            assert_eq!(state(&case(acknowledged, closed), cancelled), expected);
        }
    }

    #[test]
    fn the_stay_is_that_of_the_press_unless_the_phones_clock_is_wrong() {
        const DAY_MS: i64 = 86_400_000;
        const PRESSED: i64 = 1_790_000_000_000;
        let report: SosReport = serde_json::from_value(serde_json::json!({
            "report": Uuid::nil(), "sequence": 1, "kind": "lost", "note": "",
            "pressed": {"wall_ms": PRESSED, "monotonic_ms": 1, "boot_id": "b"},
        }))
        .unwrap();
        for (received_ms, expected) in [
            (PRESSED, PRESSED),
            (PRESSED + 29 * DAY_MS, PRESSED),
            (PRESSED - DAY_MS / 2, PRESSED),
            (PRESSED + 3_650 * DAY_MS, PRESSED + 3_650 * DAY_MS),
            (PRESSED - 3_650 * DAY_MS, PRESSED - 3_650 * DAY_MS),
        ] {
            assert_eq!(pressed_at(Some(&report), received_ms), expected);
        }
        assert_eq!(pressed_at(None, 7), 7);
    }

    #[test]
    fn later_is_told_by_the_counter_within_a_boot() {
        let reading = |wall_ms, monotonic_ms, boot_id: &str| ClockReading {
            wall_ms,
            monotonic_ms,
            boot_id: boot_id.into(),
        };
        let first = reading(9_000, 1_000, "a");
        assert!(is_later(&reading(1_000, 2_000, "a"), &first));
        assert!(!is_later(&reading(10_000, 500, "a"), &first));
        assert!(is_later(&reading(10_000, 500, "b"), &first));
    }
}
