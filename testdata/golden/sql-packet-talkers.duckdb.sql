WITH records AS (
  SELECT
    nullif(pkt_srcaddr, '-') AS pkt_srcaddr,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  pkt_srcaddr,
  sum(bytes) AS bytes,
  sum(packets) AS packets,
  count(*) AS flows
FROM records
GROUP BY 1
ORDER BY bytes DESC NULLS LAST, pkt_srcaddr NULLS LAST
LIMIT 10;
