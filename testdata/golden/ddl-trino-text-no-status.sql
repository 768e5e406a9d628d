-- Flow logs in s3://my-bucket/prefix/, lines as AWS delivers them: fields between single spaces, a header first.
-- Every file has these columns in this order. Files of a flow log with another format need a table of their own.
-- The format has no log-status: the column log_status is null, which is a flow.
-- The catalog is one of the Hive connector, with hive.recursive-directories=true if there are folders.
-- Try it: SELECT * FROM vpc.flow_logs LIMIT 10
-- Reports: flowlog sql talkers --dialect trino --table 'vpc.flow_logs'
CREATE TABLE IF NOT EXISTS "vpc"."flow_logs" (
  "srcaddr" varchar,
  "dstaddr" varchar,
  "bytes" bigint,
  "log_status" varchar
)
WITH (
  external_location = 's3://my-bucket/prefix/',
  format = 'TEXTFILE',
  textfile_field_separator = ' ',
  null_format = '-',
  skip_header_line_count = 1
);
