package schema

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow/array"
)

func TestTable(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range logged {
		if seen[f.Name] || CanonicalName(f.Name) != f.Name || f.Since < Versions()[0] || f.Doc == "" {
			t.Errorf("field %+v: the name is taken or not canonical, or a member is not set", f)
		}
		seen[f.Name] = true
	}
	versions := Versions()
	last := versions[len(versions)-1]
	if got, want := len(Version(last))+18, len(logged); last != transitVersion && got != want { // 18 are a transit gateway's alone
		t.Errorf("fields of version %d and of transit gateways: got %d, want all %d", last, got, want)
	}
	if first, want := VersionRange(" to "), fmt.Sprintf("v2 to v%d", last); first != want {
		t.Errorf("versions: got %q, want %q", first, want)
	}
	for _, v := range versions {
		if len(Version(v)) == 0 {
			t.Errorf("version %d has no fields", v)
		}
	}
	// By AWS's documentation. A published version never gets another field.
	for version, count := range map[int]int{2: 14, 3: 21, 4: 25, 5: 29, 6: 36, 7: 39, 8: 40, 9: 41, 10: 42, 11: 54, 1: 0, last + 1: 0} {
		if got := len(Version(version)); got != count {
			t.Errorf("fields of version %d: got %d, want %d", version, got, count)
		}
		for _, name := range Version(version) {
			if !seen[name] {
				t.Errorf("version %d: %s is not in the table", version, name)
			}
		}
	}
}

func TestParseFormat(t *testing.T) {
	for s, want := range map[string]string{
		"${version} ${account-id}":         "version account_id",
		"$${version} $${account-id}":       "version account_id",
		"version account-id srcaddr":       "version account_id srcaddr",
		"version,account_id":               "version account_id",
		"  ${pkt-srcaddr}\n${new-field}  ": "pkt_srcaddr new_field",
		"v2":                               strings.Join(Version(2), " "),
		"V6":                               strings.Join(Version(6), " "),
		"v1":                               "error",
		"":                                 "error",
		"${version":                        "error",
		"version version":                  "version version",
		"1.2.3.4":                          "error",
	} {
		names, err := ParseFormat(s)
		got := strings.Join(names, " ")
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("ParseFormat(%q): got %s (%v), want %s", s, got, err, want)
		}
	}
}

