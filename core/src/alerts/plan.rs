//! What a host notifies, and how loudly: from the alerts that concern the traveler, what was
//! read, and what was planned before.
//!
//! * An alert is loud once. What was planned before is quiet, read or not, until it concerns
//!   the traveler more: it begins, or the traveler comes to its place.
//! * It interrupts where it is in force at the traveler's place and is either an imminent
//!   threat (severe or extreme; to be acted upon at once or within the hour; likely or
//!   observed: the criteria of 47 CFR 10.400(b) for alerts that make phones ring) or of the
//!   highest level.
//! * It is prominent where it is more than the least: above the lowest level, or of a
//!   moderate danger. What is ahead, or concerns a coming stay or a chosen country, is
//!   never more than that.
//! * An update of something the traveler knows is news where its level or its severity is
//!   higher, where what to do is another, or where it is to be louder than the old one was.
//!   Otherwise it takes the place of the old one quietly.
//! * What was read stays on the phone: read receipts are sent to nobody.
//!
//! The state is data: [`plan()`] gives the new one together with the plan.

use std::collections::{BTreeSet, HashSet};

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::view::{Resolved, important_first, view};
use super::{
    Alert, AlertCertainty, AlertReference, AlertSeverity, AlertState, AlertUrgency, LevelRank,
    LocalAlert,
};
use crate::seal::hex;

/// How an alert is brought to the traveler.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, uniffi::Enum,
)]
#[serde(rename_all = "snake_case")]
pub enum AlertLoudness {
    /// In a list; no sound.
    Quiet,
    /// A notification as any other.
    Prominent,
    /// It rings, whatever the phone is set to, as far as the platform lets it.
    Interrupting,
}

/// Why an alert is in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum AlertNews {
    /// The traveler has heard nothing of it yet.
    First,
    /// Something known that is worse, nearer, or asks for something else.
    Raised,
    /// An update of something known that is not.
    Updated,
    /// It was planned before.
    Known,
}

/// An alert that the traveler has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct AlertRead {
    /// Its sender.
    pub sender: String,
    /// Its identifier.
    pub identifier: String,
    /// When it was sent, milliseconds UTC: a later one of the same name is another.
    pub sent_ms: i64,
    /// When it was read, milliseconds UTC.
    pub read_ms: i64,
}

/// An alert of a plan.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct PlannedAlert {
    /// The alert.
    pub alert: LocalAlert,
    /// How it is brought.
    pub loudness: AlertLoudness,
    /// Why.
    pub news: AlertNews,
    /// Whether it is in force, or ahead, where the traveler is; otherwise it concerns a
    /// coming stay or a chosen country.
    pub is_here: bool,
    /// Since when it is news to the traveler, milliseconds UTC; absent once it was read, and
    /// for an update that says nothing new about something read.
    pub new_since_ms: Option<i64>,
}

/// What a host shows now, and what it takes away.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct NotificationPlan {
    /// To show, the most important first; each replaces what it updates.
    pub show: Vec<PlannedAlert>,
    /// To take away: over, replaced, or no longer where the traveler is.
    pub withdraw: Vec<AlertReference>,
}

/// What was planned before. A new one knows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanState {
    known: Vec<Known>,
}

/// An alert that was planned, and what of it makes an update news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    sender: String,
    identifier: String,
    sent_ms: i64,
    facts: Facts,
    /// Since when it is news; absent where it never was.
    since_ms: Option<i64>,
    /// How loud it was at most.
    loudest: AlertLoudness,
    /// Whether it was in the last plan.
    is_shown: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Facts {
    rank: LevelRank,
    severity: AlertSeverity,
    /// A digest of the instruction in the traveler's language.
    instruction: String,
}

/// The alerts that concern the traveler, by their place in the list.
#[derive(Debug, Clone, Copy)]
pub struct Concerned<'a> {
    /// At the place where the traveler is.
    pub here: &'a [usize],
    /// For coming stays and chosen countries.
    pub elsewhere: &'a [usize],
}

