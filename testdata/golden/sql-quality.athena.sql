WITH records AS (
  SELECT
    nullif(log_status, '-') AS log_status,
    nullif(interface_id, '-') AS interface_id,
    start,
    "end"
  FROM vpc.flow_logs
), timed AS (
  SELECT
    *,
    CASE WHEN start IS NOT NULL AND "end" IS NOT NULL THEN greatest(start - coalesce(max(CASE WHEN start IS NOT NULL AND "end" IS NOT NULL THEN greatest(start, "end") END) OVER (PARTITION BY interface_id ORDER BY start NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), start), 0) END AS longest_gap_each
  FROM records
)
SELECT
  interface_id,
  count(*) FILTER (WHERE log_status = 'OK' OR log_status IS NULL) AS flows,
  count(*) FILTER (WHERE log_status = 'NODATA') AS nodata,
  count(*) FILTER (WHERE log_status = 'SKIPDATA') AS skipdata,
  from_unixtime(min(start), 'UTC') AS first_record,
  from_unixtime(max("end"), 'UTC') AS last_record,
  max(longest_gap_each) AS longest_gap
FROM timed
GROUP BY 1
ORDER BY longest_gap DESC NULLS LAST, interface_id NULLS LAST
LIMIT 10;
