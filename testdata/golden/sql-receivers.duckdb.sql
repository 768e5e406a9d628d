WITH records AS (
  SELECT
    nullif(dstaddr, '-') AS dstaddr,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  dstaddr,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1
ORDER BY bytes DESC NULLS LAST, dstaddr NULLS LAST
LIMIT 10;
