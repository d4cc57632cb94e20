#!/usr/bin/env python3
"""Moves records from MongoDB to PostgreSQL the way a careful Python script would: a yardstick of `cargo xtask bench sync`.

It does what `ml-app sync` does with the same records and `pipeline.yaml`: reads them by id, normalises them, asks the eight
rules, maps what passes to rows of `global_ml_data` and what does not to `quarantine` with every reason, and commits each batch
of 5,000 by `COPY` together with the position after it, so that it can be killed and started again. Tables and indexes are
those of the program. It keeps no lineage: it could not tell a changed record from a new one, or carry a deletion.

Usage: sync.py MONGODB_URL DATABASE POSTGRES_URL SCHEMA
"""

import hashlib
import json
import re
import sys
from datetime import datetime, timezone

import psycopg
from pymongo import MongoClient

BATCH_SIZE = 5_000
COLLECTION = "raw_records"

ROW_COLUMNS = "id, source_app, data_type, processed_content, features, event_time, created_at, raw_id, content_hash, schema_version"
REJECT_COLUMNS = "collection, raw_id, data_type, source_app, record, reasons, first_seen_at, last_seen_at, attempts"

ORDER_ID = re.compile(r"^order-[0-9]{10}$")
CATEGORIES = {"garden", "kitchen", "office", "sport", "travel"}
FIRST, LAST = datetime(2020, 1, 1, tzinfo=timezone.utc), datetime(2100, 1, 1, tzinfo=timezone.utc)

compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def normalise(content):
    """Brings the fields into one form."""
    fields = dict(content)
    for name in ("note", "category"):
        if isinstance(fields.get(name), str):
            fields[name] = " ".join(fields[name].split())
    if isinstance(fields.get("category"), str):
        fields["category"] = fields["category"].lower()
    if isinstance(fields.get("ordered_at"), str):
        fields["ordered_at"] = datetime.fromisoformat(fields["ordered_at"]).astimezone(timezone.utc)
    if isinstance(fields.get("price"), (int, float)) and isinstance(fields.get("quantity"), (int, float)):
        fields["total"] = round(fields["price"] * fields["quantity"], 2)
    return fields


def instant(value):
    return datetime.fromisoformat(value).astimezone(timezone.utc)


def faults(fields):
    """Returns the rules that a record breaks, each with its field and what is wrong."""
    found = []
    for name in ("id", "event_time", "category"):
        if fields.get(name) in (None, ""):
            found.append((name, "required", "is missing"))
    if not ORDER_ID.match(fields.get("id") or ""):
        found.append(("id", "regex", "does not match"))
    if fields.get("category") not in CATEGORIES:
        found.append(("category", "allowed", "is not among the allowed values"))
    if not 5 <= fields.get("price", 5) < 500:
        found.append(("price", "range", f"{fields['price']} is not in the range"))
    if not 0 <= fields.get("rating", 0) <= 5:
        found.append(("rating", "range", f"{fields['rating']} is not in the range"))
    if not 20 <= len(fields.get("note") or " " * 20) <= 400:
        found.append(("note", "length", "has not 20 to 400 characters"))
    event_time = instant(fields["event_time"]) if fields.get("event_time") else None
    if event_time and not FIRST <= event_time < LAST:
        found.append(("event_time", "date", "is not in the range"))
    if event_time and fields.get("ordered_at") and fields["ordered_at"] > event_time:
        found.append(("ordered_at", "compare", "is after event_time"))
    return found, event_time


def row_of(document, fields, event_time, now):
    """Maps a record that passes to a row."""
    features = {name: value for name, value in fields.items() if name not in ("id", "event_time", "note")}
    features["ordered_at"] = features["ordered_at"].strftime("%Y-%m-%dT%H:%M:%SZ")
    note = fields.get("note")
    hashed = canonical([document["source_app"], document["data_type"], note, features, event_time.timestamp()])
    digest = hashlib.sha256(hashed.encode()).hexdigest()
    record_id = document["_id"]
    return (
        f"{COLLECTION}:{record_id}", document["source_app"], document["data_type"], note, compact(features),
        event_time, now, record_id, digest, 1,
    )


def reject_of(document, found, now):
    """Returns the row of a record that breaks rules."""
    record = dict(document, id=document["_id"])
    del record["_id"]
    for name in ("scraped_at", "ingested_at"):
        record[name] = record[name].isoformat()
    reasons = compact([{"field": field, "rule": rule, "message": message} for field, rule, message in found])
    return (
        COLLECTION, document["_id"], document["data_type"], document["source_app"], compact(record), reasons, now, now, 1,
    )


def judge(documents):
    """Returns rows, rejects and their reasons."""
    now = datetime.now(timezone.utc)
    rows, rejects, reasons = [], [], []
    for document in documents:
        fields = normalise(document["raw_content"])
        found, event_time = faults(fields)
        if not found:
            rows.append(row_of(document, fields, event_time, now))
            continue
        rejects.append(reject_of(document, found, now))
        reasons.extend((COLLECTION, document["_id"], place, rule, field) for place, (field, rule, _) in enumerate(found))
    return rows, rejects, reasons


def copy(cursor, table, columns, rows):
    if not rows:
        return
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copied:
        for row in rows:
            copied.write_row(row)


def commit(connection, position, batch):
    rows, rejects, reasons = batch
    n_read, n_written, n_quarantined = len(rows) + len(rejects), len(rows), len(rejects)
    with connection.transaction(), connection.cursor() as cursor:
        copy(cursor, "global_ml_data", ROW_COLUMNS, rows)
        copy(cursor, "quarantine", REJECT_COLUMNS, rejects)
        copy(cursor, "quarantine_reasons", "collection, raw_id, place, rule, field", reasons)
        cursor.execute(
            "INSERT INTO sync_checkpoints AS former (collection, token, n_read, n_written, n_unchanged, n_quarantined, updated_at) "
            "VALUES (%s, %s, %s, %s, 0, %s, now()) ON CONFLICT (collection) DO UPDATE SET token = excluded.token, "
            "n_read = former.n_read + excluded.n_read, n_written = former.n_written + excluded.n_written, "
            "n_quarantined = former.n_quarantined + excluded.n_quarantined, updated_at = excluded.updated_at",
            (COLLECTION, position, n_read, n_written, n_quarantined),
        )
    return n_read, n_quarantined


def documents_after(collection, position):
    """Yields batches of documents by id."""
    found = collection.find({"_id": {"$gt": position}}, sort=[("_id", 1)], batch_size=BATCH_SIZE)
    batch = []
    for document in found:
        batch.append(document)
        if len(batch) == BATCH_SIZE:
            yield batch
            batch = []
    if batch:
        yield batch


def main(mongodb_url, database, postgres_url, schema):
    collection = MongoClient(mongodb_url, tz_aware=True)[database][COLLECTION]
    with psycopg.connect(postgres_url, options=f"-c search_path={schema}", autocommit=True) as connection:
        former = connection.execute("SELECT token FROM sync_checkpoints WHERE collection = %s", (COLLECTION,)).fetchone()
        position = former[0] if former else ""
        n_read = n_quarantined = 0
        for batch in documents_after(collection, position):
            counts = commit(connection, batch[-1]["_id"], judge(batch))
            n_read, n_quarantined = n_read + counts[0], n_quarantined + counts[1]
    print(f"{n_read} records: {n_read - n_quarantined} written, {n_quarantined} quarantined")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