func TestParseIntAgreesWithBig(t *testing.T) {
	number := regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?$`)
	check := func(s string) {
		t.Helper()
		got, fault := ParseInt([]byte(s))
		want, v := NotNumber, new(big.Int)
		r := new(big.Rat)
		if number.MatchString(s) {
			r.SetString(s)
		} else {
			r.SetFrac64(1, 2)
		}
		if r.IsInt() {
			v = r.Num()
			switch {
			case !new(big.Int).Abs(v).IsInt64():
				want = Overflow
			case v.Sign() < 0:
				want = OutOfRange
			default:
				want = Valid
			}
		}
		if fault != want || want == Valid && got != v.Int64() {
			t.Errorf("ParseInt(%q): got %d, %v, want %v, %v", s, got, fault, v, want)
		}
	}
	for _, s := range []string{"", "0", "00", "9", "-", "-1", "+1", "1x", "x1", "12345678", "1234567a", "123456789", "a23456789", "9223372036854775807", "9223372036854775808",
		"18446744073709551615", "18446744073709551616", "18446744073709551619", "99999999999999999999", "000000000000000000000000007", "1_000", "１",
		"300.0", "300.00", "300.5", "300.", ".0", "-300.0", "-0.0", "--1", "3e2", "1.71e+09", "1.7100000001E9", "1.71e1", "1200e-2", "1201e-2", "0e-9", "1e19", "1e18", "1e", "e1", "1.0.0",
		"9223372036854775807.0", "9223372036854775808.0", "0x1p3", "Inf", "1e5x"} {
		check(s)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 100_000 {
		n := 1 + r.IntN(21)
		b := make([]byte, n)
		for i := range b {
			b[i] = '0' + byte(r.IntN(10))
		}
		if r.IntN(3) == 0 {
			b[r.IntN(n)] = byte(r.IntN(256))
		}
		if r.IntN(3) == 0 {
			b[r.IntN(n)] = ".e-"[r.IntN(3)]
		}
		check(string(b))
	}
}

func TestParseAddrAgreesWithNetip(t *testing.T) {
	for _, s := range addrTexts {
		agreeWithNetip(t, s)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 100_000 {
		b := []byte(netip.AddrFrom4([4]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}).String())
		if r.IntN(2) == 0 {
			b[r.IntN(len(b))] = "0123456789.:ax"[r.IntN(14)]
		}
		agreeWithNetip(t, string(b))
	}
	for range 300_000 {
		var addr [16]byte
		for i := range addr {
			addr[i] = byte(r.Uint32()) >> r.IntN(12)
		}
		text := netip.AddrFrom16(addr).String()
		switch r.IntN(4) {
		case 0:
			text = netip.AddrFrom16(addr).StringExpanded()
		case 1:
			text = strings.ToUpper(text)
		}
		agreeWithNetip(t, text)
		b := []byte(text)
		for range 1 + r.IntN(3) {
			at := r.IntN(len(b) + 1)
			switch with := "01239afAF::::.g%\x00\xff"[r.IntN(17)]; {
			case at == len(b) || r.IntN(3) == 0:
				b = slices.Insert(b, at, with)
			case r.IntN(2) == 0:
				b[at] = with
			case len(b) > 1:
				b = slices.Delete(b, at, at+1)
			}
		}
		agreeWithNetip(t, string(b))
	}
}

var addrTexts = []string{
	"", ".", "1", "1.2.3", "1.2.3.4", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", "1..2.3", "0.0.0.0", "00.0.0.0", "255.255.255.255",
	"1.2.3.4x", "1.2.3.4.", "1234.1.1.1",
	"2001:db8::1", "::", ":", ":::", "::1", ":1", "1::", "1:", "1:::2", "1::2::3", "::1::", "::ffff:1.2.3.4", "fe80::1%eth0",
	"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "1:2:3::5:6:7:8",
	"1:2:3::4:5:6:7:8", "1:2::3:4::5:6:7", ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:", "12345::", "::12345", "::1g", "::\x001",
	"2001:0DB8:0000:ffff:FFFF:aBcD:0001:0010", "0000:0000:0000:0000:0000:0000:255.255.255.255",
}

func agreeWithNetip(t *testing.T, s string) {
	t.Helper()
	got, ok := ParseAddr([]byte(s))
	want, err := netip.ParseAddr(s)
	if wantOK := err == nil && want.Zone() == ""; ok != wantOK || ok && got != want.As16() {
		t.Errorf("ParseAddr(%q): got %v, %v, want %v, %v", s, got, ok, want, err)
	}
}

func FuzzParseAddr(f *testing.F) {
	for _, s := range addrTexts {
		f.Add(s)
	}
	f.Fuzz(agreeWithNetip)
}

// What ParseFormat reads is names that are as they stand in headers, and that it reads again.
func FuzzParseFormat(f *testing.F) {
	for _, s := range []string{
		"${version} ${account-id} ${interface-id}", "$${srcaddr} $${dstaddr}", "version account_id,srcaddr", `"${srcaddr} ${a-new-field}"`,
		"v2", "V11", "v99", "v-1", "${srcaddr", "${}", "$ $", "${SrcAddr} ${srcaddr}", "${\u202e}\x00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		names, err := ParseFormat(s)
		if err != nil {
			if names != nil {
				t.Errorf("got %q with error %v", names, err)
			}
			return
		}
		for _, name := range names {
			if name == "" || CanonicalName(name) != name {
				t.Errorf("%q is not a name", name)
			}
		}
		if again, err := ParseFormat("${" + strings.Join(names, "} ${") + "}"); err != nil || !slices.Equal(again, names) {
			t.Errorf("got %q, and of that %q, %v", names, again, err)
		}
	})
}

func BenchmarkParseAddr(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	for name, zeros := range map[string]int{"whole": 0, "gap": 6} {
		toks := make([][]byte, 20_000)
		for i := range toks {
			addr := [16]byte{0: 0x20, 0x01, 0x0d, 0xb8}
			for j := 4; j < 16; j++ {
				addr[j] = byte(r.Uint32())
			}
			clear(addr[8 : 8+zeros])
			toks[i] = []byte(netip.AddrFrom16(addr).String())
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				for _, tok := range toks {
					if _, ok := ParseAddr(tok); !ok {
						b.Fatal(string(tok))
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(toks)), "ns/addr")
		})
	}
}

func TestParseTime(t *testing.T) {
	for s, want := range map[string]int64{
		"1700000000": 1700000000, "1700000000123": 1700000000, "999999999": 999999999, "0": 0, "1700000000.0": 1700000000, "1700000000.9": 1700000000, "1.7e+12": 1700000000,
		"1700000000123456": 1700000000, "1700000000123456789": 1700000000, "99999999999": 99999999999, "100000000000": 100000000,
		"2023-11-14T22:13:20Z": 1700000000, "2023-11-14T22:13:20.999Z": 1700000000, "2023-11-14 22:13:20": 1700000000, "2023-11-14t22:13:20,5z": 1700000000,
		"2023-11-14 22:13:20.123456789 UTC": 1700000000, "2023-11-14T23:13:20+01:00": 1700000000, "2023-11-14 23:13:20+01": 1700000000,
		"2023-11-14T17:43:20-0430": 1700000000, "2023-11-14T22:13": 1699999980, "2023-11-14": 1699920000, "2024-02-29": 1709164800, "1970-01-01T00:00:00Z": 0,
	} {
		if got, fault := ParseTime([]byte(s)); got != want || fault != Valid {
			t.Errorf("ParseTime(%s): got %d, %v, want %d", s, got, fault, want)
		}
	}
	for s, want := range map[string]Fault{
		"1969-12-31T23:59:59Z": OutOfRange, "-1": OutOfRange, "1700000000.5x": NotNumber, "1700000000.": NotNumber, "99999999999999999999": Overflow,
		"2023-13-01": NotNumber, "2023-02-29": NotNumber, "2023-11-14T24:00:00Z": NotNumber, "2023-11-14T22:13:20.Z": NotNumber, "2023-11-14T22:13:20+1": NotNumber,
		"2023-11-14T22:13:20 CET": NotNumber, "2023-11-14T22": NotNumber, "2023-11-14x": NotNumber, "2023-1-1": NotNumber, "20231114T221320Z": NotNumber, "2023-11-14T22:13:20+01:000": NotNumber,
	} {
		if _, fault := ParseTime([]byte(s)); fault != want {
			t.Errorf("ParseTime(%s): got %v, want %v", s, fault, want)
		}
	}
}

// ParseTime agrees with the library on what that writes.
func TestParseTimeAgreesWithTime(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		zone := time.FixedZone("", 60*(r.IntN(1600)-800))
		want := time.Unix(r.Int64N(latestSeconds), r.Int64N(1e9)).In(zone)
		for _, form := range []string{time.RFC3339, time.RFC3339Nano, "2006-01-02 15:04:05.999999999-07:00", "2006-01-02T15:04:05-0700"} {
			s := want.Format(form)
			if got, fault := ParseTime([]byte(s)); got != want.Unix() || fault != Valid {
				t.Errorf("ParseTime(%s): got %d, %v, want %d", s, got, fault, want.Unix())
			}
		}
	}
}

func TestColumnPads(t *testing.T) {
	for _, kind := range []Kind{Int32, Int64, Time, Float, Addr, Text} {
		tok := map[Kind]string{Addr: "10.0.0.1", Text: "x"}[kind]
		if tok == "" {
			tok = "7"
		}
		c := NewColumn(Field{Name: "f", Kind: kind})
		for batch := range 3 {
			c.Reset()
			c.Pad(2)
			if batch > 0 {
				if fault := c.Parse([]byte(tok)); fault != Valid {
					t.Fatal(fault)
				}
				c.Parse([]byte("-"))
				c.Truncate(3)
				c.Pad(5)
			}
			a := c.Array()
			var got []bool
			for i := range a.Len() {
				got = append(got, a.IsNull(i))
			}
			want := []bool{true, true}
			if batch > 0 {
				want = []bool{true, true, false, true, true}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%v, batch %d: nulls: got %v, want %v", kind, batch, got, want)
			}
			a.Release()
		}
	}
}

func TestDictNumbersValues(t *testing.T) {
	d := NewDict()
	first := make(map[string]int32)
	r := rand.New(rand.NewPCG(1, 1))
	for range 50_000 {
		s := strings.Repeat("0", r.IntN(20)) + strconv.Itoa(r.IntN(100)) + strings.Repeat("0", r.IntN(20))
		code := d.Code([]byte(s))
		if was, ok := first[s]; ok && was != code {
			t.Fatalf("%s: got code %d, then %d", s, was, code)
		}
		first[s] = code
		if got := string(d.Value(code)); got != s {
			t.Fatalf("value of code %d: got %s, want %s", code, got, s)
		}
	}
	if d.Len() != len(first) {
		t.Errorf("distinct values: got %d, want %d", d.Len(), len(first))
	}
	if code := d.Code([]byte("\xff")); code != -1 {
		t.Errorf("code of what is not UTF-8: got %d, want -1", code)
	}
	if got := d.Array().(*array.String).Value(int(first["1"])); first["1"] != 0 && got != "1" {
		t.Errorf("array: got %s, want 1", got)
	}
}

func TestGatherAndKeep(t *testing.T) {
	c := NewColumn(Field{Name: "f", Kind: Int64, Max: math.MaxInt64})
	for _, s := range []string{"1", "-", "3", "4"} {
		c.Parse([]byte(s))
	}
	d := NewColumn(c.Field)
	d.Gather(c, []int32{3, -1, 1, 0})
	if got := fmt.Sprint(d.Int64, d.Nulls); got != "[4 0 0 1] [1 2]" {
		t.Errorf("gathered: got %s", got)
	}
	c.Keep([]int32{1, 3})
	if got := fmt.Sprint(c.Int64, c.Nulls); got != "[0 4] [0]" {
		t.Errorf("kept: got %s", got)
	}
}

func TestNearest(t *testing.T) {
	for s, want := range map[string]string{"srcadr": "srcaddr", "src-addr": "srcaddr", "protcol": "protocol", "xyzzy": "", "dst_port": "dstport", "LOG-STATUS": "log_status"} {
		if got := Nearest(s, Logged().Names()); got != want {
			t.Errorf("nearest to %q: got %q, want %q", s, got, want)
		}
	}
}

func BenchmarkDict(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, kind := range []string{"eni-%017x", "%d", "arn:aws:ecs:eu-west-1:123456789012:cluster/%d"} {
		toks, distinct := make([][]byte, 10_000), 2000
		for i := range toks {
			v := uint64(r.IntN(distinct))
			if strings.HasPrefix(kind, "eni") {
				v *= 0x9e3779b97f4a7c15
			}
			toks[i] = fmt.Appendf(nil, kind, v)
		}
		b.Run(kind, func(b *testing.B) {
			d := NewDict()
			for b.Loop() {
				for _, tok := range toks {
					d.Code(tok)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(toks)), "ns/text")
		})
	}
}

func TestSpelled(t *testing.T) {
	for _, c := range []struct{ field, value, want string }{
		{"action", "reject", "REJECT"}, {"action", "Accept", "ACCEPT"}, {"action", "dropped", "dropped"}, {"type", "ipv4", "IPv4"}, {"flow_direction", "INGRESS", "ingress"},
		{"account_id", "12345678901", "012345678901"}, {"account_id", "12345678901.0", "012345678901"}, {"account_id", "012345678901", "012345678901"}, {"account_id", "1", "000000000001"},
		{"account_id", "unknown", "unknown"}, {"account_id", "1234567890123", "1234567890123"}, {"account_id", "0001234567890123", "1234567890123"}, {"account_id", "", ""},
		{"tgw_src_vpc_account_id", "7", "000000000007"}, {"vpc_id", "ACCEPT", "ACCEPT"}, {"instance_id", "123", "123"},
	} {
		f, _ := Logged().Lookup(c.field)
		if got := f.Spelled(c.value); got != c.want {
			t.Errorf("%s %q: got %q, want %q", c.field, c.value, got, c.want)
		}
		if got := f.Spelled(f.Spelled(c.value)); got != c.want {
			t.Errorf("%s %q, spelled twice: got %q", c.field, c.value, got)
		}
	}
}

// A dictionary has one code for a value, in all spellings, and the values outside of a vocabulary are counted.
func TestSpellingsAreOneValue(t *testing.T) {
	f, _ := Logged().Lookup("action")
	c := NewColumn(f)
	for _, tok := range []string{"accept", "ACCEPT", "-", "Accept", "accept", "NULL", "alert", "REJECT", "alert", "reject"} {
		if fault := c.Parse([]byte(tok)); fault != Valid {
			t.Fatal(tok, fault)
		}
	}
	if got := c.Array().String(); !strings.Contains(got, `["ACCEPT" "alert" "REJECT"]`) || !strings.Contains(got, "[0 0 (null) 0 0 (null) 1 2 1 2]") {
		t.Errorf("got %s", got)
	}
	if got := c.Outside(); len(got) != 1 || got["alert"] != 2 {
		t.Errorf("outside: got %v", got)
	}
	c.Dict.data = slices.Grow(c.Dict.data, largeDictBytes+1)[:largeDictBytes+1]
	c.Reset()
	c.Text("reject")
	if got := string(c.Dict.Value(0)); got != "REJECT" {
		t.Errorf("after the dictionary was started anew: got %s", got)
	}
}

// A text that may be anything keeps words that are a null elsewhere.
func TestNulls(t *testing.T) {
	for name, kept := range map[string]string{"instance_tag": "NULL null None NaN nan <NA>", "action": "", "vpc_id": "", "bytes": "", "srcaddr": "", "start": "", "shiny": "NULL null None NaN nan <NA>"} {
		f, ok := Logged().Lookup(name)
		if !ok {
			f = Field{Name: name, Kind: Text}
		}
		var got []string
		for _, tok := range []string{"", "-", `\N`, "NULL", "null", "None", "NaN", "nan", "<NA>"} {
			if !f.IsNull([]byte(tok)) {
				got = append(got, tok)
			}
		}
		if strings.Join(got, " ") != kept {
			t.Errorf("%s: got %q, want %q", name, got, kept)
		}
	}
}
