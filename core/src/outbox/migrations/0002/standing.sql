-- Version 2 of outbox.db: standing envelopes by kind. The medical one goes only
-- beside a press of the kind Medical, so the outbox notes which report it is
-- beside: that much of a report's kind can be read here.
CREATE TABLE standing_by_kind (
    kind    INTEGER NOT NULL DEFAULT 0, -- 0 who calls, 1 the medical card
    id      BLOB    NOT NULL,
    sealed  BLOB    NOT NULL,
    version INTEGER NOT NULL,           -- of what is in it
    made_ms INTEGER NOT NULL,
    PRIMARY KEY (kind)
) STRICT, WITHOUT ROWID;

INSERT INTO standing_by_kind (kind, id, sealed, version, made_ms)
SELECT 0, id, sealed, version, made_ms FROM standing;

DROP TABLE standing;
ALTER TABLE standing_by_kind RENAME TO standing;

-- Envelope id of the medical card that goes beside the report.
ALTER TABLE report ADD COLUMN medical BLOB;
