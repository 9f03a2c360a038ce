-- Guides and their index. A guide is an item with a text for each language; the index
-- holds the words of the texts and nothing else (its rows have the numbers of theirs).
CREATE TABLE guide_item (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    situation TEXT NOT NULL,
    -- Codes of two letters with a space before and after each; empty: all countries.
    countries TEXT NOT NULL,
    updated TEXT NOT NULL
) STRICT;

CREATE TABLE guide_text (
    number INTEGER PRIMARY KEY,
    item INTEGER NOT NULL REFERENCES guide_item (number),
    language TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE INDEX guide_text_by_item ON guide_text (item);

CREATE VIRTUAL TABLE guide_index USING fts5 (
    title,
    body,
    content = '',
    tokenize = 'unicode61 remove_diacritics 2'
);
