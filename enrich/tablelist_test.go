package enrich

import (
	"net/netip"
	"strings"
	"testing"
)

func TestTableOfLists(t *testing.T) {
	const drop = "; DROP list\n10.0.0.0/8 ; SBL1\n192.0.2.7 ; SBL2\n"
	const bare = "192.0.2.7\n198.51.100.0/24\n"
	for _, test := range []struct {
		name  string
		files []string
		field string
		from  []string
		want  string
	}{
		{"remark", []string{drop}, "src_t_remark", []string{"-", "10.1.2.3"}, "SBL1"},
		{"the list's own label", []string{drop}, "dst_t", []string{"-", "192.0.2.7"}, "SBL2"},
		{"true without a label", []string{bare}, "src_t", []string{"-", "198.51.100.9"}, "true"},
		{"null outside of it", []string{bare}, "src_t", []string{"-", "198.51.101.9"}, "-"},
		{"true of a table", []string{"cidr,team\n10.0.0.0/8,core\n"}, "src_t", []string{"-", "10.1.2.3"}, "true"},
		{"the file of several", []string{drop, bare}, "src_t", []string{"-", "10.1.2.3"}, "a"},
		{"an address in both", []string{drop, bare}, "src_t", []string{"-", "192.0.2.7"}, "a; b"},
		{"only titles", []string{"cidr\n10.0.0.0/8\n"}, "src_t", []string{"-", "10.1.2.3"}, "true"},
		{"rows of one address become one", []string{"uuid,type,value,comment\n1,ip-dst,192.0.2.1,x\n2,ip-src,192.0.2.1,y\n"}, "src_t_comment", []string{"-", "192.0.2.1"}, "x; y"},
		{"with its port", []string{"192.0.2.1:443 # https\n"}, "dst_t", []string{"-", "192.0.2.1", "443"}, "https"},
		{"with another port", []string{"192.0.2.1:443 # https\n"}, "dst_t", []string{"-", "192.0.2.1", "80"}, "-"},
		{"without a port", []string{"192.0.2.1:443 # https\n"}, "dst_t", []string{"-", "192.0.2.1", "-"}, "-"},
		{"a port before all ports", []string{"192.0.2.1:443 # https\n192.0.2.0/24 # net\n"}, "dst_t", []string{"-", "192.0.2.1", "443"}, "https"},
		{"all ports behind one", []string{"192.0.2.1:443 # https\n192.0.2.0/24 # net\n"}, "dst_t", []string{"-", "192.0.2.1", "80"}, "net"},
		{"range", []string{"10.0.0.1..10.0.0.6 # r\n"}, "src_t", []string{"-", "10.0.0.6"}, "r"},
		{"outside of the range", []string{"10.0.0.1..10.0.0.6 # r\n"}, "src_t", []string{"-", "10.0.0.7"}, "-"},
		{"prefix list", []string{`{"Entries":[{"Cidr":"10.0.0.0/8","Description":"office"}]}`}, "src_t_description", []string{"-", "10.1.2.3"}, "office"},
		{"rows without titles", []string{"10.0.0.0/8,core,7\n11.0.0.0/8,web,8\n"}, "src_t", []string{"-", "11.1.2.3"}, "web, 8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := lookup(t, table(t, "t", test.files...).Lookups(), test.field, test.from...); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// What is left out of a list, and addresses that a listing gives to several, are said.
func TestTableNotes(t *testing.T) {
	for name, test := range map[string]struct{ content, want string }{
		"skipped":   {"uuid,type,value\n1,ip-dst,192.0.2.1\n2,domain,example.com\n3,domain,example.org\n", "a.csv (CSV with types): 1 entry used; skipped 2 of type domain (first in line 3)"},
		"ambiguous": {interfaces, "t: a.csv: 1 address or network is in several VPCs or of several owners (such as 10.0.0.9/32): fields by address are null for these"},
		"nothing":   {"10.0.0.1 # x\n", ""},
	} {
		if got := strings.Join(table(t, "t", test.content).Notes(), "\n"); got != test.want {
			t.Errorf("%s: got %q\nwant %q", name, got, test.want)
		}
	}
}

// A range is covered by its networks, exactly.
func TestListNetworks(t *testing.T) {
	for value, want := range map[string]string{
		"10.0.0.1..10.0.0.6":       "[10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32]",
		"0.0.0.0..255.255.255.255": "[0.0.0.0/0]",
		"2001:db8::..2001:db8::ff": "[2001:db8::/120]",
		"10.0.0.9..10.0.0.9":       "[10.0.0.9/32]",
	} {
		got, err := listNetworks(value)
		var texts []string
		for _, p := range got {
			texts = append(texts, netip.Prefix.String(p))
		}
		if text := "[" + strings.Join(texts, " ") + "]"; err != nil || text != want {
			t.Errorf("%s: got %s, %v, want %s", value, text, err, want)
		}
	}
	for _, value := range []string{"10.0.0.9..10.0.0.1", "10.0.0.1..2001:db8::1", "10.0.0.1..", "..", "a..b"} {
		if got, err := listNetworks(value); err == nil {
			t.Errorf("%s: got %v", value, got)
		}
	}
}
