-- What the traveler has seen of the ministry's alerts: it never leaves the phone.
CREATE TABLE alert_read (
    sender     TEXT    NOT NULL,
    identifier TEXT    NOT NULL,
    sent_ms    INTEGER NOT NULL,     -- of the alert: an update has another one
    read_ms    INTEGER NOT NULL,     -- best time known
    PRIMARY KEY (sender, identifier, sent_ms)
) STRICT, WITHOUT ROWID;

-- The countries that were arrived in, and what was planned to be shown, as JSON.
CREATE TABLE alert_state (
    name TEXT PRIMARY KEY NOT NULL,
    json TEXT NOT NULL
) STRICT;
