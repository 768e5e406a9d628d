WITH records AS (
  SELECT
    start,
    nullif(pkt_dst_aws_service, '-') AS pkt_dst_aws_service,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  from_unixtime((start - start % 3600), 'UTC') AS time,
  pkt_dst_aws_service,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1, 2
ORDER BY time NULLS LAST, pkt_dst_aws_service NULLS LAST;
