package schema

// logged is THE table of what AWS logs: the VPC fields in the order of AWS's documentation, then those
// that only transit gateway records have. Source: Amazon VPC User Guide, "Flow log records" (version
// 11), and Amazon VPC Transit Gateways, "Transit Gateway Flow Log records".
var logged = Table{
	{Name: "version", Kind: Int32, Since: 2, Doc: "Highest flow log version among the selected fields; 6 is a transit gateway record"},
	{Name: "account_id", Kind: Text, Since: 2, Digits: 12, Doc: "Account that owns the source interface; 12 digits with leading zeros, or \"unknown\""},
	{Name: "interface_id", Kind: Text, Since: 2, Doc: "Network interface the record was captured on"},
	{Name: "srcaddr", Kind: Addr, Since: 2, Doc: "Source address as the interface saw it; the primary private address on egress"},
	{Name: "dstaddr", Kind: Addr, Since: 2, Doc: "Destination address as the interface saw it; the primary private address on ingress"},
	{Name: "srcport", Kind: Int32, Since: 2, Max: 65535, Doc: "Source port; 0 where the protocol has none"},
	{Name: "dstport", Kind: Int32, Since: 2, Max: 65535, Doc: "Destination port; 0 where the protocol has none"},
	{Name: "protocol", Kind: Int32, Since: 2, Max: 255, Doc: "IANA protocol number, such as 6 for TCP"},
	{Name: "packets", Kind: Int64, Since: 2, Doc: "Packets of the flow in the aggregation interval"},
	{Name: "bytes", Kind: Int64, Since: 2, Doc: "Bytes of the flow in the aggregation interval; null on Block Public Access rejects"},
	{Name: "start", Kind: Time, Since: 2, Doc: "When the first packet of the interval was seen, in Unix seconds, give or take 60"},
	{Name: "end", Kind: Time, Since: 2, Doc: "When the last packet of the interval was seen, in Unix seconds, give or take 60"},
	{Name: "action", Kind: Text, Since: 2, Values: []string{"ACCEPT", "REJECT"}, Doc: "ACCEPT, or REJECT by a security group, a network ACL or after the connection closed"},
	{Name: "log_status", Kind: Text, Since: 2, Values: []string{"OK", "NODATA", "SKIPDATA"}, Doc: "OK; NODATA, no traffic in the interval; SKIPDATA, records were lost"},
	{Name: "vpc_id", Kind: Text, Since: 3, Doc: "VPC of the interface"},
	{Name: "subnet_id", Kind: Text, Since: 3, Doc: "Subnet of the interface"},
	{Name: "instance_id", Kind: Text, Since: 3, Doc: "Instance that the interface is attached to, if it is yours"},
	{Name: "tcp_flags", Kind: Int32, Since: 3, Doc: "OR of the TCP flags seen in the interval: FIN 1, SYN 2, RST 4, SYN-ACK 18; 0 is none of these"},
	{Name: "type", Kind: Text, Since: 3, Values: []string{"IPv4", "IPv6", "EFA"}, Doc: "IPv4, IPv6 or EFA"},
	{Name: "pkt_srcaddr", Kind: Addr, Since: 3, Doc: "Original source address of the packet, behind NAT, pods and secondary addresses"},
	{Name: "pkt_dstaddr", Kind: Addr, Since: 3, Doc: "Original destination address of the packet, behind NAT, pods and secondary addresses"},
	{Name: "region", Kind: Text, Since: 4, Case: Lower, Doc: "Region of the interface"},
	{Name: "az_id", Kind: Text, Since: 4, Case: Lower, Doc: "Availability zone ID of the interface (use1-az1, not a name)"},
	{Name: "sublocation_type", Kind: Text, Since: 4, Values: []string{"wavelength", "outpost", "localzone"}, Doc: "wavelength, outpost or localzone"},
	{Name: "sublocation_id", Kind: Text, Since: 4, Doc: "ID of the sublocation"},
	{Name: "pkt_src_aws_service", Kind: Text, Since: 5, Case: Upper, Doc: "AWS service that owns pkt_srcaddr"},
	{Name: "pkt_dst_aws_service", Kind: Text, Since: 5, Case: Upper, Doc: "AWS service that owns pkt_dstaddr"},
	{Name: "flow_direction", Kind: Text, Since: 5, Values: []string{"ingress", "egress"}, Doc: "ingress or egress, as seen from the interface"},
	{Name: "traffic_path", Kind: Int32, Since: 5, Doc: "Path that egress traffic takes, 1 to 8"},
	{Name: "ecs_cluster_arn", Kind: Text, Since: 7, Doc: "ARN of the ECS cluster"},
	{Name: "ecs_cluster_name", Kind: Text, Since: 7, Doc: "Name of the ECS cluster"},
	{Name: "ecs_container_instance_arn", Kind: Text, Since: 7, Doc: "ARN of the ECS container instance (EC2 launch type)"},
	{Name: "ecs_container_instance_id", Kind: Text, Since: 7, Doc: "ID of the ECS container instance (EC2 launch type)"},
	{Name: "ecs_container_id", Kind: Text, Since: 7, Doc: "Docker runtime ID of the first container"},
	{Name: "ecs_second_container_id", Kind: Text, Since: 7, Doc: "Docker runtime ID of the second container"},
	{Name: "ecs_service_name", Kind: Text, Since: 7, Doc: "Name of the ECS service that started the task"},
	{Name: "ecs_task_definition_arn", Kind: Text, Since: 7, Doc: "ARN of the ECS task definition"},
	{Name: "ecs_task_arn", Kind: Text, Since: 7, Doc: "ARN of the ECS task"},
	{Name: "ecs_task_id", Kind: Text, Since: 7, Doc: "ID of the ECS task"},
	{Name: "reject_reason", Kind: Text, Since: 8, Values: []string{"BPA", "EC"}, Doc: "Why the traffic was rejected: BPA (Block Public Access), EC (encryption controls)"},
	{Name: "resource_id", Kind: Text, Since: 9, Doc: "ID of the regional NAT gateway"},
	{Name: "encryption_status", Kind: Int32, Since: 10, Doc: "Encryption in transit: 0 none, 1 by Nitro, 2 by the application, 3 both"},
	{Name: "instance_tag", Kind: Text, Since: 11, Escaped: true, Doc: "Value of the first chosen instance tag"},
	{Name: "instance_tag_2", Kind: Text, Since: 11, Escaped: true, Doc: "Value of the second chosen instance tag"},
	{Name: "interface_tag", Kind: Text, Since: 11, Escaped: true, Doc: "Value of the first chosen interface tag"},
	{Name: "interface_tag_2", Kind: Text, Since: 11, Escaped: true, Doc: "Value of the second chosen interface tag"},
	{Name: "asg_tag", Kind: Text, Since: 11, Escaped: true, Doc: "Value of the first chosen Auto Scaling group tag"},
	{Name: "asg_tag_2", Kind: Text, Since: 11, Escaped: true, Doc: "Value of the second chosen Auto Scaling group tag"},
	{Name: "interface_type", Kind: Text, Since: 11, Case: Lower, Doc: "Type of the interface, such as nat_gateway or vpc_endpoint"},
	{Name: "next_hop_interface_id", Kind: Text, Since: 11, Doc: "Interface that receives (egress) or sent (ingress) the traffic next to this one"},
	{Name: "next_hop_subnet_id", Kind: Text, Since: 11, Doc: "Subnet of the next-hop interface"},
	{Name: "next_hop_az_id", Kind: Text, Since: 11, Case: Lower, Doc: "Availability zone ID of the next-hop interface"},
	{Name: "next_hop_vpc_id", Kind: Text, Since: 11, Doc: "VPC of the next-hop interface"},
	{Name: "next_hop_interface_type", Kind: Text, Since: 11, Case: Lower, Doc: "Type of the next-hop interface"},

	{Name: "resource_type", Kind: Text, Since: 6, Doc: "Resource the flow log is on: TransitGateway"},
	{Name: "tgw_id", Kind: Text, Since: 6, Doc: "Transit gateway"},
	{Name: "tgw_attachment_id", Kind: Text, Since: 6, Doc: "Attachment the traffic was recorded on"},
	{Name: "tgw_src_vpc_account_id", Kind: Text, Since: 6, Digits: 12, Doc: "Account of the source VPC"},
	{Name: "tgw_dst_vpc_account_id", Kind: Text, Since: 6, Digits: 12, Doc: "Account of the destination VPC"},
	{Name: "tgw_src_vpc_id", Kind: Text, Since: 6, Doc: "Source VPC"},
	{Name: "tgw_dst_vpc_id", Kind: Text, Since: 6, Doc: "Destination VPC"},
	{Name: "tgw_src_subnet_id", Kind: Text, Since: 6, Doc: "Source subnet"},
	{Name: "tgw_dst_subnet_id", Kind: Text, Since: 6, Doc: "Destination subnet"},
	{Name: "tgw_src_eni", Kind: Text, Since: 6, Doc: "Interface of the source attachment"},
	{Name: "tgw_dst_eni", Kind: Text, Since: 6, Doc: "Interface of the destination attachment"},
	{Name: "tgw_src_az_id", Kind: Text, Since: 6, Case: Lower, Doc: "Availability zone ID of the source attachment"},
	{Name: "tgw_dst_az_id", Kind: Text, Since: 6, Case: Lower, Doc: "Availability zone ID of the destination attachment"},
	{Name: "tgw_pair_attachment_id", Kind: Text, Since: 6, Doc: "The attachment at the other end of the flow"},
	{Name: "packets_lost_no_route", Kind: Int64, Since: 6, Doc: "Packets lost because there was no route"},
	{Name: "packets_lost_blackhole", Kind: Int64, Since: 6, Doc: "Packets lost to a blackhole route"},
	{Name: "packets_lost_mtu_exceeded", Kind: Int64, Since: 6, Doc: "Packets lost because they exceeded the MTU"},
	{Name: "packets_lost_ttl_expired", Kind: Int64, Since: 6, Doc: "Packets lost because their time to live ran out"},
}

// transitGateway is the default format of transit gateway flow logs, version 6, which is fixed.
const transitGateway = "version resource_type account_id tgw_id tgw_attachment_id tgw_src_vpc_account_id " +
	"tgw_dst_vpc_account_id tgw_src_vpc_id tgw_dst_vpc_id tgw_src_subnet_id tgw_dst_subnet_id tgw_src_eni " +
	"tgw_dst_eni tgw_src_az_id tgw_dst_az_id tgw_pair_attachment_id srcaddr dstaddr srcport dstport " +
	"protocol packets bytes start end log_status type packets_lost_no_route packets_lost_blackhole " +
	"packets_lost_mtu_exceeded packets_lost_ttl_expired tcp_flags region flow_direction " +
	"pkt_src_aws_service pkt_dst_aws_service"

// HourKey is the name of the key that is the hour of the day. It is no field: it is computed from a record's start.
const HourKey = "hour"

// DirectionField is the name of the field that says whether an interface saw a flow leave or arrive. It is computed where AWS did
// not log flow_direction.
const DirectionField = "direction"
