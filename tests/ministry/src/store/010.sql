-- What the ministry publishes for everybody: see homeline's `packs`.

-- All versions that are kept: the newest one serves, the others are what deltas
-- begin with.
CREATE TABLE packs (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    issued_ms INTEGER NOT NULL,
    -- SHA-256 of the content, hex.
    sha256 TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (name, version)
) STRICT;

-- What phones fetch by its hash: the newest contents, and deltas to them.
CREATE TABLE pack_files (
    name TEXT NOT NULL,
    -- The version that a delta begins with; 0: the content itself.
    from_version INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (name, from_version)
) STRICT;

CREATE INDEX pack_files_by_hash ON pack_files (sha256);

-- Grows with each publication.
CREATE TABLE pack_serial (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    serial INTEGER NOT NULL
) STRICT;

INSERT INTO pack_serial (only_row, serial) VALUES (1, 0);