/// The next state, and what is to be shown now. `read` are the alerts that the traveler has
/// read, `wanted` the traveler's languages, `now_ms` the best time known in milliseconds UTC.
pub fn plan(
    of: Resolved<'_>,
    concerned: Concerned<'_>,
    read: &[AlertRead],
    state: &PlanState,
    wanted: &[String],
    now_ms: i64,
) -> (PlanState, NotificationPlan) {
    let planner = Planner {
        of,
        read,
        state,
        wanted,
        now_ms,
    };
    let all: BTreeSet<usize> = concerned
        .here
        .iter()
        .chain(concerned.elsewhere)
        .copied()
        .collect();
    let (shown, show): (Vec<Known>, Vec<PlannedAlert>) = important_first(of, all)
        .into_iter()
        .filter_map(|index| planner.one(index, concerned.here.contains(&index)))
        .unzip();
    let withdraw = planner.withdrawn(&shown);
    (
        planner.remembered(shown),
        NotificationPlan { show, withdraw },
    )
}

struct Planner<'a> {
    of: Resolved<'a>,
    read: &'a [AlertRead],
    state: &'a PlanState,
    wanted: &'a [String],
    now_ms: i64,
}

/// What the traveler heard of an alert before.
struct Heard {
    /// Absent where the phone no longer has the older alert.
    facts: Option<Facts>,
    since_ms: Option<i64>,
    loudest: AlertLoudness,
    is_read: bool,
}

