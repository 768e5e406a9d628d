-- Flow logs in s3://my-bucket/prefix/, lines as AWS delivers them: fields between single spaces, a header first.
-- Every file has these columns in this order. Files of a flow log with another format need a table of their own.
-- Try it: SELECT * FROM vpc.flow_logs LIMIT 10
-- Reports: flowlog sql talkers --dialect duckdb --table 'vpc.flow_logs'
CREATE OR REPLACE VIEW "vpc"."flow_logs" AS
SELECT * FROM read_csv(
  's3://my-bucket/prefix/**/*.log*',
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
  hive_partitioning = false
);
