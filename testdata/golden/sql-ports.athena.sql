WITH records AS (
  SELECT
    dstport,
    protocol,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  dstport,
  protocol,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1, 2
ORDER BY bytes DESC NULLS LAST, dstport NULLS LAST, protocol NULLS LAST
LIMIT 10;
