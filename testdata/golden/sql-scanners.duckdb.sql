WITH records AS (
  SELECT
    nullif(srcaddr, '-') AS srcaddr,
    nullif(dstaddr, '-') AS dstaddr,
    dstport,
    nullif(action, '-') AS action,
    tcp_flags,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  srcaddr,
  count(DISTINCT CASE WHEN dstaddr IS NOT NULL AND dstport IS NOT NULL THEN row(dstaddr, dstport) END) AS targets,
  count(DISTINCT dstaddr) AS distinct_dstaddr,
  count(DISTINCT dstport) AS distinct_dstport,
  count(*) AS flows
FROM records
WHERE action = 'REJECT' OR tcp_flags = 2 AND packets <= 3
GROUP BY 1
ORDER BY targets DESC NULLS LAST, srcaddr NULLS LAST
LIMIT 10;
