//! What a traveler may ask for at any time: all data in one file, shorter
//! keeping, and the end of it all.

use std::sync::{MutexGuard, PoisonError};

use super::{HomeState, Homeline, Topic, process_device, stored_device};
use crate::error::{HomelineError, Result, StorageProblem, guard};
use crate::export::{Export, Source};
use crate::registration::registration_id;
use crate::retention::KeepAtMost;
use crate::sos::new_id;
use crate::sqlite;
use crate::sync::protocol::{Content, Erase};
use crate::{erase, export};

#[uniffi::export]
impl Homeline {
    /// Everything about the traveler in one call: JSON for a machine, and a
    /// summary for a reader. Of the positions at most the newest 50,000 are in
    /// it, and it says how many are not; `export_to` writes them all.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage`.
    pub fn export(&self) -> Result<Export> {
        guard("Homeline::export", || export::whole(&self.source()))
    }

    /// Writes the JSON of `export` to a file, with every position; the memory that
    /// it takes does not grow with them. An older file of that name is replaced.
    /// The file is in clear: it is the traveler's to keep or to hand on, so choose
    /// a place that no other app reads. Returns the summary.
    ///
    /// Errors: as `export`; on any of them there is no file.
    pub fn export_to(&self, path: String) -> Result<String> {
        guard("Homeline::export_to", || {
            export::to_file(&self.source(), path.as_ref())
        })
    }

    /// Keeps data shorter than the library does by itself; longer is not possible.
    /// It holds for this object: call it after each `open`. The next pass of
    /// `sync` deletes what is too old then.
    pub fn keep_at_most(&self, days: KeepAtMost) -> Result<()> {
        guard("Homeline::keep_at_most", || {
            self.retention.keep_at_most(days);
            Ok(())
        })
    }

    /// Erases everything: the keys first, then the files; a request to the
    /// ministry to do the same waits in the outbox for the next `sync`. Works in
    /// every state of the record. What was pressed and still waits is not lost. The packs of
    /// the ministry go, too, and come with the next `sync`.
    /// This object goes on as after a first start. Erasing again is no error.
    ///
    /// Errors: `Storage`. Where `state` says `Unavailable` after it, the erasure
    /// has begun and the next `reopen` or `open` finishes it before all else;
    /// otherwise nothing has happened: call again. `Busy`: a pass of `sync` did
    /// not end within ten seconds.
    pub fn erase(&self) -> Result<HomeState> {
        guard("Homeline::erase", || {
            let opening = self.opening();
            let erased = self.engine.alone(self.policy.erase_wait, || {
                let at = self.outbox.time().now();
                let id = new_id(at.wall_ms)?;
                let request = Content::Erase(Erase {
                    registration: self.record.read(registration_id).ok(),
                    at,
                });
                let sealed = self.sealer.to_ministry(&request, id)?;
                sqlite::make_directory(&self.directory)?;
                self.shelf.close();
                erase::begin(&self.directory, id, &sealed)?;
                self.unlock();
                self.shelf.forget();
                if erase::has_begun(&self.directory) {
                    return Err(self.refusal());
                }
                Ok(())
            });
            drop(opening);
            for topic in [Topic::Record, Topic::Whereabouts, Topic::Sos] {
                self.listeners.notify(topic);
            }
            erased?;
            self.describe()
        })
    }
}

impl Homeline {
    pub(super) fn opening(&self) -> MutexGuard<'_, ()> {
        self.opening.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finishes an erasure that has begun, and takes on what a first start would
    /// have: no key, no record, no memory.
    pub(super) fn finish_erase(&self) -> Result<(), StorageProblem> {
        if !erase::has_begun(&self.directory) {
            return Ok(());
        }
        self.record.close();
        self.forget();
        let finished = erase::finish(&self.directory, &self.outbox);
        // In any case: the old keys must not seal what comes next.
        let device = match &finished {
            Ok(_) => stored_device(&self.directory, self.vault.get().as_ref()),
            Err(_) => None,
        };
        if let Some(device) = device.or_else(|| process_device().ok()) {
            self.sealer.set_device(device);
        }
        match finished {
            Ok(_) => Ok(()),
            Err(HomelineError::Storage { problem }) => Err(problem),
            Err(_) => Err(StorageProblem::Io),
        }
    }

    fn forget(&self) {
        self.standing.forget();
        self.last.forget();
        self.sos.forget();
    }

    fn refusal(&self) -> HomelineError {
        match self.record.read(|_| Ok(())) {
            Err(error) => error,
            Ok(()) => StorageProblem::Io.into(),
        }
    }

    fn source(&self) -> Source<'_> {
        Source {
            record: &self.record,
            outbox: &self.outbox,
            sos: &self.sos,
            policy: &self.policy,
        }
    }
}
