-- Pattern shared-location: three or more different children linked to one place within 60 days. Windows that share a link are one.
WITH link AS (
    SELECT event.context, event.entry, event.listed_at AS at, identity.person,
           row_number() OVER (PARTITION BY event.context ORDER BY event.listed_at, event.entry) AS i
    FROM event JOIN identity ON identity.pseudonym = event.child
    WHERE event.type = 'context.linked'
), full_window AS (
    SELECT last.context, last.i, min(inside.i) AS first
    FROM link AS last
    JOIN link AS inside
      ON inside.context = last.context AND inside.i <= last.i AND inside.at >= last.at - interval '60 days'
    GROUP BY last.context, last.i
    HAVING count(DISTINCT inside.person) >= 3
), marked AS (
    SELECT *, (first > lag(i) OVER (PARTITION BY context ORDER BY i)) IS NOT FALSE AS begins FROM full_window
), numbered AS (
    SELECT *, count(*) FILTER (WHERE begins) OVER (PARTITION BY context ORDER BY i) AS run FROM marked
), run AS (
    SELECT context, run, min(first) AS first, max(i) AS last FROM numbered GROUP BY context, run
)
SELECT array_agg(link.entry ORDER BY link.entry)
FROM run JOIN link ON link.context = run.context AND link.i BETWEEN run.first AND run.last
GROUP BY run.context, run.run
