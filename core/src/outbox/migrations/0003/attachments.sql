-- What belongs to a report and is too large for an envelope. The sealed bytes lie
-- in attachments/ID beside this file; the key to them only in `manifest` and `about`.
CREATE TABLE attachment (
    seq        INTEGER PRIMARY KEY,
    id         BLOB    NOT NULL UNIQUE,    -- UUID, 16 bytes: also of its manifest's envelope
    report     BLOB    NOT NULL,
    made_ms    INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,           -- of the file that was attached
    chunks     INTEGER NOT NULL,
    chunk_bytes INTEGER NOT NULL,          -- of the sealed chunks but the last
    root       BLOB    NOT NULL,           -- SHA-256 over the hashes of the sealed chunks
    manifest   BLOB,                       -- sealed to the ministry; NULL once it is in `envelope`
    about      BLOB    NOT NULL,           -- sealed to this device: what it is, and the key
    send_over  INTEGER NOT NULL DEFAULT 0, -- see outbox::attachments
    handed     INTEGER NOT NULL DEFAULT 0, -- chunks that the ministry said it has
    attempts   INTEGER NOT NULL DEFAULT 0,
    due        INTEGER NOT NULL DEFAULT 0, -- earliest next attempt, ms UTC
    state      INTEGER NOT NULL DEFAULT 0, -- 0 waiting, 1 received, 2 parked
    ended      TEXT                        -- JSON: the receipt or the refusal
) STRICT;

CREATE INDEX attachment_report ON attachment (report);
CREATE INDEX attachment_waiting ON attachment (bytes, seq) WHERE state = 0;
