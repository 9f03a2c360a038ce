-- Files that belong to reports. Chunks lie in attachments/chunks by their SHA-256
-- until all are there, then the opened file in attachments/files by its row.
CREATE TABLE attachments (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    envelope BLOB NOT NULL UNIQUE REFERENCES envelopes (id),
    report BLOB NOT NULL,
    sender BLOB NOT NULL,
    announced_ms INTEGER NOT NULL,
    -- When the last chunk came.
    touched_ms INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    -- The manifest, JSON; without the key once the file is opened.
    content TEXT NOT NULL,
    complete_ms INTEGER,
    -- JSON of the problem.
    refused TEXT
) STRICT;

CREATE INDEX attachments_by_report ON attachments (report);
CREATE INDEX attachments_by_sender ON attachments (sender);

CREATE TABLE attachment_chunks (
    attachment INTEGER NOT NULL REFERENCES attachments (row),
    position INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    stored INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (attachment, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX attachment_chunks_by_hash ON attachment_chunks (sha256);
