#!/usr/bin/env python3
"""Exports the rows of a sync, copies them back in by a bare `COPY`, and compares two syncs: for `cargo xtask bench sync`.

The bare `COPY` is what the server can do at best with the same rows: they are finished, in its own text format in a file, and
go by one statement in one transaction into an empty table with the same indexes. Nothing is read, judged, looked up or noted.

Usage: rows.py export POSTGRES_URL SCHEMA FILE
       rows.py copy POSTGRES_URL SCHEMA FILE          prints the seconds
       rows.py compare POSTGRES_URL SCHEMA OTHER      fails unless both made the same rows and rejects
       rows.py checkpoint POSTGRES_URL                lets the server write everything to disk
"""

import sys
import time

import psycopg

TABLE = "global_ml_data"
BLOCK_BYTES = 1 << 20

# What is computed in binary fractions may be rounded otherwise in the last decimal.
DIFFERENCES = """
SELECT count(*) FROM {one}.global_ml_data AS a FULL JOIN {other}.global_ml_data AS b USING (id) WHERE a.id IS NULL OR b.id IS NULL
OR (a.source_app, a.data_type, a.processed_content, a.event_time, a.raw_id) <> (b.source_app, b.data_type, b.processed_content, b.event_time, b.raw_id)
OR a.features::jsonb - 'total' <> b.features::jsonb - 'total'
OR abs((a.features ->> 'total')::float8 - (b.features ->> 'total')::float8) > 0.0101
"""
REJECTED_OTHERWISE = """
SELECT count(*) FROM {one}.quarantine_reasons AS a FULL JOIN {other}.quarantine_reasons AS b
USING (collection, raw_id, place, rule, field) WHERE a.raw_id IS NULL OR b.raw_id IS NULL
"""


def connect(url, **settings):
    return psycopg.connect(url, autocommit=True, **settings)


def export(url, schema, path):
    with connect(url) as connection, open(path, "wb") as file:
        with connection.cursor().copy(f"COPY (SELECT * FROM {schema}.{TABLE} ORDER BY id) TO STDOUT") as rows:
            for block in rows:
                file.write(block)


def copy(url, schema, path):
    with connect(url) as connection, open(path, "rb") as file:
        start = time.perf_counter()
        with connection.cursor().copy(f"COPY {schema}.{TABLE} FROM STDIN") as rows:
            while block := file.read(BLOCK_BYTES):
                rows.write(block)
        print(f"{time.perf_counter() - start:.3f}")


def compare(url, one, other):
    with connect(url) as connection:
        for query in (DIFFERENCES, REJECTED_OTHERWISE):
            (n_differing,) = connection.execute(query.format(one=one, other=other)).fetchone()
            if n_differing:
                sys.exit(f"{n_differing} rows or reasons are not the same in {one} and {other}")
        (n_rows,) = connection.execute(f"SELECT count(*) FROM {one}.{TABLE}").fetchone()
        (n_rejects,) = connection.execute(f"SELECT count(*) FROM {one}.quarantine").fetchone()
        print(f"both made the same {n_rows} rows and {n_rejects} rejects")


def checkpoint(url):
    with connect(url) as connection:
        connection.execute("CHECKPOINT")


COMMANDS = {"export": (export, 3), "copy": (copy, 3), "compare": (compare, 3), "checkpoint": (checkpoint, 1)}

if __name__ == "__main__":
    command, n_arguments = COMMANDS.get(sys.argv[1] if len(sys.argv) > 1 else "", (None, 0))
    if command is None or len(sys.argv) != 2 + n_arguments:
        sys.exit(__doc__)
    command(*sys.argv[2:])
