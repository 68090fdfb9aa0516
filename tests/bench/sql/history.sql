-- The generated history as rows, with the indexes that the questions want. Who is one with whom is worked out once, when the rows are
-- loaded: so PostgreSQL asks a table where the views follow links.
CREATE TABLE event (
    entry       bigint      PRIMARY KEY,
    received_at timestamptz NOT NULL,
    listed_at   timestamptz NOT NULL,
    agency      text        NOT NULL,
    type        text        NOT NULL,
    child       text,
    context     text,
    kind        text,
    codes       jsonb       NOT NULL,
    data        jsonb       NOT NULL
);
CREATE TABLE identity (pseudonym text PRIMARY KEY, person text NOT NULL);

-- What a list shows of an event, as the views have it: codes, agencies and booleans that stand directly in its data, no texts
-- and no references to them.
CREATE FUNCTION codes(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(key, value), '{}')
    FROM jsonb_each(data - ARRAY['rationale', 'purpose_text', 'less_intrusive_option', 'identity_protection_steps', 'alternative_action',
                                 'risk_of_not_sharing', 'reason', 'words_ref'])
    WHERE CASE jsonb_typeof(value)
        WHEN 'array' THEN NOT EXISTS (SELECT FROM jsonb_array_elements(value) AS one WHERE jsonb_typeof(one) <> 'string')
        ELSE jsonb_typeof(value) IN ('string', 'boolean') END
$$;

-- Each line is {"entry","received_at","agency","type","data"}; the table goes when they are loaded.
CREATE UNLOGGED TABLE raw (line jsonb);
CREATE FUNCTION load_history() RETURNS void LANGUAGE sql AS $$
    INSERT INTO event
        SELECT (line->>'entry')::bigint,
               (line->>'received_at')::timestamptz,
               coalesce(line#>>'{data,times,occurred_at}', line->>'received_at')::timestamptz,
               line->>'agency', line->>'type', line#>>'{data,child,pseudonym}', line#>>'{data,context,ref}',
               line#>>'{data,kind}', codes(line->'data'), line->'data'
        FROM raw;

    WITH RECURSIVE pair AS (
        SELECT data#>>'{identifiers,0,pseudonym}' AS one, data#>>'{identifiers,1,pseudonym}' AS other
        FROM event WHERE type = 'identifier.linked'
    ), way AS (SELECT one, other FROM pair UNION SELECT other, one FROM pair),
    reached AS (
        SELECT one AS pseudonym, one AS who FROM way
        UNION
        SELECT reached.pseudonym, way.other FROM reached JOIN way ON way.one = reached.who
    )
    INSERT INTO identity SELECT pseudonym, min(who) FROM reached GROUP BY pseudonym;

    INSERT INTO identity
        SELECT DISTINCT child, child FROM event WHERE child IS NOT NULL ON CONFLICT DO NOTHING;
$$;
