//! The way there: what the ministry publishes for everybody, the notice when the phone
//! has crossed a border, and who helps there. All of it with no network.

use std::collections::BTreeMap;
use std::io;

use homeline::packs::{PackName, write};
use homeline::whereabouts::{Fix, FixSource, Position};
use homeline_tests::stage::Network;
use homeline_tests::traveler::{Ask, Traveler};
use serde_json::{Value, json};

use crate::story::{Story, hold, now_ms};

const HOUR_MS: i64 = 3_600_000;

/// Her way: hours before the story goes on, and where.
const WAY: [(i64, f64, f64); 5] = [
    // Beijing, at home.
    (72, 39.90, 116.40),
    // Batumi, by plane.
    (50, 41.62, 41.63),
    // The border at Sarp, by bus: 60 metres from it.
    (49, 41.5208, 41.5476),
    // Hopa, and the hills behind Rize.
    (48, 41.39, 41.42),
    (46, 40.95, 40.60),
];

impl Story<'_> {
    /// The ministry publishes; the phone has it with the next pass.
    pub(crate) fn published(&mut self, traveler: &mut Traveler) -> io::Result<()> {
        let missions: Vec<Value> = ministry::sample::missions()
            .iter()
            .map(serde_json::to_value)
            .collect::<Result<_, _>>()?;
        let alerts = alerts();
        let versions = [
            self.publish(PackName::Missions, &missions)?,
            self.publish(PackName::Alerts, &alerts)?,
        ];
        let told = traveler.ask(&Ask::Sync)?;
        hold(told.text == "Done", "a pass brings what is published")?;
        let number = traveler.ask(&Ask::AlertsVersion)?.number;
        hold(versions.contains(&number), "the alerts are on the phone")?;
        self.show.step(
            "published",
            "The ministry publishes its missions and its alerts, the same for all",
            json!({ "missions": missions.len(), "alerts": alerts.len(), "version": number }),
        );
        self.show.say(&format!(
            "{} missions, {} alerts; signed, and asked for without a name",
            missions.len(),
            alerts.len()
        ));
        Ok(())
    }

    /// The border, with no network.
    pub(crate) fn arrives(&mut self, traveler: &mut Traveler) -> io::Result<()> {
        self.stage.network(Network::Down);
        for (hours, latitude, longitude) in WAY {
            let position = Position::Wgs84 {
                latitude,
                longitude,
            };
            let fix = Fix::new(position, now_ms() - hours * HOUR_MS, FixSource::Gnss);
            traveler.ask(&Ask::Record { fixes: vec![fix] })?;
        }
        let told = traveler.ask(&Ask::Arrival)?;
        hold(told.text == "TR", "the arrival is noticed")?;
        self.show.step(
            "arrived",
            "Her bus crosses the border at Sarp: the arrival notice, with no network",
            json!({ "country": told.text, "lines": told.lines }),
        );
        for line in &told.lines {
            self.show.say(line);
        }
        hold(
            told.lines.iter().any(|line| line.contains("+90")),
            "the mission's phone is in it",
        )?;
        let again = traveler.ask(&Ask::Arrival)?;
        hold(again.number == 0, "it is new once")?;

        let told = traveler.ask(&Ask::Help)?;
        self.show.step(
            "help",
            "Who helps there: local numbers first, each with its age",
            json!({ "lines": told.lines }),
        );
        for line in &told.lines {
            self.show.say(line);
        }
        let first = told.lines.first().map(String::as_str).unwrap_or_default();
        hold(first.contains("112"), "the local number comes first")?;
        self.stage.network(Network::Up);
        Ok(())
    }

    fn publish(&self, name: PackName, items: &[Value]) -> io::Result<u64> {
        let items: BTreeMap<String, Vec<u8>> = items
            .iter()
            .enumerate()
            .map(|(at, item)| (format!("{at:04}"), item.to_string().into_bytes()))
            .collect();
        self.stage.ministry.publish(name, &write(&items))
    }
}

/// Two that hold there, one that was lifted, and one elsewhere.
fn alerts() -> Vec<Value> {
    let sent_ms = now_ms() - 100 * HOUR_MS;
    let alert = |identifier: &str, more: Value| {
        let mut alert = json!({
            "identifier": identifier, "sender": "mfa", "sent_ms": sent_ms,
            "status": "actual", "type": "alert",
        });
        if let (Some(alert), Value::Object(more)) = (alert.as_object_mut(), more) {
            alert.extend(more);
        }
        alert
    };
    let turkey = json!([{"countries": ["TR"]}]);
    vec![
        alert(
            "advice-tr",
            json!({
                "level": "be_alert", "areas": turkey,
                "headline": {"en": "Be alert in the mountains: sudden rain, landslides",
                             "zh-Hans": "山区注意安全：暴雨、滑坡"},
            }),
        ),
        alert(
            "flood-rize",
            json!({
                "level": "take_precautions", "severity": "severe",
                "areas": [{"polygons": [[[40.6, 40.2], [40.6, 41.3], [41.3, 41.3], [41.3, 40.2]]]}],
                "headline": {"en": "Floods in the valleys of Rize", "zh-Hans": "里泽山谷洪水"},
            }),
        ),
        alert(
            "strike",
            json!({
                "level": "be_alert", "areas": turkey,
                "headline": {"en": "Strike of the ferries", "zh-Hans": "渡轮罢工"},
            }),
        ),
        alert(
            "strike-over",
            json!({
                "type": "cancel", "sent_ms": sent_ms + HOUR_MS,
                "references": [{"sender": "mfa", "identifier": "strike"}],
            }),
        ),
        alert(
            "advice-fr",
            json!({
                "level": "be_alert", "areas": [{"countries": ["FR"]}],
                "headline": {"en": "Elsewhere", "zh-Hans": "别处"},
            }),
        ),
    ]
}
