//! Export: everything about the traveler in one call, as JSON and as a text.
//!
//! The JSON names its form, `urn:homeline:export:1`, which `schema.json` beside
//! this file describes (JSON Schema, draft 2020-12). It is written section by
//! section, each by one function of [`SECTIONS`]: a new class of data adds its
//! own. The registration is written as its entities, whatever their kind, so
//! that a kind this module has not heard of is in the export too.
//!
//! Positions are rows of numbers, longitude first as in GeoJSON (RFC 7946). They
//! are read in pieces, so that a million of them cost no more memory than one
//! piece, and the record is not held up while they are written.

mod sections;
mod summary;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::config::Policy;
use crate::error::{HomelineError, Result};
use crate::outbox::Outbox;
use crate::record::Record;
use crate::sos::Sos;

/// The form of the JSON; it changes when a reader must.
pub const FORM: &str = "urn:homeline:export:1";

/// Everything about the traveler.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Export {
    /// For a machine: JSON in UTF-8.
    pub json: String,
    /// For a reader: plain text, in English.
    pub summary: String,
}

redacted_debug!(Export);

/// What an export reads.
pub(crate) struct Source<'a> {
    pub(crate) record: &'a Record,
    pub(crate) outbox: &'a Outbox,
    pub(crate) sos: &'a Sos,
    pub(crate) policy: &'a Policy,
}

/// How many positions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Positions {
    All,
    Newest(u32),
}

type Section = fn(&Source<'_>, Positions, &mut dyn Write) -> Result<()>;

/// Each member of the JSON with what writes its value.
const SECTIONS: [(&str, Section); 9] = [
    ("made_ms", sections::made),
    ("registration", sections::registration),
    ("consents", sections::consents),
    ("medical_card", sections::medical_card),
    ("groups", sections::groups),
    ("other", sections::other),
    ("positions", sections::positions),
    ("reports", sections::reports),
    ("sent", sections::sent),
];

/// JSON and summary in memory, with the newest positions.
pub(crate) fn whole(source: &Source<'_>) -> Result<Export> {
    let mut json = Vec::new();
    write(
        source,
        Positions::Newest(source.policy.export_fixes),
        &mut json,
    )?;
    Ok(Export {
        json: String::from_utf8(json).map_err(|_| HomelineError::bug("export"))?,
        summary: summary::text(source)?,
    })
}

/// JSON into a file, with every position. The file is there whole or not at all.
pub(crate) fn to_file(source: &Source<'_>, path: &Path) -> Result<String> {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    let partial = Path::new(&name);
    let written = write_file(source, partial).and_then(|()| Ok(fs::rename(partial, path)?));
    if let Err(error) = written {
        let _ = fs::remove_file(partial);
        return Err(error);
    }
    summary::text(source)
}

fn write_file(source: &Source<'_>, path: &Path) -> Result<()> {
    let mut out = BufWriter::new(private(path)?);
    write(source, Positions::All, &mut out)?;
    let file = out
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(())
}

/// A new file that only this user of the system reads.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn write(source: &Source<'_>, positions: Positions, out: &mut dyn Write) -> Result<()> {
    // A record that cannot be read is said before anything is written.
    source.record.read(|_| Ok(()))?;
    write!(out, "{{\"$schema\":\"{FORM}\"")?;
    for (name, section) in SECTIONS {
        write!(out, ",\n\"{name}\":")?;
        section(source, positions, out)?;
    }
    writeln!(out, "}}")?;
    Ok(())
}
