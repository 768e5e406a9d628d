WITH records AS (
  SELECT
    try_cast(srcaddr AS ipaddress) AS srcaddr,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  cast(srcaddr AS varchar) AS srcaddr,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1
ORDER BY bytes DESC NULLS LAST, srcaddr NULLS LAST
LIMIT 10;
