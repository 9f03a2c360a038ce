-- The registration as its fields, each with when and on which device it was
-- changed, so that two phones of one traveler can be merged field by field.
--
-- An entity is `traveler`, `contact/<uuid>`, `dependent/<uuid>`, `trip/<uuid>`
-- or a single value such as `contact_order`; its keys are those of its JSON form.
-- A key whose value is JSON `null` was emptied. The key '' stands for the whole
-- entity: its row says that the entity was removed, and when; rows beside it are newer.
--
-- With rowids: what is left of a damaged file can be read row by row.
CREATE TABLE field (
    entity     TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    json       TEXT    NOT NULL,
    changed_ms INTEGER NOT NULL,   -- best time known, ms UTC; grows with each change of the row
    device     TEXT    NOT NULL,   -- id of the device that changed it, '' before version 2
    PRIMARY KEY (entity, key)
) STRICT;

-- json_each gives an object as its text, and a string as its characters.
INSERT INTO field (entity, key, json, changed_ms, device)
SELECT 'traveler',
       -- There was one document; now there is a list.
       CASE item.key WHEN 'document' THEN 'documents' ELSE item.key END,
       CASE WHEN item.key = 'document' THEN json_array(json(item.value))
            WHEN item.type IN ('object', 'array') THEN item.value
            ELSE json_quote(item.value) END,
       0, ''
FROM traveler, json_each(traveler.json) AS item;

-- Ids as the hosts know them from now on: UUIDs (version 8, RFC 9562) that the
-- number makes, so that a second phone cannot have the same by chance.
INSERT INTO field (entity, key, json, changed_ms, device)
SELECT 'contact/' || substr(instance, 1, 8) || '-' || substr(instance, 9, 4) || '-8'
           || substr(instance, 14, 3) || '-8' || substr(instance, 18, 3) || '-'
           || printf('%012x', contact.id),
       item.key,
       CASE WHEN item.type IN ('object', 'array') THEN item.value ELSE json_quote(item.value) END,
       0, ''
FROM contact, json_each(contact.json) AS item,
     (SELECT value AS instance FROM meta WHERE meta.key = 'instance');

DROP TABLE traveler;
DROP TABLE contact;

-- The migrated registration is a new version: what waits of the old form is replaced.
UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)
WHERE key = 'profile_version' AND EXISTS (SELECT 1 FROM field);

-- Names the registration at the ministry: all phones of one traveler share it.
INSERT INTO meta (key, value) VALUES ('registration', '');

-- The phones of this traveler, as the ministry last told: see registration::phones.
CREATE TABLE phone (
    device    TEXT    PRIMARY KEY NOT NULL,
    linked_ms INTEGER NOT NULL,    -- by the ministry's clock, ms UTC
    seen_ms   INTEGER NOT NULL,    -- last profile from it, by the ministry's clock
    unlinking INTEGER NOT NULL DEFAULT 0  -- 1: the ministry shall be told to let it go
) STRICT;

-- The link to another phone's registration that was asked for, if any.
CREATE TABLE link (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    code         TEXT    NOT NULL,
    nonce        TEXT    NOT NULL,  -- of the code, in hex: names the answer to it
    registration TEXT    NOT NULL,  -- of the other phone
    refused      INTEGER,           -- see sync::protocol::LinkRefusal; NULL: not answered
    asked_ms     INTEGER NOT NULL
) STRICT;

-- What changes of other phones came to here, for the traveler to be told.
CREATE TABLE merged (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    entity     TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    changed_ms INTEGER NOT NULL,    -- stamp of the other phone's change
    device     TEXT    NOT NULL,    -- the other phone
    outcome    INTEGER NOT NULL,    -- 0 taken, 1 the change of this phone was newer
    noted_ms   INTEGER NOT NULL,
    dismissed  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (entity, key, changed_ms, device, outcome)
) STRICT;

-- Position in the change feed of the last news that is in the fields.
INSERT INTO meta (key, value) VALUES ('news_seen', '0');
