-- Times are milliseconds since 1970 UTC, amounts minor units. One text for
-- SQLite and PostgreSQL.
CREATE TABLE quotes (
    id              TEXT    NOT NULL PRIMARY KEY,
    source_currency TEXT    NOT NULL,
    target_currency TEXT    NOT NULL,
    source_amount   BIGINT  NOT NULL CHECK (source_amount > 0),
    target_amount   BIGINT  NOT NULL CHECK (target_amount > 0),
    provided        TEXT    NOT NULL CHECK (provided IN ('SOURCE', 'TARGET')),
    rate            TEXT    NOT NULL,
    rate_date       TEXT    NOT NULL,
    rate_stale      BOOLEAN NOT NULL,
    created         BIGINT  NOT NULL,
    expires         BIGINT  NOT NULL CHECK (expires > created),
    accepted        BIGINT  CHECK (accepted < expires),
    idempotency_key TEXT    UNIQUE
);
-- For what is still open and for what may be deleted.
CREATE INDEX quotes_open ON quotes (expires) WHERE accepted IS NULL;
