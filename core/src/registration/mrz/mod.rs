//! The machine-readable zone of travel documents: ICAO Doc 9303, part 3 (check
//! digits, dates, names), part 4 (TD3, passports), part 5 (TD1, cards) and part 6
//! (TD2).
//!
//! [`read_mrz`] reads a zone or names the first field that fails; [`scan_mrz`]
//! gives all of them to a camera that reads badly, with what was meant if that can
//! be told. Input may be in lower case or full width, with spaces and line breaks;
//! nothing else is mended silently. [`compare_name`] tells a name that the zone
//! cuts or spells in its own way from another name.
//!
//! A zone has two digits of a year. A birth lies in the past: its year is the
//! latest with these digits that is not after today, so an age of 100 or more is
//! read as a hundred years less. An expiry lies from 50 years before this year to
//! 49 years after it. Pure functions of the text and the day.

mod fields;
mod name;
mod suggest;
mod zone;

pub use name::{NameMatch, compare_name};

use crate::clock::{Clock as _, SystemClock};
use crate::error::{HomelineError, Problem, Result, guard};
use crate::registration::date::Date;

/// Size of a document, which tells the layout of its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum MrzFormat {
    /// A card: three lines of 30 characters.
    Td1,
    /// A larger card or a sheet: two lines of 36.
    Td2,
    /// A passport: two lines of 44.
    Td3,
}

/// Sex, as the zone has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum MrzSex {
    /// `F`.
    Female,
    /// `M`.
    Male,
    /// `<`, which also stands for X.
    Unspecified,
}

/// A date of a zone; what the document leaves unknown is absent.
#[derive(Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct MrzDate {
    /// The year, all four digits: see the module for the century.
    pub year: Option<u16>,
    /// The month, from 1.
    pub month: Option<u8>,
    /// The day of the month, from 1.
    pub day: Option<u8>,
}

/// What a machine-readable zone says. Texts are without fillers at their end;
/// fillers inside are spaces.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Mrz {
    /// The layout.
    pub format: MrzFormat,
    /// `P` and what a state adds for passports; `I`, `A` or `C` for cards.
    pub document_code: String,
    /// Three letters of ISO 3166-1 or of ICAO; Germany's is `D`.
    pub issuing_state: String,
    /// The document's number, whole: of a long one (TD1, TD2) also the part that
    /// stands in the optional data.
    pub number: String,
    /// As `issuing_state`.
    pub nationality: String,
    /// The primary identifier.
    pub surname: String,
    /// The secondary identifier; empty where there is none.
    pub given_names: String,
    /// Whether the name fills its field to the end, and so may have been cut.
    pub name_may_be_cut: bool,
    /// Date of birth.
    pub birth_date: MrzDate,
    /// Sex.
    pub sex: MrzSex,
    /// Last day of validity; wholly absent where the document has no expiry.
    pub expiry_date: MrzDate,
    /// What the state adds, the rest of a long number excepted.
    pub optional_data: String,
    /// The second such field, which only TD1 has.
    pub optional_data_2: String,
}

/// A field of a zone that fails.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct MrzFault {
    /// Its name: `mrz.document_number`, `mrz.date_of_birth`, `mrz.composite`...
    pub field: String,
    /// What is wrong with it.
    pub problem: Problem,
    /// The form that is expected, in English.
    pub expected: String,
}

/// Everything that can be said of a zone.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct MrzScan {
    /// What it says: there where nothing fails.
    pub mrz: Option<Mrz>,
    /// All that fails, the composite digit last; empty where nothing does.
    pub faults: Vec<MrzFault>,
    /// A zone that is right in every digit and differs only in characters that
    /// look alike (O and 0, I and 1...). To be shown and confirmed, never to be
    /// taken silently; absent where there is none or more than one.
    pub suggestion: Option<String>,
}

redacted_debug!(MrzDate, Mrz, MrzScan);

/// Reads a machine-readable zone and checks every digit of it.
///
/// Errors: `Invalid` names the first field that fails, for example
/// `mrz.document_number`; `mrz` or `mrz.line_1` where the zone has another form.
#[uniffi::export]
pub fn read_mrz(text: String) -> Result<Mrz> {
    guard("read_mrz", || read("mrz", &text, today()))
}

/// Reads a machine-readable zone and names every field that fails. It never
/// refuses: a text that is no zone at all has the one fault `mrz`.
#[uniffi::export]
pub fn scan_mrz(text: String) -> Result<MrzScan> {
    guard("scan_mrz", || Ok(scan(&text, today())))
}

fn today() -> Date {
    Date::today(SystemClock::new().read().map_or(0, |now| now.wall_ms))
}

/// As [`read_mrz`], with the day given and the fields named below `path`.
pub(crate) fn read(path: &str, text: &str, today: Date) -> Result<Mrz> {
    let (mrz, faults) = examine(text, today);
    match (mrz, faults.into_iter().next()) {
        (Some(mrz), None) => Ok(mrz),
        (_, Some(fault)) => Err(HomelineError::Invalid {
            field: fault.field.replacen("mrz", path, 1),
            problem: fault.problem,
            expected: fault.expected,
        }),
        (None, None) => Err(HomelineError::bug("mrz::read")),
    }
}

fn scan(text: &str, today: Date) -> MrzScan {
    let (mrz, faults) = examine(text, today);
    MrzScan {
        suggestion: if faults.is_empty() {
            None
        } else {
            suggest::suggestion(text, today)
        },
        mrz,
        faults,
    }
}

/// The zone, where nothing fails, or all that fails.
fn examine(text: &str, today: Date) -> (Option<Mrz>, Vec<MrzFault>) {
    match zone::Zone::of(text) {
        Ok(zone) => fields::read(&zone, today),
        Err(fault) => (None, vec![fault]),
    }
}

fn fault(field: &str, problem: Problem, expected: &str) -> MrzFault {
    MrzFault {
        field: format!("mrz.{field}"),
        problem,
        expected: expected.to_owned(),
    }
}

#[cfg(test)]
mod tests;
