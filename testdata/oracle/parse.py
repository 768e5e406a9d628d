"""Reads each ddl-DIALECT-*.sql of a folder in its dialect, and fails where one is no statement that makes a table."""

import glob
import sys

import sqlglot

paths = sorted(glob.glob(sys.argv[1] + "/ddl-*.sql"))
for path in paths:
    dialect = path.split("/")[-1].split("-")[1]
    with open(path) as f:
        statements = sqlglot.parse(f.read(), dialect=dialect)
    # what sqlglot does not know it keeps as a Command, which says nothing
    kinds = [type(s).__name__ for s in statements if s is not None]
    if kinds != ["Create"]:
        sys.exit(f"{path}: {kinds}")
print(len(paths), "statements")
if not paths:
    sys.exit(1)
