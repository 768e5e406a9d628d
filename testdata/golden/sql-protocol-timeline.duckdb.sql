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
  make_timestamp((start - start % 3600) * 1000000) AS time,
  protocol,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1, 2
ORDER BY time NULLS LAST, protocol NULLS LAST;
