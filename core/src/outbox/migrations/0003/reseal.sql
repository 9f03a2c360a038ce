-- So that what waits can be sealed anew when the ministry's key changes.

CREATE TABLE readable (
    id   BLOB PRIMARY KEY NOT NULL, -- of the envelope, while it waits
    copy BLOB NOT NULL              -- its content, sealed to this device
) STRICT, WITHOUT ROWID;

-- What a receipt may name beside the bytes that wait: sealings of before.
CREATE TABLE sealing (
    id     BLOB NOT NULL,           -- of the envelope, while it waits
    sha256 TEXT NOT NULL,           -- of its earlier bytes, hex
    PRIMARY KEY (id, sha256)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER envelope_gone AFTER DELETE ON envelope BEGIN
    DELETE FROM readable WHERE id = old.id;
    DELETE FROM sealing WHERE id = old.id;
END;

CREATE TRIGGER envelope_received AFTER UPDATE OF state, id ON envelope
    WHEN new.state = 1 OR new.id <> old.id
BEGIN
    DELETE FROM readable WHERE id = old.id;
    DELETE FROM sealing WHERE id = old.id;
END;
