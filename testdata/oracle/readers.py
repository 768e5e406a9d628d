"""Reads a dataset with each reader that there is, in each way that people write, and prints what it found.

A line a way: name, rows, sum of bytes, accounts; or name and the error. With a second argument only those ways that can
read files with different columns."""
import sys

lake = sys.argv[1]


def polars(path, **options):
    import polars as pl
    t = pl.scan_parquet(path, **options).select("bytes", "date", "account_id").collect()
    return t.height, t["bytes"].sum(), sorted(int(a) for a in t["account_id"].unique().drop_nulls())


def duckdb(path, union=False):
    import duckdb as db
    rows = db.sql(f"SELECT bytes, date, account_id FROM read_parquet('{path}', hive_partitioning = true, union_by_name = {union})").fetchall()
    return len(rows), sum(r[0] or 0 for r in rows), sorted({int(r[2]) for r in rows if r[2] is not None})


def pyarrow(path):
    import pyarrow.dataset as ds
    t = ds.dataset(path, partitioning="hive").to_table(["bytes", "date", "account_id"])
    return t.num_rows, sum(b or 0 for b in t["bytes"].to_pylist()), sorted({int(a) for a in t["account_id"].to_pylist() if a})


ways = [(polars, f"{lake}{end}", {}) for end in ("", "/")]
ways += [(polars, f"{lake}{end}", {"hive_partitioning": True}) for end in ("/**/*.parquet", "/**/*", "/**/part-*")]
ways += [(duckdb, f"{lake}{end}", {}) for end in ("", "/**", "/**/*", "/**/*.parquet", "/*/*/*", "/**/part-*.parquet")]
ways += [(pyarrow, lake, {})]
if len(sys.argv) > 2:
    ways = [(polars, lake, {"missing_columns": "insert", "extra_columns": "ignore"}), (duckdb, lake + "/**", {"union": True}), (pyarrow, lake, {})]
for read, path, options in ways:
    name = f"{read.__name__} {path[len(lake):] or 'dir'}"
    try:
        __import__(read.__name__)
    except ImportError:
        continue
    try:
        rows, total, accounts = read(path, **options)
        print(name, rows, total, *accounts, sep="\t")
    except Exception as e:  # whatever a reader trips over
        print(name, "error", str(e).splitlines()[0][:200], sep="\t")
