-- Flow logs in s3://my-bucket/prefix/AWSLogs/${aws_account_id}/vpcflowlogs/${aws_region}/${day}/${hour}/, lines as AWS delivers them: fields between single spaces, a header first.
-- Every file has these columns in this order. Files of a flow log with another format need a table of their own.
-- Try it: SELECT * FROM vpc.flow_logs LIMIT 10
-- Reports: flowlog sql talkers --dialect duckdb --table 'vpc.flow_logs'
CREATE OR REPLACE VIEW "vpc"."flow_logs" AS
SELECT * EXCLUDE (filename) FROM read_csv(
  's3://my-bucket/prefix/AWSLogs/*/vpcflowlogs/*/*/*/*/*/*.log*',
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
WHERE regexp_matches(filename, '/(012345678901|123456789012)/') AND regexp_matches(filename, '/(eu-west-1|us-gov-west-1)/');
