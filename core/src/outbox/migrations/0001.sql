-- Version 1 of outbox.db. Plain SQLite: nothing in here is readable without the
-- ministry's private key or the device's, but counts, times and receipts.
--
-- A press waits for each page that it changes: few indexes, and rows in their
-- primary key where that is how they are read.

CREATE TABLE envelope (
    seq        INTEGER PRIMARY KEY,        -- order within a lane
    id         BLOB    NOT NULL UNIQUE,    -- UUID, 16 bytes
    lane       INTEGER NOT NULL,           -- 0 goes first
    role       INTEGER NOT NULL,           -- what it is, see outbox::Role
    report     BLOB,                       -- the report it belongs to
    sealed     BLOB    NOT NULL,           -- empty once received
    state      INTEGER NOT NULL DEFAULT 0, -- 0 waiting, 1 received, 2 parked
    attempts   INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0, -- end of a countdown, ms UTC
    due        INTEGER NOT NULL DEFAULT 0  -- earliest next attempt, ms UTC
) STRICT;

CREATE INDEX envelope_waiting ON envelope (lane, seq) WHERE state = 0;

CREATE TABLE report (
    id       BLOB    PRIMARY KEY NOT NULL, -- UUID, 16 bytes
    sequence INTEGER NOT NULL,             -- counts the device's reports
    own_copy BLOB                          -- sealed to the device, until the record has it
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    report       BLOB    NOT NULL,
    seq          INTEGER NOT NULL,           -- counts the events of the report
    wall_ms      INTEGER NOT NULL,
    monotonic_ms INTEGER NOT NULL,
    boot_id      TEXT    NOT NULL,
    times        INTEGER NOT NULL DEFAULT 1, -- the same outcome in a row
    last_wall_ms INTEGER NOT NULL,
    evidence     TEXT    NOT NULL,           -- JSON, see sos::evidence
    PRIMARY KEY (report, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE standing (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    id      BLOB    NOT NULL,
    sealed  BLOB    NOT NULL,
    version INTEGER NOT NULL,   -- version of the profile in it
    made_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT;
