//! Which keys are in force: the device's own, and the ministry's by its newest
//! service document. Services seal through here; sync verifies through here.

use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use uuid::Uuid;

use super::compress::compress;
use super::protocol::{Content, ServiceDocument};
use crate::config::Config;
use crate::error::{HomelineError, Result};
use crate::keys::DeviceKeys;
use crate::outbox::Outbox;
use crate::seal::compact::{self, CompactKind};
use crate::seal::signed::{Context, Signed};
use crate::seal::{envelope, key_id};

/// The keys in force.
pub(crate) struct Sealer {
    anchors: Vec<Vec<u8>>,
    /// The key of the `Config`, until a service document brings another.
    first_key: Vec<u8>,
    /// The numbers of the `Config`, likewise.
    first_sms_numbers: Vec<String>,
    /// The endpoint and the receipt keys of the `Config`, until then.
    first_datagram: Option<String>,
    first_receipt_keys: Vec<Vec<u8>>,
    device: RwLock<Arc<DeviceKeys>>,
    service: RwLock<Option<Arc<ServiceDocument>>>,
}

impl Sealer {
    /// Reads the service document that the outbox keeps; one that does not
    /// verify by today's anchors is as good as none.
    pub(crate) fn new(config: &Config, device: DeviceKeys, outbox: &Outbox) -> Self {
        let sealer = Self {
            anchors: config.anchors.clone(),
            first_key: config.sealing_key.clone(),
            first_sms_numbers: config.sms_numbers.clone(),
            first_datagram: config.datagram.clone(),
            first_receipt_keys: config.receipt_keys.clone(),
            device: RwLock::new(Arc::new(device)),
            service: RwLock::new(None),
        };
        if let Ok(Some(bytes)) = outbox.get("service") {
            let known = serde_json::from_slice(&bytes)
                .ok()
                .and_then(|signed: Signed| signed.verify(Context::Service, &sealer.anchors).ok());
            *sealer
                .service
                .write()
                .unwrap_or_else(PoisonError::into_inner) = known.map(Arc::new);
        }
        sealer
    }

    pub(crate) fn device(&self) -> Arc<DeviceKeys> {
        Arc::clone(&self.device.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_device(&self, device: DeviceKeys) {
        *self.device.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(device);
    }

    pub(crate) fn service(&self) -> Option<Arc<ServiceDocument>> {
        self.service
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes a service document: signed by an anchor and not older than the one
    /// in force. `false`: it is not believed.
    pub(crate) fn accept_service(&self, signed: &Signed, outbox: &Outbox) -> Result<bool> {
        let Ok(document) = signed.verify::<ServiceDocument>(Context::Service, &self.anchors) else {
            return Ok(false);
        };
        let older = self
            .service()
            .is_some_and(|known| document.serial < known.serial);
        let usable = document.sealing_keys.iter().all(|key| key.0.len() == 32);
        if older || !usable {
            return Ok(false);
        }
        outbox.set("service", &to_json(signed)?)?;
        *self.service.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(document));
        Ok(true)
    }

    /// Where datagrams are taken, `host:port`.
    pub(crate) fn datagram_endpoint(&self) -> Option<String> {
        match self.service() {
            Some(service) => service.datagram.clone(),
            None => self.first_datagram.clone(),
        }
    }

    /// Keys that may sign receipts and case news; before the first service document
    /// those of the `Config`.
    pub(crate) fn receipt_keys(&self) -> Vec<Vec<u8>> {
        self.service()
            .map(|service| {
                service
                    .receipt_keys
                    .iter()
                    .map(|key| key.0.clone())
                    .collect()
            })
            .unwrap_or_else(|| self.first_receipt_keys.clone())
    }

    /// Keys that may sign packs.
    pub(crate) fn pack_keys(&self) -> Vec<Vec<u8>> {
        [self.anchors.clone(), self.receipt_keys()].concat()
    }

    /// Seals `content` to the ministry.
    pub(crate) fn to_ministry(&self, content: &Content, id: Uuid) -> Result<Vec<u8>> {
        let key = self.sealing_key()?;
        let content = compress(to_json(content)?, id);
        envelope::seal_to_ministry(&content, id, &key, &self.device())
    }

    /// Seals the content of a compact message to the ministry.
    pub(crate) fn compact(&self, kind: CompactKind, content: &[u8]) -> Result<Vec<u8>> {
        compact::seal(kind, content, &self.sealing_key()?, &self.device())
    }

    /// The ministry's key that is sealed to now.
    pub(crate) fn sealing_key(&self) -> Result<[u8; 32]> {
        let service = self.service();
        service
            .as_ref()
            .and_then(|service| service.sealing_keys.first())
            .map_or(self.first_key.as_slice(), |key| key.0.as_slice())
            .try_into()
            .map_err(|_| HomelineError::bug("sync::sealer"))
    }

    /// The id of that key.
    pub(crate) fn sealing_key_id(&self) -> Result<String> {
        Ok(key_id(&self.sealing_key()?))
    }

    /// The numbers that take sealed text messages: the service document's, or those
    /// of the `Config` until there is one.
    pub(crate) fn sms_numbers(&self) -> Vec<String> {
        match self.service() {
            Some(service) => service.sms_numbers.clone(),
            None => self.first_sms_numbers.clone(),
        }
    }

    /// Whether an envelope with this header is from this device to the ministry's
    /// key of now. Keys change while an envelope stands ready.
    pub(crate) fn is_current(&self, header: &[u8]) -> bool {
        let sender = self.device().public().agreement;
        self.sealing_key()
            .is_ok_and(|key| envelope::is_between(header, &sender, &key))
    }

    /// Whether an envelope is sealed to a key that the service document names; before
    /// the first document each is taken for one.
    pub(crate) fn is_to_a_key_of_the_ministry(&self, sealed: &[u8]) -> bool {
        self.service().is_none_or(|service| {
            let mut keys = service.sealing_keys.iter();
            keys.any(|key| envelope::is_sealed_to(sealed, &key.0))
        })
    }

    /// Whether an envelope is sealed to the key that is sealed to now: sealing it
    /// anew would change nothing.
    pub(crate) fn is_to_the_key_of_now(&self, sealed: &[u8]) -> bool {
        self.sealing_key()
            .is_ok_and(|key| envelope::is_sealed_to(sealed, &key))
    }

    /// Seals `value` to this device itself.
    pub(crate) fn to_self<T: Serialize>(&self, value: &T, id: Uuid) -> Result<Vec<u8>> {
        envelope::seal_to_device(&to_json(value)?, id, &self.device().public().agreement)
    }

    /// Opens what was sealed to this device; `None` where it was not, or is damaged.
    pub(crate) fn open_own<T: serde::de::DeserializeOwned>(&self, sealed: &[u8]) -> Option<T> {
        let opened = envelope::open_at_device(sealed, &self.device()).ok()?;
        serde_json::from_slice(&opened.content).ok()
    }
}

/// JSON of our own types: it cannot fail but by a defect.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|_| HomelineError::bug("json"))
}
