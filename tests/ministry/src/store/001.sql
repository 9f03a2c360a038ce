-- Times are milliseconds UTC by the ministry's clock. Ids of envelopes and
-- reports are the 16 bytes of the UUID; senders are X25519 public keys.

CREATE TABLE service_document (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    serial INTEGER NOT NULL,
    issued_ms INTEGER NOT NULL,
    -- The document with serial and time at 0, to see whether it has changed.
    content TEXT NOT NULL
) STRICT;

CREATE TABLE devices (
    id TEXT PRIMARY KEY NOT NULL,
    signing BLOB NOT NULL,
    agreement BLOB NOT NULL,
    enrolled_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX devices_by_agreement ON devices (agreement);

-- One row a report: the rule "exactly one case" is this UNIQUE. The row may be
-- older than the report, when an update of it came first.
CREATE TABLE cases (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    report BLOB NOT NULL UNIQUE,
    number TEXT NOT NULL UNIQUE,
    -- Who sent the report; until it comes, who sent the first word of it.
    sender BLOB NOT NULL,
    opened_ms INTEGER NOT NULL,
    officer TEXT NOT NULL DEFAULT '',
    mission TEXT NOT NULL DEFAULT '',
    acknowledged_ms INTEGER,
    closed_ms INTEGER
) STRICT;

-- Every envelope that was accepted, with the receipt it got.
CREATE TABLE envelopes (
    id BLOB PRIMARY KEY NOT NULL,
    sender BLOB NOT NULL,
    receipt TEXT NOT NULL,
    times_received INTEGER NOT NULL DEFAULT 1
) STRICT;

-- What was said about a case, in order of arrival.
CREATE TABLE case_letters (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    envelope BLOB NOT NULL UNIQUE REFERENCES envelopes (id),
    report BLOB NOT NULL REFERENCES cases (report),
    sender BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    content BLOB NOT NULL
) STRICT;

CREATE INDEX case_letters_by_report ON case_letters (report);

CREATE TABLE standings (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    envelope BLOB NOT NULL UNIQUE REFERENCES envelopes (id),
    sender BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    content BLOB NOT NULL
) STRICT;

CREATE INDEX standings_by_sender ON standings (sender);

CREATE TABLE profiles (
    sender BLOB PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    content BLOB NOT NULL
) STRICT;

CREATE TABLE positions (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    envelope BLOB NOT NULL REFERENCES envelopes (id),
    sender BLOB NOT NULL,
    fix TEXT NOT NULL
) STRICT;

CREATE INDEX positions_by_sender ON positions (sender);

-- The change feed. An item is sealed when it is made: all that needs is the
-- public key of whom it is for.
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient BLOB NOT NULL,
    report BLOB NOT NULL REFERENCES cases (report),
    state TEXT NOT NULL,
    kind TEXT NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (recipient, report, state)
) STRICT;

CREATE INDEX changes_by_recipient ON changes (recipient, seq);
