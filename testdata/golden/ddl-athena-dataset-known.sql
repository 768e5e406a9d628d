-- Flow logs in s3://my-bucket/prefix/date=${date}/hour=${hour}/account_id=${account_id}/region=${region}/, what flowlog parse --partition-by wrote.
-- Days before 2026-05-14 are not in the table.
-- Try it: SELECT * FROM vpc.flow_logs WHERE date = DATE '2026-05-14' LIMIT 10
-- Reports of a day: flowlog sql talkers --dialect athena --table "(SELECT * FROM vpc.flow_logs WHERE date = DATE '2026-05-14')"
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
PARTITIONED BY (`date` date, `hour` int, `account_id` string, `region` string)
STORED AS PARQUET
LOCATION 's3://my-bucket/prefix/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.date.type' = 'date',
  'projection.date.format' = 'yyyy-MM-dd',
  'projection.date.range' = '2026-05-14,NOW',
  'projection.hour.type' = 'integer',
  'projection.hour.range' = '0,23',
  'projection.hour.digits' = '2',
  'projection.account_id.type' = 'enum',
  'projection.account_id.values' = '012345678901,123456789012',
  'projection.region.type' = 'enum',
  'projection.region.values' = 'eu-west-1,us-gov-west-1',
  'storage.location.template' = 's3://my-bucket/prefix/date=${date}/hour=${hour}/account_id=${account_id}/region=${region}/'
);
