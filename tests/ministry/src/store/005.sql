-- What is odd about a position, as JSON; '[]' for nothing.
ALTER TABLE positions ADD COLUMN flags TEXT NOT NULL DEFAULT '[]';

-- Times without a position: no line is to be drawn through them.
CREATE TABLE position_gaps (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    envelope BLOB NOT NULL REFERENCES envelopes (id),
    sender BLOB NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER,
    gap TEXT NOT NULL
) STRICT;

CREATE INDEX position_gaps_by_sender ON position_gaps (sender);
