-- Flow logs in s3://my-bucket/prefix/AWSLogs/aws-account-id=${aws_account_id}/aws-service=vpcflowlogs/aws-region=${aws_region}/${day}/, lines as AWS delivers them: fields between single spaces, a header first.
-- Every file has these columns in this order. Files of a flow log with another format need a table of their own.
-- Days before 2026-05-14 are not in the table.
-- The catalog is one of the Hive connector, with hive.partition-projection-enabled=true.
-- Try it: SELECT * FROM vpc.flow_logs WHERE day = 'year=2026/month=05/day=14' LIMIT 10
-- Reports of a day: flowlog sql talkers --dialect trino --table "(SELECT * FROM vpc.flow_logs WHERE day = 'year=2026/month=05/day=14')"
CREATE TABLE IF NOT EXISTS "vpc"."flow_logs" (
  "version" integer,
  "srcaddr" varchar,
  "dstaddr" varchar,
  "srcport" integer,
  "bytes" bigint,
  "end" bigint,
  "log_status" varchar,
  "new_field" varchar,
  "aws_account_id" varchar WITH (partition_projection_type = 'ENUM', partition_projection_values = ARRAY['012345678901', '123456789012']),
  "aws_region" varchar WITH (partition_projection_type = 'ENUM', partition_projection_values = ARRAY['eu-west-1', 'us-gov-west-1']),
  "day" varchar WITH (partition_projection_type = 'DATE', partition_projection_format = '''year=''yyyy/''month=''MM/''day=''dd', partition_projection_range = ARRAY['year=2026/month=05/day=14', 'NOW'])
)
WITH (
  external_location = 's3://my-bucket/prefix/AWSLogs/',
  format = 'TEXTFILE',
  textfile_field_separator = ' ',
  null_format = '-',
  skip_header_line_count = 1,
  partitioned_by = ARRAY['aws_account_id', 'aws_region', 'day'],
  partition_projection_enabled = true,
  partition_projection_location_template = 's3://my-bucket/prefix/AWSLogs/aws-account-id=${aws_account_id}/aws-service=vpcflowlogs/aws-region=${aws_region}/${day}/'
);
