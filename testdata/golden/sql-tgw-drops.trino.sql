WITH records AS (
  SELECT
    nullif(tgw_attachment_id, '-') AS tgw_attachment_id,
    packets_lost_no_route,
    packets_lost_blackhole,
    packets_lost_mtu_exceeded,
    packets_lost_ttl_expired,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
), computed AS (
  SELECT
    *,
    CASE WHEN coalesce(packets_lost_no_route, packets_lost_blackhole, packets_lost_mtu_exceeded, packets_lost_ttl_expired) IS NOT NULL THEN coalesce(packets_lost_no_route, 0) + coalesce(packets_lost_blackhole, 0) + coalesce(packets_lost_mtu_exceeded, 0) + coalesce(packets_lost_ttl_expired, 0) END AS packets_lost
  FROM records
)
SELECT
  tgw_attachment_id,
  sum(packets_lost) AS lost,
  sum(packets_lost_no_route) AS lost_no_route,
  sum(packets_lost_blackhole) AS lost_blackhole,
  sum(packets_lost_mtu_exceeded) AS lost_mtu_exceeded,
  sum(packets_lost_ttl_expired) AS lost_ttl_expired,
  sum(packets) AS packets,
  count(*) AS flows
FROM computed
GROUP BY 1
ORDER BY lost DESC NULLS LAST, tgw_attachment_id NULLS LAST
LIMIT 10;
