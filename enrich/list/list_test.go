package list

import (
	"fmt"
	"strings"
	"testing"
)

// text is a list in one line: its form, then each entry, then what was skipped.
func (l *List) text() string {
	var parts []string
	for _, e := range l.Entries {
		s := e.Value
		if e.Port > 0 {
			s += fmt.Sprintf(" port %d", e.Port)
		}
		if e.Label != "" {
			s += " " + e.Label
		}
		parts = append(parts, fmt.Sprintf("%d: %s", e.Line, s))
	}
	text := l.Form + " | " + strings.Join(parts, ", ")
	if l.Skipped != nil {
		text += " | " + l.skips()
	}
	return text
}

func TestRead(t *testing.T) {
	for _, test := range []struct{ name, content, want string }{
		{"words", "10.0.0.1, 10.0.0.0/8\t2001:db8::1\n", "text | 1: 10.0.0.1, 1: 10.0.0.0/8, 1: 2001:db8::1"},
		{"remarks", "# a\n; b\n// c\n10.0.0.1 # d\n10.0.0.2 ; e\n10.0.0.3 // f\n\n", "text | 4: 10.0.0.1 d, 5: 10.0.0.2 e, 6: 10.0.0.3 f"},
		{"a range", "10.0.0.1..10.0.0.9\n", "text | 1: 10.0.0.1..10.0.0.9"},
		{"what is wrong is left to the reader", "10.0.0.1\n10.0.0.300\n", "text | 1: 10.0.0.1, 2: 10.0.0.300"},
		{"a mistyped address is no remark", "10.0.0.1, 10.0.0.x\n", "text | 1: 10.0.0.1, 1: 10.0.0.x"},
		{"rows without titles", "\"10.0.0.1\",\"x, y\"\n\"10.0.0.2\",\"z\"\n", "text | 1: 10.0.0.1 x, y, 2: 10.0.0.2 z"},
		{"address and count", "10.0.0.1\t9\n10.0.0.2\t8\n", "text | 1: 10.0.0.1 9, 2: 10.0.0.2 8"},
		{"with ports", "192.0.2.1:443\n[2001:db8::1]:53\n", "text | 1: 192.0.2.1 port 443, 2: 2001:db8::1 port 53"},
		{"Spamhaus DROP", "; Spamhaus DROP List\n; Expires: x\n192.0.2.0/24 ; SBL1\n198.51.100.0/22 ; SBL2\n", "text | 3: 192.0.2.0/24 SBL1, 4: 198.51.100.0/22 SBL2"},
		{"FireHOL", "#\n# firehol_level1\n#\n192.0.2.0/24\n198.51.100.7\n", "text | 4: 192.0.2.0/24, 5: 198.51.100.7"},
		{"not UTF-8", "192.0.2.1 # caf\xe9\n", "text | 1: 192.0.2.1 caf\ufffd"},
		{"nothing", "", "text | "},
		{"a BOM", "\ufeff192.0.2.1\r\n", "text | 1: 192.0.2.1"},

		{
			"Spamhaus JSON lines", `{"cidr":"192.0.2.0/24","sblid":"SBL1","rir":"ripencc"}` + "\n" + `{"cidr":"2001:db8::/32","sblid":"SBL2","rir":"arin"}` + "\n" +
				`{"type":"metadata","timestamp":1,"records":2}` + "\n",
			"JSON lines | 1: 192.0.2.0/24 SBL1, 2: 2001:db8::/32 SBL2",
		},
		{
			"lines of other objects", `{"ip":"192.0.2.1"}` + "\n" + `{"ip":"nobody"}` + "\n" + `{"x":1}` + "\n",
			"JSON lines | 1: 192.0.2.1 | 1 that are no address or network (first in line 2), 1 that have no member cidr or ip (first in line 3)",
		},
		{"an array of texts", "[\"192.0.2.1\",\n\"::ffff:192.0.2.2\"]", "JSON | 1: 192.0.2.1, 2: 192.0.2.2"},
		{"an array of objects", `[{"ip_address":"192.0.2.1","comment":"x"}]`, "JSON lines | 1: 192.0.2.1 x"},

		{
			"abuse.ch Feodo Tracker", "################\n# Feodo Tracker #\n################\n#\n" +
				`"first_seen_utc","dst_ip","dst_port","c2_status","last_online","malware"` + "\n" +
				`"2021-01-17 07:44:46","192.0.2.32","4643","online","2021-01-17","Dridex"` + "\n# END (1) entries\n",
			"CSV | 6: 192.0.2.32 Dridex",
		},
		{
			"abuse.ch SSLBL, with the titles in a remark", "# SSLBL\n#\n# Firstseen,DstIP,DstPort\n2021-01-01 00:00:00,192.0.2.1,443\n",
			"CSV | 4: 192.0.2.1",
		},
		{
			"abuse.ch ThreatFox", `# "first_seen_utc","ioc_id","ioc_value","ioc_type","fk_malware"` + "\n" +
				`"2021", "1", "192.0.2.1:443", "ip:port", "win.x"` + "\n" + `"2021", "2", "example.com", "domain", "win.x"` + "\n",
			"CSV with types | 2: 192.0.2.1 port 443 win.x | 1 of type domain (first in line 3)",
		},
		{
			"MISP", "uuid,event_id,category,type,value,comment,to_ids,date\n" +
				"u,1,Network activity,ip-dst,192.0.2.1,\"a \"\"b\"\"\",1,20210101\n" +
				"u,1,Network activity,ip-dst|port,192.0.2.2|8080,,1,20210101\n" +
				"u,1,Network activity,ip-src|port,[2001:db8::1]:53,,1,20210101\n" +
				"u,1,Network activity,domain,example.com,,1,20210101\nu,1,Payload,md5,00,,1,20210101\n" +
				"u,1,Network activity,ip-src,192.0.2[.]3,,1,20210101\nu,1,Network activity,domain,example.org,,1,20210101\nu,1\n",
			"CSV with types | 2: 192.0.2.1 a \"b\", 3: 192.0.2.2 port 8080, 4: 2001:db8::1 port 53 | " +
				"2 of type domain (first in line 5), 1 of type md5 (first in line 6), 1 that are no address or network (first in line 7), 1 that do not have 8 cells (first in line 9)",
		},
		{"a table of the user's own", "team;cidr\ncore;10.0.0.0/8\n", "CSV | 2: 10.0.0.0/8"},

		{
			"STIX", "{\"type\":\"bundle\",\"objects\":[\n" +
				`{"type":"identity","name":"x"},` + "\n" +
				`{"type":"indicator","name":"C2","pattern_type":"stix","pattern":"[ipv4-addr:value = '192.0.2.1']"},` + "\n" +
				`{"type":"indicator","pattern":"[ ipv6-addr:value ISSUBSET '2001:db8::/32' ]"},` + "\n" +
				`{"type":"indicator","pattern":"[ipv4-addr:value = '192.0.2.2' OR ipv4-addr:value = '192.0.2.3/32']"},` + "\n" +
				`{"type":"indicator","pattern":"[domain-name:value = 'example.com']"},` + "\n" +
				`{"type":"indicator","pattern":"[ipv4-addr:value = '192.0.2.4' AND network-traffic:dst_port = 443]"},` + "\n" +
				`{"type":"indicator","pattern":"[ipv4-addr:value = '192.0.2.4'] FOLLOWEDBY [ipv4-addr:value = '192.0.2.5']"},` + "\n" +
				`{"type":"indicator","revoked":true,"pattern":"[ipv4-addr:value = '192.0.2.6']"},` + "\n" +
				`{"type":"indicator","pattern_type":"yara","pattern":"rule x {}"}]}`,
			"STIX 2.1 | 3: 192.0.2.1 C2, 4: 2001:db8::/32, 5: 192.0.2.2, 5: 192.0.2.3 | " +
				"3 with a pattern other than addresses joined by OR (first in line 6), 1 that are revoked (first in line 9), 1 with a pattern of type yara (first in line 10)",
		},
		{"get-managed-prefix-list-entries", `{"Entries":[{"Cidr":"10.0.0.0/8","Description":"office"},{"Cidr":"10.1.0.0/16"}]}`, "AWS prefix list | 1: 10.0.0.0/8 office, 1: 10.1.0.0/16"},
		{"describe-prefix-lists", `{"PrefixLists":[{"Cidrs":["192.0.2.0/24"],"PrefixListId":"pl-1","PrefixListName":"com.amazonaws.eu-west-1.s3"}]}`, "AWS prefix lists | 1: 192.0.2.0/24 com.amazonaws.eu-west-1.s3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := Read("a", []byte(test.content))
			if err != nil {
				t.Fatal(err)
			}
			if got := l.text(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			for _, e := range l.Entries {
				if len(e.Cells) > 0 && len(e.Cells) != len(l.Columns) {
					t.Errorf("%s has %d cells of %d columns", e.Value, len(e.Cells), len(l.Columns))
				}
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	for _, test := range []struct{ name, content, want string }{
		{"cut JSON lines", `{"cidr":"192.0.2.0/24"}` + "\n" + `{"cidr":"198.51`, "a:2: column 16: the JSON ends too early: get the file again"},
		{"cut STIX", `{"type":"bundle","objects":[{"type":"indicator",`, "a:1: column 49: the JSON ends too early: get the file again"},
		{"broken JSON lines", `{"cidr":"192.0.2.0/24"}` + "\n" + `{"cidr":}`, "a:2: column 9: invalid character '}'"},
		{"other JSON", `{"Subnets":[]}`, "a:1: column 1: this JSON is no list of addresses"},
		{"no networks", `{"PrefixLists":[{"PrefixListId":"pl-1"}]}`, "a:1: column 1: describe-managed-prefix-lists prints no networks: get those of each list with aws ec2 get-managed-prefix-list-entries --prefix-list-id pl-1"},
		{"all skipped", "type,value\ndomain,example.com\n", "a:2: column 1: the file has no address that can be used: skipped 1 of type domain (first in line 2)"},
		{"a quote without match", "type,value\nip-dst,\"192.0.2.1\n", "a:2: column 2: "},
		{"UTF-16", "\xff\xfe1", "a:1: column 1: the file is UTF-16 text"},
		{"a huge word", strings.Repeat("x", 1<<20), `a:1: column 1: "` + strings.Repeat("x", 40) + `…" is not an IP address or network`},
	} {
		l, err := Read("a", []byte(test.content))
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, error %v\nwant %s", test.name, l, err, test.want)
		}
	}
}

// A file whose types are all different does not make a note without end.
func TestReasonsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("type,value\nip-dst,192.0.2.1\n")
	for n := range 10_000 {
		fmt.Fprintf(&b, "t%d,x\n", n)
	}
	l, err := Read("a", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Skipped) != maxReasons || len(l.Note("a")) > 2000 {
		t.Errorf("%d reasons, a note of %d bytes", len(l.Skipped), len(l.Note("a")))
	}
	total := 0
	for _, s := range l.Skipped {
		total += s.Count
	}
	if total != 10_000 {
		t.Errorf("%d are counted, want 10,000", total)
	}
}

func TestWords(t *testing.T) {
	for _, test := range []struct {
		content string
		texts   bool
		want    string
	}{
		{"22, 1000..2000\t443 # x\n", false, "22|1000..2000|443"},
		{"\ufeffweb server # one\n#all\n  db#1 \r\n", true, "web server|db#1"},
	} {
		entries, err := Words("a", []byte(test.content), test.texts)
		var got []string
		for _, e := range entries {
			got = append(got, e.Value)
		}
		if text := strings.Join(got, "|"); err != nil || text != test.want {
			t.Errorf("%q: got %s, %v, want %s", test.content, text, err, test.want)
		}
	}
	if _, err := Words("a", []byte("1\n"+strings.Repeat("2", 1<<20)), false); err == nil || !strings.HasPrefix(err.Error(), "a:2: the line is longer") {
		t.Errorf("got error %v for a huge line", err)
	}
}

// FuzzRead reads any content: it ends, each entry of a form that checks is an address, and errors have their place.
func FuzzRead(f *testing.F) {
	f.Add("10.0.0.1 ; x\n10.0.0.2,10.0.0.3:80\n")
	f.Add("# a,dst_ip\n1,10.0.0.1\n\"2\",x\n")
	f.Add("type,value\nip-dst|port,10.0.0.1|80\n")
	f.Add(`{"cidr":"10.0.0.0/8","n":1,"l":["a",true,null]}` + "\n" + `{"type":"metadata"}`)
	f.Add(`{"type":"bundle","objects":[{"type":"indicator","pattern":"[ipv4-addr:value = '10.0.0.1']"}]}`)
	f.Add(`{"Entries":[{"Cidr":"10.0.0.0/8"}]} {"PrefixLists":[{"Cidrs":["10.0.0.0/8"]}]}`)
	f.Fuzz(func(t *testing.T, content string) {
		l, err := Read("a", []byte(content))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "a:") {
				t.Errorf("the error does not say where: %v", err)
			}
			return
		}
		for _, e := range l.Entries {
			if l.Form != "text" && !isAddress(e.Value) {
				t.Errorf("%s: %q is not an address", l.Form, e.Value)
			}
			if e.Line < 1 {
				t.Errorf("%q is in line %d", e.Value, e.Line)
			}
			if e.Cells != nil && len(e.Cells) > len(l.Columns) {
				t.Errorf("%q has %d cells of %d columns", e.Value, len(e.Cells), len(l.Columns))
			}
		}
	})
}
