WITH records AS (
  SELECT
    nullif(srcaddr, '-') AS srcaddr,
    packets,
    bytes,
    nullif(dstaddr, '-') AS dstaddr,
    dstport,
    nullif(action, '-') AS action
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  srcaddr,
  count(*) AS flows,
  sum(packets) AS packets,
  sum(bytes) AS bytes,
  count(DISTINCT dstaddr) AS distinct_dstaddr,
  count(DISTINCT dstport) AS distinct_dstport
FROM records
WHERE action = 'REJECT'
GROUP BY 1
ORDER BY flows DESC NULLS LAST, srcaddr NULLS LAST
LIMIT 10;
