WITH records AS (
  SELECT
    start,
    protocol,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  start % 86400 / 3600 AS hour,
  protocol,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1, 2
ORDER BY hour NULLS LAST, protocol NULLS LAST;
