-- Flow logs in s3://my-bucket/prefix/date=${date}/hour=${hour}/account_id=${account_id}/region=${region}/, what flowlog parse --partition-by wrote.
-- Days before 2026-05-14 are not in the table.
-- The catalog is one of the Hive connector, with hive.partition-projection-enabled=true.
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
  "date" date WITH (partition_projection_type = 'DATE', partition_projection_format = 'yyyy-MM-dd', partition_projection_range = ARRAY['2026-05-14', 'NOW']),
  "hour" integer WITH (partition_projection_type = 'INTEGER', partition_projection_range = ARRAY['0', '23'], partition_projection_digits = 2),
  "account_id" varchar WITH (partition_projection_type = 'ENUM', partition_projection_values = ARRAY['012345678901', '123456789012']),
  "region" varchar WITH (partition_projection_type = 'ENUM', partition_projection_values = ARRAY['eu-west-1', 'us-gov-west-1'])
)
WITH (
  external_location = 's3://my-bucket/prefix/',
  format = 'PARQUET',
  partitioned_by = ARRAY['date', 'hour', 'account_id', 'region'],
  partition_projection_enabled = true,
  partition_projection_location_template = 's3://my-bucket/prefix/date=${date}/hour=${hour}/account_id=${account_id}/region=${region}/'
);
