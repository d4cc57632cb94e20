#!/usr/bin/env python3
"""Measures how long after its insert into MongoDB a record is a committed row in PostgreSQL: for `cargo xtask bench sync`.

While `ml-app sync --follow` runs, one process inserts records one by one at a steady rate, and another asks PostgreSQL over and
over for rows that it has not seen. A record's latency is from just before its insert was sent to when a query first returned its
row; the same from when the insert was acknowledged is printed too. Both processes read the same clock. The first seconds do not
count.

Usage: latency.py MONGODB_URL DATABASE POSTGRES_URL SCHEMA RATE SECONDS FIGURES.json
"""

import json
import multiprocessing
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import psycopg
from pymongo import MongoClient, WriteConcern

# So many inserts may be under way; one at a time would not keep the rate where an insert waits for a disk.
N_WRITERS = 16
WARM_UP_SECONDS = 3.0
LOOK_INTERVAL_SECONDS = 0.002
PATIENCE_SECONDS = 60.0
FIRST_NUMBER = 9_000_000_000


def document(number):
    now = datetime.now(timezone.utc)
    content = {
        "id": f"order-{number}", "event_time": "2025-01-01T00:00:00Z", "ordered_at": "2024-12-31T20:00:00Z", "source": "shop",
        "category": "sport", "price": 17.25, "quantity": 3, "rating": 4, "weight_kg": 0.25, "returned": False,
        "note": "customer order paid early sturdy box light label quick delivery fine item small green summer repair sealed",
    }
    return {
        "_id": f"bench:{content['id']}", "source_app": "bench", "source": "shop", "data_type": "tabular", "raw_content": content,
        "metadata": {"fields": {"event_time": "event_time"}}, "scraped_at": now, "ingested_at": now, "content_hash": f"{number:064x}",
    }


def write(url, database, rate, n_records, report):
    """Inserts records at a steady rate, and reports when each insert began and was acknowledged."""
    concern = WriteConcern(w="majority", j=True)
    collection = MongoClient(url)[database].get_collection("raw_records", write_concern=concern)
    times = [None] * n_records

    def insert(index, due):
        while (left := due - time.time()) > 0:
            time.sleep(left)
        record = document(FIRST_NUMBER + index)
        began = time.time()
        collection.insert_one(record)
        times[index] = (began, time.time())

    start = time.time() + 0.5
    with ThreadPoolExecutor(N_WRITERS) as writers:
        for inserted in [writers.submit(insert, index, start + index / rate) for index in range(n_records)]:
            inserted.result()
    report.put(times)


def watch(url, schema, n_records):
    """Returns when each row was first seen."""
    seen = [None] * n_records
    n_missing, first_missing = n_records, 0
    query = f"SELECT raw_id FROM {schema}.global_ml_data WHERE id >= %s AND id < 'raw_records:bench:order-~' ORDER BY id"
    quiet_since = time.time()
    with psycopg.connect(url, autocommit=True) as connection:
        while n_missing:
            rows = connection.execute(query, (f"raw_records:bench:order-{FIRST_NUMBER + first_missing}",), prepare=True).fetchall()
            now = time.time()
            for (raw_id,) in rows:
                index = int(raw_id.removeprefix("bench:order-")) - FIRST_NUMBER
                if seen[index] is None:
                    seen[index], quiet_since = now, now
                    n_missing -= 1
            while first_missing < n_records and seen[first_missing] is not None:
                first_missing += 1
            if now - quiet_since > PATIENCE_SECONDS:
                sys.exit(f"{n_missing} rows did not come within {PATIENCE_SECONDS:.0f} s: does the sync run?")
            time.sleep(LOOK_INTERVAL_SECONDS)
    return seen


def quantile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def main(mongodb_url, database, postgres_url, schema, rate, seconds, path):
    n_warm_up = int(WARM_UP_SECONDS * float(rate))
    n_records = n_warm_up + int(float(seconds) * float(rate))
    report = multiprocessing.Queue()
    writer = multiprocessing.Process(target=write, args=(mongodb_url, database, float(rate), n_records, report), daemon=True)
    writer.start()
    seen = watch(postgres_url, schema, n_records)
    times = report.get(timeout=PATIENCE_SECONDS)
    counted = range(n_warm_up, n_records)
    figures = {"rate": (len(counted) - 1) / (times[-1][0] - times[n_warm_up][0]), "n_records": len(counted)}
    for name, which in (("from_insert", 0), ("from_acknowledgement", 1)):
        latencies = sorted(1000 * (seen[index] - times[index][which]) for index in counted)
        shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
        figures[name] = {key: quantile(latencies, share) for key, share in shares.items()}
    with open(path, "w") as file:
        json.dump(figures, file)


if __name__ == "__main__":
    if len(sys.argv) != 8:
        sys.exit(__doc__)
    main(*sys.argv[1:])
