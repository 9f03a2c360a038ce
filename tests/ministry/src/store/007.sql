-- Reports and notes in their compact form, by text message or packet: at the case,
-- beside what comes by HTTPS.
CREATE TABLE compact_letters (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    -- First 16 bytes of the message's SHA-256: what its receipt names it by.
    hash BLOB NOT NULL UNIQUE,
    report BLOB NOT NULL REFERENCES cases (report),
    sender BLOB NOT NULL,
    -- 'datagram', 'sms' or 'relay'.
    channel TEXT NOT NULL,
    -- 0 a report, 1 a part of its note.
    kind INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    times_received INTEGER NOT NULL DEFAULT 1,
    content BLOB NOT NULL
) STRICT;

CREATE INDEX compact_letters_by_report ON compact_letters (report);
