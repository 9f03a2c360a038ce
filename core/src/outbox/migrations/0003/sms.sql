-- Text messages of a report: made once, so that a repeat is the same bytes and its
-- receipt can be told from another's. Sealed to the ministry, like envelopes.
CREATE TABLE sms (
    seq       INTEGER PRIMARY KEY,
    report    BLOB    NOT NULL, -- UUID, 16 bytes
    made      INTEGER NOT NULL, -- counts the sets of a report; the last one is in force
    part      INTEGER NOT NULL, -- 1 the report, then its note in order
    recipient TEXT    NOT NULL, -- id of the ministry's key
    made_ms   INTEGER NOT NULL,
    hash      BLOB    NOT NULL, -- what its receipt names it by, 16 bytes
    sealed    BLOB    NOT NULL
) STRICT;

CREATE INDEX sms_by_report ON sms (report, made, part);
CREATE INDEX sms_by_hash ON sms (hash);

-- What the platform said of each that was handed to it: for the limits of a SIM.
CREATE TABLE sms_try (
    seq      INTEGER PRIMARY KEY,
    report   BLOB    NOT NULL,
    part     INTEGER NOT NULL,
    sim      INTEGER NOT NULL, -- as the host numbers them
    at_ms    INTEGER NOT NULL, -- by the phone's clock
    messages INTEGER NOT NULL, -- that it may have cost
    result   INTEGER NOT NULL  -- see outbox::sms
) STRICT;

CREATE INDEX sms_try_by_report ON sms_try (report);
CREATE INDEX sms_try_by_sim ON sms_try (sim, at_ms);
