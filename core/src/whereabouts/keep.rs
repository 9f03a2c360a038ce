//! From judged fixes to rows: thinning, holes, and what must be sent late.
//!
//! The state between two calls is small: the last fix that was kept, and the
//! last one that was heard of, kept or not. After a start it is what the record
//! has.

use rusqlite::{Connection, params};

use super::gap::{self, Covered, FirstOfProcess, Gap};
use super::last::Entry;
use super::store::{self, Session};
use super::thin::{Verdict, WhereaboutsMode, decide};
use super::{RecordedFix, age_ms};
use crate::clock::ClockReading;
use crate::config::{Policy, Thinning};
use crate::error::Result;
use crate::record::{meta_number, set_meta_number};
use crate::registration::gate::PositionGate;

/// What a call leaves for the next one.
#[derive(Clone)]
pub(super) struct Keeping {
    kept: Option<Entry>,
    heard: Option<Entry>,
    first: FirstOfProcess,
}

impl Keeping {
    /// What the record tells after a start.
    fn load(tx: &Connection) -> Result<Self> {
        let newest = store::load_recent(tx)?;
        let believed = |entry: &&Entry| !entry.recorded.is_doubtful();
        Ok(Self {
            heard: newest.iter().find(believed).cloned(),
            kept: newest.into_iter().next(),
            first: FirstOfProcess::Yes,
        })
    }

    /// The state of the call before, where it is of this record.
    pub(super) fn or_load(before: Option<&Self>, tx: &Connection) -> Result<Self> {
        match before {
            Some(before) if store::is_any(tx)? => Ok(before.clone()),
            _ => Self::load(tx),
        }
    }

    /// A fix of a history that was brought in: the next hole begins at it where it
    /// is the newest.
    pub(super) fn hear_history(&mut self, recorded: &RecordedFix, now: &ClockReading) {
        for newest in [&mut self.kept, &mut self.heard] {
            let newer = |known: &Entry| known.recorded.at_ms < recorded.at_ms;
            if newest.as_ref().is_none_or(newer) {
                *newest = Some(Entry {
                    recorded: recorded.clone(),
                    clock: now.clone(),
                });
            }
        }
    }

    /// When a position was last heard of.
    pub(super) fn heard_ms(&self) -> Option<i64> {
        self.heard.as_ref().map(|entry| entry.recorded.at_ms)
    }
}

/// A fix with its clocks, borrowed.
#[derive(Clone, Copy)]
struct Mark<'a> {
    recorded: &'a RecordedFix,
    clock: &'a ClockReading,
}

impl Mark<'_> {
    fn entry(self) -> Entry {
        Entry {
            recorded: self.recorded.clone(),
            clock: self.clock.clone(),
        }
    }
}

fn mark(entry: &Entry) -> Mark<'_> {
    Mark {
        recorded: &entry.recorded,
        clock: &entry.clock,
    }
}

/// The surroundings of one call.
struct Call<'a> {
    tx: &'a Connection,
    now: &'a ClockReading,
    session: Session,
    limits: Thinning,
    covered: Covered,
    /// Fixes of a moment up to this were sent, or are being sent.
    sent_ms: i64,
    /// Whether a hole that the host noted lasts.
    hole: bool,
}

/// Keeps fixes that were recorded at `now`; returns the state for the next call.
pub(super) fn keep(
    tx: &Connection,
    before: Option<&Keeping>,
    fixes: &[RecordedFix],
    now: &ClockReading,
    policy: &Policy,
) -> Result<Keeping> {
    let state = Keeping::or_load(before, tx)?;
    let mut call = Call {
        tx,
        now,
        session: store::session(tx, now)?,
        limits: mode(tx)?.limits(policy),
        covered: covered(tx)?,
        sent_ms: meta_number(tx, "fixes_sent")?.max(meta_number(tx, "fixes_sending")?),
        hole: gap::lasting(tx)?.is_some(),
    };
    let mut kept = state.kept.as_ref().map(mark);
    let mut heard = state.heard.as_ref().map(mark);
    let mut first = state.first;
    for recorded in fixes {
        let this = Mark {
            recorded,
            clock: now,
        };
        let after_kept = kept.and_then(|before| call.after(before, this));
        if decide(
            kept.map(|kept| (kept.recorded, after_kept)),
            recorded,
            call.limits,
        ) == Verdict::Keep
        {
            call.insert(recorded)?;
            if after_kept.is_none_or(|after| after >= 0) {
                kept = Some(this);
            }
        }
        if !recorded.is_doubtful() {
            heard = Some(call.hear(heard, this, first)?);
            first = FirstOfProcess::No;
        }
    }
    Ok(Keeping {
        kept: kept.map(Mark::entry),
        heard: heard.map(Mark::entry),
        first,
    })
}

