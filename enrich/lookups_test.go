package enrich

import (
	"net/netip"
	"testing"
)

func TestPortName(t *testing.T) {
	for port, want := range map[string]string{
		"22": "ssh", "53": "domain", "80": "http", "443": "https", "123": "ntp", "1433": "mssql", "3306": "mysql",
		"3389": "rdp", "5432": "postgresql", "6379": "redis", "9092": "kafka", "27017": "mongodb",
		"2379": "etcd-client", "6443": "kubernetes-api", "10250": "kubelet", "9200": "elasticsearch",
		"11211": "memcached", "5671": "amqps", "2049": "nfs", "4317": "otlp-grpc",
		"0": "-", "49152": "-", "65535": "-", "-": "-",
	} {
		for _, name := range []string{"srcport_name", "dstport_name"} {
			if got := lookup(t, Builtin(nil), name, port); got != want {
				t.Errorf("%s of %s: got %s, want %s", name, port, got, want)
			}
		}
	}
	for port := range services {
		if port < 1 || port > 65535 {
			t.Errorf("%d is no port", port)
		}
	}
}

func TestScope(t *testing.T) {
	for addr, want := range map[string]string{
		"8.8.8.8": "public", "9.255.255.255": "public", "10.0.0.0": "private", "10.255.255.255": "private", "11.0.0.0": "public",
		"172.15.0.1": "public", "172.16.0.1": "private", "172.31.255.255": "private", "172.32.0.1": "public",
		"192.168.1.1": "private", "100.64.0.1": "shared", "100.128.0.1": "public", "127.0.0.1": "loopback",
		"169.254.169.254": "link-local", "0.0.0.0": "unspecified", "0.1.2.3": "this-network",
		"192.0.0.1": "ietf-protocol", "192.0.0.9": "public", "192.0.2.1": "documentation", "198.51.100.1": "documentation",
		"203.0.113.255": "documentation", "198.18.0.1": "benchmarking", "198.19.255.255": "benchmarking",
		"224.0.0.1": "multicast", "239.255.255.255": "multicast", "240.0.0.1": "reserved",
		"255.255.255.255": "broadcast", "255.255.255.254": "reserved", "192.88.99.1": "6to4",
		"::": "unspecified", "::1": "loopback", "::2": "reserved", "::ffff:10.0.0.1": "private",
		"64:ff9b::808:808": "nat64", "64:ff9b:1::1": "nat64", "100::1": "discard", "2001:db8::1": "documentation",
		"3fff::1": "documentation", "3fff:1000::1": "public", "2600:1f18::1": "public", "2001:4860:4860::8888": "public",
		"2001::1": "teredo", "2002::1": "6to4", "2001:2::1": "benchmarking", "2001:20::1": "public",
		"2001:100::1": "ietf-protocol", "2001:200::1": "public", "5f00::1": "segment-routing",
		"fc00::1": "private", "fd00:ec2::254": "private", "fe80::1": "link-local", "fec0::1": "site-local", "ff02::1": "multicast",
		"4000::1": "reserved", "-": "-",
	} {
		for _, name := range []string{"src_scope", "dst_scope"} {
			if got := lookup(t, Builtin(nil), name, "-", addr); got != want {
				t.Errorf("%s of %s: got %s, want %s", name, addr, got, want)
			}
		}
	}
	if got := lookup(t, Builtin(nil), "src_scope", "8.8.8.8", "10.0.0.1"); got != "public" {
		t.Errorf("the packet's address is public, got %s", got)
	}
	for _, s := range scopes {
		if p := netip.MustParsePrefix(s.block); p != p.Masked() {
			t.Errorf("%s has bits beyond its length", p)
		}
	}
}

func BenchmarkScope(b *testing.B) {
	addr := netip.MustParseAddr("8.8.8.8")
	for b.Loop() {
		scopeOf(addr)
	}
}
