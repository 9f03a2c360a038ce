-- The medical card. Not a field of the registration: it does not travel with the
-- profile.
CREATE TABLE medical_card (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    json TEXT    NOT NULL
) STRICT;

-- Where the host last saw the phone: a run of reports of one country. It stays on
-- the phone.
CREATE TABLE seen_country (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    country  TEXT    NOT NULL,   -- ISO 3166-1 alpha-2
    since_ms INTEGER NOT NULL,   -- best time known, ms UTC
    last_ms  INTEGER NOT NULL
) STRICT;

-- Grows with each change of the card or of the consent that covers it.
INSERT INTO meta (key, value) VALUES ('medical_version', '0');