impl Call<'_> {
    /// Milliseconds from one fix to another; `None` where no clock can tell.
    fn after(&self, before: Mark<'_>, this: Mark<'_>) -> Option<i64> {
        let age = |mark: Mark<'_>| age_ms(&mark.recorded.fix, mark.clock, self.now);
        Some(age(before)?.saturating_sub(age(this)?))
    }

    fn insert(&self, recorded: &RecordedFix) -> Result<()> {
        let at_ms = store::insert(self.tx, recorded, self.session)?;
        if let Some(at_ms) = at_ms
            && at_ms <= self.sent_ms
            && self.covered == Covered::ByConsent
        {
            self.tx
                .prepare_cached("INSERT OR REPLACE INTO fix_late (at_ms, run) VALUES (?1, 0)")?
                .execute(params![at_ms])?;
        }
        Ok(())
    }

    /// A position was heard of: ends a hole, tells of one, or splits one.
    /// Returns the newest that was heard of.
    fn hear<'a>(
        &mut self,
        before: Option<Mark<'a>>,
        this: Mark<'a>,
        first: FirstOfProcess,
    ) -> Result<Mark<'a>> {
        let Some(before) = before else {
            self.end_hole(this)?;
            return Ok(this);
        };
        let at_ms = this.recorded.at_ms;
        match self.after(before, this) {
            Some(after_ms) if after_ms < 0 => {
                gap::split(self.tx, at_ms, self.limits.gap_ms)?;
                return Ok(before);
            }
            // A hole that was noted needs no second word.
            _ if self.hole => self.end_hole(this)?,
            Some(after_ms) if after_ms > self.limits.gap_ms => {
                let from_ms = before.recorded.at_ms;
                // A clock that was set may turn them round.
                if at_ms > from_ms {
                    let gap = Gap {
                        from_ms,
                        to_ms: Some(at_ms),
                        cause: gap::cause_of(before.clock, self.now, first),
                    };
                    gap::put(self.tx, &gap, self.covered)?;
                }
            }
            _ => {}
        }
        Ok(this)
    }

    fn end_hole(&mut self, this: Mark<'_>) -> Result<()> {
        if self.hole {
            gap::end(self.tx, this.recorded.at_ms, self.covered)?;
            self.hole = false;
        }
        Ok(())
    }
}

/// Whether what happens now may go to the ministry.
pub(super) fn covered(tx: &Connection) -> Result<Covered> {
    Ok(match PositionGate::of(tx)? {
        // In a crisis only: which of them leave is decided when one is declared.
        PositionGate::Always | PositionGate::InCrisis => Covered::ByConsent,
        PositionGate::Never => Covered::ByNone,
    })
}

/// The mode that the host has set.
pub(super) fn mode(tx: &Connection) -> Result<WhereaboutsMode> {
    Ok(WhereaboutsMode::from_number(meta_number(
        tx,
        "whereabouts_mode",
    )?))
}

pub(super) fn set_mode(tx: &Connection, mode: WhereaboutsMode) -> Result<()> {
    set_meta_number(tx, "whereabouts_mode", mode.number())
}

#[cfg(test)]
mod tests {
    use super::super::gap::GapCause;
    use super::super::testing::{START_MS, clock, fix, give_consent, judged, record};
    use super::*;

    const MINUTE: i64 = 60_000;

    /// A phone that records fixes as its clock goes on.
    struct Phone {
        tx: Connection,
        state: Option<Keeping>,
        boot: &'static str,
    }

    impl Phone {
        fn new(mode: WhereaboutsMode) -> Self {
            let tx = record();
            set_mode(&tx, mode).unwrap();
            Self {
                tx,
                state: None,
                boot: "a",
            }
        }

        /// Records a fix of `minute`, `metres` north, at that minute.
        fn fix(&mut self, minute: i64, metres: f64) {
            self.late_fix(minute, minute, metres);
        }

        fn late_fix(&mut self, now: i64, minute: i64, metres: f64) {
            let now = clock(START_MS + now * MINUTE, self.boot);
            let fixes = [judged(fix(metres, START_MS + minute * MINUTE), &now)];
            let state = keep(
                &self.tx,
                self.state.as_ref(),
                &fixes,
                &now,
                &Policy::STANDARD,
            );
            self.state = Some(state.unwrap());
        }

        fn minutes(&self) -> Vec<i64> {
            let fixes = store::list(&self.tx, 0, i64::MAX, 1_000, &Policy::STANDARD).unwrap();
            let minute = |at_ms: i64| (at_ms - START_MS) / MINUTE;
            fixes.iter().map(|fix| minute(fix.at_ms)).collect()
        }

        fn gaps(&self) -> Vec<(i64, i64, GapCause)> {
            let minute = |at_ms: i64| (at_ms - START_MS) / MINUTE;
            gap::between(&self.tx, i64::MIN, i64::MAX, 100)
                .unwrap()
                .into_iter()
                .map(|gap| {
                    let to_ms = gap.to_ms.unwrap_or(i64::MAX);
                    (minute(gap.from_ms), minute(to_ms), gap.cause)
                })
                .collect()
        }
    }

