-- Flow logs in s3://my-bucket/prefix/AWSLogs/aws-account-id=${aws_account_id}/aws-service=vpcflowlogs/aws-region=${aws_region}/${day}/, lines as AWS delivers them: fields between single spaces, a header first.
-- Every file has these columns in this order. Files of a flow log with another format need a table of their own.
-- Days before 2026-05-14 are not in the table.
-- Try it: SELECT * FROM vpc.flow_logs WHERE day = 'year=2026/month=05/day=14' LIMIT 10
-- Reports of a day: flowlog sql talkers --dialect athena --table "(SELECT * FROM vpc.flow_logs WHERE day = 'year=2026/month=05/day=14')"
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
PARTITIONED BY (`aws_account_id` string, `aws_region` string, `day` string)
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
  'projection.day.format' = "'year='yyyy/'month='MM/'day='dd",
  'projection.day.range' = 'year=2026/month=05/day=14,NOW',
  'storage.location.template' = 's3://my-bucket/prefix/AWSLogs/aws-account-id=${aws_account_id}/aws-service=vpcflowlogs/aws-region=${aws_region}/${day}/'
);
