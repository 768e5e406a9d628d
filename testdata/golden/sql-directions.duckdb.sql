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
  make_timestamp((start - start % 3600) * 1000000) AS time,
  flow_direction,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1, 2
ORDER BY time NULLS LAST, flow_direction NULLS LAST;
