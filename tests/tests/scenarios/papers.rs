//! Zones of documents; they need no phone.

use homeline::Result;
use homeline::registration::{MrzDate, read_mrz, scan_mrz};
use serde::Deserialize;

use crate::expect;
use crate::player::{Player, snake};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadMrz {
    text: String,
    format: Option<String>,
    document_code: Option<String>,
    issuing_state: Option<String>,
    number: Option<String>,
    nationality: Option<String>,
    surname: Option<String>,
    given_names: Option<String>,
    birth_date: Option<String>,
    sex: Option<String>,
    expiry_date: Option<String>,
    optional_data: Option<String>,
}

impl ReadMrz {
    pub(crate) fn play(self, _: &mut Player<'_>) -> Result<()> {
        let mrz = read_mrz(self.text)?;
        expect(snake(&mrz.format), self.format);
        expect(mrz.document_code, self.document_code);
        expect(mrz.issuing_state, self.issuing_state);
        expect(mrz.number, self.number);
        expect(mrz.nationality, self.nationality);
        expect(mrz.surname, self.surname);
        expect(mrz.given_names, self.given_names);
        expect(day(mrz.birth_date), self.birth_date);
        expect(snake(&mrz.sex), self.sex);
        expect(day(mrz.expiry_date), self.expiry_date);
        expect(mrz.optional_data, self.optional_data);
        Ok(())
    }
}

/// `YYYY-MM-DD`, with 0 for what is unknown.
fn day(date: MrzDate) -> String {
    format!(
        "{:04}-{:02}-{:02}",
        date.year.unwrap_or(0),
        date.month.unwrap_or(0),
        date.day.unwrap_or(0)
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScanMrz {
    text: String,
    faults: Vec<String>,
    suggestion: Option<String>,
}

impl ScanMrz {
    pub(crate) fn play(self, _: &mut Player<'_>) -> Result<()> {
        let scan = scan_mrz(self.text)?;
        let faults: Vec<String> = scan.faults.into_iter().map(|fault| fault.field).collect();
        assert_eq!(faults, self.faults);
        assert_eq!(scan.suggestion, self.suggestion);
        Ok(())
    }
}
