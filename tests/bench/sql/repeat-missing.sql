-- Pattern repeat-missing: three or more starts of a child's absences within 90 days. What several agencies report of one absence is one
-- episode; away without authorisation that turns into missing is two. Windows that share an episode are one.
WITH report AS (
    SELECT identity.person, event.agency, event.type, event.kind, event.entry, event.listed_at AS at
    FROM event JOIN identity ON identity.pseudonym = event.child
    WHERE event.type IN ('missing.started', 'missing.ended')
), started AS (
    SELECT person, agency, kind, entry, at,
           min(at) OVER (PARTITION BY person, agency ORDER BY at
                         RANGE BETWEEN interval '1 microsecond' FOLLOWING AND UNBOUNDED FOLLOWING) AS next_at
    FROM report WHERE type = 'missing.started'
), paired AS (
    -- The agency's own end, or else the first that anybody reports: in both cases before the agency's next start.
    SELECT started.*, coalesce(own.at, other.at) AS end_at, coalesce(own.entry, other.entry) AS end_entry
    FROM started
    LEFT JOIN LATERAL (
        SELECT report.at, report.entry FROM report
        WHERE report.type = 'missing.ended' AND report.person = started.person AND report.agency = started.agency
          AND report.at > started.at AND report.at <= coalesce(started.next_at, 'infinity')
        ORDER BY report.at, report.entry LIMIT 1
    ) AS own ON true
    LEFT JOIN LATERAL (
        SELECT report.at, report.entry FROM report
        WHERE report.type = 'missing.ended' AND report.person = started.person AND own.at IS NULL
          AND report.at > started.at AND report.at <= coalesce(started.next_at, 'infinity')
        ORDER BY report.at, report.entry LIMIT 1
    ) AS other ON true
), absence AS (
    SELECT *, CASE WHEN end_at IS NOT NULL THEN end_at
                   WHEN next_at IS NULL THEN 'infinity'
                   ELSE at END AS reach,
           row_number() OVER by_start AS place
    FROM paired WINDOW by_start AS (PARTITION BY person ORDER BY at, kind = 'Missing' DESC, entry)
), touched AS (
    SELECT *, lag(at) OVER one AS before_at,
           max(reach) OVER (PARTITION BY person ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
    FROM absence WINDOW one AS (PARTITION BY person ORDER BY place)
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
    SELECT person, min(at) AS at, array_agg(entry) || array_remove(array_agg(end_entry), NULL) AS entries,
           row_number() OVER (PARTITION BY person ORDER BY min(at), turned) AS i
    FROM turned GROUP BY person, island, turned
), full_window AS (
    SELECT last.person, last.i, min(inside.i) AS first
    FROM episode AS last
    JOIN episode AS inside
      ON inside.person = last.person AND inside.i <= last.i AND inside.at >= last.at - interval '90 days'
    GROUP BY last.person, last.i
    HAVING count(*) >= 3
), marked AS (
    SELECT *, (first > lag(i) OVER (PARTITION BY person ORDER BY i)) IS NOT FALSE AS begins FROM full_window
), numbered AS (
    SELECT *, count(*) FILTER (WHERE begins) OVER (PARTITION BY person ORDER BY i) AS run FROM marked
), run AS (
    SELECT person, run, min(first) AS first, max(i) AS last FROM numbered GROUP BY person, run
)
SELECT (SELECT array_agg(DISTINCT one ORDER BY one) FROM unnest(array_agg(each)) AS one)
FROM run
JOIN episode ON episode.person = run.person AND episode.i BETWEEN run.first AND run.last
CROSS JOIN LATERAL unnest(episode.entries) AS each
GROUP BY run.person, run.run
