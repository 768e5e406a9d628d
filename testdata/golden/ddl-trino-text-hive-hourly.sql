-- Flow logs in s3://my-bucket/prefix/AWSLogs/aws-account-id=${aws_account_id}/aws-service=vpcflowlogs/aws-region=${aws_region}/${hour}/, lines as AWS delivers them: fields between single spaces, a header first.
-- Every file has these columns in this order. Files of a flow log with another format need a table of their own.
-- Days before 2026-05-14 are not in the table.
-- The catalog is one of the Hive connector, with hive.partition-projection-enabled=true.
-- Try it: SELECT * FROM vpc.flow_logs WHERE hour BETWEEN 'year=2026/month=05/day=14/hour=00' AND 'year=2026/month=05/day=14/hour=23' LIMIT 10
-- Reports of a day: flowlog sql talkers --dialect trino --table "(SELECT * FROM vpc.flow_logs WHERE hour BETWEEN 'year=2026/month=05/day=14/hour=00' AND 'year=2026/month=05/day=14/hour=23')"
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
  "hour" varchar WITH (partition_projection_type = 'DATE', partition_projection_format = '''year=''yyyy/''month=''MM/''day=''dd/''hour=''HH', partition_projection_range = ARRAY['year=2026/month=05/day=14/hour=00', 'NOW'], partition_projection_interval = 1, partition_projection_interval_unit = 'HOURS')
)
WITH (
  external_location = 's3://my-bucket/prefix/AWSLogs/',
  format = 'TEXTFILE',
  textfile_field_separator = ' ',
  null_format = '-',
  skip_header_line_count = 1,
  partitioned_by = ARRAY['aws_account_id', 'aws_region', 'hour'],
  partition_projection_enabled = true,
  partition_projection_location_template = 's3://my-bucket/prefix/AWSLogs/aws-account-id=${aws_account_id}/aws-service=vpcflowlogs/aws-region=${aws_region}/${hour}/'
);
