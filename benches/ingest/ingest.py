#!/usr/bin/env python3
"""Ingests JSON lines into SQLite the way a careful Python script would: the yardstick of `cargo xtask bench ingest`.

It does what `ml-app ingest` does with the same file: every line is parsed, its id and time are checked, its content is hashed
in canonical form, and the record is inserted, left alone when it is there with the same hash, or replaced. Lines that cannot
be read are reported with their numbers. Table, index and SQLite settings are those of the embedded store; batches of 5,000
records are one transaction each, in WAL mode, through one prepared statement.

Usage: ingest.py RECORDS.jsonl DATABASE.sqlite
"""

import hashlib
import json
import sqlite3
import sys
from datetime import datetime, timezone

BATCH_SIZE = 5_000
SETTINGS = ["journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 8192", "cache_size = -65536"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS raw_records (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    source_app TEXT NOT NULL,
    source TEXT,
    data_type TEXT NOT NULL,
    raw_content TEXT NOT NULL,
    metadata TEXT NOT NULL,
    scraped_at TIMESTAMP,
    ingested_at TIMESTAMP NOT NULL,
    content_hash TEXT NOT NULL
)
"""

UPSERT = """
INSERT INTO raw_records VALUES (?, ?, 'bench', ?, 'tabular', ?, '{}', ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    seq = excluded.seq, source = excluded.source, raw_content = excluded.raw_content, scraped_at = excluded.scraped_at,
    ingested_at = excluded.ingested_at, content_hash = excluded.content_hash
WHERE content_hash <> excluded.content_hash
"""

canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def parse(line, now):
    """Returns the values of a row without its `seq`; raises ValueError for a line that is no record."""
    record = json.loads(line)
    if not isinstance(record, dict):
        raise ValueError("not an object")
    record_id = record.get("id")
    if not isinstance(record_id, str) or not record_id:
        raise ValueError("no id")
    scraped_at = datetime.fromisoformat(record["event_time"]).astimezone(timezone.utc) if "event_time" in record else None
    content = canonical(record)
    content_hash = hashlib.sha256(content.encode()).hexdigest()
    return record_id, record.get("source"), content, scraped_at and scraped_at.isoformat(), now, content_hash


def batches(path):
    """Yields lists of parsed rows, and reports lines that cannot be read."""
    now = datetime.now(timezone.utc).isoformat()
    batch = []
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.isspace():
                continue
            try:
                batch.append(parse(line, now))
            except (ValueError, TypeError) as error:
                print(f"{path}:{number}: {error}", file=sys.stderr)
            if len(batch) == BATCH_SIZE:
                yield batch
                batch = []
    if batch:
        yield batch


def main(path, database):
    connection = sqlite3.connect(database)
    for setting in SETTINGS:
        connection.execute(f"PRAGMA {setting}")
    connection.execute(SCHEMA)
    (seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM raw_records").fetchone()
    n_records = n_written = 0
    for batch in batches(path):
        rows = [(seq + place, *row) for place, row in enumerate(batch, start=1)]
        with connection:
            n_written += connection.executemany(UPSERT, rows).rowcount
        seq += len(rows)
        n_records += len(rows)
    connection.close()
    print(f"{n_records} records: {n_written} written, {n_records - n_written} unchanged")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
