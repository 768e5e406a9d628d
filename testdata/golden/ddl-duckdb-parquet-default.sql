-- Flow logs in s3://my-bucket/prefix/AWSLogs/${aws_account_id}/vpcflowlogs/${aws_region}/${day}/, Parquet as AWS delivers it.
-- Try it: SELECT * FROM vpc.flow_logs LIMIT 10
-- Reports: flowlog sql talkers --dialect duckdb --table 'vpc.flow_logs'
CREATE OR REPLACE VIEW "vpc"."flow_logs" AS
SELECT * FROM read_parquet(
  's3://my-bucket/prefix/AWSLogs/*/vpcflowlogs/*/*/*/*/*.parquet',
  hive_partitioning = false
);
