-- Guides and their index. The record is encrypted, so a page that is read costs: what a
-- search weighs stands in narrow rows, and only what is shown is read from the texts. The
-- index holds the words of the texts and nothing else.
CREATE TABLE guide_item (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    situation TEXT NOT NULL,
    -- Codes of two letters with a space between them; empty: all countries.
    countries TEXT NOT NULL,
    -- Language tags with a space between them, in the order of its texts.
    languages TEXT NOT NULL,
    updated TEXT NOT NULL
) STRICT;

-- Text n (from 0) of item i, and its words in the index, have the number 64 * i + n.
CREATE TABLE guide_text (
    number INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE VIRTUAL TABLE guide_index USING fts5 (
    title,
    body,
    content = '',
    tokenize = 'unicode61 remove_diacritics 2'
);
