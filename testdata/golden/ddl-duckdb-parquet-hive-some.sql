-- Flow logs in s3://my-bucket/prefix/AWSLogs/aws-account-id=${aws_account_id}/aws-service=vpcflowlogs/aws-region=${aws_region}/${day}/, Parquet as AWS delivers it.
-- Try it: SELECT * FROM vpc.flow_logs LIMIT 10
-- Reports: flowlog sql talkers --dialect duckdb --table 'vpc.flow_logs'
CREATE OR REPLACE VIEW "vpc"."flow_logs" AS
SELECT * EXCLUDE (filename) FROM read_parquet(
  's3://my-bucket/prefix/AWSLogs/aws-account-id=*/aws-service=vpcflowlogs/aws-region=*/year=*/month=*/day=*/*.parquet',
  hive_partitioning = false,
  filename = true
)
WHERE regexp_matches(filename, '/aws-account-id=(012345678901|123456789012)/') AND regexp_matches(filename, '/aws-region=(eu-west-1|us-gov-west-1)/');
