-- What phones have carried for others.

-- Pieces of envelopes that are longer than a parcel, until all are here.
CREATE TABLE parcel_pieces (
    row INTEGER PRIMARY KEY,
    -- First 16 bytes of SHA-256 of the envelope.
    piece_set BLOB NOT NULL,
    number INTEGER NOT NULL,
    total INTEGER NOT NULL,
    -- Id of the device that has brought it.
    carrier TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (piece_set, total, number)
) STRICT;

CREATE INDEX parcel_pieces_by_carrier ON parcel_pieces (carrier, row);

-- How much each device has brought in a day, the newest days only.
CREATE TABLE parcel_days (
    carrier TEXT NOT NULL,
    day INTEGER NOT NULL,
    parcels INTEGER NOT NULL,
    PRIMARY KEY (carrier, day)
) STRICT, WITHOUT ROWID;

-- Which envelopes a carrier has got an answer for.
CREATE TABLE parcel_answers (
    carrier BLOB NOT NULL,
    envelope BLOB NOT NULL,
    PRIMARY KEY (carrier, envelope)
) STRICT, WITHOUT ROWID;
