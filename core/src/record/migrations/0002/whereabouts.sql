-- Whereabouts of version 2: see whereabouts::store. The rows of version 1 are
-- moved by whereabouts::migrate in the same transaction, then it drops their table.
DROP INDEX fix_time;
ALTER TABLE fix RENAME TO fix_1;

CREATE TABLE fix (
    at_ms INTEGER PRIMARY KEY,         -- the moment that it counts for, ms UTC
    data  BLOB    NOT NULL             -- see whereabouts::row
) STRICT;

-- Old fixes, packed. Blocks may overlap in time, where fixes came late.
CREATE TABLE fix_block (
    id       INTEGER PRIMARY KEY,
    first_ms INTEGER NOT NULL,
    last_ms  INTEGER NOT NULL,
    fixes    INTEGER NOT NULL,
    data     BLOB    NOT NULL          -- see whereabouts::pack
) STRICT;

CREATE INDEX fix_block_span ON fix_block (first_ms, last_ms);

-- A boot, and a setting of the wall clock in it: from these and the wall time of
-- a row follows the monotonic time of its recording, to a second.
CREATE TABLE clock_session (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    boot               TEXT    NOT NULL,
    wall_minus_mono_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX clock_session_boot ON clock_session (boot);

-- Fixes that came under the consent, but for a moment that was sent already.
CREATE TABLE fix_late (
    at_ms INTEGER PRIMARY KEY,
    run   INTEGER NOT NULL             -- of the envelope being made, 0 for none
) STRICT;

CREATE INDEX fix_late_run ON fix_late (run);

CREATE TABLE gap (
    from_ms INTEGER PRIMARY KEY,
    to_ms   INTEGER,                   -- NULL: it lasts
    cause   INTEGER NOT NULL,          -- see whereabouts::gap
    run     INTEGER                    -- 0 to be sent, else of the envelope being made; NULL: neither
) STRICT;

CREATE INDEX gap_lasting ON gap (from_ms) WHERE to_ms IS NULL;
CREATE INDEX gap_run ON gap (run) WHERE run IS NOT NULL;

-- `fixes_sent` and `fixes_sending` were rows and are moments from now on:
-- whereabouts::migrate sets them.
INSERT INTO meta (key, value) VALUES
    ('whereabouts_mode', '0'),         -- see whereabouts::thin
    ('late_runs', '0');                -- counts the envelopes of late fixes
