-- The children linked to one place, by time.
SELECT event.entry, identity.person, event.listed_at, event.received_at, event.agency, event.kind, event.data->>'risk'
FROM event JOIN identity ON identity.pseudonym = event.child
WHERE event.type = 'context.linked' AND event.context = %(about)s
ORDER BY event.listed_at, event.entry
LIMIT 100
