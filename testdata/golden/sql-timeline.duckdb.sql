WITH records AS (
  SELECT
    start,
    bytes,
    packets,
    nullif(action, '-') AS action
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  make_timestamp((start - start % 3600) * 1000000) AS time,
  count(*) AS flows,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  CASE WHEN count(*) FILTER (WHERE action IS NOT NULL) > 0 THEN count(*) FILTER (WHERE action = 'REJECT') END AS rejected
FROM records
GROUP BY 1
ORDER BY time NULLS LAST;
