-- Version 1 of record.db, encrypted by SQLCipher.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT;

-- Names this record: ids of envelopes are made from it, so that a record that
-- begins anew never repeats the ids of the one before.
INSERT INTO meta (key, value) VALUES
    ('instance', lower(hex(randomblob(16)))),
    ('profile_version', '0'),     -- grows with each change of traveler or contacts
    ('profile_sent', '0'),        -- the version that the outbox has
    ('fixes_sent', '0'),          -- last fix that the outbox has, or that no consent covers
    ('fixes_sending', '0');       -- last fix of the envelope being made, 0 for none

CREATE TABLE traveler (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    json TEXT    NOT NULL
) STRICT;

CREATE TABLE contact (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    json TEXT    NOT NULL
) STRICT;

CREATE TABLE consent (
    purpose      INTEGER PRIMARY KEY,
    text_version TEXT    NOT NULL,   -- of the text that the traveler saw
    given_ms     INTEGER NOT NULL,
    withdrawn_ms INTEGER             -- NULL: in force
) STRICT;

CREATE TABLE fix (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    datum       INTEGER NOT NULL,    -- 0 WGS-84, 1 GCJ-02, 2 BD-09
    latitude    REAL    NOT NULL,    -- degrees
    longitude   REAL    NOT NULL,    -- degrees
    time_ms     INTEGER NOT NULL,    -- of the source, ms UTC
    accuracy_m  REAL,
    source      INTEGER NOT NULL,    -- 0 GNSS, 1 network, 2 fused, 3 manual
    recorded_ms INTEGER NOT NULL,    -- phone's wall clock, ms UTC
    mono_ms     INTEGER NOT NULL,    -- milliseconds since the boot
    boot        INTEGER NOT NULL REFERENCES boot (id)
) STRICT;

CREATE INDEX fix_time ON fix (time_ms);

CREATE TABLE boot (
    id   INTEGER PRIMARY KEY,
    name TEXT    NOT NULL UNIQUE
) STRICT;

CREATE TABLE report (
    id   BLOB PRIMARY KEY NOT NULL,  -- UUID, 16 bytes
    json TEXT NOT NULL               -- the report as it was sealed
) STRICT;
