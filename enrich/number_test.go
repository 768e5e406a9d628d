package enrich

import (
	"slices"
	"testing"
)

func TestNumbers(t *testing.T) {
	number := Numbers(nil)
	for _, c := range []struct {
		field, name string
		want        []int64
	}{
		{"dstport", "HTTPS", []int64{443}},
		{"srcport", "http-alt", []int64{8008, 8080, 8081, 8888, 18080}},
		{"service_port", "rdp", []int64{3389}},
		{"dstport", "dns", []int64{53}},
		{"dstport", "domain", []int64{53}},
		{"protocol", "icmpv6", []int64{58}},
		{"protocol", "udp", []int64{17}},
		{"dstport", "no such service", nil},
		{"bytes", "https", nil},
	} {
		if got := number(c.field, c.name); !slices.Equal(got, c.want) {
			t.Errorf("%s = %s: %v, want %v", c.field, c.name, got, c.want)
		}
	}
	for name := range portAliases {
		for _, service := range services {
			if service == name {
				t.Errorf("%s is a name of its own: it needs no alias", name)
			}
		}
	}
}
