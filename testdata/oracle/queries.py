"""Parses queries: a JSON array of a dialect and a query on each line of stdin. It fails at the first that is not one SELECT."""

import json
import sys

import sqlglot

n = 0
for line in sys.stdin:
    dialect, query = json.loads(line)
    try:
        statements = [type(s).__name__ for s in sqlglot.parse(query, dialect=dialect)]
    except sqlglot.errors.ParseError as e:
        sys.exit(f"{dialect}: {e}\n{query}")
    if statements != ["Select"]:
        sys.exit(f"{dialect}: {statements}\n{query}")
    n += 1
print(n, "queries")
