WITH records AS (
  SELECT
    nullif(dstaddr, '-') AS dstaddr,
    dstport,
    packets,
    bytes,
    nullif(srcaddr, '-') AS srcaddr,
    nullif(action, '-') AS action
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  dstaddr,
  dstport,
  count(*) AS flows,
  sum(packets) AS packets,
  sum(bytes) AS bytes,
  count(DISTINCT srcaddr) AS distinct_srcaddr
FROM records
WHERE action = 'REJECT'
GROUP BY 1, 2
ORDER BY flows DESC NULLS LAST, dstaddr NULLS LAST, dstport NULLS LAST
LIMIT 10;
