//! Positions and holes in one order.

use super::exchange::TrackPiece;
use super::{Fix, FixFlag, Gap, RecordedFix};

/// A position, or a time without one.
#[derive(Clone, PartialEq, uniffi::Enum)]
pub enum TrackItem {
    /// The traveler was there.
    Fix {
        /// Where and when.
        fix: RecordedFix,
    },
    /// Nobody knows where the traveler was: draw no line through it.
    Gap {
        /// From when to when, and why.
        gap: Gap,
    },
}

redacted_debug!(TrackItem);

/// Both in order of time; a hole comes after the position that it begins at and
/// before the one that ends it. At most `limit` items.
pub(super) fn merge(fixes: Vec<RecordedFix>, gaps: Vec<Gap>, limit: u32) -> Vec<TrackItem> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut gaps = gaps.into_iter().peekable();
    let mut items = Vec::with_capacity(fixes.len());
    for fix in fixes {
        while let Some(gap) = gaps.next_if(|gap| gap.from_ms < fix.at_ms) {
            items.push(TrackItem::Gap { gap });
        }
        items.push(TrackItem::Fix { fix });
    }
    items.extend(gaps.map(|gap| TrackItem::Gap { gap }));
    items.truncate(most);
    items
}

/// What may be joined by a line: a piece ends at each hole, and where more than
/// `gap_ms` lie between two positions. Doubtful ones are in no line.
pub(super) fn pieces(items: Vec<TrackItem>, gap_ms: i64) -> Vec<TrackPiece> {
    let mut pieces = Vec::new();
    let mut piece = TrackPiece::default();
    let mut last_ms = None;
    for item in items {
        let TrackItem::Fix { fix: recorded } = item else {
            pieces.push(std::mem::take(&mut piece));
            continue;
        };
        if recorded.is_doubtful() {
            continue;
        }
        if last_ms.is_some_and(|last_ms| recorded.at_ms.saturating_sub(last_ms) > gap_ms) {
            pieces.push(std::mem::take(&mut piece));
        }
        last_ms = Some(recorded.at_ms);
        let mut fix: Fix = recorded.fix;
        if recorded.flags.contains(&FixFlag::TimeUnknown) {
            fix.time_ms = recorded.at_ms;
        }
        piece.fixes.push(fix);
    }
    pieces.push(piece);
    pieces.retain(|piece| !piece.fixes.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::super::testing::{clock, fix, judged};
    use super::super::{GapCause, testing::START_MS};
    use super::*;

    #[test]
    fn a_hole_lies_between_the_positions_it_parts() {
        let fixes: Vec<_> = [0, 10, 50, 60]
            .map(|second| {
                judged(
                    fix(0.0, START_MS + second * 1_000),
                    &clock(START_MS + 60_000, "a"),
                )
            })
            .into();
        let gap = |from: i64, to: Option<i64>| Gap {
            from_ms: START_MS + from * 1_000,
            to_ms: to.map(|to| START_MS + to * 1_000),
            cause: GapCause::Killed,
        };
        let gaps = vec![gap(-60, Some(0)), gap(10, Some(50)), gap(60, None)];
        let shape = |limit| -> String {
            merge(fixes.clone(), gaps.clone(), limit)
                .iter()
                .map(|item| match item {
                    TrackItem::Fix { .. } => '.',
                    TrackItem::Gap { .. } => '_',
                })
                .collect()
        };
        assert_eq!(shape(100), "_.._.._");
        assert_eq!(shape(4), "_.._");
        assert_eq!(shape(0), "");
    }

    #[test]
    fn no_line_goes_through_a_hole_or_to_a_doubtful_place() {
        const GAP_MS: i64 = 100_000;
        let now = clock(START_MS + 900_000, "a");
        let fix = |second: i64, flags: &[FixFlag]| {
            let mut recorded = judged(fix(0.0, START_MS + second * 1_000), &now);
            recorded.flags = flags.to_vec();
            TrackItem::Fix { fix: recorded }
        };
        let gap = || TrackItem::Gap {
            gap: Gap {
                from_ms: 0,
                to_ms: None,
                cause: GapCause::Unknown,
            },
        };
        let items = vec![
            gap(),
            fix(0, &[]),
            fix(1, &[FixFlag::Jump]),
            fix(2, &[]),
            gap(),
            fix(3, &[FixFlag::Mock]),
            gap(),
            fix(4, &[]),
            fix(104, &[]),
            fix(205, &[FixFlag::TimeUnknown]),
            gap(),
        ];
        let seconds: Vec<Vec<i64>> = pieces(items, GAP_MS)
            .iter()
            .map(|piece| {
                let second = |fix: &Fix| (fix.time_ms - START_MS) / 1_000;
                piece.fixes.iter().map(second).collect()
            })
            .collect();
        assert_eq!(seconds, [vec![0, 2], vec![4, 104], vec![205]]);
        assert!(pieces(Vec::new(), GAP_MS).is_empty());
    }
}
