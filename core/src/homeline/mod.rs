//! `Homeline`, the object that a host opens. It wires the services together and
//! hands them out; it decides nothing itself.

mod asking;
#[cfg(feature = "faults")]
mod faults;
mod leaving;
mod listeners;
mod parked;
mod services;
mod state;

pub use crate::salvage::{Recovery, SavedRows};
pub(crate) use listeners::Listeners;
pub use listeners::{ChangeListener, Topic};
pub use parked::{ParkedItem, ParkedKind};
pub use state::{EraseRequest, HomeState, Waiting};

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::alerts::Alerts;
use crate::clock::{Clock, Time};
use crate::config::{Config, Policy};
use crate::contacts::Contacts;
use crate::error::{Result, guard};
use crate::guides::Guides;
use crate::health::{self, Health, PermissionReport, WakeCause};
use crate::keys::{
    CurrentVault, DeviceKeys, KeyPurpose, KeyVault, Secret, SecretFile, StoredSecret, random,
};
use crate::outbox::{Fate, Outbox, Role};
use crate::packs::{Packs, Shelf};
use crate::record::{Record, RecordState};
use crate::reference::Reference;
use crate::registration::fields::Stamper;
use crate::registration::groups::Groups;
use crate::registration::{Consents, Dependents, Phones, Registration, Trips, country, gate};
use crate::relay::Relay;
use crate::retention::Retention;
use crate::sos::{Attachments, Sos, StandingKeeper, Uploads};
use crate::sync::{Engine, Parts, Sealer, SyncOutcome, network_changed};
use crate::transport::Transport;
use crate::whereabouts::{LastKnown, Recording, Whereabouts, load_recent};
use crate::{erase, error::HomelineError, sqlite};

/// The line home. One long-lived object for a host app: open it once and keep it. Its calls may
/// come from any thread, and wait for nothing but the disk, save `sync` and `send_datagram`.
#[derive(uniffi::Object)]
pub struct Homeline {
    directory: PathBuf,
    vault: Arc<CurrentVault>,
    pub(crate) policy: Policy,
    time: Time,
    pub(crate) record: Arc<Record>,
    pub(crate) outbox: Arc<Outbox>,
    sealer: Arc<Sealer>,
    standing: Arc<StandingKeeper>,
    last: Arc<LastKnown>,
    listeners: Arc<Listeners>,
    registration: Arc<Registration>,
    dependents: Arc<Dependents>,
    consents: Arc<Consents>,
    phones: Arc<Phones>,
    groups: Arc<Groups>,
    contacts: Arc<Contacts>,
    trips: Arc<Trips>,
    whereabouts: Arc<Whereabouts>,
    pub(crate) sos: Arc<Sos>,
    attachments: Arc<Attachments>,
    relay: Arc<Relay>,
    packs: Arc<Packs>,
    guides: Arc<Guides>,
    alerts: Arc<Alerts>,
    reference: Arc<Reference>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) retention: Arc<Retention>,
    engine: Engine,
    /// Held while files are opened or erased: never both at once.
    opening: Mutex<()>,
}

