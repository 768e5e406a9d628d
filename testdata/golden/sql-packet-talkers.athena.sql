WITH records AS (
  SELECT
    try_cast(pkt_srcaddr AS ipaddress) AS pkt_srcaddr,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  cast(pkt_srcaddr AS varchar) AS pkt_srcaddr,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1
ORDER BY bytes DESC NULLS LAST, pkt_srcaddr NULLS LAST
LIMIT 10;
