-- Flow logs in s3://my-bucket/prefix/, lines as AWS delivers them: fields between single spaces, a header first.
-- Every file has these columns in this order. Files of a flow log with another format need a table of their own.
-- Try it: SELECT * FROM vpc.flow_logs LIMIT 10
-- Reports: flowlog sql talkers --dialect duckdb --table 'vpc.flow_logs'
CREATE OR REPLACE VIEW "vpc"."flow_logs" AS
SELECT * FROM read_csv(
  's3://my-bucket/prefix/**/*.log*',
  columns = {
    'version': 'INTEGER',
    'resource_type': 'VARCHAR',
    'account_id': 'VARCHAR',
    'tgw_id': 'VARCHAR',
    'tgw_attachment_id': 'VARCHAR',
    'tgw_src_vpc_account_id': 'VARCHAR',
    'tgw_dst_vpc_account_id': 'VARCHAR',
    'tgw_src_vpc_id': 'VARCHAR',
    'tgw_dst_vpc_id': 'VARCHAR',
    'tgw_src_subnet_id': 'VARCHAR',
    'tgw_dst_subnet_id': 'VARCHAR',
    'tgw_src_eni': 'VARCHAR',
    'tgw_dst_eni': 'VARCHAR',
    'tgw_src_az_id': 'VARCHAR',
    'tgw_dst_az_id': 'VARCHAR',
    'tgw_pair_attachment_id': 'VARCHAR',
    'srcaddr': 'VARCHAR',
    'dstaddr': 'VARCHAR',
    'srcport': 'INTEGER',
    'dstport': 'INTEGER',
    'protocol': 'INTEGER',
    'packets': 'BIGINT',
    'bytes': 'BIGINT',
    'start': 'BIGINT',
    'end': 'BIGINT',
    'log_status': 'VARCHAR',
    'type': 'VARCHAR',
    'packets_lost_no_route': 'BIGINT',
    'packets_lost_blackhole': 'BIGINT',
    'packets_lost_mtu_exceeded': 'BIGINT',
    'packets_lost_ttl_expired': 'BIGINT',
    'tcp_flags': 'INTEGER',
    'region': 'VARCHAR',
    'flow_direction': 'VARCHAR',
    'pkt_src_aws_service': 'VARCHAR',
    'pkt_dst_aws_service': 'VARCHAR'
  },
  auto_detect = false,
  header = true,
  delim = ' ',
  quote = '',
  escape = '',
  nullstr = '-',
  ignore_errors = true,
  hive_partitioning = false
);
