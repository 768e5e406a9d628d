WITH records AS (
  SELECT
    nullif(srcaddr, '-') AS srcaddr,
    nullif(dstaddr, '-') AS dstaddr,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  srcaddr,
  dstaddr,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1, 2
ORDER BY bytes DESC NULLS LAST, srcaddr NULLS LAST, dstaddr NULLS LAST
LIMIT 10;
