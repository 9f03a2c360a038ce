//! The second half of a pass: the service document and the change feed.

use super::client::Failure;
use super::pass::{Carried, Pass, Stop};
use super::protocol::{CHANGES_PATH, CardNews, CaseNews, ChangePage, SERVICE_PATH};
use crate::error::Result;
use crate::homeline::Topic;
use crate::outbox::EventRow;
use crate::record::RecordState;
use crate::registration::card;
use crate::seal::signed::{Context, Signed, VerifyError};
use crate::sos::{AttemptResult, case_news};

impl Pass<'_> {
    /// Fetches the service document, once in a pass; `Ok(Err(_))` when it did not
    /// come, is not believed, or has not helped before.
    pub(super) fn fetch_service(&mut self) -> Result<Result<(), Failure>> {
        let unbelieved = Failure::Attempt {
            result: AttemptResult::NotTheMinistry { status: 200 },
            after_ms: None,
        };
        if std::mem::replace(&mut self.service_fetched, true) {
            return Ok(Err(unbelieved));
        }
        let signed = match self
            .client
            .call::<Signed>("GET", SERVICE_PATH, Vec::new(), None)
        {
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
            return Ok(Ok(()));
        }
        Ok(Err(unbelieved))
    }

    pub(super) fn refresh_service(&mut self) -> Result<Result<(), Stop>> {
        let now_ms = self.parts.time.now().wall_ms;
        let fetched = self.parts.outbox.get_number("service_ms")?;
        let fresh = fetched
            .is_some_and(|at| now_ms.saturating_sub(at).abs() < self.parts.policy.service_age_ms);
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
            let page =
                match self
                    .client
                    .call::<ChangePage>("GET", &target, Vec::new(), Some(&device))
                {
                    Ok(page) => page,
                    Err(failure) => return self.failed(&[], failure, Carried::Nothing),
                };
            let newest = page.changes.iter().map(|change| change.seq).max();
            let seen = u64::try_from(after).unwrap_or(0);
            // A feed that does not go on is at its end.
            let Some(cursor) = newest.filter(|newest| *newest > seen) else {
                return Ok(Ok(()));
            };
            let mut events = Vec::new();
            let mut cards = 0;
            for change in &page.changes {
                match change.kind.as_str() {
                    "case" => events.extend(self.news(&change.sealed.0)?),
                    "card" => cards += u32::from(self.card_news(&change.sealed.0)?),
                    _ => {}
                }
            }
            self.parts.outbox.apply_changes(&events, cursor)?;
            self.tally.changes += u32::try_from(events.len()).unwrap_or(u32::MAX);
            self.tally.changes += cards;
            if cards > 0 {
                self.settle_card()?;
            }
            if !events.is_empty() {
                self.parts.listeners.notify(Topic::Sos);
            }
            if !page.more {
                return Ok(Ok(()));
            }
        }
        Ok(Ok(()))
    }

    /// News of the registration card, if it is for this device and signed by the
    /// ministry: kept sealed in the outbox before the cursor moves, so that a
    /// locked record loses nothing.
    fn card_news(&mut self, sealed: &[u8]) -> Result<bool> {
        let Some(signed) = self.parts.sealer.open_own::<Signed>(sealed) else {
            return Ok(false);
        };
        let mut verified = self.verify::<CardNews>(&signed, Context::CardNews);
        if matches!(verified, Err(VerifyError::UnknownKey)) && self.fetch_service()?.is_ok() {
            verified = self.verify(&signed, Context::CardNews);
        }
        if verified.is_err() {
            return Ok(false);
        }
        card::keep(&self.parts.outbox, sealed)?;
        Ok(true)
    }

    /// Brings the card to the record, where it is open.
    fn settle_card(&self) -> Result<()> {
        let parts = self.parts;
        if parts.record.state() == RecordState::Open {
            card::settle(&parts.record, &parts.outbox, &parts.sealer)?;
            parts.listeners.notify(Topic::Record);
        }
        Ok(())
    }

    /// News of a case, if it is for this device and signed by the ministry.
    fn news(&mut self, sealed: &[u8]) -> Result<Option<EventRow>> {
        let Some(signed) = self.parts.sealer.open_own::<Signed>(sealed) else {
            return Ok(None);
        };
        let mut verified = self.verify::<CaseNews>(&signed, Context::Case);
        if matches!(verified, Err(VerifyError::UnknownKey)) && self.fetch_service()?.is_ok() {
            verified = self.verify(&signed, Context::Case);
        }
        match verified {
            Ok(news) => case_news(news, &self.parts.time.now(), &self.parts.sealer).map(Some),
            Err(_) => Ok(None),
        }
    }
}
