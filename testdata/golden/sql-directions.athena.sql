WITH records AS (
  SELECT
    start,
    nullif(flow_direction, '-') AS flow_direction,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  from_unixtime((start - start % 3600), 'UTC') AS time,
  flow_direction,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1, 2
ORDER BY time NULLS LAST, flow_direction NULLS LAST;
