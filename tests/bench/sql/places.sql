-- Places to which three or more different children were ever linked, those with the most first.
SELECT event.context, count(DISTINCT identity.person) AS children, count(*) AS links,
       (extract(epoch FROM max(event.listed_at)) * 1000)::bigint AS last_at
FROM event JOIN identity ON identity.pseudonym = event.child
WHERE event.type = 'context.linked'
GROUP BY event.context
HAVING count(DISTINCT identity.person) >= 3
ORDER BY children DESC, last_at DESC
LIMIT 100
