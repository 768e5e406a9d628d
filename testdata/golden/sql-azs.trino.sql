WITH records AS (
  SELECT
    start,
    nullif(az_id, '-') AS az_id,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  from_unixtime((start - start % 3600), 'UTC') AS time,
  az_id,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1, 2
ORDER BY time NULLS LAST, az_id NULLS LAST;
