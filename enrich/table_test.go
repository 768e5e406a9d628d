package enrich

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// table reads the files, which are called a.csv, b.csv …
func table(t testing.TB, name string, contents ...string) *Table {
	t.Helper()
	table, err := NewTable(name)
	if err != nil {
		t.Fatal(err)
	}
	for i, content := range contents {
		if err := table.Read(string(rune('a'+i))+".csv", []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

func TestTable(t *testing.T) {
	for _, test := range []struct {
		name, csv string
		field     string
		from      []string // values of the field's From
		want      string
	}{
		{"network", "cidr,team\n10.0.0.0/8,core\n", "src_n_team", []string{"-", "10.1.2.3"}, "core"},
		{"the packet's address first", "cidr,team\n10.0.0.0/8,core\n", "src_n_team", []string{"192.0.2.1", "10.1.2.3"}, "-"},
		{"destination", "cidr,team\n10.0.0.0/8,core\n", "dst_n_team", []string{"10.1.2.3", "192.0.2.1"}, "core"},
		{"not in it", "cidr,team\n10.0.0.0/8,core\n", "src_n_team", []string{"-", "11.0.0.0"}, "-"},
		{"no address", "cidr,team\n0.0.0.0/0,core\n", "src_n_team", []string{"-", "-"}, "-"},
		{"longest prefix", "cidr,team\n10.0.0.0/8,core\n10.1.0.0/16,web\n0.0.0.0/0,world\n", "src_n_team", []string{"-", "10.1.2.3"}, "web"},
		{"longest prefix, other order", "cidr,team\n10.1.0.0/16,web\n0.0.0.0/0,world\n10.0.0.0/8,core\n", "src_n_team", []string{"-", "10.1.2.3"}, "web"},
		{"everything", "cidr,team\n10.1.0.0/16,web\n0.0.0.0/0,world\n", "src_n_team", []string{"-", "9.9.9.9"}, "world"},
		{"the row counts, not the cell", "cidr,team\n10.1.0.0/16,\n10.0.0.0/8,core\n", "src_n_team", []string{"-", "10.1.2.3"}, "-"},
		{"address", "ip,host\n10.0.0.5,db\n", "dst_n_host", []string{"-", "10.0.0.5"}, "db"},
		{"address and network in one column", "Network,host\n10.0.0.5,db\n10.0.0.0/24,net\n", "dst_n_host", []string{"-", "10.0.0.6"}, "net"},
		{"ipv6", "prefix,team\n2001:db8::/32,core\n", "src_n_team", []string{"-", "2001:db8:1::2"}, "core"},
		{"ipv6 address", "ip,team\n2001:DB8::2,core\n", "src_n_team", []string{"-", "2001:db8::2"}, "core"},
		{"ipv4 is not in ::/0", "cidr,team\n::/0,core\n", "src_n_team", []string{"-", "10.0.0.1"}, "-"},
		{"mapped network", "cidr,team\n::ffff:10.0.0.0/104,core\n", "src_n_team", []string{"-", "10.9.9.9"}, "core"},
		{"mapped address", "cidr,team\n::ffff:10.0.0.1,core\n", "src_n_team", []string{"-", "10.0.0.1"}, "core"},
		{"mapped in the record", "cidr,team\n10.0.0.0/8,core\n", "src_n_team", []string{"-", "::ffff:10.0.0.1"}, "core"},

		{"interface", "interface_id,owner\neni-1,ann\n", "owner", []string{"eni-1"}, "ann"},
		{"eni", "ENI,owner\neni-1,ann\n", "owner", []string{"eni-2"}, "-"},
		{"instance", "InstanceId,owner\ni-1,ann\n", "owner", []string{"i-1"}, "ann"},
		{"subnet", "subnet,zone\nsubnet-1,dmz\n", "zone", []string{"subnet-1"}, "dmz"},
		{"vpc", "vpc-id,stage\nvpc-1,prod\n", "stage", []string{"vpc-1"}, "prod"},
		{"attachment", "tgw_attachment_id,site\ntgw-attach-1,hq\n", "site", []string{"tgw-attach-1"}, "hq"},
		{"account", "Account ID,account name\n123456789012,prod\n", "account_name", []string{"123456789012"}, "prod"},
		{"account without zeros", "account,account_name\n12345678901,prod\n", "account_name", []string{"012345678901"}, "prod"},
		{"account with dashes", "account,account_name\n1234-5678-9012,prod\n", "account_name", []string{"123456789012"}, "prod"},
		{"unknown account", "account,account_name\nunknown,?\n", "account_name", []string{"unknown"}, "?"},
		{"no account", "account,account_name\n123456789012,prod\n", "account_name", []string{"-"}, "-"},

		{"port", "port,app\n8443,shop\n", "dst_n_app", []string{"8443"}, "shop"},
		{"source port", "port,app\n8443,shop\n", "src_n_app", []string{"8443"}, "shop"},
		{"other port", "port,app\n8443,shop\n", "src_n_app", []string{"8444"}, "-"},
		{"port with protocol", "Port Number,Transport Protocol,app\n53,udp,dns\n53,tcp,axfr\n", "dst_n_app", []string{"53", "17"}, "dns"},
		{"port of another protocol", "port,protocol,app\n53,udp,dns\n", "dst_n_app", []string{"53", "6"}, "-"},
		{"port of any protocol", "port,protocol,app\n53,udp,dns\n53,any,other\n", "dst_n_app", []string{"53", "6"}, "other"},
		{"port without protocol in the record", "port,protocol,app\n53,udp,dns\n53,,other\n", "dst_n_app", []string{"53", "-"}, "other"},
		{"protocol by number", "port,proto,app\n53,17,dns\n", "dst_n_app", []string{"53", "17"}, "dns"},
		{"protocol behind the port", "port,app\n53/UDP,dns\n", "dst_n_app", []string{"53", "17"}, "dns"},
		{"ports", "port,app\n8000-8099,apps\n", "dst_n_app", []string{"8099"}, "apps"},
		{"narrower range", "port,app\n8080,one\n8000-8099,apps\n", "dst_n_app", []string{"8080"}, "one"},
		{"narrower range, other order", "port,app\n8000-8099,apps\n8080,one\n", "dst_n_app", []string{"8080"}, "one"},
		{"all ports", "port,app\n0-65535,all\n", "dst_n_app", []string{"65535"}, "all"},

		{"key is not first", "team,note,cidr\ncore,x,10.0.0.0/8\n", "src_n_note", []string{"-", "10.0.0.1"}, "x"},
		{"the first key counts", "cidr,account_id\n10.0.0.0/8,123\n", "src_n_account_id", []string{"-", "10.0.0.1"}, "123"},
		{"titles become names", "cidr,\" Cost-Center (EUR) \"\n10.0.0.0/8,7\n", "src_n_cost_center_eur", []string{"-", "10.0.0.1"}, "7"},
		{"tabs", "cidr\tteam\tnote\n10.0.0.0/8\t\ta, b\n", "src_n_note", []string{"-", "10.0.0.1"}, "a, b"},
		{"semicolons", "cidr;team\n10.0.0.0/8;a,b\n", "src_n_team", []string{"-", "10.0.0.1"}, "a,b"},
		{"windows", "\ufeffcidr,team\r\n\r\n10.0.0.0/8,core\r\n", "src_n_team", []string{"-", "10.0.0.1"}, "core"},
		{"comments and blank lines", "# ours\n\ncidr,team\n#10.0.0.0/8,x\n\n,\n10.0.0.0/8,core\n", "src_n_team", []string{"-", "10.0.0.1"}, "core"},
		{"quotes", "cidr,team\n\"10.0.0.0/8\",\"a \"\"b\"\",\nc\"\n", "src_n_team", []string{"-", "10.0.0.1"}, "a \"b\",\nc"},
		{"spaces", " cidr , team \n 10.0.0.0/8 , core team \n", "src_n_team", []string{"-", "10.0.0.1"}, "core team"},
		{"dash is null", "cidr,team\n10.0.0.0/8,-\n", "src_n_team", []string{"-", "10.0.0.1"}, "-"},
		{"column without a name", "cidr,team,,\n10.0.0.0/8,core,,\n", "src_n_team", []string{"-", "10.0.0.1"}, "core"},
		{"the same line twice", "cidr,team\n10.0.0.0/8,core\n10.0.0.0/8,core\n", "src_n_team", []string{"-", "10.0.0.1"}, "core"},
		{"no rows", "cidr,team\n", "src_n_team", []string{"-", "10.0.0.1"}, "-"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := lookup(t, table(t, "n", test.csv).Lookups(), test.field, test.from...); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTableFields(t *testing.T) {
	for csv, want := range map[string]string{
		"cidr,Team,note\n":              "src_n_team<pkt_srcaddr,srcaddr src_n_note<pkt_srcaddr,srcaddr dst_n_team<pkt_dstaddr,dstaddr dst_n_note<pkt_dstaddr,dstaddr src_n<pkt_srcaddr,srcaddr dst_n<pkt_dstaddr,dstaddr",
		"cidr\n":                        "src_n<pkt_srcaddr,srcaddr dst_n<pkt_dstaddr,dstaddr",
		"10.0.0.1:53\n":                 "src_n_remark<pkt_srcaddr,srcaddr,srcport dst_n_remark<pkt_dstaddr,dstaddr,dstport src_n<pkt_srcaddr,srcaddr,srcport dst_n<pkt_dstaddr,dstaddr,dstport",
		"port,app\n80,x\n":              "src_n_app<srcport dst_n_app<dstport",
		"port,protocol,app\n80,any,x\n": "src_n_app<srcport dst_n_app<dstport",
		"port,protocol,app\n80,tcp,x\n": "src_n_app<srcport,protocol dst_n_app<dstport,protocol",
		"eni,owner\n":                   "owner<interface_id",
		`{"NetworkInterfaces":[]}`:      "n_name<interface_id n_description<interface_id n_type<interface_id …",
		`{"Reservations":[]}`:           "n_name<instance_id,interface_id n_type<instance_id,interface_id n_state<instance_id,interface_id …",
	} {
		var got []string
		for _, l := range table(t, "N", csv).Lookups() {
			if l.Kind != schema.Text || l.Doc == "" || l.Since != 0 {
				t.Errorf("%q: got kind %s, doc %q, since %d", csv, l.Kind, l.Doc, l.Since)
			}
			got = append(got, l.Name+"<"+strings.Join(l.From, ","))
		}
		if want, more := strings.CutSuffix(want, " …"); more {
			got = got[:strings.Count(want, " ")+1]
			if strings.Join(got, " ") != want {
				t.Errorf("%q: got %s\nwant %s", csv, strings.Join(got, " "), want)
			}
		} else if strings.Join(got, " ") != want {
			t.Errorf("%q: got %s\nwant %s", csv, strings.Join(got, " "), want)
		}
	}
}

// Several files are one table, as when there is a listing for each region.
func TestTableFiles(t *testing.T) {
	lookups := table(t, "n", "cidr,team\n10.0.0.0/8,core\n", "note,ip\nx,192.0.2.1\n").Lookups()
	for _, test := range []struct{ field, addr, want string }{
		{"src_n_team", "10.0.0.1", "core"}, {"src_n_note", "10.0.0.1", "-"},
		{"src_n_team", "192.0.2.1", "-"}, {"src_n_note", "192.0.2.1", "x"},
	} {
		if got := lookup(t, lookups, test.field, "-", test.addr); got != test.want {
			t.Errorf("%s of %s: got %q, want %q", test.field, test.addr, got, test.want)
		}
	}
}

func TestTableErrors(t *testing.T) {
	for _, test := range []struct{ csv, want string }{
		{"", `a.csv:1: column 1: the file is empty`},
		{"\n# nothing\n", `a.csv:1: column 1: the file is empty`},
		{"cdir,team\n10.0.0.0/8,x\n", `a.csv:1: column 1 (cdir): no column has the name of a key (cdir, team): did you mean cidr? Such names are cidr, ip, port, `},
		{"team,CIDER\nx,10.0.0.0/8\n", `a.csv:1: column 2 (CIDER): no column has the name of a key (team, CIDER): did you mean cidr?`},
		{"\nfoo,bar\n1,2\n", `a.csv:2: column 1: no column has the name of a key (foo, bar): call the one that the others are about cidr, ip, port`},
		{"core,10.0.0.0/8\n", `a.csv:1: column 2 (10.0.0.0/8): the first line must name the columns: put one like cidr,name before it`},
		{"port\n80\n", `a.csv:1: column 1 (port): there is nothing to look up`},
		{"10.0.0.0/8 core\n", `a.csv:1: column 1: "core" is not a network or an address`},
		{"10.0.0.1, 10.0.0.x\n", `a.csv:1: column 1: "10.0.0.x" is not a network or an address`},
		{"cidr,team,Team\n", `a.csv:1: column 3 (Team): column 2 has the same name: rename one of them`},
		{"cidr,équipe\n", `a.csv:1: column 2 (équipe): the name of a column becomes a part of the names of fields`},
		{"cidr,%\n", `a.csv:1: column 2 (%): the name of a column`},
		{"eni,2nd\n", `a.csv:1: column 2 (2nd): the column's name becomes the name of a field, which begins with a letter`},
		{"cidr,team\n\n10.0.0.1/8,x\n", `a.csv:3: column 1 (cidr): "10.0.0.1/8" has bits set behind the first 8: write 10.0.0.0/8 for the network, or 10.0.0.1 for the one address`},
		{"cidr,team\n2001:db8::1/32,x\n", `a.csv:2: column 1 (cidr): "2001:db8::1/32" has bits set behind the first 32: write 2001:db8::/32 `},
		{"team,cidr\nx,10.0.0.0/33\n", `a.csv:2: column 2 (cidr): "10.0.0.0/33" is not a network or an address: write 10.0.0.0/8, `},
		{"cidr,team\n10.0.0.300,x\n", `a.csv:2: column 1 (cidr): "10.0.0.300" is not a network or an address`},
		{"cidr,team\n010.0.0.1,x\n", `"010.0.0.1" is not`},
		{"cidr,team\nfe80::1%eth0,x\n", `"fe80::1%eth0" is not`},
		{"cidr,team\n10.0.0.1-10.0.0.9,x\n", `"10.0.0.1-10.0.0.9" is not`},
		{"cidr,team\n,x\n", `a.csv:2: column 1 (cidr): the cell is empty`},
		{"cidr,team\n10.0.0.0/8,x\n11.0.0.0/8,x\n10.0.0.0/8,y\n", `a.csv:4: column 1 (cidr): "10.0.0.0/8" is in a.csv:2 too, with other cells: take one of the lines out; if another column is meant to be the key, put it first`},
		{"cidr,team\n10.0.0.1,x\n10.0.0.1/32,y\n", `a.csv:3: column 1 (cidr): "10.0.0.1/32" is in a.csv:2 too`},
		{"cidr,team\n10.0.0.0/8\n", `a.csv:2: column 2: the line has 1 cells, the first line 2: a cell that is empty needs its separator too`},
		{"cidr,team\n10.0.0.0/8,a,b\n", `a.csv:2: column 3: the line has 3 cells, the first line 2: put quotes around`},
		{"cidr,team,\n10.0.0.0/8,a,b\n", `a.csv:2: column 3: "b" is in a column that has no name`},
		{"cidr,team\n10.0.0.0/8,\"a\n", `a.csv:2: column 2: the quote that opens the cell has no match`},
		{"cidr,team\n10.0.0.0/8,\"a\" b\n", `a.csv:2: column 2: the quote that opens the cell has no match`},
		{"cidr,team\n10.0.0.0/8,5\" disk\n", `a.csv:2: column 2: there is a quote in the middle of the cell`},
		{"cidr,team\n10.0.0.0/8,\xe9t\n", `a.csv:2: column 2: "\xe9t" is not UTF-8 text: save the file as CSV in UTF-8`},
		{"\xff\xfec\x00", `a.csv:1: column 1: the file is UTF-16 text`},
		{"subnet,zone\n10.0.0.0/24,dmz\n", `a.csv:2: column 1 (subnet): "10.0.0.0/24" is an address or a network, which subnet_id never is: call the column cidr`},
		{"account,name\n1.23457E+11,x\n", `a.csv:2: column 1 (account): "1.23457E+11" is not an account, which has 12 digits: in a spreadsheet, format the column as text`},
		{"account,name\n1234567890123,x\n", `"1234567890123" is not an account`},
		{"port,app\n65536,x\n", `a.csv:2: column 1 (port): "65536" is not a port: write a number, 0 to 65535, a range such as 8000-8099, or 53/udp`},
		{"port,app\nhttp,x\n", `"http" is not a port`},
		{"port,app\n9-7,x\n", `"9-7" is not a port`},
		{"port,app\n53/upd,x\n", `a.csv:2: column 1 (port): "upd" is not a protocol: write its number, a name such as tcp or udp, or any`},
		{"port,protocol,app\n53,upd,x\n", `a.csv:2: column 2 (protocol): "upd" is not a protocol`},
		{"port,app\n80,x\n80,y\n", `a.csv:3: column 1 (port): "80" is in a.csv:2 too`},
		{"port,app\n80-89,x\n85-94,y\n", `a.csv:3: column 1 (port): "85-94" is in a.csv:2 too`},
	} {
		tab, err := NewTable("n")
		if err != nil {
			t.Fatal(err)
		}
		if err := tab.Read("a.csv", []byte(test.csv)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got error %v\nwant %s", test.csv, err, test.want)
		}
	}
	for _, name := range []string{"", "9", "a b", "ä", "a.b"} {
		if _, err := NewTable(name); err == nil {
			t.Errorf("a table can be called %q", name)
		}
	}
	for _, test := range []struct{ second, want string }{
		{"eni,team\n", "b.csv:1: column 1 (eni): all files of a table must have the same kind of key"},
		{`{"NetworkInterfaces":[]}`, "b.csv:1: column 1: all files of a table must have the same kind of key, and a.csv is a list or CSV"},
		{"cidr,team\n10.0.0.0/8,y\n", "b.csv:2: column 1 (cidr): \"10.0.0.0/8\" is in a.csv:2 too"},
	} {
		if err := table(t, "n", "ip,team\n10.0.0.0/8,x\n").Read("b.csv", []byte(test.second)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got error %v, want %s", test.second, err, test.want)
		}
	}
}

func TestTableCheck(t *testing.T) {
	taken := func(field string) string {
		if f, ok := all().Lookup(field); ok && f.Name == field {
			return "a field"
		}
		return ""
	}
	for _, test := range []struct{ name, content, want string }{
		{"nets", "cidr,srcaddr\n", ""},
		{"n", "eni,instance_id,x\n", "a.csv:1: column 2 (instance_id): it would give the field instance_id, which is a field: rename the column, to n_instance_id for example"},
		{"as", "ip,x,Org\n", "a.csv:1: column 3 (Org): it would give the field src_as_org, which is a field: rename the column, or give the table another name"},
		{"interface", `{"NetworkInterfaces":[]}`, "table interface=a.csv: it would give the field interface_type, which is a field: give the table another name, such as interfaces"},
		{"interfaces", `{"NetworkInterfaces":[]}`, ""},
	} {
		got := ""
		if err := table(t, test.name, test.content).Check(taken); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: got %q\nwant %q", test.name, got, test.want)
		}
	}
}

// The trie says what a search through all networks says.
func TestTableLongestPrefix(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	prefixes := randomNetworks(random, 500, 12)
	tab := table(t, "n", networksCSV(prefixes))
	find := tab.index[0].(*networks).find
	for range 2000 {
		a := prefixes[random.IntN(len(prefixes))].Addr()
		if b := a.AsSlice(); random.IntN(2) == 0 {
			b[random.IntN(len(b))] ^= byte(random.Uint32())
			a, _ = netip.AddrFromSlice(b)
		}
		want := noRow
		for i, p := range prefixes {
			if p.Contains(a) && (want == noRow || p.Bits() > prefixes[want].Bits()) {
				want = int32(i)
			}
		}
		if got := find([]arrow.Array{addrColumn(a)}, 0); got != want {
			t.Fatalf("%s: got row %d, want %d", a, got, want)
		}
	}
}

// randomNetworks returns n different networks, a fifth of them IPv6, in blocks that leave so many bits.
func randomNetworks(random *rand.Rand, n, bits int) []netip.Prefix {
	seen := make(map[netip.Prefix]bool)
	var all []netip.Prefix
	for len(all) < n {
		var p netip.Prefix
		w := random.Uint32N(1 << bits)
		if random.IntN(5) == 0 {
			a := [16]byte{0x20, 1, 0xd, 0xb8, byte(w >> 16), byte(w >> 8), byte(w), byte(random.Uint32())}
			p = netip.PrefixFrom(netip.AddrFrom16(a), 36+random.IntN(29)).Masked()
		} else {
			p = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(w >> 16), byte(w >> 8), byte(w)}), 12+random.IntN(21)).Masked()
		}
		if !seen[p] {
			seen[p] = true
			all = append(all, p)
		}
	}
	return all
}

func networksCSV(prefixes []netip.Prefix) string {
	var b strings.Builder
	b.WriteString("cidr,team\n")
	for i, p := range prefixes {
		fmt.Fprintf(&b, "%s,team %d\n", p, i%100)
	}
	return b.String()
}

func FuzzTable(f *testing.F) {
	f.Add("cidr,team\n10.0.0.0/8,core\n")
	f.Add("port;proto;app\r\n53-54;udp;\"d;ns\"\r\n")
	f.Add("\ufeff# x\naccount\tn\n1\t\"\n")
	f.Add(`{"NetworkInterfaces":[{"NetworkInterfaceId":"eni-1","PrivateIpAddress":"10.0.0.1","TagSet":[{"Key":"a","Value":"b"}]}]}`)
	f.Add("10.0.0.1:53 ; SBL1\n10.0.0.2..10.0.0.7\n")
	f.Add(`{"cidr":"10.0.0.0/8","sblid":"SBL1"}` + "\n" + `{"type":"metadata"}`)
	f.Add(`{"Reservations":[{"OwnerId":"1","Instances":[{"InstanceId":"i-1","NetworkInterfaces":[{"NetworkInterfaceId":"eni-1"}]}]}]} []`)
	f.Fuzz(func(t *testing.T, content string) {
		tab, _ := NewTable("n")
		if err := tab.Read("a.csv", []byte(content)); err != nil {
			if rest, ok := strings.CutPrefix(err.Error(), "a.csv:"); !ok || !(strings.Contains(rest, ": column ") || strings.Contains(rest, "not the same there")) {
				t.Errorf("the error does not say where: %v", err)
			}
			return
		}
		names := make(map[string]bool)
		for _, l := range tab.Lookups() {
			if names[l.Name] || schema.CanonicalName(l.Name) != l.Name {
				t.Errorf("%q is not a name, or there twice", l.Name)
			}
			names[l.Name] = true
			in := make([]arrow.Array, len(l.From))
			out := schema.NewColumn(l.Field)
			l.Append(out, in, 0)
			for i, name := range l.From {
				field, _ := schema.Logged().Lookup(name)
				c := schema.NewColumn(field)
				token := map[schema.Kind]string{schema.Addr: "10.0.0.1", schema.Int32: "53", schema.Text: "eni-1"}[field.Kind]
				c.Parse([]byte(token))
				in[i] = c.Array()
			}
			l.Append(out, in, 0)
			if out.Len() != 2 || slices.Contains(out.Int32, -1) {
				t.Errorf("%s: appended %v", l.Name, out.Int32)
			}
		}
	})
}

// planned returns n different networks like those of a company: most of them a subnet in 10.0.0.0/8, some
// larger, some smaller, one in twenty IPv6.
func planned(random *rand.Rand, n int) []netip.Prefix {
	sizes := []int{8, 16, 20, 22, 24, 24, 24, 24, 24, 25, 26, 28, 32}
	seen := make(map[netip.Prefix]bool)
	var all []netip.Prefix
	for len(all) < n {
		w := random.Uint32()
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(w), byte(w >> 8), byte(w >> 16)}), sizes[random.IntN(len(sizes))]).Masked()
		if random.IntN(20) == 0 {
			p = netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, byte(w & 15), byte(w >> 8), byte(w >> 16)}), 64)
		}
		if !seen[p] {
			seen[p] = true
			all = append(all, p)
		}
	}
	return all
}

