//! The one error enum of the library, by what the caller should do.
//!
//! Every exported call returns `Result<_, HomelineError>`. The cases are
//! stable; a case never carries personal data: no name, number, coordinate,
//! text or key. [`guard`] stands at the border of the library: a panic inside
//! becomes [`HomelineError::Bug`] and never crosses the FFI.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What went wrong, sorted by what the caller should do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum HomelineError {
    /// The input does not have the form that is expected: correct it and call
    /// again. Never returned by a press.
    #[error("{field}: {problem}; expected {expected}")]
    Invalid {
        /// Dotted name of the field, for example `traveler.phone`.
        field: String,
        /// What is wrong with it.
        problem: Problem,
        /// The form that is expected, in English.
        expected: String,
    },
    /// A press could not be stored: show these numbers to the traveler now.
    #[error("the report could not be stored: {problem}")]
    NotStored {
        /// Why it could not be stored.
        problem: StorageProblem,
        /// Numbers to call instead, as dialled from abroad first.
        call: Vec<String>,
    },
    /// The record waits for the first unlock of the phone: call `reopen` after
    /// it. The SOS works meanwhile.
    #[error("the record is locked until the phone has been unlocked")]
    Locked,
    /// The key of the record is gone (a restored backup, a new phone). The SOS
    /// works; `start_new_record` begins an empty record beside the old file.
    #[error("the key of the record is lost")]
    KeyLost,
    /// The files cannot be read or written.
    #[error("storage: {problem}")]
    Storage {
        /// What is wrong with the files.
        problem: StorageProblem,
    },
    /// There is nothing with that id.
    #[error("no such {what}")]
    NotFound {
        /// The kind of thing: `report`, `contact`.
        what: String,
    },
    /// `close` or `erase` was called: open again before any other call.
    #[error("closed")]
    Closed,
    /// A defect of this library. Nothing stored is lost; please report it.
    #[error("defect in {place}")]
    Bug {
        /// Where, in the code.
        place: String,
    },
}

/// What is wrong with an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Enum)]
pub enum Problem {
    /// Empty, where something is needed.
    #[error("is empty")]
    Empty,
    /// Longer than the limit.
    #[error("is too long")]
    TooLong,
    /// NUL or another control character.
    #[error("has a control character")]
    ControlCharacter,
    /// A number outside its range, or not a number.
    #[error("is out of range")]
    OutOfRange,
    /// Characters or an order of them that the form does not have.
    #[error("is malformed")]
    Malformed,
    /// A check digit does not match.
    #[error("has a wrong check digit")]
    CheckDigit,
    /// More of them than the limit.
    #[error("are too many")]
    TooMany,
    /// The same is there already.
    #[error("is there already")]
    Duplicate,
    /// It does not agree with another field.
    #[error("does not agree with another field")]
    Mismatch,
    /// Its time is over.
    #[error("has expired")]
    Expired,
    /// Older than what is known already: a repetition.
    #[error("is older than what is known")]
    Stale,
    /// Meant for somebody else, or by somebody who is not known here.
    #[error("belongs to somebody else")]
    Foreign,
    /// Altered, or not by whom it names.
    #[error("is altered, or not signed by whom it names")]
    NotAuthentic,
}

/// What is wrong with the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Enum)]
pub enum StorageProblem {
    /// No space is left: free some and call again.
    #[error("no space left")]
    Full,
    /// The directory or a file may not be read or written.
    #[error("no permission")]
    NoPermission,
    /// A file is damaged. It is kept aside; see `HomeState::set_aside`.
    #[error("damaged file")]
    Damaged,
    /// A newer version of the library wrote the file: update the host app.
    #[error("written by a newer version")]
    TooNew,
    /// Another process holds the file for too long.
    #[error("busy")]
    Busy,
    /// The device failed to read or write.
    #[error("input or output failed")]
    Io,
}

/// A failure in something small that the host supplied: a clock, a listener.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum HostError {
    /// It failed; the library goes on without it.
    #[error("the host's implementation failed")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for HostError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        // The reason holds a stack trace of the host: it is not kept.
        Self::Failed
    }
}

/// Result of every exported call.
pub type Result<T, E = HomelineError> = std::result::Result<T, E>;

impl HomelineError {
    pub(crate) fn invalid(field: &str, problem: Problem, expected: &str) -> Self {
        Self::Invalid {
            field: field.into(),
            problem,
            expected: expected.into(),
        }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::NotFound { what: what.into() }
    }

    pub(crate) fn bug(place: &str) -> Self {
        Self::Bug {
            place: place.into(),
        }
    }
}

impl From<StorageProblem> for HomelineError {
    fn from(problem: StorageProblem) -> Self {
        Self::Storage { problem }
    }
}

impl From<&std::io::Error> for StorageProblem {
    fn from(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::AlreadyExists => Self::NoPermission,
            _ => Self::Io,
        }
    }
}

impl From<std::io::Error> for HomelineError {
    fn from(error: std::io::Error) -> Self {
        StorageProblem::from(&error).into()
    }
}

impl From<&rusqlite::Error> for StorageProblem {
    fn from(error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(
                ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::AuthorizationForStatementDenied,
            ) => Self::NoPermission,
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Damaged,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            // A statement that does not fit the schema: the file was written
            // by something else.
            Some(ErrorCode::Unknown) => Self::Damaged,
            Some(_) => Self::Io,
            // A value of another type than our schema has.
            None => Self::Damaged,
        }
    }
}

impl From<rusqlite::Error> for HomelineError {
    fn from(error: rusqlite::Error) -> Self {
        StorageProblem::from(&error).into()
    }
}

/// Runs `body` so that a panic in it becomes [`HomelineError::Bug`].
///
/// Every exported call goes through here. Locks that a panic poisons are
/// entered all the same: what they guard is a database connection, and its
/// open transaction was rolled back while the stack unwound.
pub(crate) fn guard<T>(place: &str, body: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(HomelineError::bug(place)))
}
