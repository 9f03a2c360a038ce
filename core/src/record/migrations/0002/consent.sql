-- The consent ledger: a row for each time that a consent was given; taking it
-- back closes the row and deletes nothing.
CREATE TABLE consent_given (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    purpose      INTEGER NOT NULL,   -- see registration::consent::Purpose
    text_version TEXT    NOT NULL,   -- of the text that was shown
    language     TEXT    NOT NULL,   -- it was shown in (BCP 47), '' where not known
    given_ms     INTEGER NOT NULL,
    withdrawn_ms INTEGER             -- NULL: in force
) STRICT;

INSERT INTO consent_given (purpose, text_version, language, given_ms, withdrawn_ms)
SELECT purpose, text_version, '', given_ms, withdrawn_ms FROM consent;

DROP TABLE consent;
