use rusqlite::Connection;

use super::super::FixFlag;
use super::super::gap::GapCause;
use super::super::testing::{START_MS, clock, fix, give_consent, judged, record};
use super::super::thin::WhereaboutsMode;
use super::*;

const MINUTE: i64 = 60_000;

/// A phone whose clock stands at minute 1,000.
struct Phone {
    tx: Connection,
    state: Option<Keeping>,
}

impl Phone {
    fn new() -> Self {
        Self {
            tx: record(),
            state: None,
        }
    }

    fn now() -> ClockReading {
        clock(START_MS + 1_000 * MINUTE, "a")
    }

    fn fixes(minutes: &[i64]) -> Vec<RecordedFix> {
        let at = |minute: &i64| judged(fix(0.0, START_MS + minute * MINUTE), &Self::now());
        minutes.iter().map(at).collect()
    }

    fn record(&mut self, minutes: &[i64]) {
        let (state, fixes) = (self.state.as_ref(), Self::fixes(minutes));
        let kept = keep::keep(&self.tx, state, &fixes, &Self::now(), &Policy::STANDARD);
        self.state = Some(kept.unwrap());
    }

    fn import(&mut self, pieces: &[&[i64]]) {
        let pieces: Vec<_> = pieces.iter().map(|minutes| Self::fixes(minutes)).collect();
        self.import_fixes(&pieces);
    }

    fn import_fixes(&mut self, pieces: &[Vec<RecordedFix>]) {
        let state = self.state.as_ref();
        let kept = import(&self.tx, state, pieces, &Self::now(), &Policy::STANDARD);
        self.state = Some(kept.unwrap());
    }

    fn note(&mut self, minute: i64) {
        let state = Keeping::or_load(self.state.as_ref(), &self.tx).unwrap();
        let (off, now_ms) = (GapCause::LocationOff, START_MS + minute * MINUTE);
        gap::note(&self.tx, off, state.heard_ms(), now_ms, Covered::ByNone).unwrap();
    }

    fn minutes(&self) -> Vec<i64> {
        let fixes = store::list(&self.tx, 0, i64::MAX, 1_000, &Policy::STANDARD).unwrap();
        let minute = |fix: &RecordedFix| (fix.at_ms - START_MS) / MINUTE;
        fixes.iter().map(minute).collect()
    }

    /// Holes as minutes; one that lasts ends at -1.
    fn gaps(&self) -> Vec<(i64, i64)> {
        let gaps = gap::between(&self.tx, i64::MIN, i64::MAX, 100).unwrap();
        let minute = |ms: i64| (ms - START_MS) / MINUTE;
        gaps.iter()
            .map(|gap| (minute(gap.from_ms), gap.to_ms.map_or(-1, minute)))
            .collect()
    }

    fn waits(&self, sql: &str) -> i64 {
        self.tx.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

#[test]
fn no_mode_thins_it_and_twice_is_once() {
    let mut phone = Phone::new();
    keep::set_mode(&phone.tx, WhereaboutsMode::SignificantChange).unwrap();
    for _ in 0..2 {
        phone.import(&[&[1, 2, 3], &[5]]);
        assert_eq!(phone.minutes(), [1, 2, 3, 5]);
    }
    assert_eq!(phone.gaps(), []);
}

#[test]
fn holes_are_between_its_pieces_before_it_and_behind_it() {
    let mut phone = Phone::new();
    phone.record(&[900]);
    // A short stop, a hole within a piece, and the piece that lies before the others.
    phone.import(&[&[100, 110], &[115, 120, 200], &[10, 20]]);
    let holes = [(20, 100), (110, 115), (120, 200), (200, 900)];
    assert_eq!(phone.gaps(), holes);
    phone.import(&[&[100, 110], &[115, 120, 200], &[10, 20]]);
    assert_eq!(phone.gaps(), holes);
    // Somewhere in a hole; and points without a line are no ends of pieces.
    phone.import(&[&[500], &[505], &[510]]);
    assert_eq!(phone.gaps()[3..], [(200, 500), (510, 900)]);
}

#[test]
fn where_the_record_knows_of_something_there_is_no_hole() {
    let mut phone = Phone::new();
    phone.record(&[100, 110, 120, 130, 140]);
    phone.import(&[&[105, 112], &[128, 135]]);
    assert_eq!(phone.gaps(), []);
    assert_eq!(phone.minutes().len(), 9);
}

#[test]
fn a_hole_that_lasts_is_filled_and_lasts_on() {
    let mut phone = Phone::new();
    phone.record(&[100]);
    phone.note(105);
    assert_eq!(phone.gaps(), [(100, -1)]);
    phone.import(&[&[150, 160, 170]]);
    assert_eq!(phone.gaps(), [(100, 150), (170, -1)]);
    phone.record(&[400]);
    assert_eq!(phone.gaps(), [(100, 150), (170, 400)]);
}

#[test]
fn the_next_hole_begins_where_it_ends() {
    let mut phone = Phone::new();
    phone.record(&[100]);
    phone.import(&[&[50, 60], &[200, 210]]);
    phone.record(&[300]);
    assert_eq!(phone.gaps(), [(60, 100), (100, 200), (210, 300)]);
    // An older one moves no mark.
    phone.import(&[&[30, 40]]);
    phone.record(&[320]);
    assert_eq!(phone.gaps().len(), 3);
}

#[test]
fn a_doubtful_one_is_kept_and_bounds_no_hole() {
    let mut phone = Phone::new();
    let mut piece = Phone::fixes(&[100, 150, 200]);
    piece[1].flags.push(FixFlag::Jump);
    phone.import_fixes(&[piece]);
    assert_eq!(phone.minutes(), [100, 150, 200]);
    phone.record(&[210]);
    assert_eq!(phone.gaps(), []);
}

#[test]
fn under_a_consent_it_is_kept_back_and_so_are_the_holes_it_fills() {
    let mut phone = Phone::new();
    give_consent(&phone.tx);
    phone.record(&[100, 300]);
    let waiting = "SELECT count(*) FROM gap WHERE run = 0";
    assert_eq!(phone.waits(waiting), 1);
    phone.import(&[&[150, 160]]);
    assert_eq!(phone.gaps(), [(100, 150), (160, 300)]);
    assert_eq!(phone.waits(waiting), 0);
    let late = "SELECT count(*) FROM fix_late WHERE run = 0";
    assert_eq!(phone.waits(late), 0);
}
