WITH records AS (
  SELECT
    nullif(action, '-') AS action,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  action,
  count(*) AS flows,
  sum(bytes) AS bytes,
  sum(packets) AS packets
FROM records
GROUP BY 1
ORDER BY flows DESC NULLS LAST, action NULLS LAST
LIMIT 10;
