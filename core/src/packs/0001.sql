-- Version 1 of packs.db: copies of what the ministry publishes for everybody.

-- The packs that serve.
CREATE TABLE pack (
    name       TEXT    PRIMARY KEY NOT NULL,
    version    INTEGER NOT NULL,
    sha256     TEXT    NOT NULL,     -- of content, hex
    issued_ms  INTEGER NOT NULL,     -- by the ministry's clock
    checked_ms INTEGER,              -- the ministry said last that it is the newest one
    content    BLOB    NOT NULL
) STRICT;

CREATE TABLE meta (
    key   TEXT    PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT;
