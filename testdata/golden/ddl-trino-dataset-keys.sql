-- Flow logs in s3://my-bucket/prefix/date=${date}/hour=${hour}/account_id=${account_id}/region=${region}/, what flowlog parse --partition-by wrote.
-- The catalog is one of the Hive connector.
-- Next, and whenever there are new folders: CALL system.sync_partition_metadata(schema_name => 'vpc', table_name => 'flow_logs', mode => 'FULL')
-- Try it: SELECT * FROM vpc.flow_logs WHERE date = DATE '2026-05-14' LIMIT 10
-- Reports of a day: flowlog sql talkers --dialect trino --table "(SELECT * FROM vpc.flow_logs WHERE date = DATE '2026-05-14')"
CREATE TABLE IF NOT EXISTS "vpc"."flow_logs" (
  "version" integer,
  "srcaddr" varchar,
  "dstaddr" varchar,
  "srcport" integer,
  "bytes" bigint,
  "end" bigint,
  "log_status" varchar,
  "new_field" varchar,
  "date" date,
  "hour" integer,
  "account_id" varchar,
  "region" varchar
)
WITH (
  external_location = 's3://my-bucket/prefix/',
  format = 'PARQUET',
  partitioned_by = ARRAY['date', 'hour', 'account_id', 'region']
);
