//! The second half of a pass: the service document and the change feed.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::client::Failure;
use super::pass::{Carried, Pass, Stop};
use super::protocol::{CHANGES_PATH, CardNews, CaseNews, ChangePage, ProfileNews, SERVICE_PATH};
use crate::error::Result;
use crate::homeline::Topic;
use crate::outbox::{EventRow, News};
use crate::record::RecordState;
use crate::registration::card;
use crate::registration::fields::Stamper;
use crate::registration::gate::PositionGate;
use crate::registration::news;
use crate::seal::parcel::Parcel;
use crate::seal::signed::{Context, Signed, VerifyError};
use crate::sos::{AttemptResult, case_news};

/// The kind of the news that go into the record's registration.
const PROFILE: &str = "profile";
/// The kind of a registration card in the feed.
const CARD: &str = "card";
/// The kind of a parcel for another phone.
const PARCEL: &str = "parcel";

/// Whose word an item of the feed is.
enum Word<T> {
    /// The ministry's.
    Ministrys(Box<T>),
    /// Not for this device, or not signed by the ministry.
    Nobodys,
    /// Signed by a key that is not known yet: asked again when the service
    /// document has come.
    NotKnownYet(Failure),
}

impl<T> Word<T> {
    fn map<U>(self, use_it: impl FnOnce(T) -> U) -> Word<U> {
        match self {
            Self::Ministrys(it) => Word::Ministrys(Box::new(use_it(*it))),
            Self::Nobodys => Word::Nobodys,
            Self::NotKnownYet(failure) => Word::NotKnownYet(failure),
        }
    }
}

