WITH records AS (
  SELECT
    nullif(type, '-') AS type,
    try_cast(srcaddr AS ipaddress) AS srcaddr,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
), computed AS (
  SELECT
    *,
    coalesce(type, CASE WHEN strpos(cast(srcaddr AS varchar), ':') > 0 THEN 'IPv6' WHEN srcaddr IS NOT NULL THEN 'IPv4' END) AS ip_version
  FROM records
)
SELECT
  ip_version,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM computed
GROUP BY 1
ORDER BY bytes DESC NULLS LAST, ip_version NULLS LAST
LIMIT 10;
