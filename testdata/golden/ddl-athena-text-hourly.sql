-- Flow logs in s3://my-bucket/prefix/AWSLogs/${aws_account_id}/vpcflowlogs/${aws_region}/${day}/${hour}/, lines as AWS delivers them: fields between single spaces, a header first.
-- Every file has these columns in this order. Files of a flow log with another format need a table of their own.
-- Days before 2026-05-14 are not in the table.
-- Try it: SELECT * FROM vpc.flow_logs WHERE day = '2026/05/14' LIMIT 10
-- Reports of a day: flowlog sql talkers --dialect athena --table "(SELECT * FROM vpc.flow_logs WHERE day = '2026/05/14')"
CREATE EXTERNAL TABLE IF NOT EXISTS `vpc`.`flow_logs` (
  `version` int,
  `srcaddr` string,
  `dstaddr` string,
  `srcport` int,
  `bytes` bigint,
  `end` bigint,
  `log_status` string,
  `new_field` string
)
PARTITIONED BY (`aws_account_id` string, `aws_region` string, `day` string, `hour` int)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' NULL DEFINED AS '-'
STORED AS TEXTFILE
LOCATION 's3://my-bucket/prefix/AWSLogs/'
TBLPROPERTIES (
  'skip.header.line.count' = '1',
  'projection.enabled' = 'true',
  'projection.aws_account_id.type' = 'enum',
  'projection.aws_account_id.values' = '012345678901,123456789012',
  'projection.aws_region.type' = 'enum',
  'projection.aws_region.values' = 'eu-west-1,us-gov-west-1',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy/MM/dd',
  'projection.day.range' = '2026/05/14,NOW',
  'projection.hour.type' = 'integer',
  'projection.hour.range' = '0,23',
  'projection.hour.digits' = '2',
  'storage.location.template' = 's3://my-bucket/prefix/AWSLogs/${aws_account_id}/vpcflowlogs/${aws_region}/${day}/${hour}/'
);
