-- Flow logs in s3://my-bucket/prefix/date=${date}/hour=${hour}/account_id=${account_id}/region=${region}/, what flowlog parse --partition-by wrote.
-- Next, and whenever there are new folders: MSCK REPAIR TABLE `vpc`.`flow_logs`
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
LOCATION 's3://my-bucket/prefix/';
