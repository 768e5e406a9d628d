-- Flow logs in s3://my-bucket/prefix/AWSLogs/aws-account-id=${aws_account_id}/aws-service=vpcflowlogs/aws-region=${aws_region}/${day}/, lines as AWS delivers them: fields between single spaces, a header first.
-- Every file has these columns in this order. Files of a flow log with another format need a table of their own.
-- Try it: SELECT * FROM vpc.flow_logs LIMIT 10
-- Reports: flowlog sql talkers --dialect duckdb --table 'vpc.flow_logs'
CREATE OR REPLACE VIEW "vpc"."flow_logs" AS
SELECT * EXCLUDE (filename) FROM read_csv(
  's3://my-bucket/prefix/AWSLogs/aws-account-id=*/aws-service=vpcflowlogs/aws-region=*/year=*/month=*/day=*/*.log*',
  columns = {
    'version': 'INTEGER',
    'srcaddr': 'VARCHAR',
    'dstaddr': 'VARCHAR',
    'srcport': 'INTEGER',
    'bytes': 'BIGINT',
    'end': 'BIGINT',
    'log_status': 'VARCHAR',
    'new_field': 'VARCHAR'
  },
  auto_detect = false,
  header = true,
  delim = ' ',
  quote = '',
  escape = '',
  nullstr = '-',
  ignore_errors = true,
  hive_partitioning = false,
  filename = true
)
WHERE regexp_matches(filename, '/aws-account-id=(012345678901|123456789012)/') AND regexp_matches(filename, '/aws-region=(eu-west-1|us-gov-west-1)/');
