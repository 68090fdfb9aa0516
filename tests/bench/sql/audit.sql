-- An append-only, hash-chained audit table, as a good engineer would build it on PostgreSQL for the same purpose.
--
-- Rows come in by one function. It takes a lock that it keeps until the commit, since a chain has one end: whoever appends must know
-- the committed row before. (An advisory lock, and the last row by the primary key: a table that holds the head would be one more row
-- to write for each.) The hash is over the row before's hash and everything of this one. Nothing can be changed or removed.
CREATE TABLE audit (
    n           bigint      PRIMARY KEY,
    received_at timestamptz NOT NULL,
    hash        bytea       NOT NULL,
    statement   bytea       NOT NULL
);
-- Base64 of hashes and signatures hardly compresses, and trying takes longer than writing it.
ALTER TABLE audit ALTER COLUMN statement SET STORAGE EXTERNAL;

CREATE FUNCTION audit_append(statements bytea[]) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
    now_at   timestamptz;
    last_n   bigint;
    previous bytea;
    hashes   bytea[];
    one      bytea;
BEGIN
    PERFORM pg_advisory_xact_lock(1);
    now_at := clock_timestamp();
    -- A new statement, a new snapshot: it sees what was committed before the lock was had.
    SELECT n, hash INTO last_n, previous FROM audit ORDER BY n DESC LIMIT 1;
    last_n := coalesce(last_n, 0);
    previous := coalesce(previous, sha256(''));
    IF cardinality(statements) = 1 THEN
        previous := sha256(previous || int8send(last_n + 1) || timestamptz_send(now_at) || statements[1]);
        INSERT INTO audit VALUES (last_n + 1, now_at, previous, statements[1]);
        RETURN previous;
    END IF;
    FOREACH one IN ARRAY statements LOOP
        previous := sha256(
            previous || int8send(last_n + coalesce(cardinality(hashes), 0) + 1) || timestamptz_send(now_at) || one);
        hashes := hashes || previous;
    END LOOP;
    INSERT INTO audit
        SELECT last_n + place, now_at, hash, statement
        FROM unnest(hashes, statements) WITH ORDINALITY AS row (hash, statement, place);
    RETURN previous;
END $$;

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit table is append-only';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

CREATE ROLE council LOGIN;
REVOKE ALL ON audit FROM PUBLIC;
GRANT SELECT ON audit TO council;
GRANT EXECUTE ON FUNCTION audit_append(bytea[]) TO council;
