WITH records AS (
  SELECT
    dstport,
    protocol,
    packets,
    bytes,
    try_cast(srcaddr AS ipaddress) AS srcaddr,
    try_cast(dstaddr AS ipaddress) AS dstaddr,
    nullif(action, '-') AS action
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  dstport,
  protocol,
  count(*) AS flows,
  sum(packets) AS packets,
  sum(bytes) AS bytes,
  count(DISTINCT srcaddr) AS distinct_srcaddr,
  count(DISTINCT dstaddr) AS distinct_dstaddr
FROM records
WHERE action = 'REJECT'
GROUP BY 1, 2
ORDER BY flows DESC NULLS LAST, dstport NULLS LAST, protocol NULLS LAST
LIMIT 10;
