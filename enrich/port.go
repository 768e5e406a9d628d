package enrich

import (
	"maps"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// services names the ports that matter in clouds. The names are those of IANA's registry of service names,
// but where practice has a better known one (rdp for ms-wbt-server), or uses a port for something else than
// what is registered (9092 is kafka's), practice has it. Ports that only say what a vendor once registered,
// and those that systems hand out to clients, are left out: a wrong name is worse than none.
var services = map[int64]string{
	7: "echo", 9: "discard", 13: "daytime", 17: "qotd", 19: "chargen", 20: "ftp-data", 21: "ftp", 22: "ssh",
	23: "telnet", 25: "smtp", 37: "time", 43: "whois", 49: "tacacs", 53: "domain", 67: "bootps",
	68: "bootpc", 69: "tftp", 70: "gopher", 79: "finger", 80: "http", 88: "kerberos", 102: "iso-tsap",
	110: "pop3", 111: "sunrpc", 113: "ident", 119: "nntp", 123: "ntp", 135: "epmap", 137: "netbios-ns",
	138: "netbios-dgm", 139: "netbios-ssn", 143: "imap", 161: "snmp", 162: "snmptrap", 179: "bgp",
	194: "irc", 389: "ldap", 427: "svrloc", 443: "https", 445: "microsoft-ds", 464: "kpasswd",
	465: "submissions", 500: "isakmp", 502: "modbus", 512: "exec", 513: "login", 514: "syslog",
	515: "printer", 520: "router", 521: "ripng", 546: "dhcpv6-client", 547: "dhcpv6-server", 548: "afp",
	554: "rtsp", 563: "nntps", 587: "submission", 593: "http-rpc-epmap", 623: "asf-rmcp", 631: "ipp",
	636: "ldaps", 646: "ldp", 749: "kerberos-adm", 853: "domain-s", 873: "rsync", 902: "vmware-auth",
	988: "lustre", 989: "ftps-data", 990: "ftps", 992: "telnets", 993: "imaps", 995: "pop3s", 1080: "socks",
	1099: "rmiregistry", 1194: "openvpn", 1352: "lotusnote", 1414: "ibm-mqseries", 1433: "mssql",
	1434: "mssql-browser", 1521: "oracle", 1645: "radius", 1646: "radius-acct", 1701: "l2tp", 1723: "pptp",
	1812: "radius", 1813: "radius-acct", 1883: "mqtt", 1900: "ssdp", 2049: "nfs", 2123: "gtp-control",
	2152: "gtp-user", 2181: "zookeeper", 2323: "telnet-alt", 2375: "docker", 2376: "docker-s",
	2377: "docker-swarm", 2379: "etcd-client", 2380: "etcd-server", 2483: "oracle", 2484: "oracle-s",
	2888: "zookeeper-peer", 3128: "http-proxy", 3260: "iscsi", 3268: "msft-gc", 3269: "msft-gc-ssl",
	3306: "mysql", 3310: "clamav", 3389: "rdp", 3478: "stun", 3690: "svn", 3784: "bfd-control",
	3868: "diameter", 4172: "pcoip", 4222: "nats", 4317: "otlp-grpc", 4318: "otlp-http", 4369: "epmd",
	4500: "ipsec-nat-t", 4505: "salt-publish", 4506: "salt-request", 4646: "nomad", 4789: "vxlan",
	4840: "opcua-tcp", 5044: "logstash-beats", 5060: "sip", 5061: "sips", 5222: "xmpp-client",
	5269: "xmpp-server", 5349: "stuns", 5351: "nat-pmp", 5353: "mdns", 5355: "llmnr", 5432: "postgresql",
	5439: "redshift", 5601: "kibana", 5671: "amqps", 5672: "amqp", 5683: "coap", 5684: "coaps",
	5701: "hazelcast", 5900: "vnc", 5938: "teamviewer", 5984: "couchdb", 5985: "winrm", 5986: "winrm-https",
	6000: "x11", 6081: "geneve", 6343: "sflow", 6379: "redis", 6380: "redis-tls", 6432: "pgbouncer",
	6443: "kubernetes-api", 6514: "syslog-tls", 6653: "openflow", 6667: "ircu", 6697: "ircs-u",
	6783: "weave", 6881: "bittorrent", 7000: "cassandra-peer", 7001: "weblogic", 7199: "cassandra-jmx",
	7233: "temporal", 7474: "neo4j-http", 7687: "neo4j-bolt", 7946: "memberlist", 8008: "http-alt",
	8080: "http-alt", 8081: "http-alt", 8086: "influxdb", 8089: "splunk-mgmt", 8123: "clickhouse-http",
	8125: "statsd", 8140: "puppet", 8182: "neptune", 8200: "vault", 8300: "consul-server",
	8301: "consul-lan", 8302: "consul-wan", 8333: "bitcoin", 8443: "https-alt", 8472: "vxlan-linux",
	8500: "consul", 8529: "arangodb", 8545: "ethereum-rpc", 8600: "consul-dns", 8728: "mikrotik-api",
	8883: "mqtts", 8888: "http-alt", 9042: "cassandra", 9090: "prometheus", 9091: "pushgateway",
	9092: "kafka", 9093: "alertmanager", 9094: "kafka-tls", 9096: "kafka-sasl", 9098: "kafka-iam",
	9100: "node-exporter", 9142: "cassandra-tls", 9200: "elasticsearch", 9300: "elasticsearch-peer",
	9411: "zipkin", 9418: "git", 9997: "splunk-forward", 10050: "zabbix-agent", 10051: "zabbix-trapper",
	10250: "kubelet", 10255: "kubelet-readonly", 10256: "kube-proxy-health", 10257: "kube-controller",
	10259: "kube-scheduler", 11211: "memcached", 11434: "ollama", 14250: "jaeger-grpc",
	15672: "rabbitmq-mgmt", 16379: "redis-cluster-bus", 18080: "http-alt", 19530: "milvus",
	25565: "minecraft", 26257: "cockroachdb", 26379: "redis-sentinel", 27017: "mongodb",
	27018: "mongodb-shard", 27019: "mongodb-config", 30303: "ethereum-p2p", 51820: "wireguard",
	61613: "stomp", 61616: "activemq", 61617: "activemq-tls",
}

// serviceNames lists the distinct names in services.
var serviceNames = slices.Compact(slices.Sorted(maps.Values(services)))

func portLookup(prefix, port, doc string) Lookup {
	return Lookup{
		Field: schema.Field{
			Name: prefix + "port_name", Kind: schema.Text, From: []string{port}, Names: port, Values: serviceNames,
			Doc: "Service that the " + doc + " is known for, such as ssh or https",
		},
		Append: func(out *schema.Column, in []arrow.Array, row int) {
			if n, ok := integer(in, row); ok && services[n] != "" {
				out.Text(services[n])
			} else {
				out.Null()
			}
		},
	}
}
