-- The consent ledger: a row for each time that a consent was given; taking it
-- back closes the row and deletes nothing. Rows that are closed are deleted when
-- their time is over, see retention.
CREATE TABLE consent_given (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    purpose           INTEGER NOT NULL,            -- see registration::consent::Purpose
    subject           TEXT    NOT NULL DEFAULT '', -- id of a dependent, '' the traveler
    text_version      TEXT    NOT NULL,            -- of the text that was shown
    language          TEXT    NOT NULL,            -- it was shown in (BCP 47), '' where not known
    guardian          TEXT    NOT NULL DEFAULT '', -- who gave it for a child, '' the traveler
    guardian_relation TEXT    NOT NULL DEFAULT '', -- what the guardian is to the child
    given_ms          INTEGER NOT NULL,            -- best time known, ms UTC
    withdrawn_ms      INTEGER                      -- NULL: in force
) STRICT;

INSERT INTO consent_given (purpose, text_version, language, given_ms, withdrawn_ms)
SELECT purpose, text_version, '', given_ms, withdrawn_ms FROM consent;

DROP TABLE consent;

-- The time up to which this record believes the phone's clock, see retention.
INSERT INTO meta (key, value) VALUES ('expiry', '');
