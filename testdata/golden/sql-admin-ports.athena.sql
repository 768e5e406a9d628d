WITH records AS (
  SELECT
    try_cast(srcaddr AS ipaddress) AS srcaddr,
    dstport,
    bytes,
    packets
  FROM vpc.flow_logs
  WHERE log_status IN ('OK', '-') OR log_status IS NULL
)
SELECT
  cast(srcaddr AS varchar) AS srcaddr,
  dstport,
  sum(bytes) AS bytes,
  count(*) AS flows,
  sum(packets) AS packets
FROM records
WHERE dstport IN (22, 23, 2375, 2376, 3389, 5900, 5985, 5986, 6443, 10250)
GROUP BY 1, 2
ORDER BY bytes DESC NULLS LAST, srcaddr NULLS LAST, dstport NULLS LAST
LIMIT 10;
