-- The registration as its fields, each with when and on which device it was
-- changed, so that two phones of one traveler can be merged field by field.
--
-- An entity is `traveler`, `contact/<uuid>`, `dependent/<uuid>`, `trip/<uuid>`
-- or a single value such as `contact_order`; its keys are those of its JSON form.
-- A key whose value is JSON `null` was emptied. The key '' stands for the whole
-- entity: its row says that the entity was removed, and when.
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