impl Pass<'_> {
    /// Fetches the service document, once in a pass; `Ok(Err(_))` when it did not
    /// come, is not believed, or came before the last page of the feed.
    pub(super) fn fetch_service(&mut self) -> Result<Result<(), Failure>> {
        let unbelieved = Failure::attempt(AttemptResult::NotTheMinistry { status: 200 });
        if std::mem::replace(&mut self.service_fetched, true) {
            return Ok(match self.service_came {
                true => Ok(()),
                false => Err(unbelieved),
            });
        }
        self.flights.holds = true;
        let fetched = self.fetch::<Signed>(SERVICE_PATH, None);
        self.flights.holds = false;
        let signed = match fetched? {
            Ok(signed) => signed,
            Err(failure) => return Ok(Err(failure)),
        };
        if self
            .parts
            .sealer
            .accept_service(&signed, &self.parts.outbox)?
        {
            let now_ms = self.parts.time.now().wall_ms;
            self.parts
                .outbox
                .set("service_ms", now_ms.to_string().as_bytes())?;
            self.service_came = true;
            return Ok(Ok(()));
        }
        Ok(Err(unbelieved))
    }

    pub(super) fn refresh_service(&mut self) -> Result<Result<(), Stop>> {
        let now_ms = self.parts.time.now().wall_ms;
        let fetched = self.parts.outbox.get_number("service_ms")?;
        let policy = &self.parts.policy;
        let in_crisis_only = self.parts.record.read(PositionGate::of) == Ok(PositionGate::InCrisis);
        let longest_ms = if in_crisis_only {
            policy.service_age_in_crisis_ms
        } else {
            policy.service_age_ms
        };
        let fresh = fetched.is_some_and(|at| now_ms.saturating_sub(at).abs() < longest_ms);
        if fresh && self.parts.sealer.service().is_some() {
            return Ok(Ok(()));
        }
        match self.fetch_service()? {
            Ok(()) => Ok(Ok(())),
            Err(failure) => self.failed(&[], failure, Carried::Nothing),
        }
    }

    /// Reads the change feed, page by page; each page with its cursor is one
    /// transaction.
    pub(super) fn changes(&mut self) -> Result<Result<(), Stop>> {
        if let Err(failure) = self.ensure_enrolled()? {
            return self.failed(&[], failure, Carried::Nothing);
        }
        for _ in 0..self.parts.policy.change_pages {
            let after = self.parts.outbox.get_number("cursor")?.unwrap_or(0);
            let target = format!("{CHANGES_PATH}?after={after}");
            let device = self.parts.sealer.device();
            let page = match self.fetch::<ChangePage>(&target, Some(&device))? {
                Ok(page) => page,
                Err(failure) => return self.failed(&[], failure, Carried::Nothing),
            };
            self.service_came = false;
            self.packs_told = page.packs;
            let newest = page.changes.iter().map(|change| change.seq).max();
            let seen = u64::try_from(after).unwrap_or(0);
            if page.newest.is_some_and(|last| last < seen) && newest.is_none() {
                // Whoever named `after` was not this ministry: its news are not lost.
                self.parts.outbox.set("cursor", b"0")?;
                continue;
            }
            // A feed that does not go on is at its end.
            let Some(cursor) = newest.filter(|newest| *newest > seen) else {
                return Ok(Ok(()));
            };
            let mut events = Vec::new();
            let mut kept = Vec::new();
            let mut parcels = Vec::new();
            // Said twice is said once, whoever has repeated it.
            let mut said = BTreeSet::new();
            for change in &page.changes {
                if !said.insert(&change.sealed.0) {
                    continue;
                }
                let news = |kind| News {
                    kind,
                    seq: change.seq,
                    sealed: change.sealed.0.clone(),
                };
                let word = match change.kind.as_str() {
                    "case" => self.case(&change.sealed.0)?.map(|event| events.push(event)),
                    PROFILE => {
                        self.kept::<ProfileNews>(news(PROFILE), Context::Profile, &mut kept)?
                    }
                    CARD => self.kept::<CardNews>(news(CARD), Context::CardNews, &mut kept)?,
                    PARCEL => {
                        parcels.extend(Parcel::read(&change.sealed.0));
                        continue;
                    }
                    // A later version's.
                    _ => continue,
                };
                if let Word::NotKnownYet(failure) = word {
                    // The cursor stays before it: it is read again.
                    return self.failed(&[], failure, Carried::Nothing);
                }
            }
            // Before the cursor: taken twice is taken once.
            self.parts.relay.take(parcels)?;
            self.parts.outbox.apply_changes(&events, &kept, cursor)?;
            self.tally.changes += u32::try_from(events.len()).unwrap_or(u32::MAX);
            if !events.is_empty() {
                self.parts.listeners.notify(Topic::Sos);
            }
            self.take_news()?;
            if !page.more {
                return Ok(Ok(()));
            }
        }
        Ok(Ok(()))
    }

    /// Puts news for the record among those to be kept, if they are the ministry's: they
    /// may have to wait for an unlock, and whatever else somebody puts into the feed
    /// must not fill the disk meanwhile.
    fn kept<T: DeserializeOwned>(
        &mut self,
        news: News,
        context: Context,
        kept: &mut Vec<News>,
    ) -> Result<Word<()>> {
        let word = self.word::<T>(&news, context)?;
        Ok(word.map(|_| kept.push(news)))
    }

    /// Brings what is kept for the record into it, once that is open.
    pub(super) fn take_news(&mut self) -> Result<()> {
        let parts = self.parts;
        if parts.record.state() != RecordState::Open {
            return Ok(());
        }
        let applied = self.take_profiles()?.saturating_add(self.take_cards()?);
        if applied > 0 {
            self.tally.changes = self.tally.changes.saturating_add(applied);
            parts.standing.renew_if_stale();
            parts.listeners.notify(Topic::Record);
        }
        Ok(())
    }

    /// What other phones of the traveler have changed; how many were applied.
    fn take_profiles(&mut self) -> Result<u32> {
        let parts = self.parts;
        let own = parts.sealer.device().public().agreement;
        let mut applied = 0;
        while let Some(item) = parts.outbox.first_news(PROFILE)? {
            match self.word::<ProfileNews>(&item, Context::Profile)? {
                Word::Ministrys(news) if news.to.0 == own => {
                    let stamper = Stamper {
                        time: parts.time.clone(),
                        outbox: Arc::clone(&parts.outbox),
                        sealer: Arc::clone(&parts.sealer),
                    };
                    let stamp = stamper.stamp();
                    parts
                        .record
                        .write(|tx| news::apply(tx, &news, item.seq, &stamp, &parts.policy))?;
                    applied += 1;
                }
                Word::Ministrys(_) | Word::Nobodys => {}
                Word::NotKnownYet(_) => break,
            }
            parts.outbox.drop_news(&item)?;
        }
        Ok(applied)
    }

    /// The registration card; how many news were applied.
    fn take_cards(&mut self) -> Result<u32> {
        let parts = self.parts;
        let mut applied = 0;
        while let Some(item) = parts.outbox.first_news(CARD)? {
            match self.word::<CardNews>(&item, Context::CardNews)? {
                Word::Ministrys(news) => {
                    let keys = parts.sealer.receipt_keys();
                    parts.record.write(|tx| card::apply(tx, &news, &keys))?;
                    applied += 1;
                }
                Word::Nobodys => {}
                Word::NotKnownYet(_) => break,
            }
            parts.outbox.drop_news(&item)?;
        }
        Ok(applied)
    }

    /// News for the record, if they are for this device and signed by the
    /// ministry: nobody else writes into the record.
    fn word<T: DeserializeOwned>(&mut self, item: &News, context: Context) -> Result<Word<T>> {
        match self.parts.sealer.open_own::<Signed>(&item.sealed) {
            Some(signed) => self.judged(&signed, context),
            None => Ok(Word::Nobodys),
        }
    }

    /// News of a case, if it is for this device and signed by the ministry.
    fn case(&mut self, sealed: &[u8]) -> Result<Word<EventRow>> {
        let Some(signed) = self.parts.sealer.open_own::<Signed>(sealed) else {
            return Ok(Word::Nobodys);
        };
        Ok(match self.judged::<CaseNews>(&signed, Context::Case)? {
            Word::Ministrys(news) => {
                let event = case_news(*news, &self.parts.time.now(), &self.parts.sealer)?;
                Word::Ministrys(Box::new(event))
            }
            Word::Nobodys => Word::Nobodys,
            Word::NotKnownYet(failure) => Word::NotKnownYet(failure),
        })
    }

    /// Whose word this is. A key that is not known is looked for in the newest
    /// service document; one that is not there either was revoked, or is nobody's.
    fn judged<T: DeserializeOwned>(
        &mut self,
        signed: &Signed,
        context: Context,
    ) -> Result<Word<T>> {
        let mut verified = self.verify::<T>(signed, context);
        if matches!(verified, Err(VerifyError::UnknownKey)) {
            if let Err(failure) = self.fetch_service()? {
                return Ok(Word::NotKnownYet(failure));
            }
            verified = self.verify(signed, context);
        }
        Ok(match verified {
            Ok(news) => Word::Ministrys(Box::new(news)),
            Err(_) => Word::Nobodys,
        })
    }
}
