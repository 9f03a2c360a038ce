-- Medical cards: each came beside a report of the kind `Medical`, and is shown only
-- there.
CREATE TABLE medical_cards (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    envelope BLOB NOT NULL UNIQUE REFERENCES envelopes (id),
    sender BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    content BLOB NOT NULL
) STRICT;

CREATE INDEX medical_cards_by_sender ON medical_cards (sender);
