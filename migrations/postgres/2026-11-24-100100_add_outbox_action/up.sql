-- A publication may be a deletion.
ALTER TABLE outbox ADD COLUMN action TEXT COLLATE "C" NOT NULL DEFAULT 'put';