// BenchmarkTable looks keys up among 10,000: networks, once the row alone and once with the text of a column,
// then interfaces; and ports.
func BenchmarkTable(b *testing.B) {
	const rows = 1 << 16 // of the batch
	random := rand.New(rand.NewPCG(1, 2))
	prefixes := planned(random, 10_000)
	nets := table(b, "n", networksCSV(prefixes))
	addrs := make([]netip.Addr, rows)
	for i := range addrs {
		s := prefixes[random.IntN(len(prefixes))].Addr().AsSlice()
		s[len(s)-1] ^= byte(random.Uint32())
		addrs[i], _ = netip.AddrFromSlice(s)
	}
	var enis strings.Builder
	enis.WriteString("eni,owner\n")
	for i := range 10_000 {
		fmt.Fprintf(&enis, "eni-%017x,owner %d\n", i*7919, i%100)
	}
	eni := schema.NewColumn(schema.Field{Name: "interface_id", Kind: schema.Text})
	port := schema.NewColumn(schema.Field{Name: "srcport", Kind: schema.Int32})
	protocol := schema.NewColumn(schema.Field{Name: "protocol", Kind: schema.Int32})
	for i := range rows {
		eni.Text(fmt.Sprintf("eni-%017x", i%10_000*7919))
		port.Int32 = append(port.Int32, int32(i*7919%65536))
		protocol.Int32 = append(protocol.Int32, 6)
	}
	b.Run("row", func(b *testing.B) {
		find, in := nets.index[0].(*networks).find, []arrow.Array{addrColumn(addrs...)}
		for i := 0; b.Loop(); i++ {
			find(in, i%rows)
		}
	})
	for _, bench := range []struct {
		name  string
		table *Table
		in    []arrow.Array
	}{
		{"network", nets, []arrow.Array{nil, addrColumn(addrs...)}},
		{"interface", table(b, "n", enis.String()), []arrow.Array{eni.Array()}},
		{"port", table(b, "n", "port,proto,app\n443,tcp,shop\n53,any,dns\n0-65535,tcp,other\n"), []arrow.Array{port.Array(), protocol.Array()}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			l := bench.table.Lookups()[0]
			out := schema.NewColumn(l.Field)
			for i := 0; b.Loop(); i++ {
				if i%rows == 0 {
					out.Reset()
				}
				l.Append(out, bench.in, i%rows)
			}
		})
	}
}

func BenchmarkTableRead(b *testing.B) {
	content := []byte(networksCSV(randomNetworks(rand.New(rand.NewPCG(1, 2)), 10_000, 24)))
	for b.Loop() {
		table(b, "n", string(content))
	}
}

// Lines are those of the file, whatever was left out, and cells with several lines.
func TestTableLines(t *testing.T) {
	var b strings.Builder
	b.WriteString("# made by hand\n\ncidr,\"the\nteam\"\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "10.%d.%d.0/24,x\n", i/256, i%256)
	}
	b.WriteString("10.0.0.0/33,x\n")
	tab, _ := NewTable("n")
	if err := tab.Read("a.csv", []byte(b.String())); err == nil || !strings.HasPrefix(err.Error(), "a.csv:1005: column 1 (cidr): ") {
		t.Errorf("got error %v", err)
	}
}
