-- Flow logs in s3://my-bucket/prefix/, lines as AWS delivers them: fields between single spaces, a header first.
-- Every file has these columns in this order. Files of a flow log with another format need a table of their own.
-- The format has no log-status: the column log_status is null, which is a flow.
-- Try it: SELECT * FROM vpc.flow_logs LIMIT 10
-- Reports: flowlog sql talkers --dialect athena --table 'vpc.flow_logs'
CREATE EXTERNAL TABLE IF NOT EXISTS `vpc`.`flow_logs` (
  `srcaddr` string,
  `dstaddr` string,
  `bytes` bigint,
  `log_status` string
)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' NULL DEFINED AS '-'
STORED AS TEXTFILE
LOCATION 's3://my-bucket/prefix/'
TBLPROPERTIES (
  'skip.header.line.count' = '1'
);
