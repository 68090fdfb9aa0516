-- A child's timeline, its first hundred events with their codes, under all its identifiers. What says who looked at records is no part
-- of it.
SELECT event.entry, event.listed_at, event.received_at, event.type, event.agency, event.child, event.codes
FROM identity AS asked
JOIN identity AS same ON same.person = asked.person
JOIN event ON event.child = same.pseudonym
WHERE asked.pseudonym = %(about)s AND event.type NOT IN ('record.accessed', 'access.approved')
ORDER BY event.listed_at, event.entry
LIMIT 100
