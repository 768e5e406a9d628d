-- Flow logs in s3://my-bucket/prefix/date=${date}/hour=${hour}/account_id=${account_id}/region=${region}/, what flowlog parse --partition-by wrote.
-- Try it: SELECT * FROM vpc.flow_logs WHERE date = DATE '2026-05-14' LIMIT 10
-- Reports of a day: flowlog sql talkers --dialect duckdb --table "(SELECT * FROM vpc.flow_logs WHERE date = DATE '2026-05-14')"
CREATE OR REPLACE VIEW "vpc"."flow_logs" AS
SELECT * FROM read_parquet(
  's3://my-bucket/prefix/date=*/hour=*/account_id=*/region=*/*.parquet',
  hive_types = {date: DATE, hour: INTEGER, account_id: VARCHAR, region: VARCHAR},
  hive_partitioning = true,
  union_by_name = true
);
