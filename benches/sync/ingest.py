#!/usr/bin/env python3
"""Ingests JSON lines into MongoDB the way a careful Python script would: a yardstick of `cargo xtask bench sync`.

It does what `ml-app ingest` does with the same file: every line is parsed, its id and time are checked, its content is hashed
in canonical form, and the record is inserted by `insert_many`, unordered and 5,000 at a time; ids that are taken count as
unchanged. Collection, indexes, validator and write concern are those of the program. Lines that cannot be read are reported
with their numbers.

The last line says how much of the time was spent in `insert_many`, which is what no faster script could save.

Usage: ingest.py RECORDS.jsonl MONGODB_URL DATABASE
"""

import hashlib
import json
import sys
import time
from datetime import datetime, timezone

import bson
from pymongo import MongoClient, WriteConcern
from pymongo.errors import BulkWriteError

BATCH_SIZE = 5_000
DUPLICATE_KEY = 11000

canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def parse(line, now):
    """Returns the document; raises ValueError for a line that is no record."""
    content = json.loads(line)
    if not isinstance(content, dict):
        raise ValueError("not an object")
    record_id = content.get("id")
    if not isinstance(record_id, str) or not record_id:
        raise ValueError("no id")
    scraped_at = datetime.fromisoformat(content["event_time"]).astimezone(timezone.utc) if "event_time" in content else None
    return {
        "_id": f"bench:{record_id}",
        "source_app": "bench",
        "source": content.get("source"),
        "data_type": "tabular",
        "raw_content": content,
        "metadata": {"fields": {"event_time": "event_time"}},
        "scraped_at": scraped_at,
        "ingested_at": now,
        "content_hash": hashlib.sha256(canonical(content).encode()).hexdigest(),
    }


def batches(path):
    """Yields lists of documents, and reports lines that cannot be read."""
    now = datetime.now(timezone.utc)
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


def insert(collection, batch):
    """Inserts what is not there, and returns how many that are."""
    try:
        collection.insert_many(batch, ordered=False)
        return len(batch)
    except BulkWriteError as error:
        if any(fault["code"] != DUPLICATE_KEY for fault in error.details["writeErrors"]):
            raise
        return error.details["nInserted"]


def main(path, url, database):
    concern = WriteConcern(w="majority", j=True)
    collection = MongoClient(url)[database].get_collection("raw_records", write_concern=concern)
    n_records = n_inserted = 0
    seconds = 0.0
    for batch in batches(path):
        if n_records == 0:
            print(f"the first document takes {len(bson.encode(batch[0]))} bytes")
        start = time.perf_counter()
        n_inserted += insert(collection, batch)
        seconds += time.perf_counter() - start
        n_records += len(batch)
    print(f"{n_records} records: {n_inserted} inserted, {n_records - n_inserted} unchanged; {seconds:.2f} s in insert_many")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
