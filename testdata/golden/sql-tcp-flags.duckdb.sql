WITH records AS (
  SELECT
    tcp_flags,
    packets,
    bytes,
    protocol
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  tcp_flags,
  count(*) AS flows,
  sum(packets) AS packets,
  sum(bytes) AS bytes
FROM records
WHERE protocol = 6
GROUP BY 1
ORDER BY flows DESC NULLS LAST, tcp_flags NULLS LAST
LIMIT 10;
