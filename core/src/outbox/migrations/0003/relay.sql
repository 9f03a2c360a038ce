-- Parcels that this phone carries for others: see outbox::parcels. All have the
-- same size; nothing of them can be read here.
CREATE TABLE parcel (
    seq          INTEGER PRIMARY KEY,        -- order of arrival
    way          INTEGER NOT NULL,           -- 0 to the ministry, 1 to a phone
    hops         INTEGER NOT NULL,           -- how many more phones may pass it on
    days         INTEGER NOT NULL,           -- how long it might be carried when it came
    import       INTEGER NOT NULL,           -- which import has brought it
    wall_ms      INTEGER NOT NULL,           -- when
    monotonic_ms INTEGER NOT NULL,
    boot_id      TEXT    NOT NULL,
    passed       INTEGER NOT NULL DEFAULT 0, -- how often it was exported
    due          INTEGER NOT NULL DEFAULT 0, -- earliest next attempt, ms UTC
    bytes        BLOB    NOT NULL            -- as it came
) STRICT;

-- Parcels that were here once, so that none is taken, or sent, twice: the newest.
CREATE TABLE parcel_seen (
    seq INTEGER PRIMARY KEY,
    id  BLOB NOT NULL UNIQUE                 -- SHA-256 of what is sealed, 16 bytes
) STRICT;
