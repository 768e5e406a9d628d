-- Flow logs in s3://my-bucket/prefix/AWSLogs/aws-account-id=${aws_account_id}/aws-service=vpcflowlogs/aws-region=${aws_region}/year=${year}/month=${month}/day=${day}/, Parquet as AWS delivers it.
-- Years other than 2026 to 2036 are not in the table.
-- The catalog is one of the Hive connector, with hive.partition-projection-enabled=true.
-- Try it: SELECT * FROM vpc.flow_logs WHERE year = 2026 AND month = 5 AND day = 14 LIMIT 10
-- Reports of a day: flowlog sql talkers --dialect trino --table "(SELECT * FROM vpc.flow_logs WHERE year = 2026 AND month = 5 AND day = 14)"
CREATE TABLE IF NOT EXISTS "vpc"."flow_logs" (
  "version" integer,
  "account_id" varchar,
  "interface_id" varchar,
  "srcaddr" varchar,
  "dstaddr" varchar,
  "srcport" integer,
  "dstport" integer,
  "protocol" integer,
  "packets" bigint,
  "bytes" bigint,
  "start" bigint,
  "end" bigint,
  "action" varchar,
  "log_status" varchar,
  "vpc_id" varchar,
  "subnet_id" varchar,
  "instance_id" varchar,
  "tcp_flags" integer,
  "type" varchar,
  "pkt_srcaddr" varchar,
  "pkt_dstaddr" varchar,
  "aws_account_id" varchar WITH (partition_projection_type = 'ENUM', partition_projection_values = ARRAY['012345678901', '123456789012']),
  "aws_region" varchar WITH (partition_projection_type = 'ENUM', partition_projection_values = ARRAY['eu-west-1', 'us-gov-west-1']),
  "year" integer WITH (partition_projection_type = 'INTEGER', partition_projection_range = ARRAY['2026', '2036']),
  "month" integer WITH (partition_projection_type = 'INTEGER', partition_projection_range = ARRAY['1', '12'], partition_projection_digits = 2),
  "day" integer WITH (partition_projection_type = 'INTEGER', partition_projection_range = ARRAY['1', '31'], partition_projection_digits = 2)
)
WITH (
  external_location = 's3://my-bucket/prefix/AWSLogs/',
  format = 'PARQUET',
  partitioned_by = ARRAY['aws_account_id', 'aws_region', 'year', 'month', 'day'],
  partition_projection_enabled = true,
  partition_projection_location_template = 's3://my-bucket/prefix/AWSLogs/aws-account-id=${aws_account_id}/aws-service=vpcflowlogs/aws-region=${aws_region}/year=${year}/month=${month}/day=${day}/'
);
