//! The arrival notice: from the fixes of the record to what a host shows.
//!
//! Fixes are looked at when the host asks, not when they are recorded: a press and a
//! recording never wait for it, and a week offline is one look. How far they were looked
//! at is written down together with what was found.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::store::{ARRIVAL, set_state, state};
use super::{ArrivalEvent, ArrivalState, LocalAlert, LocalLevel, LocatedFix, step};
use crate::config::Policy;
use crate::error::Result;
use crate::geo::country::{self, CountryConfidence};
use crate::missions::{HotlineNumber, LocalMission, LocalNumbers};
use crate::reference::Reference;
use crate::whereabouts::{RecordedFix, fixes_from};

/// What a traveler who has arrived in a country is told, with no network.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct ArrivalNotice {
    /// The country: two letters (ISO 3166-1 alpha-2).
    pub country: String,
    /// The first position there, milliseconds UTC.
    pub since_ms: i64,
    /// Whether the host has not said yet that it was shown: notify then.
    pub is_new: bool,
    /// Countries that were passed through on the way, if the phone was not asked there.
    pub passed: Vec<String>,
    /// The highest level in force in the country; absent where there is none.
    pub level: Option<LocalLevel>,
    /// The most important alerts, three at most.
    pub alerts: Vec<LocalAlert>,
    /// When the phone had all alerts last, milliseconds UTC; absent: it never had.
    pub alerts_as_of_ms: Option<i64>,
    /// The responsible mission, with its phones.
    pub mission: Option<LocalMission>,
    /// Local emergency numbers.
    pub numbers: Option<LocalNumbers>,
    /// The ministry's hotline, the form that works there first.
    pub hotline: Vec<HotlineNumber>,
}

/// Where the arrivals have come to.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Arrivals {
    machine: ArrivalState,
    /// Fixes before this moment were looked at, milliseconds UTC.
    through_ms: i64,
    /// The notice that stands; none at home.
    pub(super) notice: Option<StandingNotice>,
}

/// A notice that stands.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StandingNotice {
    pub(super) country: String,
    pub(super) since_ms: i64,
    pub(super) passed: Vec<String>,
    pub(super) is_new: bool,
}

/// Looks at the fixes since the last look, and writes down what they came to.
pub(super) fn look(tx: &Connection, reference: &Reference, policy: &Policy) -> Result<Arrivals> {
    let before: Arrivals = state(tx, ARRIVAL)?;
    let now_ms = reference.now_ms();
    let mut next = before.clone();
    // A clock that was ahead once must not hide what comes after.
    let mut from = Some(next.through_ms.min(now_ms));
    for _ in 0..policy.arrival_pieces {
        let Some(from_ms) = from else {
            break;
        };
        let (fixes, further) = fixes_from(tx, from_ms, policy.arrival_fixes, policy)?;
        next.take(&fixes, reference, policy);
        from = further;
    }
    if next != before {
        set_state(tx, ARRIVAL, &next)?;
    }
    Ok(next)
}

impl Arrivals {
    fn take(&mut self, fixes: &[RecordedFix], reference: &Reference, policy: &Policy) {
        let Some(last) = fixes.last() else {
            return;
        };
        self.through_ms = last.at_ms.saturating_add(1);
        let located: Vec<LocatedFix> = fixes
            .iter()
            .filter(|fix| !fix.is_doubtful())
            .filter_map(|fix| locate(fix, reference, policy))
            .collect();
        let home = reference.home_country();
        let (machine, event) = step(&self.machine, &located, home, reference.now_ms());
        self.machine = machine;
        match event {
            None => {}
            Some(ArrivalEvent::Home { .. }) => self.notice = None,
            Some(ArrivalEvent::Back { country, since_ms }) => {
                self.notice = Some(StandingNotice {
                    country,
                    since_ms,
                    passed: Vec::new(),
                    is_new: false,
                });
            }
            Some(ArrivalEvent::Arrived {
                country,
                since_ms,
                passed,
            }) => {
                // Of a lump that is looked at in pieces, too, only the last is announced.
                let earlier = self.notice.take().filter(|earlier| earlier.is_new);
                let mut all: Vec<String> = earlier
                    .map(|it| [it.passed, vec![it.country]].concat())
                    .unwrap_or_default();
                all.extend(passed);
                all.retain(|code| *code != country);
                all.dedup();
                self.notice = Some(StandingNotice {
                    country,
                    since_ms,
                    passed: all,
                    is_new: true,
                });
            }
        }
    }
}

fn locate(fix: &RecordedFix, reference: &Reference, policy: &Policy) -> Option<LocatedFix> {
    let point = fix.fix.position.to_wgs84().ok()?;
    let located = reference.locate(point, fix.fix.accuracy_m);
    let is_sure = matches!(
        located.confidence,
        CountryConfidence::Certain | CountryConfidence::Likely
    );
    // In Hong Kong one has arrived in Hong Kong, not in what is around it as well.
    let candidates = located
        .candidates
        .into_iter()
        .filter(|one| one.standing != country::Standing::Around)
        .map(|one| one.country);
    Some(LocatedFix {
        time_ms: fix.at_ms,
        candidates: candidates.collect(),
        confident: is_sure,
        border_m: Some(located.border_m.unwrap_or(policy.border_look_m)),
        speed_mps: fix.fix.speed_mps,
    })
}
