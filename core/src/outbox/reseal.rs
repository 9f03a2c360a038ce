//! What is needed to seal an envelope anew: its content, sealed to this device, and
//! the hashes of what was sealed before under the same id. Both go with the
//! envelope, and when it is received.

use rusqlite::{OptionalExtension as _, Transaction, params};
use uuid::Uuid;

use super::Outbox;
use super::envelopes::NewEnvelope;
use super::events::{self, EventRow};
use crate::error::Result;
use crate::seal::sha256_hex;

impl Outbox {
    /// The content of an envelope that waits, sealed to this device; `None` where
    /// none was kept.
    pub(crate) fn readable(&self, id: Uuid) -> Result<Option<Vec<u8>>> {
        self.read(|tx| {
            Ok(tx
                .query_row("SELECT copy FROM readable WHERE id = ?1", [id], |row| {
                    row.get(0)
                })
                .optional()?)
        })
    }

    /// Puts a new sealing in the place of the one that waits, and notes the hash of
    /// that: the ministry may have it already, and answer with its receipt.
    pub(crate) fn reseal(&self, id: Uuid, sealed: &[u8], event: Option<&EventRow>) -> Result<()> {
        self.write(|tx| {
            let before: Option<Vec<u8>> = tx
                .query_row(
                    "SELECT sealed FROM envelope WHERE id = ?1 AND state = 0",
                    [id],
                    |row| row.get(0),
                )
                .optional()?;
            let Some(before) = before else {
                return Ok(());
            };
            tx.execute(
                "INSERT OR IGNORE INTO sealing (id, sha256) VALUES (?1, ?2)",
                params![id, sha256_hex(&before)],
            )?;
            tx.execute(
                "UPDATE envelope SET sealed = ?2 WHERE id = ?1",
                params![id, sealed],
            )?;
            event.map_or(Ok(()), |event| events::append(tx, event))
        })
    }

    /// SHA-256, in hex, of what this phone sealed under an id before what waits now.
    pub(crate) fn earlier_sealings(&self, id: Uuid) -> Result<Vec<String>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached("SELECT sha256 FROM sealing WHERE id = ?1")?;
            let rows = statement.query_map([id], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

/// Keeps the content of a new envelope; not that of one that has been received.
pub(super) fn keep_readable(tx: &Transaction<'_>, envelope: &NewEnvelope) -> Result<()> {
    let Some(copy) = &envelope.readable else {
        return Ok(());
    };
    tx.execute(
        "INSERT OR IGNORE INTO readable (id, copy) SELECT ?1, ?2
         WHERE EXISTS (SELECT 1 FROM envelope WHERE id = ?1 AND state = 0)",
        params![envelope.id, copy],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use crate::config::Policy;
    use crate::outbox::{Lane, Role};

    fn envelope(number: u128, role: Role) -> NewEnvelope {
        NewEnvelope {
            id: Uuid::from_u128(number),
            lane: Lane::Registration,
            role,
            report: None,
            sealed: vec![1],
            readable: Some(vec![2]),
            not_before_ms: 0,
        }
    }

    /// Whether the content is kept, and how many earlier sealings.
    fn kept(outbox: &Outbox, number: u128) -> (bool, usize) {
        let id = Uuid::from_u128(number);
        let readable = outbox.readable(id).unwrap();
        (
            readable.is_some(),
            outbox.earlier_sealings(id).unwrap().len(),
        )
    }

    #[test]
    fn content_and_hashes_go_with_the_envelope_and_with_its_receipt() {
        let directory = tempfile::tempdir().unwrap();
        let outbox = Outbox::new(directory.path(), Time::new(None), Policy::STANDARD);
        let ids = [1, 2, 3].map(Uuid::from_u128);
        for number in [1, 2, 3] {
            outbox.enqueue(&envelope(number, Role::Positions)).unwrap();
            assert_eq!(kept(&outbox, number), (true, 0));
        }
        for id in ids {
            outbox.reseal(id, &[3], None).unwrap();
            outbox.reseal(id, &[4], None).unwrap();
        }
        let hashes = outbox.earlier_sealings(ids[0]).unwrap();
        assert!(hashes.contains(&sha256_hex(&[1])) && hashes.contains(&sha256_hex(&[3])));
        outbox.park(ids[1], None).unwrap();
        outbox.received(ids[0], None).unwrap();
        assert_eq!(kept(&outbox, 1), (false, 0));
        assert_eq!(kept(&outbox, 2), (true, 2), "a person may try it again");
        // What is received is not sealed anew, and keeps nothing.
        outbox.reseal(ids[0], &[5], None).unwrap();
        outbox.enqueue(&envelope(1, Role::Positions)).unwrap();
        assert_eq!(kept(&outbox, 1), (false, 0));
        outbox.withdraw(Role::Positions).unwrap();
        assert_eq!(kept(&outbox, 3), (false, 0));
        outbox.enqueue(&envelope(4, Role::Profile)).unwrap();
        outbox.enqueue(&envelope(5, Role::Profile)).unwrap();
        assert_eq!(
            (kept(&outbox, 4), kept(&outbox, 5)),
            ((false, 0), (true, 0))
        );
        outbox.erase(None).unwrap();
        assert_eq!(kept(&outbox, 5), (false, 0));
    }
}
