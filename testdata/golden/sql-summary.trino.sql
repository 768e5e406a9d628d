-- malformed is null: what an engine cannot read, it does not count
WITH records AS (
  SELECT
    nullif(log_status, '-') AS log_status,
    bytes,
    packets,
    start,
    "end",
    nullif(action, '-') AS action,
    try_cast(srcaddr AS ipaddress) AS srcaddr,
    try_cast(dstaddr AS ipaddress) AS dstaddr,
    nullif(interface_id, '-') AS interface_id
  FROM vpc.flow_logs
)
SELECT
  count(*) FILTER (WHERE log_status = 'OK' OR log_status IS NULL) AS flows,
  sum(bytes) FILTER (WHERE log_status = 'OK' OR log_status IS NULL) AS bytes,
  sum(packets) FILTER (WHERE log_status = 'OK' OR log_status IS NULL) AS packets,
  from_unixtime(min(start) FILTER (WHERE log_status = 'OK' OR log_status IS NULL), 'UTC') AS first,
  from_unixtime(max("end") FILTER (WHERE log_status = 'OK' OR log_status IS NULL), 'UTC') AS last,
  CASE WHEN count(*) FILTER (WHERE (log_status = 'OK' OR log_status IS NULL) AND action IS NOT NULL) > 0 THEN count(*) FILTER (WHERE (log_status = 'OK' OR log_status IS NULL) AND action = 'ACCEPT') END AS accepted,
  CASE WHEN count(*) FILTER (WHERE (log_status = 'OK' OR log_status IS NULL) AND action IS NOT NULL) > 0 THEN count(*) FILTER (WHERE (log_status = 'OK' OR log_status IS NULL) AND action = 'REJECT') END AS rejected,
  count(*) FILTER (WHERE log_status = 'NODATA') AS nodata,
  count(*) FILTER (WHERE log_status = 'SKIPDATA') AS skipdata,
  cast(NULL AS bigint) AS malformed,
  count(DISTINCT srcaddr) FILTER (WHERE log_status = 'OK' OR log_status IS NULL) AS distinct_srcaddr,
  count(DISTINCT dstaddr) FILTER (WHERE log_status = 'OK' OR log_status IS NULL) AS distinct_dstaddr,
  count(DISTINCT interface_id) FILTER (WHERE log_status = 'OK' OR log_status IS NULL) AS distinct_interface_id
FROM records;
