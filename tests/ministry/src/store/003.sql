-- Groups as their leaders' phones have uploaded them, in the newest version.
CREATE TABLE rosters (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    leader BLOB NOT NULL,
    version INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    details TEXT NOT NULL,
    closed_ms INTEGER,
    -- Entries of that version that did not verify: they are not kept.
    unverified INTEGER NOT NULL
) STRICT;

-- Who is in them: a row for each phone of a person, or one without a phone. Those
-- who have left are deleted.
CREATE TABLE roster_people (
    roster BLOB NOT NULL REFERENCES rosters (id),
    member BLOB NOT NULL,
    device BLOB NOT NULL,   -- the phone's Ed25519 key; x'' where the leader wrote it down
    serial INTEGER NOT NULL,
    person TEXT NOT NULL,
    PRIMARY KEY (roster, member, device)
) STRICT, WITHOUT ROWID;

-- The newest leave of each phone, also of one that no leader has uploaded yet.
CREATE TABLE roster_leaves (
    roster BLOB NOT NULL,
    device BLOB NOT NULL,
    serial INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    PRIMARY KEY (roster, device)
) STRICT, WITHOUT ROWID;

-- The registration cards, the newest of each sender of a profile.
CREATE TABLE cards (
    sender BLOB PRIMARY KEY NOT NULL,
    number TEXT NOT NULL UNIQUE,
    -- SHA-256 of what the card says of its holder, to see whether that has
    -- changed; '' where the registration was removed.
    holder TEXT NOT NULL,
    issued_ms INTEGER NOT NULL
) STRICT;
