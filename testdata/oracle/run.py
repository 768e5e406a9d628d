"""Runs SQL in DuckDB: a JSON text on each line of stdin is a query, a JSON object on a line of stdout its answer."""

import datetime
import json
import sys

import duckdb


def plain(v):
    if isinstance(v, datetime.datetime):  # without a zone: it is UTC
        return v.strftime("%Y-%m-%dT%H:%M:%SZ")
    return v


db = duckdb.connect(config={"threads": 2, "autoinstall_known_extensions": False})
for line in sys.stdin:
    try:
        result = db.execute(json.loads(line))
        answer = {
            "columns": [c[0] for c in result.description],
            "rows": [[plain(v) for v in row] for row in result.fetchall()],
        }
    except Exception as e:
        answer = {"error": str(e)}
    print(json.dumps(answer), flush=True)
