-- Flow logs in s3://my-bucket/prefix/AWSLogs/${aws_account_id}/vpcflowlogs/${aws_region}/${day}/, lines as AWS delivers them: fields between single spaces, a header first.
-- Every file has these columns in this order. Files of a flow log with another format need a table of their own.
-- A query must name aws_account_id, as in WHERE aws_account_id = '…'; with a list of all in the table it need not.
-- A query must name aws_region, as in WHERE aws_region = '…'; with a list of all in the table it need not.
-- Days before 2026-05-14 are not in the table.
-- Try it: SELECT * FROM vpc.flow_logs WHERE aws_account_id = '…' AND aws_region = '…' AND day = '2026/05/14' LIMIT 10
-- Reports of a day: flowlog sql talkers --dialect athena --table "(SELECT * FROM vpc.flow_logs WHERE aws_account_id = '…' AND aws_region = '…' AND day = '2026/05/14')"
CREATE EXTERNAL TABLE IF NOT EXISTS `vpc`.`flow_logs` (
  `version` int,
  `account_id` string,
  `interface_id` string,
  `srcaddr` string,
  `dstaddr` string,
  `srcport` int,
  `dstport` int,
  `protocol` int,
  `packets` bigint,
  `bytes` bigint,
  `start` bigint,
  `end` bigint,
  `action` string,
  `log_status` string
)
PARTITIONED BY (`aws_account_id` string, `aws_region` string, `day` string)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' NULL DEFINED AS '-'
STORED AS TEXTFILE
LOCATION 's3://my-bucket/prefix/AWSLogs/'
TBLPROPERTIES (
  'skip.header.line.count' = '1',
  'projection.enabled' = 'true',
  'projection.aws_account_id.type' = 'injected',
  'projection.aws_region.type' = 'injected',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy/MM/dd',
  'projection.day.range' = '2026/05/14,NOW',
  'storage.location.template' = 's3://my-bucket/prefix/AWSLogs/${aws_account_id}/vpcflowlogs/${aws_region}/${day}/'
);
