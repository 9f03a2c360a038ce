-- Why an envelope is parked, for the person who must look. A table of its own:
-- rows of `envelope` stay as short as they are, for a press waits for them.
CREATE TABLE parked (
    id       BLOB    PRIMARY KEY NOT NULL, -- of the envelope
    status   INTEGER NOT NULL,             -- HTTP status of the refusal
    reason   TEXT    NOT NULL,             -- URI of the problem's kind (RFC 9457)
    since_ms INTEGER NOT NULL              -- ms UTC by the phone's clock
) STRICT, WITHOUT ROWID;
