-- Flow logs in s3://my-bucket/prefix/, lines as AWS delivers them: fields between single spaces, a header first.
-- Every file has these columns in this order. Files of a flow log with another format need a table of their own.
-- The format has no log-status: the column log_status is null, which is a flow.
-- Try it: SELECT * FROM vpc.flow_logs LIMIT 10
-- Reports: flowlog sql talkers --dialect duckdb --table 'vpc.flow_logs'
CREATE OR REPLACE VIEW "vpc"."flow_logs" AS
SELECT *, CAST(NULL AS VARCHAR) AS log_status FROM read_csv(
  's3://my-bucket/prefix/**/*.log*',
  columns = {
    'srcaddr': 'VARCHAR',
    'dstaddr': 'VARCHAR',
    'bytes': 'BIGINT'
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
