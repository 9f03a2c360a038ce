//! The one thing that is deleted unsent: whereabouts, under storage pressure, every
//! second envelope of them, the oldest first. They are counted, and stay in the
//! record, where the traveler can still see them.

use super::{Lane, Outbox, Role};
use crate::error::Result;

/// How many envelopes were thinned so far.
const THINNED: &str = "thinned";

impl Outbox {
    /// Where more than `most` bytes of positions wait: deletes every second envelope
    /// of them, the oldest first, until three quarters of that are left or every
    /// second one is gone. Returns how many.
    pub(crate) fn thin_whereabouts(&self, most: u64) -> Result<u32> {
        let keep = i64::try_from(most / 4 * 3).unwrap_or(i64::MAX);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.write(|tx| {
            let mut statement = tx.prepare_cached(
                // Only positions: what else may come into the lane is not thinned.
                "SELECT seq, length(sealed) FROM envelope
                 WHERE state = 0 AND lane = ?1 AND role = ?2 ORDER BY seq",
            )?;
            let rows = statement
                .query_map(
                    [Lane::Whereabouts.number(), Role::Positions.number()],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?
                .collect::<rusqlite::Result<Vec<(i64, i64)>>>()?;
            let mut size: i64 = rows.iter().map(|(_, bytes)| bytes).sum();
            if size <= most {
                return Ok(0);
            }
            let mut gone = 0_u32;
            let mut delete = tx.prepare_cached("DELETE FROM envelope WHERE seq = ?1")?;
            // The second, the fourth...: the first one says where the traveler was.
            for (seq, bytes) in rows.iter().skip(1).step_by(2) {
                if size <= keep {
                    break;
                }
                gone = gone.saturating_add(u32::try_from(delete.execute([seq])?).unwrap_or(0));
                size = size.saturating_sub(*bytes);
            }
            let before: Option<i64> = super::state::number(tx, THINNED)?;
            let total = before.unwrap_or(0).saturating_add(i64::from(gone));
            super::state::put(tx, THINNED, total.to_string().as_bytes())?;
            Ok(gone)
        })
    }

    /// How many envelopes of positions were deleted unsent, ever.
    pub(crate) fn thinned(&self) -> Result<u64> {
        let number = self.get_number(THINNED)?.unwrap_or(0);
        Ok(u64::try_from(number).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::{Batch, Gate, NewEnvelope};
    use super::*;
    use crate::clock::Time;
    use crate::config::Policy;

    fn envelope(number: u128, lane: Lane, role: Role) -> NewEnvelope {
        NewEnvelope {
            id: Uuid::from_u128(number),
            lane,
            role,
            report: None,
            sealed: vec![7; 100],
            not_before_ms: 0,
            readable: None,
        }
    }

    fn waiting(outbox: &Outbox, skip: &[Uuid]) -> Vec<u128> {
        match outbox
            .next_batch(1, 100, usize::MAX, skip, Gate::OPEN)
            .unwrap()
        {
            Batch::Send(batch) => batch.iter().map(|it| it.id.as_u128()).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn only_positions_are_thinned_every_second_and_they_are_counted() {
        let directory = tempfile::tempdir().unwrap();
        let outbox = Outbox::new(directory.path(), Time::new(None), Policy::STANDARD);
        for number in 1..=10 {
            let one = envelope(number, Lane::Whereabouts, Role::Positions);
            outbox.enqueue(&one).unwrap();
        }
        for (number, lane, role) in [
            (20, Lane::Sos, Role::Report),
            (21, Lane::Registration, Role::Profile),
            (22, Lane::Whereabouts, Role::GroupLeave),
        ] {
            outbox.enqueue(&envelope(number, lane, role)).unwrap();
        }
        assert_eq!(outbox.thin_whereabouts(1_000), Ok(0));
        assert_eq!(outbox.thin_whereabouts(999), Ok(3));
        assert_eq!(outbox.thinned(), Ok(3));
        let sos = [Uuid::from_u128(20)];
        let profile = [sos[0], Uuid::from_u128(21)];
        assert_eq!(waiting(&outbox, &[]), [20]);
        assert_eq!(waiting(&outbox, &sos), [21]);
        assert_eq!(waiting(&outbox, &profile), [1, 3, 5, 7, 8, 9, 10, 22]);
        // However small the room, half of them stay each time.
        assert_eq!(outbox.thin_whereabouts(0), Ok(3));
        assert_eq!(waiting(&outbox, &profile), [1, 5, 8, 10, 22]);
        assert_eq!(outbox.thinned(), Ok(6));
    }
}