    #[test]
    fn a_mode_thins_what_is_kept_but_not_what_was_heard() {
        let mut phone = Phone::new(WhereaboutsMode::SignificantChange);
        // An hour at one place, then 600 m away.
        for minute in 0..60 {
            phone.fix(minute, 0.0);
        }
        phone.fix(60, 600.0);
        assert_eq!(phone.minutes(), [0, 15, 30, 45, 60]);
        // 65 minutes after the last that was kept, but 50 after the last heard.
        phone.fix(61, 600.0);
        phone.fix(74, 600.0);
        phone.fix(124, 600.0);
        assert_eq!(phone.gaps(), []);
    }

    #[test]
    fn a_hole_is_told_by_the_fix_after_it_with_its_cause() {
        use GapCause::{Killed, PhoneOff, Unknown};
        let mut phone = Phone::new(WhereaboutsMode::Everything);
        phone.fix(0, 0.0);
        phone.fix(29, 0.0);
        phone.fix(90, 0.0);
        // The app was ended and is started again.
        phone.state = None;
        phone.fix(150, 0.0);
        // The phone was started anew.
        (phone.state, phone.boot) = (None, "b");
        phone.fix(240, 0.0);
        assert_eq!(
            phone.gaps(),
            [(29, 90, Unknown), (90, 150, Killed), (150, 240, PhoneOff)]
        );
        // A restart without a hole is none.
        phone.state = None;
        phone.fix(250, 0.0);
        assert_eq!(phone.gaps().len(), 3);
    }

    #[test]
    fn a_noted_hole_lasts_until_the_next_position_however_short() {
        let mut phone = Phone::new(WhereaboutsMode::Everything);
        phone.fix(0, 0.0);
        let heard_ms = phone.state.as_ref().unwrap().heard_ms();
        let note = |phone: &Phone, minute: i64| {
            let now_ms = START_MS + minute * MINUTE;
            let none = Covered::ByNone;
            gap::note(&phone.tx, GapCause::NoPermission, heard_ms, now_ms, none).unwrap();
        };
        note(&phone, 2);
        phone.fix(4, 0.0);
        assert_eq!(phone.gaps(), [(0, 4, GapCause::NoPermission)]);
        phone.fix(5, 0.0);
        assert_eq!(phone.gaps().len(), 1);
    }

    #[test]
    fn a_mock_does_not_end_a_hole_and_a_late_fix_fills_one() {
        let mut phone = Phone::new(WhereaboutsMode::Everything);
        phone.fix(0, 0.0);
        phone.fix(100, 0.0);
        assert_eq!(phone.gaps(), [(0, 100, GapCause::Unknown)]);
        phone.late_fix(101, 80, 0.0);
        assert_eq!(phone.gaps(), [(0, 80, GapCause::Unknown)]);
        assert_eq!(phone.minutes(), [0, 80, 100]);
        let now = clock(START_MS + 200 * MINUTE, "a");
        let mut mock = judged(fix(0.0, now.wall_ms), &now);
        mock.flags.push(super::super::FixFlag::Mock);
        let state = keep(
            &phone.tx,
            phone.state.as_ref(),
            &[mock],
            &now,
            &Policy::STANDARD,
        );
        phone.state = Some(state.unwrap());
        phone.fix(201, 0.0);
        assert_eq!(phone.gaps().last(), Some(&(100, 201, GapCause::Unknown)));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_hole() {
        let mut phone = Phone::new(WhereaboutsMode::Everything);
        phone.fix(1_000, 0.0);
        // Within the boot the monotonic clock tells that a minute passed.
        let now = ClockReading {
            monotonic_ms: clock(START_MS + 1_001 * MINUTE, "a").monotonic_ms,
            ..clock(START_MS, "a")
        };
        let late = [judged(fix(0.0, START_MS), &now)];
        keep(
            &phone.tx,
            phone.state.as_ref(),
            &late,
            &now,
            &Policy::STANDARD,
        )
        .unwrap();
        assert_eq!(phone.gaps(), []);
        assert_eq!(phone.minutes(), [0, 1_000]);
    }

    #[test]
    fn only_what_comes_late_under_the_consent_is_noted_as_late() {
        let late = |tx: &Connection| -> i64 {
            tx.query_row("SELECT count(*) FROM fix_late", [], |row| row.get(0))
                .unwrap()
        };
        let mut phone = Phone::new(WhereaboutsMode::Everything);
        set_meta_number(&phone.tx, "fixes_sent", START_MS + 50 * MINUTE).unwrap();
        phone.fix(10, 0.0);
        assert_eq!(late(&phone.tx), 0);
        give_consent(&phone.tx);
        phone.fix(60, 0.0);
        assert_eq!(late(&phone.tx), 0);
        phone.late_fix(61, 20, 0.0);
        assert_eq!(late(&phone.tx), 1);
    }
}
