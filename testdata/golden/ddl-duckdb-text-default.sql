-- Flow logs in s3://my-bucket/prefix/AWSLogs/${aws_account_id}/vpcflowlogs/${aws_region}/${day}/, lines as AWS delivers them: fields between single spaces, a header first.
-- Every file has these columns in this order. Files of a flow log with another format need a table of their own.
-- Try it: SELECT * FROM vpc.flow_logs LIMIT 10
-- Reports: flowlog sql talkers --dialect duckdb --table 'vpc.flow_logs'
CREATE OR REPLACE VIEW "vpc"."flow_logs" AS
SELECT * FROM read_csv(
  's3://my-bucket/prefix/AWSLogs/*/vpcflowlogs/*/*/*/*/*.log*',
  columns = {
    'version': 'INTEGER',
    'account_id': 'VARCHAR',
    'interface_id': 'VARCHAR',
    'srcaddr': 'VARCHAR',
    'dstaddr': 'VARCHAR',
    'srcport': 'INTEGER',
    'dstport': 'INTEGER',
    'protocol': 'INTEGER',
    'packets': 'BIGINT',
    'bytes': 'BIGINT',
    'start': 'BIGINT',
    'end': 'BIGINT',
    'action': 'VARCHAR',
    'log_status': 'VARCHAR'
  },
  auto_detect = false,
  header = true,
  delim = ' ',
  quote = '',
  escape = '',
  nullstr = '-',
  ignore_errors = true,
  hive_partitioning = false
);
