WITH records AS (
  SELECT
    nullif(pkt_srcaddr, '-') AS pkt_srcaddr,
    nullif(pkt_dstaddr, '-') AS pkt_dstaddr,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  pkt_srcaddr,
  pkt_dstaddr,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1, 2
ORDER BY bytes DESC NULLS LAST, pkt_srcaddr NULLS LAST, pkt_dstaddr NULLS LAST
LIMIT 10;
