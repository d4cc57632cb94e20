-- A publication may be a deletion.
ALTER TABLE outbox ADD COLUMN action TEXT NOT NULL DEFAULT 'put';
