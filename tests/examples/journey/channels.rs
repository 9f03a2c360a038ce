//! A fellow student without data: one text message for the ministry to know at once,
//! and the rest in the phone of whoever walks down to the town.

use std::io;
use std::sync::Arc;

use homeline::Homeline;
use homeline::sos::{ReportState, SmsAnswer, SmsResult, SosKind, SosRequest};
use homeline::sync::SyncStop;
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline_tests::stage::Network;
use homeline_tests::words;
use ministry::CaseView;
use serde_json::json;

use crate::people::{failed, person, sync};
use crate::story::{Story, desk_line, hold, now_ms, word};

const NOTE: &str = "余震后路断了，三人在学校操场，有人骨折。Road gone, three of us.";

impl Story<'_> {
    pub(crate) fn no_data(&mut self) -> io::Result<()> {
        let home = self.phone("no_data")?;
        let who = person("周晴", "E40000001");
        home.registration().save(who).map_err(failed)?;
        sync(&home)?;
        self.stage.network(Network::Down);
        let place = Position::Wgs84 {
            latitude: 27.932_6,
            longitude: 84.906_1,
        };
        let mut request = SosRequest::new(SosKind::Disaster);
        request.note = NOTE.into();
        request.people = Some(3);
        request.fix = Some(Fix::new(place, now_ms(), FixSource::Gnss));
        let report = home.sos().press(request).map_err(failed)?;
        self.count.presses += 1;
        let outcome = home.sync(30_000).map_err(failed)?;
        hold(outcome.stopped == SyncStop::Offline, "there is no data")?;
        self.by_text_message(&home, &report)?;
        self.by_parcel(&home, &report)?;
        self.stage.network(Network::Up);
        self.reports.push(report);
        Ok(())
    }

    /// The short form in one message, and the receipt in another.
    fn by_text_message(&mut self, home: &Arc<Homeline>, report: &str) -> io::Result<()> {
        let sos = home.sos();
        let plan = sos.sms_plan(report.into(), 0).map_err(failed)?;
        let part = plan.parts.first();
        let part = part.ok_or_else(|| io::Error::other("no text message"))?;
        hold(part.messages == 1, "a report is one message")?;
        sos.sms_result(report.into(), part.part, SmsResult::Sent, 0)
            .map_err(failed)?;
        let handed = sos.status(report.into()).map_err(failed)?;
        hold(
            matches!(handed.state, ReportState::Handed { .. }),
            "a message that was sent is handed over, and no more",
        )?;
        let reply = self.stage.deliver_text(&part.text)?;
        let reply = reply.ok_or_else(|| io::Error::other("no receipt"))?;
        let case = self.only_case(report)?;
        let answer = sos.sms_received(reply.clone()).map_err(failed)?;
        hold(
            matches!(answer, SmsAnswer::Receipt { .. }),
            "the receipt of the text message verifies",
        )?;
        let status = sos.status(report.into()).map_err(failed)?;
        self.show.step(
            "text_message",
            "No data after the quake: the report goes by one text message",
            json!({
                "characters": part.text.len(),
                "messages": part.messages,
                "receipt_characters": reply.len(),
                "state": word(&words::state(&status.state)),
            }),
        );
        self.show.say(&format!(
            "sent     {}… {} characters",
            clip(&part.text),
            part.text.len()
        ));
        self.show.say(&format!(
            "receipt  {}… {} characters",
            clip(&reply),
            reply.len()
        ));
        let events: Vec<String> = status.events.iter().map(words::event).collect();
        self.show.status(&words::state(&status.state), &events);
        self.show.say(&desk_line(&case));
        hold(case.note.is_empty(), "the note has not come yet")
    }

    /// The whole report in a phone that cannot read it, and its receipt back.
    fn by_parcel(&mut self, home: &Arc<Homeline>, report: &str) -> io::Result<()> {
        let bundle = home.relay().export(u64::MAX).map_err(failed)?;
        let bytes = bundle.len();
        let carrier = self.phone("carrier")?;
        let taken = carrier.relay().import(bundle).map_err(failed)?.taken;
        let readable = carrier.sos().reports().map_err(failed)?.len();
        hold(readable == 0, "who carries a report cannot read it")?;
        self.stage.network(Network::Up);
        sync(&carrier)?;
        self.stage.network(Network::Down);
        let case = self.only_case(report)?;
        hold(case.note == NOTE, "the whole report came in the parcel")?;
        let answers = carrier.relay().export(u64::MAX).map_err(failed)?;
        let receipts = home.relay().import(answers).map_err(failed)?.receipts;
        hold(receipts > 0, "the receipt comes back with the carrier")?;
        self.show.step(
            "parcel",
            "A fellow traveler walks down with the rest of it, and back with the receipt",
            json!({
                "bytes": bytes,
                "parcels": taken,
                "readable_by_the_carrier": readable,
                "receipts": receipts,
                "cases": 1,
            }),
        );
        self.show.say(&format!(
            "{taken} parcel, {bytes} bytes, sealed: the carrier's own list is empty"
        ));
        self.show.say(&desk_line(&case));
        Ok(())
    }

    fn only_case(&self, report: &str) -> io::Result<CaseView> {
        let mut cases = self.stage.ministry.cases()?;
        cases.retain(|case| case.report.to_string() == report);
        hold(cases.len() == 1, "one case, by whichever way")?;
        cases.pop().ok_or_else(|| io::Error::other("no case"))
    }
}

/// The beginning of a sealed text.
fn clip(text: &str) -> String {
    text.chars().take(24).collect()
}