#[uniffi::export]
impl Homeline {
    /// Opens Homeline in `config.directory`.
    ///
    /// It succeeds whatever state the files are in: `state` tells whether the
    /// record is open, locked, lost or unavailable, and the SOS works in each.
    /// `transport` and `clock` are left out by most hosts.
    ///
    /// Errors: `Invalid` when the config is malformed.
    #[uniffi::constructor(default(transport = None, clock = None))]
    pub fn open(
        config: Config,
        vault: Arc<dyn KeyVault>,
        transport: Option<Arc<dyn Transport>>,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<Arc<Self>> {
        guard("Homeline::open", || {
            config.validate()?;
            let home = Self::wire(config, vault, transport, clock)?;
            home.unlock();
            Ok(Arc::new(home))
        })
    }

    /// What works now, and what was set aside.
    pub fn state(&self) -> Result<HomeState> {
        guard("Homeline::state", || self.describe())
    }

    /// Opens what is closed: after the first unlock, or after `pause`.
    pub fn reopen(&self) -> Result<HomeState> {
        guard("Homeline::reopen", || {
            let opening = self.opening();
            self.unlock();
            self.renew_device();
            drop(opening);
            self.describe()
        })
    }

    /// Ends a running pass and closes the files, so that no lock is held while the app is suspended. A
    /// press opens the outbox again by itself; the rest works after `reopen`.
    pub fn pause(&self) -> Result<RecordState> {
        guard("Homeline::pause", || {
            self.engine.pause(self.policy.pause);
            self.record.close();
            self.outbox.close();
            self.shelf.close();
            Ok(self.record.state())
        })
    }

    /// After `KeyLost`: sets the unreadable record aside and begins an empty one.
    /// In any other state it changes nothing.
    pub fn start_new_record(&self) -> Result<HomeState> {
        guard("Homeline::start_new_record", || {
            let opening = self.opening();
            self.record.start_new()?;
            self.unlock();
            drop(opening);
            self.describe()
        })
    }

    /// The traveler has seen `HomeState::recovered`: it is empty after this. The
    /// files that were set aside stay.
    ///
    /// Errors: `Locked`, `KeyLost`, `Storage` while the record cannot be written.
    pub fn dismiss_recoveries(&self) -> Result<HomeState> {
        guard("Homeline::dismiss_recoveries", || {
            self.outbox.dismiss_recoveries()?;
            self.record.dismiss_recoveries()?;
            self.describe()
        })
    }

    /// Changes the vault: a new phone, a new biometric, a key to be retired. The
    /// secrets are wrapped anew by `new_vault`, nothing is encrypted anew, and
    /// this object uses it from then on; afterwards the old vault opens nothing.
    ///
    /// Killed half way, all files open with the old vault or with the new one, and
    /// nothing is lost: open with the old one, and where that says `KeyLost`, with
    /// the new one; then call this again. After an error too: a repetition
    /// finishes what was begun.
    ///
    /// Errors: `Locked` or `KeyLost` when one of the vaults cannot do its part,
    /// `Storage`. The old vault is in force as long as the new one does not open
    /// both secrets.
    pub fn change_vault(&self, new_vault: Arc<dyn KeyVault>) -> Result<HomeState> {
        guard("Homeline::change_vault", || {
            let device = SecretFile::new(&self.directory, KeyPurpose::Device);
            self.record.change_vault(&device, new_vault)?;
            self.describe()
        })
    }

    /// Encrypts the record anew, under a key that nobody has had before: where the
    /// old key may be known to somebody. It takes about as long as writing the
    /// record once more, needs as much space again, and lets the record's other
    /// calls wait; a press does not wait. Call it from a background thread.
    ///
    /// Killed at any moment, the record opens again with everything in it.
    /// Afterwards the old key opens nothing but copies made before.
    ///
    /// Errors: `Storage` with `Full` where the copy does not fit (all stays as it
    /// was), with `Busy` where another process has the record open, with `TooNew`;
    /// `Locked`, `KeyLost`, `Closed`.
    pub fn rotate_key(&self) -> Result<HomeState> {
        guard("Homeline::rotate_key", || {
            self.record.rotate_key()?;
            self.describe()
        })
    }

    /// Runs one pass of at most `deadline_ms` milliseconds: call it from a
    /// background thread. Being offline is an outcome, not an error.
    pub fn sync(&self, deadline_ms: u64) -> Result<SyncOutcome> {
        guard("Homeline::sync", || self.engine.sync(deadline_ms))
    }

    /// Ends a running pass; what it has sent and proved stays so.
    pub fn cancel_sync(&self) -> Result<()> {
        guard("Homeline::cancel_sync", || {
            self.engine.cancel();
            Ok(())
        })
    }

    /// The network has changed: an SOS that waits for its back-off is due now, and so
    /// is the rest after a cut of seconds. After a longer one the rest waits a random
    /// share of that time, ten minutes at most, so that a country that comes back
    /// does not come at once; what the traveler does from now on, in the app or by
    /// opening it (`woke`), does not wait. `health` and `SyncOutcome.next_ms` tell.
    ///
    /// Errors: `Storage`.
    pub fn network_changed(&self) -> Result<()> {
        guard("Homeline::network_changed", || {
            let now = self.time.now();
            network_changed(&self.outbox, &self.listeners, &now, &self.policy)
        })
    }

    /// The platform runs the host: why, and in how many milliseconds the host
    /// expects to be woken again (absent: it does not know; what it said before
    /// stays). Passes of `sync` are noted by themselves.
    ///
    /// Errors: `Storage`.
    #[uniffi::method(default(next_in_ms = None))]
    pub fn woke(&self, cause: WakeCause, next_in_ms: Option<i64>) -> Result<()> {
        guard("Homeline::woke", || {
            if cause == WakeCause::Foreground {
                self.listeners.note_act();
            }
            health::note_wake(&self.outbox, &self.time.now(), cause, next_in_ms)
        })
    }

    /// The permissions as the platform has them now.
    ///
    /// Errors: `Storage`.
    pub fn report_permissions(&self, reports: Vec<PermissionReport>) -> Result<()> {
        guard("Homeline::report_permissions", || {
            health::note_permissions(&self.outbox, &self.time.now(), reports)
        })
    }

    /// Whether the library really runs on this phone: what happened, when, and
    /// what is overdue. Works before the first unlock.
    ///
    /// Errors: `Storage`.
    pub fn health(&self) -> Result<Health> {
        guard("Homeline::health", || {
            health::read(&self.outbox, &self.last, &self.time.now(), &self.policy)
        })
    }

    /// Tells `listener` of every change after its commit, on the thread that
    /// made it, with no lock held. `None` ends it.
    #[uniffi::method(default(listener = None))]
    pub fn set_listener(&self, listener: Option<Arc<dyn ChangeListener>>) -> Result<()> {
        guard("Homeline::set_listener", || {
            self.listeners.set(listener);
            Ok(())
        })
    }
}

impl Homeline {
    fn wire(
        config: Config,
        vault: Arc<dyn KeyVault>,
        transport: Option<Arc<dyn Transport>>,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<Self> {
        let directory = PathBuf::from(&config.directory);
        let policy = Policy::STANDARD;
        let time = Time::new(clock);
        let listeners = Arc::new(Listeners::default());
        let last = Arc::new(LastKnown::new(&policy));
        let outbox = Arc::new(Outbox::new(&directory, time.clone(), policy.clone()));
        let vault = Arc::new(CurrentVault::new(vault));
        let record = Arc::new(Record::new(
            &directory,
            Arc::clone(&vault),
            time.clone(),
            policy.clone(),
        ));
        // Before anything else: what is to be erased is not opened again.
        let erased = erase::finish(&directory, &outbox);
        let device = match erased
            .is_ok()
            .then(|| stored_device(&directory, vault.get().as_ref()))
        {
            Some(Some(device)) => device,
            // The report must leave all the same: a device of this process.
            _ => process_device()?,
        };
        let sealer = Arc::new(Sealer::new(&config, device, &outbox));
        let standing = Arc::new(StandingKeeper::new(
            Arc::clone(&record),
            Arc::clone(&outbox),
            Arc::clone(&sealer),
            Arc::clone(&last),
            time.clone(),
            policy.clone(),
        ));
        let stamper = Stamper {
            time: time.clone(),
            outbox: Arc::clone(&outbox),
            sealer: Arc::clone(&sealer),
        };
        let sos = Arc::new(Sos::new(
            Arc::clone(&record),
            Arc::clone(&outbox),
            Arc::clone(&sealer),
            Arc::clone(&standing),
            Arc::clone(&last),
            Arc::clone(&listeners),
            time.clone(),
            policy.clone(),
            config.numbers_to_call(),
        ));
        let uploads = Arc::new(Uploads::default());
        let shelf = Arc::new(Shelf::new(&directory, policy.clone()));
        let reference = Arc::new(Reference::new(
            &config,
            Arc::clone(&shelf),
            Arc::clone(&record),
            Arc::clone(&outbox),
            Arc::clone(&last),
        ));
        // What a kill has left half made. Where it fails, the next end of one does it.
        let _ = outbox.sweep_attachments();
        let relay = Arc::new(Relay {
            outbox: Arc::clone(&outbox),
            sealer: Arc::clone(&sealer),
            listeners: Arc::clone(&listeners),
            time: time.clone(),
            policy: policy.clone(),
            scans: Mutex::default(),
        });
        let retention = Arc::new(Retention::new(
            Arc::clone(&record),
            Arc::clone(&outbox),
            Arc::clone(&last),
            stamper.clone(),
            policy.clone(),
        ));
        Ok(Self {
            registration: Arc::new(Registration {
                record: Arc::clone(&record),
                stamper: stamper.clone(),
                standing: Arc::clone(&standing),
                listeners: Arc::clone(&listeners),
                policy: policy.clone(),
            }),
            dependents: Arc::new(Dependents {
                record: Arc::clone(&record),
                stamper: stamper.clone(),
                standing: Arc::clone(&standing),
                listeners: Arc::clone(&listeners),
                policy: policy.clone(),
            }),
            consents: Arc::new(Consents {
                record: Arc::clone(&record),
                outbox: Arc::clone(&outbox),
                standing: Arc::clone(&standing),
                listeners: Arc::clone(&listeners),
                policy: policy.clone(),
            }),
            phones: Arc::new(Phones {
                record: Arc::clone(&record),
                stamper: stamper.clone(),
                listeners: Arc::clone(&listeners),
                policy: policy.clone(),
            }),
            groups: Arc::new(Groups {
                record: Arc::clone(&record),
                stamper: stamper.clone(),
                listeners: Arc::clone(&listeners),
                policy: policy.clone(),
            }),
            contacts: Arc::new(Contacts {
                record: Arc::clone(&record),
                stamper: stamper.clone(),
                standing: Arc::clone(&standing),
                listeners: Arc::clone(&listeners),
                policy: policy.clone(),
            }),
            trips: Arc::new(Trips {
                record: Arc::clone(&record),
                stamper: stamper.clone(),
                standing: Arc::clone(&standing),
                listeners: Arc::clone(&listeners),
                policy: policy.clone(),
                home_country: country("config.home_country", &config.home_country)?,
            }),
            whereabouts: Arc::new(Whereabouts {
                record: Arc::clone(&record),
                outbox: Arc::clone(&outbox),
                last: Arc::clone(&last),
                standing: Arc::clone(&standing),
                listeners: Arc::clone(&listeners),
                time: time.clone(),
                policy: policy.clone(),
                recording: Recording::default(),
            }),
            engine: Engine::new(Parts {
                config,
                policy: policy.clone(),
                time: time.clone(),
                record: Arc::clone(&record),
                outbox: Arc::clone(&outbox),
                sealer: Arc::clone(&sealer),
                sos: Arc::clone(&sos),
                relay: Arc::clone(&relay),
                standing: Arc::clone(&standing),
                retention: Arc::clone(&retention),
                uploads: Arc::clone(&uploads),
                shelf: Arc::clone(&shelf),
                listeners: Arc::clone(&listeners),
                transport,
            }),
            attachments: Arc::new(Attachments {
                sos: Arc::clone(&sos),
                uploads,
            }),
            packs: Arc::new(Packs {
                shelf: Arc::clone(&shelf),
                sealer: Arc::clone(&sealer),
                listeners: Arc::clone(&listeners),
                policy: policy.clone(),
            }),
            alerts: Arc::new(Alerts {
                reference: Arc::clone(&reference),
                record: Arc::clone(&record),
                policy: policy.clone(),
            }),
            guides: Arc::new(Guides {
                reference: Arc::clone(&reference),
            }),
            reference,
            shelf,
            directory,
            vault,
            policy,
            time,
            record,
            outbox,
            sealer,
            standing,
            last,
            listeners,
            sos,
            relay,
            retention,
            opening: Mutex::new(()),
        })
    }

    /// Opens the record if the vault lets us, and does what waited for it. What
    /// fails here is shown by `state` and tried again by the next pass.
    fn unlock(&self) {
        if let Err(problem) = self.finish_erase() {
            // What is to be erased is not shown again.
            self.record.refuse(problem);
            return;
        }
        let was_open = self.record.state() == RecordState::Open;
        if self.record.open() != RecordState::Open || was_open {
            return;
        }
        if let Ok(recent) = self.record.read(load_recent) {
            self.last.restore(recent, &self.whereabouts.time.now());
        }
        let _ = self.sos.settle();
        let _ = self.relay.settle();
        self.standing.renew_if_stale();
        let _ = gate::enforce(&self.record, &self.outbox);
        let _ = self.retention.expire();
    }

    /// Takes the stored device keys where the process began without them.
    fn renew_device(&self) {
        if !erase::has_begun(&self.directory)
            && let Some(device) = stored_device(&self.directory, self.vault.get().as_ref())
            && device.id() != self.sealer.device().id()
        {
            self.sealer.set_device(device);
        }
    }

    fn describe(&self) -> Result<HomeState> {
        let counts = self.outbox.counts();
        Ok(HomeState {
            record: self.record.state(),
            outbox: match counts {
                Ok(counts) => Waiting::Known {
                    waiting: counts.waiting,
                    parked: counts.parked,
                },
                Err(HomelineError::Storage { problem }) => Waiting::Unavailable { problem },
                Err(error) => return Err(error),
            },
            set_aside: sqlite::files_set_aside(&self.directory),
            recovered: [self.record.recoveries(), self.outbox.recoveries()].concat(),
            clock_offset_ms: self.outbox.get_number("offset_ms").unwrap_or_default(),
            erase_request: match self.outbox.fate(Role::Erase).ok().flatten() {
                None => EraseRequest::Absent,
                Some(Fate::Waiting) => EraseRequest::Waiting,
                Some(Fate::Received { at_ms }) => EraseRequest::Received { at_ms },
                Some(Fate::Parked) => EraseRequest::Refused,
            },
        })
    }
}

/// A device that lives as long as the process.
fn process_device() -> Result<DeviceKeys> {
    DeviceKeys::from_secret(&Secret::new(random::<32>()?))
}

/// The device's keys from their file. Where the vault cannot open it, one that was
/// set aside and that it can open is taken back (the file was set aside when
/// another vault was asked); else a new one is made: it holds nothing but an
/// identity.
fn stored_device(directory: &Path, vault: &dyn KeyVault) -> Option<DeviceKeys> {
    sqlite::make_directory(directory).ok()?;
    let file = SecretFile::new(directory, KeyPurpose::Device);
    let secret = match file.load_or_create(vault).ok()? {
        StoredSecret::Open { secret, .. } => secret,
        StoredSecret::Locked => return None,
        StoredSecret::Lost => {
            let now_ms = Time::new(None).now().wall_ms;
            let before = file.set_aside_for(vault);
            sqlite::set_aside(file.path(), now_ms).ok()?;
            if let Some(before) = before {
                std::fs::rename(before, file.path()).ok()?;
            }
            match file.load_or_create(vault).ok()? {
                StoredSecret::Open { secret, .. } => secret,
                StoredSecret::Locked | StoredSecret::Lost => return None,
            }
        }
    };
    DeviceKeys::from_secret(&secret).ok()
}
