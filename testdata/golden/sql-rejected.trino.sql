WITH records AS (
  SELECT
    try_cast(srcaddr AS ipaddress) AS srcaddr,
    packets,
    bytes,
    try_cast(dstaddr AS ipaddress) AS dstaddr,
    dstport,
    nullif(action, '-') AS action
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  cast(srcaddr AS varchar) AS srcaddr,
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
