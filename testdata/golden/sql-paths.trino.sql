WITH records AS (
  SELECT
    nullif(traffic_path, 0) AS traffic_path,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  traffic_path,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1
ORDER BY bytes DESC NULLS LAST, traffic_path NULLS LAST
LIMIT 10;