impl Planner<'_> {
    fn one(&self, index: usize, is_here: bool) -> Option<(Known, PlannedAlert)> {
        let (alert, state) = self.of.get(index).filter(|(_, state)| state.is_shown())?;
        let facts = self.facts(alert);
        let loud = self.loudness(alert, state, is_here);
        let itself = self.heard(&alert.sender, |name, sent_ms| {
            name == alert.identifier && sent_ms == alert.sent_ms
        });
        let older = match itself {
            Some(_) => None,
            None => self.heard_of_older(alert),
        };
        let news = news(&facts, loud, itself.as_ref(), older.as_ref());
        let before = itself.or(older);
        let is_news = matches!(news, AlertNews::First | AlertNews::Raised);
        let since_ms = match &before {
            _ if is_news => Some(self.now_ms),
            Some(heard) if !heard.is_read => heard.since_ms,
            _ => None,
        };
        let loudest = before.map_or(AlertLoudness::Quiet, |heard| heard.loudest);
        let known = Known {
            sender: alert.sender.clone(),
            identifier: alert.identifier.clone(),
            sent_ms: alert.sent_ms,
            facts,
            since_ms,
            loudest: if is_news { loud.max(loudest) } else { loudest },
            is_shown: true,
        };
        let planned = PlannedAlert {
            alert: view(alert, state, self.of.scale, self.wanted),
            loudness: if is_news { loud } else { AlertLoudness::Quiet },
            news,
            is_here,
            new_since_ms: since_ms,
        };
        Some((known, planned))
    }

    /// How loud an alert is where nobody has heard of it.
    fn loudness(&self, alert: &Alert, state: &AlertState, is_here: bool) -> AlertLoudness {
        let rank = self.of.scale.rank(alert);
        let levels = self.of.scale.levels();
        let at = |level: Option<&super::Level>| level.map(|level| LevelRank::At(level.rank));
        let is_above_lowest = at(levels.first()).is_some_and(|lowest| rank > lowest);
        let is_highest = at(levels.last()).is_some_and(|highest| rank >= highest);
        let is_imminent = alert.severity >= AlertSeverity::Severe
            && alert.urgency >= AlertUrgency::Expected
            && alert.certainty >= AlertCertainty::Likely;
        let is_in_force_here = is_here && *state == AlertState::Active;
        if is_in_force_here && (is_imminent || (is_highest && is_above_lowest)) {
            AlertLoudness::Interrupting
        } else if is_above_lowest || alert.severity >= AlertSeverity::Moderate {
            AlertLoudness::Prominent
        } else {
            AlertLoudness::Quiet
        }
    }

    fn facts(&self, alert: &Alert) -> Facts {
        let instruction = alert.instruction.best(self.wanted);
        let text = instruction.map(|it| it.text).unwrap_or_default();
        Facts {
            rank: self.of.scale.rank(alert),
            severity: alert.severity,
            instruction: hex(digest(&SHA256, text.as_bytes()).as_ref()),
        }
    }

    /// What the traveler heard of the newest alert that `alert` updates, directly or by way
    /// of others.
    fn heard_of_older(&self, alert: &Alert) -> Option<Heard> {
        let older = self.older(alert);
        self.heard(&alert.sender, |name, sent_ms| {
            older.contains(name) && (name != alert.identifier || sent_ms < alert.sent_ms)
        })
    }

    /// What the traveler heard of the newest of a sender's alerts that `is_it` is true of.
    fn heard(&self, sender: &str, is_it: impl Fn(&str, i64) -> bool) -> Option<Heard> {
        let known = self.state.known.iter();
        let known = known
            .filter(|it| it.sender == sender && is_it(&it.identifier, it.sent_ms))
            .max_by_key(|it| it.sent_ms);
        let read = self.read.iter();
        let read = read
            .filter(|it| it.sender == sender && is_it(&it.identifier, it.sent_ms))
            .max_by_key(|it| it.sent_ms);
        match (known, read) {
            (Some(known), read) if read.is_none_or(|read| read.sent_ms <= known.sent_ms) => {
                Some(Heard {
                    facts: Some(known.facts.clone()),
                    since_ms: known.since_ms,
                    loudest: known.loudest,
                    is_read: read.is_some_and(|read| read.sent_ms == known.sent_ms),
                })
            }
            // Read, and never planned: in a list, or before the state was lost.
            (_, Some(read)) => Some(Heard {
                facts: self.facts_of(read),
                since_ms: None,
                loudest: AlertLoudness::Interrupting,
                is_read: true,
            }),
            _ => None,
        }
    }

    fn facts_of(&self, read: &AlertRead) -> Option<Facts> {
        let alert = self.of.alerts.iter().find(|it| {
            it.sender == read.sender
                && it.identifier == read.identifier
                && it.sent_ms == read.sent_ms
        });
        alert.map(|alert| self.facts(alert))
    }

    /// The names of what an alert updates, and its own for what had it before.
    fn older(&self, alert: &Alert) -> BTreeSet<String> {
        let mut names = BTreeSet::from([alert.identifier.clone()]);
        let mut open = vec![alert];
        while let Some(next) = open.pop() {
            let same_sender = next
                .references
                .iter()
                .filter(|it| it.sender == alert.sender);
            for reference in same_sender {
                if names.insert(reference.identifier.clone()) {
                    open.extend(self.of.alerts.iter().filter(|it| {
                        it.sender == alert.sender && it.identifier == reference.identifier
                    }));
                }
            }
        }
        names
    }

    /// What was shown and is not any more.
    fn withdrawn(&self, shown: &[Known]) -> Vec<AlertReference> {
        let names: HashSet<_> = shown.iter().map(Known::name).collect();
        let old = self.state.known.iter().filter(|it| it.is_shown);
        old.filter(|it| !names.contains(&it.name()))
            .map(|it| AlertReference {
                sender: it.sender.clone(),
                identifier: it.identifier.clone(),
                sent_ms: Some(it.sent_ms),
            })
            .collect()
    }

    /// What is shown, and what was before and may be updated still: as long as the phone has
    /// the alert, in whatever state.
    fn remembered(&self, mut shown: Vec<Known>) -> PlanState {
        let here: HashSet<_> = self
            .of
            .alerts
            .iter()
            .map(|it| (it.sender.as_str(), it.identifier.as_str(), it.sent_ms))
            .collect();
        let now: HashSet<_> = shown
            .iter()
            .map(|it| (it.sender.clone(), it.identifier.clone(), it.sent_ms))
            .collect();
        let old = self.state.known.iter().filter(|it| {
            here.contains(&(it.sender.as_str(), it.identifier.as_str(), it.sent_ms))
                && !now.contains(&(it.sender.clone(), it.identifier.clone(), it.sent_ms))
        });
        shown.extend(old.cloned().map(|it| Known {
            is_shown: false,
            ..it
        }));
        PlanState { known: shown }
    }
}

impl Known {
    fn name(&self) -> (&str, &str) {
        (&self.sender, &self.identifier)
    }
}

/// Why an alert is in the plan, after what was heard of it or of what it updates.
fn news(
    facts: &Facts,
    loud: AlertLoudness,
    itself: Option<&Heard>,
    older: Option<&Heard>,
) -> AlertNews {
    let is_louder = |heard: &Heard| loud > heard.loudest;
    let is_worse = |heard: &Heard| {
        heard.facts.as_ref().is_none_or(|old| {
            facts.rank > old.rank
                || facts.severity > old.severity
                || facts.instruction != old.instruction
        })
    };
    match (itself, older) {
        (Some(heard), _) if is_louder(heard) => AlertNews::Raised,
        (Some(_), _) => AlertNews::Known,
        (None, Some(heard)) if is_louder(heard) || is_worse(heard) => AlertNews::Raised,
        (None, Some(_)) => AlertNews::Updated,
        (None, None) => AlertNews::First,
    }
}

#[cfg(test)]
mod tests;
