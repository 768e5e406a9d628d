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
  from_unixtime((start - start % 3600), 'UTC') AS time,
  protocol,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1, 2
ORDER BY time NULLS LAST, protocol NULLS LAST;
