WITH records AS (
  SELECT
    nullif(instance_id, '-') AS instance_id,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  instance_id,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1
ORDER BY bytes DESC NULLS LAST, instance_id NULLS LAST
LIMIT 10;
