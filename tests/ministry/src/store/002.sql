-- Registrations: one for all phones of a traveler.

-- Which registration a device belongs to: one at a time.
CREATE TABLE members (
    sender BLOB PRIMARY KEY NOT NULL,
    registration BLOB NOT NULL,
    -- Id of the device, proved by a profile that its agreement key has sealed;
    -- '' where it has not said.
    device TEXT NOT NULL,
    joined_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX members_by_registration ON members (registration);

-- The merged registration: see homeline::registration::merge.
CREATE TABLE registration_fields (
    registration BLOB NOT NULL,
    entity TEXT NOT NULL,
    key TEXT NOT NULL,
    json TEXT NOT NULL,
    changed_ms INTEGER NOT NULL,
    device TEXT NOT NULL,
    -- The last change of the feed when it came: who has seen a later one knows it.
    arrived INTEGER NOT NULL,
    PRIMARY KEY (registration, entity, key)
) STRICT, WITHOUT ROWID;

-- Changes of two phones that met without either knowing of the other.
CREATE TABLE overruled (
    registration BLOB NOT NULL,
    entity TEXT NOT NULL,
    key TEXT NOT NULL,
    newer_ms INTEGER NOT NULL,
    newer_device TEXT NOT NULL,
    older_ms INTEGER NOT NULL,
    older_device TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (registration, entity, key, older_device, older_ms, newer_device)
) STRICT, WITHOUT ROWID;

-- Link codes that phones have brought.
CREATE TABLE links (
    nonce BLOB NOT NULL,
    sender BLOB NOT NULL,
    registration BLOB NOT NULL,
    -- Device that made the code.
    issuer TEXT NOT NULL,
    code TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    -- 'waiting', 'linked', or the name of the refusal.
    state TEXT NOT NULL,
    PRIMARY KEY (nonce, sender)
) STRICT, WITHOUT ROWID;

CREATE INDEX links_waiting ON links (registration) WHERE state = 'waiting';

-- The last profile of each device, as it came. Those of version 1 have another
-- form and name no registration; their phones send them anew.
DROP TABLE profiles;
CREATE TABLE profiles (
    sender BLOB NOT NULL,
    registration BLOB NOT NULL,
    version INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (sender, registration)
) STRICT;

-- The feed takes more than cases: `topic` says what an item is about, and there
-- is one of a topic for each recipient. A newer one takes a new place in the feed.
CREATE TABLE changes_new (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient BLOB NOT NULL,
    -- `case/REPORT/STATE`, `profile/PART`
    topic TEXT NOT NULL,
    kind TEXT NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (recipient, topic)
) STRICT;
INSERT INTO changes_new (seq, recipient, topic, kind, sealed)
SELECT seq, recipient, 'case/' || lower(hex(report)) || '/' || state, kind, sealed FROM changes;
DROP TABLE changes;
ALTER TABLE changes_new RENAME TO changes;
CREATE INDEX changes_by_recipient ON changes (recipient, seq);
