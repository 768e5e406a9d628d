-- Flow logs in s3://my-bucket/prefix/, lines as AWS delivers them: fields between single spaces, a header first.
-- Every file has these columns in this order. Files of a flow log with another format need a table of their own.
-- The catalog is one of the Hive connector, with hive.recursive-directories=true if there are folders.
-- Try it: SELECT * FROM vpc.flow_logs LIMIT 10
-- Reports: flowlog sql talkers --dialect trino --table 'vpc.flow_logs'
CREATE TABLE IF NOT EXISTS "vpc"."flow_logs" (
  "version" integer,
  "resource_type" varchar,
  "account_id" varchar,
  "tgw_id" varchar,
  "tgw_attachment_id" varchar,
  "tgw_src_vpc_account_id" varchar,
  "tgw_dst_vpc_account_id" varchar,
  "tgw_src_vpc_id" varchar,
  "tgw_dst_vpc_id" varchar,
  "tgw_src_subnet_id" varchar,
  "tgw_dst_subnet_id" varchar,
  "tgw_src_eni" varchar,
  "tgw_dst_eni" varchar,
  "tgw_src_az_id" varchar,
  "tgw_dst_az_id" varchar,
  "tgw_pair_attachment_id" varchar,
  "srcaddr" varchar,
  "dstaddr" varchar,
  "srcport" integer,
  "dstport" integer,
  "protocol" integer,
  "packets" bigint,
  "bytes" bigint,
  "start" bigint,
  "end" bigint,
  "log_status" varchar,
  "type" varchar,
  "packets_lost_no_route" bigint,
  "packets_lost_blackhole" bigint,
  "packets_lost_mtu_exceeded" bigint,
  "packets_lost_ttl_expired" bigint,
  "tcp_flags" integer,
  "region" varchar,
  "flow_direction" varchar,
  "pkt_src_aws_service" varchar,
  "pkt_dst_aws_service" varchar
)
WITH (
  external_location = 's3://my-bucket/prefix/',
  format = 'TEXTFILE',
  textfile_field_separator = ' ',
  null_format = '-',
  skip_header_line_count = 1
);
