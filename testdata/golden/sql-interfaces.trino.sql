WITH records AS (
  SELECT
    nullif(interface_id, '-') AS interface_id,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  interface_id,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1
ORDER BY bytes DESC NULLS LAST, interface_id NULLS LAST
LIMIT 10;
