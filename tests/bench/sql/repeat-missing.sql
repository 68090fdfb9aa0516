-- Pattern repeat-missing: three or more starts of a child's absences within 90 days. What several agencies report of one absence is one
-- episode; away without authorisation that turns into missing is two. Windows that share an episode are one. Times are in milliseconds,
-- so that an end and its entry go through a minimum together.
WITH report AS (
    SELECT identity.person, event.agency, event.type, event.kind, event.entry,
           (extract(epoch FROM event.listed_at) * 1000)::bigint AS at
    FROM event JOIN identity ON identity.pseudonym = event.child
    WHERE event.type IN ('missing.started', 'missing.ended')
), followed AS (
    SELECT *, min(at) FILTER (WHERE type = 'missing.started') OVER own AS next_at,
           min(ARRAY[at, entry]) FILTER (WHERE type = 'missing.ended') OVER own AS own_end,
           min(ARRAY[at, entry]) FILTER (WHERE type = 'missing.ended') OVER anybody AS any_end
    FROM report
    WINDOW own AS (PARTITION BY person, agency ORDER BY at RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING),
           anybody AS (PARTITION BY person ORDER BY at RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
), started AS (
    -- The agency's own end, or else the first that anybody reports: in both cases not after the agency's next start.
    SELECT person, kind, entry, at, next_at,
           lead(kind) OVER (PARTITION BY person, agency ORDER BY at, entry) AS next_kind,
           CASE WHEN own_end[1] <= coalesce(next_at, own_end[1]) THEN own_end
                WHEN any_end[1] <= coalesce(next_at, any_end[1]) THEN any_end END AS ended
    FROM followed WHERE type = 'missing.started'
), absence AS (
    SELECT *, CASE WHEN ended IS NOT NULL THEN ended[1]
                   WHEN next_at IS NULL THEN 9223372036854775807
                   WHEN next_kind <> kind THEN next_at
                   ELSE at END AS reach,
           row_number() OVER (PARTITION BY person ORDER BY at, kind = 'Missing' DESC, entry) AS place
    FROM started
), touched AS (
    SELECT *, lag(at) OVER (PARTITION BY person ORDER BY place) AS before_at,
           max(reach) OVER (PARTITION BY person ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
    FROM absence
), island AS (
    SELECT *, count(*) FILTER (WHERE reached IS NULL OR (at >= reached AND at <> before_at))
                  OVER (PARTITION BY person ORDER BY place) AS island
    FROM touched
), turned AS (
    -- Within an island that begins as away, the first report of missing begins the second episode.
    SELECT *, count(*) FILTER (WHERE kind = 'Missing') OVER (PARTITION BY person, island ORDER BY place) > 0
              AND first_value(kind) OVER (PARTITION BY person, island ORDER BY place) <> 'Missing' AS turned
    FROM island
), episode AS (
    SELECT person, min(at) AS at, array_remove(array_agg(entry) || array_agg(ended[2]), NULL) AS entries,
           row_number() OVER (PARTITION BY person ORDER BY min(at), turned) AS i
    FROM turned GROUP BY person, island, turned
), last AS (
    -- The first episode within 90 days before each: a window is full if it has three.
    SELECT *, i - count(*) OVER (PARTITION BY person ORDER BY at
                                 RANGE BETWEEN 7776000000 PRECEDING AND CURRENT ROW) + 1 AS first
    FROM (SELECT person, at, i FROM episode) AS episode
), marked AS (
    SELECT *, (first > lag(i) OVER (PARTITION BY person ORDER BY i)) IS NOT FALSE AS begins FROM last WHERE i - first >= 2
), numbered AS (
    SELECT *, count(*) FILTER (WHERE begins) OVER (PARTITION BY person ORDER BY i) AS run FROM marked
), run AS (
    SELECT person, run, min(first) AS first, max(i) AS last FROM numbered GROUP BY person, run
)
SELECT array_agg(DISTINCT each ORDER BY each)
FROM run
JOIN episode ON episode.person = run.person AND episode.i BETWEEN run.first AND run.last
CROSS JOIN LATERAL unnest(episode.entries) AS each
GROUP BY run.person, run.run
