//! Positions and holes in one order.

use super::{Gap, RecordedFix};

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
}
