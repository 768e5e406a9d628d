package enrich

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestProtocolName(t *testing.T) {
	for number, want := range map[string]string{
		"0": "HOPOPT", "1": "ICMP", "6": "TCP", "17": "UDP", "47": "GRE", "50": "ESP", "58": "IPv6-ICMP", "132": "SCTP",
		"13": "ARGUS", "53": "SWIPE", "95": "MICP", "122": "SM", // out of use
		"61": "any host internal protocol", "63": "any local network", "68": "any distributed file system",
		"99": "any private encryption scheme", "114": "any 0-hop protocol",
		"253": "Use for experimentation and testing", "254": "Use for experimentation and testing",
		"145": "NSH", "146": "Unassigned", "252": "Unassigned", "255": "Reserved", "-": "-",
	} {
		if got := lookup(t, Builtin(nil), "protocol_name", number); got != want {
			t.Errorf("%s: got %s, want %s", number, got, want)
		}
	}
	if got := lookup(t, Builtin(nil), "protocol_name"); got != "-" {
		t.Errorf("without the field: got %s", got)
	}
	for n, name := range protocols {
		if assigned := n <= 145 || n >= 253; assigned != (name != "") {
			t.Errorf("%d: got %q", n, name)
		}
	}
}

func TestProtocols(t *testing.T) {
	for _, test := range []struct {
		name, csv string
		want      map[int]string
	}{
		{"plain", "6,tcp\n17,udp\n", map[int]string{6: "tcp", 17: "udp", 1: "ICMP", 200: ""}},
		{"header", "protocol_number,keyword\n6,tcp\n", map[int]string{6: "tcp", 17: "UDP"}},
		{"columns by title", "Keyword,Decimal\ntcp,6\n", map[int]string{6: "tcp"}},
		{"windows", "\ufeffDecimal,Keyword\r\n\"6\", tcp\r\n\r\n17,udp", map[int]string{6: "tcp", 17: "udp"}},
		{"iana", "Decimal,Keyword,Protocol,IPv6 Extension Header,Reference\n" +
			"5,ST,Stream,,[RFC1190]\n" +
			"9,IGP,\"any private interior gateway\n(used by Cisco\nfor their IGRP)\",,[IANA]\n" +
			"12,PUP,PUP,,\"[Boggs, \"\"PUP: An Internetwork Architecture\"\",\n1979]\"\n" +
			"13,FOO (deprecated),ARGUS,,\n" +
			"61,,any host  internal,,\n" +
			"62,,\"any host\n internal\",,\n" +
			"146-148,,Unassigned,,\n" +
			"149 - 150,NEW,,,\n",
			map[int]string{5: "ST", 9: "IGP", 12: "PUP", 13: "FOO", 61: "any host internal", 62: "any host internal", 147: "Unassigned", 149: "NEW", 150: "NEW"}},
		{"a cell cut short", "Decimal,Keyword,Protocol,,Reference\n" +
			"22,XNS,XEROX NS IDP,,\"[\"\"The Ethernet, Digital\n23,Trunk,Trunk-1,,[Boehm]\n31,MFE,MFE,,\"[Shuttleworth, B.]\"\n",
			map[int]string{22: "XNS", 23: "Trunk", 31: "MFE"}},
		{"the same twice", "6,tcp\n6,tcp\n", map[int]string{6: "tcp"}},
		{"no keyword", "6,\n17,udp\n", map[int]string{6: "TCP", 17: "udp"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			names, err := Protocols(strings.NewReader(test.csv), "p.csv")
			if err != nil {
				t.Fatal(err)
			}
			for n, want := range test.want {
				if got := names[n]; got != want {
					t.Errorf("%d: got %q, want %q", n, got, want)
				}
			}
		})
	}
	if protocols[6] != "TCP" {
		t.Error("reading a file changed the built-in names")
	}
}

func TestProtocolsOverride(t *testing.T) {
	names, err := Protocols(strings.NewReader("6,tcp\n"), "p.csv")
	if err != nil {
		t.Fatal(err)
	}
	for number, want := range map[string]string{"6": "tcp", "17": "UDP", "200": "Unassigned"} {
		if got := lookup(t, Builtin(names), "protocol_name", number); got != want {
			t.Errorf("%s: got %s, want %s", number, got, want)
		}
	}
}

func TestProtocolsErrors(t *testing.T) {
	for _, test := range []struct{ csv, want string }{
		{"", "p.csv: there are no protocols in it"},
		{"Decimal,Keyword\n", "p.csv: there are no protocols in it"},
		{"6,tcp\n256,x\n", `p.csv:2: column 1: "256" is not a protocol number`},
		{"number,keyword\n6,tcp\n\nTCP,6\n", `p.csv:4: column 1: "TCP" is not a protocol number`},
		{"6x,tcp\n", `p.csv:1: column 1: "6x" is not a protocol number`},
		{"9-7,x\n", `"9-7" is not a protocol number`},
		{"-1,x\n1,y\n-1,x\n", `p.csv:3: column 1: "-1"`},
		{"6,tcp\n7\n", "p.csv:2: there is no column 2"},
		{"6,\"tcp\n", "p.csv:1: column"},
		{"6,tcp\n7,\"a\nb\"x\n", "p.csv:3: column"},
		{"6,tcp\n7,x\"y\n", "p.csv:2: column 4"},
		{"6,tcp\n6,udp\n", `p.csv:2: protocol 6 is "udp" here but "tcp" on line 1`},
		{"6,t\xffp\n", "p.csv:1: column 2: \"t\\xffp\" is not UTF-8"},
	} {
		_, err := Protocols(strings.NewReader(test.csv), "p.csv")
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got error %v, want %s", test.csv, err, test.want)
		}
	}
}

// The built-in table is what IANA's own file says.
func TestProtocolsOfIANA(t *testing.T) {
	const path = "../../shared/reference/iana-protocol-numbers-1.csv"
	file, err := os.Open(path)
	if err != nil {
		t.Skipf("without IANA's file: %v", err)
	}
	defer file.Close()
	names, err := Protocols(file, path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range names {
		want := lookup(t, Builtin(nil), "protocol_name", strconv.Itoa(n))
		if got := lookup(t, Builtin(names), "protocol_name", strconv.Itoa(n)); got != want {
			t.Errorf("%d: the file says %q, the table %q", n, got, want)
		}
	}
}

func FuzzProtocols(f *testing.F) {
	f.Add("6,tcp\n17,udp\n")
	f.Add("Decimal,Keyword,Protocol\n146-252,,Unassigned\n")
	f.Add("22,XNS,\"[\"\"x\n23,y,z\n")
	f.Fuzz(func(t *testing.T, text string) {
		names, err := Protocols(strings.NewReader(text), "p.csv")
		if err != nil {
			if names != nil || !strings.HasPrefix(err.Error(), "p.csv:") {
				t.Errorf("got %v with error %v", names, err)
			}
			return
		}
		for n, builtin := range protocols {
			if names[n] == "" && builtin != "" || names[n] != strings.ToValidUTF8(names[n], "") {
				t.Errorf("%d: got %q", n, names[n])
			}
		}
	})
}
