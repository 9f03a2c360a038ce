-- Crises that are declared now. They are in the service document.
CREATE TABLE crises (
    id TEXT PRIMARY KEY NOT NULL,
    latitude REAL NOT NULL,
    longitude REAL NOT NULL,
    radius_m REAL NOT NULL,
    since_ms INTEGER NOT NULL
) STRICT;

-- Senders who asked to be erased: what of theirs comes later, on a slow way, is
-- answered and not kept. A key says nothing of who held it.
CREATE TABLE erasures (
    sender BLOB PRIMARY KEY NOT NULL,
    received_ms INTEGER NOT NULL
) STRICT;
