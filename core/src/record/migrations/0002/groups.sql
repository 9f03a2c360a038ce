-- Groups of version 2: see registration::groups. None of it travels with the
-- profile of the traveler. With rowids, as `field`.

-- The groups that this phone leads.
CREATE TABLE led_group (
    id               BLOB    PRIMARY KEY NOT NULL, -- UUID, made from the three columns below
    salt             BLOB    NOT NULL,
    signing          BLOB    NOT NULL,             -- the leader's public keys
    agreement        BLOB    NOT NULL,
    json             TEXT    NOT NULL,             -- GroupDetails
    invited_until_ms INTEGER NOT NULL DEFAULT 0,   -- end of the newest invitation
    closed_ms        INTEGER,                      -- NULL: open
    version          INTEGER NOT NULL DEFAULT 1,   -- grows with each change
    sent             INTEGER NOT NULL DEFAULT 0    -- the version that the outbox has
) STRICT;

-- Who is in them: a row for each person, whatever phones the person has.
CREATE TABLE group_member (
    group_id BLOB    NOT NULL REFERENCES led_group (id),
    id       TEXT    NOT NULL,   -- UUIDv7
    state    INTEGER NOT NULL,   -- 0 in, 1 left, 2 removed by the leader
    by_hand  INTEGER NOT NULL,   -- 1: put in by the leader, no phone
    document TEXT    NOT NULL,   -- hash of the document's number, '' without one
    issuer   TEXT    NOT NULL,   -- state that issued it, '' where not known
    json     TEXT    NOT NULL,   -- Person; '' once the person is out
    PRIMARY KEY (group_id, id)
) STRICT;

-- What each phone has said last: an older word is refused.
CREATE TABLE group_entry (
    group_id BLOB    NOT NULL REFERENCES led_group (id),
    device   BLOB    NOT NULL,   -- its Ed25519 public key
    serial   INTEGER NOT NULL,
    member   TEXT    NOT NULL,   -- group_member.id, '' where it left before it came
    entry    BLOB,               -- the signed entry; NULL once it is over
    leave    BLOB,               -- the signed leave
    PRIMARY KEY (group_id, device)
) STRICT;

-- The groups that the traveler has joined.
CREATE TABLE joined_group (
    id         BLOB    PRIMARY KEY NOT NULL,
    json       TEXT    NOT NULL,           -- GroupDetails
    serial     INTEGER NOT NULL,           -- of the last entry or leave
    leave      BLOB,                       -- the signed leave; NULL while in the group
    leave_sent INTEGER NOT NULL DEFAULT 0  -- 1: the outbox has it
) STRICT;

-- The registration card: see registration::card.
CREATE TABLE card (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    text TEXT    NOT NULL,   -- as the ministry signed it
    json TEXT    NOT NULL    -- what it says: registration::card::Card
) STRICT;
