//! `Homeline`, the object that a host opens. It wires the services together and
//! hands them out; it decides nothing itself.

#[cfg(feature = "faults")]
mod faults;
mod listeners;
mod state;

pub(crate) use listeners::Listeners;
pub use listeners::{ChangeListener, Topic};
pub use state::{HomeState, Waiting};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::{Clock, Time};
use crate::config::{Config, Policy};
use crate::contacts::Contacts;
use crate::error::{Result, guard};
use crate::keys::{DeviceKeys, KeyPurpose, KeyVault, Secret, SecretFile, StoredSecret, random};
use crate::outbox::Outbox;
use crate::record::{Record, RecordState};
use crate::registration::fields::Stamper;
use crate::registration::{Consents, Registration};
use crate::sos::{Sos, StandingKeeper};
use crate::sync::{Engine, Parts, Sealer, SyncOutcome};
use crate::transport::Transport;
use crate::whereabouts::{LastKnown, Recording, Whereabouts, load_recent};
use crate::{error::HomelineError, sqlite};

/// The line home. One long-lived object for a host app; all calls are
/// synchronous, may come from any thread, and block on nothing but the disk,
/// save `sync`.
#[derive(uniffi::Object)]
pub struct Homeline {
    directory: PathBuf,
    vault: Arc<dyn KeyVault>,
    policy: Policy,
    record: Arc<Record>,
    outbox: Arc<Outbox>,
    sealer: Arc<Sealer>,
    standing: Arc<StandingKeeper>,
    last: Arc<LastKnown>,
    listeners: Arc<Listeners>,
    registration: Arc<Registration>,
    consents: Arc<Consents>,
    contacts: Arc<Contacts>,
    whereabouts: Arc<Whereabouts>,
    sos: Arc<Sos>,
    engine: Engine,
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
            self.renew_device()?;
            self.unlock();
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
            Ok(self.record.state())
        })
    }

    /// After `KeyLost`: sets the unreadable record aside and begins an empty one.
    /// In any other state it changes nothing.
    pub fn start_new_record(&self) -> Result<HomeState> {
        guard("Homeline::start_new_record", || {
            self.record.start_new()?;
            self.unlock();
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

    /// The network has changed: what waits for its back-off is due now.
    pub fn network_changed(&self) -> Result<()> {
        guard("Homeline::network_changed", || self.outbox.all_due())
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

    /// The traveler's registration.
    pub fn registration(&self) -> Arc<Registration> {
        Arc::clone(&self.registration)
    }

    /// The traveler's consents.
    pub fn consents(&self) -> Arc<Consents> {
        Arc::clone(&self.consents)
    }

    /// The emergency contacts.
    pub fn contacts(&self) -> Arc<Contacts> {
        Arc::clone(&self.contacts)
    }

    /// The positions.
    pub fn whereabouts(&self) -> Arc<Whereabouts> {
        Arc::clone(&self.whereabouts)
    }

    /// The SOS reports.
    pub fn sos(&self) -> Arc<Sos> {
        Arc::clone(&self.sos)
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
        let record = Arc::new(Record::new(
            &directory,
            Arc::clone(&vault),
            time.clone(),
            policy.clone(),
        ));
        let device = match stored_device(&directory, vault.as_ref()) {
            Some(device) => device,
            // The report must leave all the same: a device of this process.
            None => DeviceKeys::from_secret(&Secret::new(random::<32>()?))?,
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
        Ok(Self {
            registration: Arc::new(Registration {
                record: Arc::clone(&record),
                stamper: stamper.clone(),
                standing: Arc::clone(&standing),
                listeners: Arc::clone(&listeners),
                policy: policy.clone(),
            }),
            consents: Arc::new(Consents {
                record: Arc::clone(&record),
                outbox: Arc::clone(&outbox),
                listeners: Arc::clone(&listeners),
                time: time.clone(),
                policy: policy.clone(),
            }),
            contacts: Arc::new(Contacts {
                record: Arc::clone(&record),
                stamper: stamper.clone(),
                standing: Arc::clone(&standing),
                listeners: Arc::clone(&listeners),
                policy: policy.clone(),
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
                time,
                record: Arc::clone(&record),
                outbox: Arc::clone(&outbox),
                sealer: Arc::clone(&sealer),
                sos: Arc::clone(&sos),
                standing: Arc::clone(&standing),
                listeners: Arc::clone(&listeners),
                transport,
            }),
            directory,
            vault,
            policy,
            record,
            outbox,
            sealer,
            standing,
            last,
            listeners,
            sos,
        })
    }

    /// Opens the record if the vault lets us, and does what waited for it. What
    /// fails here is shown by `state` and tried again by the next pass.
    fn unlock(&self) {
        let was_open = self.record.state() == RecordState::Open;
        if self.record.open() != RecordState::Open || was_open {
            return;
        }
        if let Ok(recent) = self.record.read(load_recent) {
            self.last.restore(recent, &self.whereabouts.time.now());
        }
        let _ = self.sos.settle();
        self.standing.renew_if_stale();
    }

    /// Takes the stored device keys where the process began without them.
    fn renew_device(&self) -> Result<()> {
        if let Some(device) = stored_device(&self.directory, self.vault.as_ref())
            && device.id() != self.sealer.device().id()
        {
            self.sealer.set_device(device);
        }
        Ok(())
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
            clock_offset_ms: self.outbox.get_number("offset_ms").unwrap_or_default(),
        })
    }
}

/// The device's keys from their file. A lost device secret is set aside and made
/// anew: it holds nothing but an identity.
fn stored_device(directory: &Path, vault: &dyn KeyVault) -> Option<DeviceKeys> {
    std::fs::create_dir_all(directory).ok()?;
    let file = SecretFile::new(directory, KeyPurpose::Device);
    let secret = match file.load_or_create(vault).ok()? {
        StoredSecret::Open { secret, .. } => secret,
        StoredSecret::Locked => return None,
        StoredSecret::Lost => {
            let now_ms = Time::new(None).now().wall_ms;
            sqlite::set_aside(file.path(), now_ms).ok()?;
            match file.load_or_create(vault).ok()? {
                StoredSecret::Open { secret, .. } => secret,
                StoredSecret::Locked | StoredSecret::Lost => return None,
            }
        }
    };
    DeviceKeys::from_secret(&secret).ok()
}
