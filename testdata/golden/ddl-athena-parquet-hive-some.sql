-- Flow logs in s3://my-bucket/prefix/AWSLogs/aws-account-id=${aws_account_id}/aws-service=vpcflowlogs/aws-region=${aws_region}/${day}/, Parquet as AWS delivers it.
-- Days before 2026-05-14 are not in the table.
-- Try it: SELECT * FROM vpc.flow_logs WHERE day = 'year=2026/month=05/day=14' LIMIT 10
-- Reports of a day: flowlog sql talkers --dialect athena --table "(SELECT * FROM vpc.flow_logs WHERE day = 'year=2026/month=05/day=14')"
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
  `log_status` string,
  `vpc_id` string,
  `subnet_id` string,
  `instance_id` string,
  `tcp_flags` int,
  `type` string,
  `pkt_srcaddr` string,
  `pkt_dstaddr` string
)
PARTITIONED BY (`aws_account_id` string, `aws_region` string, `day` string)
STORED AS PARQUET
LOCATION 's3://my-bucket/prefix/AWSLogs/'
TBLPROPERTIES (
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
