CREATE INDEX event_child ON event (child, listed_at, entry);
CREATE INDEX event_context ON event (context, listed_at, entry) INCLUDE (child) WHERE type = 'context.linked';
CREATE INDEX event_missing ON event (child, listed_at) INCLUDE (agency, type, kind, entry)
    WHERE type IN ('missing.started', 'missing.ended');
CREATE INDEX identity_person ON identity (person);
