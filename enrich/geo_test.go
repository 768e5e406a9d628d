package enrich

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oschwald/geoip2-golang/v2"
	"github.com/oschwald/maxminddb-golang/v2"

	"flowlog/parse/schema"
)

const (
	ours = "../testdata/geo"
	// MaxMind's own test databases are not part of the project.
	reference = "../../shared/reference/mmdb"
)

func openDB(t testing.TB, open func(string) (*DB, error), name string) *DB {
	t.Helper()
	return openPath(t, open, filepath.Join(ours, name+".mmdb"))
}

func openPath(t testing.TB, open func(string) (*DB, error), path string) *DB {
	t.Helper()
	if _, err := os.Stat(path); err != nil && strings.HasPrefix(path, reference) {
		t.Skipf("without MaxMind's test databases: %v", err)
	}
	db, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// describe is all that the database says of an address, field by field.
func describe(t *testing.T, db *DB, addr string) string {
	t.Helper()
	var words []string
	for _, l := range db.Lookups() {
		if strings.HasPrefix(l.Name, "src_") {
			words = append(words, lookup(t, db.Lookups(), l.Name, "-", addr))
		}
	}
	return strings.Join(words, ", ")
}

func TestDB(t *testing.T) {
	const none = "-, -, -, -, -, -"
	for _, test := range []struct {
		open func(string) (*DB, error)
		name string
		want map[string]string
	}{
		{OpenCity, ours + "/city.mmdb", map[string]string{
			"192.0.2.1":      "US, United States, Virginia, Ashburn, 39.0437, -77.4875",
			"198.51.100.1":   "DE, Germany, Hesse, Frankfurt am Main, 50.1188, 8.6843",
			"198.51.100.200": "FR, France, Île-de-France, Paris, 48.8566, 2.3522",
			"203.0.113.130":  "NL, The Netherlands, -, -, 52.3824, 4.8995",
			"203.0.113.200":  none,
			"2001:db8::1":    "SG, Singapore, -, Singapore, 1.2897, 103.8501",
			"10.0.0.1":       none,
			"::":             none,
			"-":              none,
		}},
		{OpenCity, ours + "/country.mmdb", map[string]string{
			"192.0.2.1":   "US, United States, -, -, -, -",
			"2001:db8::1": "SG, Singapore, -, -, -, -",
		}},
		{OpenASN, ours + "/asn.mmdb", map[string]string{
			"192.0.2.1":     "64496, Example Hosting LLC",
			"8.8.8.8":       "15169, GOOGLE",
			"203.0.113.240": "-, -",
			"2001:db8::1":   "64503, Example Cloud Pte. Ltd.",
			"-":             "-, -",
		}},
		{OpenCity, ours + "/enterprise.mmdb", map[string]string{
			"198.51.100.1": "DE, Germany, Hesse, Frankfurt am Main, 50.1188, 8.6843",
			"2001:db8::1":  none, // the database has IPv4 alone
		}},
		{OpenASN, ours + "/enterprise.mmdb", map[string]string{
			"198.51.100.1": "64497, Beispiel Netz GmbH",
		}},

		{OpenCity, ours + "/own.mmdb", map[string]string{ // registered_country where the region is not known
			"198.51.100.1":  "DE, Germany, Hesse, Frankfurt am Main, 50.1188, 8.6843",
			"203.0.113.130": "NL, The Netherlands, -, -, 52.3824, 4.8995",
			"203.0.113.200": none,
		}},
		{OpenCity, ours + "/ipinfo.mmdb", map[string]string{
			"198.51.100.1":  "DE, Germany, Hesse, Frankfurt am Main, 50.1188, 8.6843",
			"203.0.113.130": "NL, The Netherlands, -, -, 52.3824, 4.8995",
			"203.0.113.200": none,
		}},
		{OpenASN, ours + "/ipinfo.mmdb", map[string]string{"8.8.8.8": "15169, GOOGLE", "203.0.113.240": "-, -"}},
		{OpenCity, ours + "/iplocate-country.mmdb", map[string]string{"198.51.100.1": "DE, Germany, -, -, -, -"}},
		{OpenCity, ours + "/iplocate-asn.mmdb", map[string]string{"198.51.100.1": "DE, -, -, -, -, -"}},
		{OpenASN, ours + "/iplocate-asn.mmdb", map[string]string{"8.8.8.8": "15169, GOOGLE"}},

		{OpenCity, reference + "/GeoIP2-City-Test.mmdb", map[string]string{
			"81.2.69.142":   "GB, United Kingdom, England, London, 51.5142, -0.0931",
			"2a02:cf40::1":  "NO, Norway, -, -, 62, 10",
			"175.16.199.1":  "CN, China, Jilin Sheng, Changchun, 43.88, 125.3228",
			"67.43.156.1":   "BT, Bhutan, -, -, 27.5, 90.5",
			"255.255.255.0": none,
		}},
		{OpenCity, reference + "/GeoLite2-City-Test.mmdb", map[string]string{
			"89.160.20.112": "SE, Sweden, Östergötland County, Linköping, 58.4167, 15.6167",
		}},
		{OpenCity, reference + "/GeoLite2-Country-Test.mmdb", map[string]string{
			"89.160.20.112": "SE, Sweden, -, -, -, -",
		}},
		{OpenASN, reference + "/GeoLite2-ASN-Test.mmdb", map[string]string{
			"1.128.0.0":     "1221, Telstra Pty Ltd",
			"89.160.20.112": "29518, Bredband2 AB",
		}},
		{OpenASN, reference + "/GeoIP2-ISP-Test.mmdb", map[string]string{
			"1.128.0.0": "1221, Telstra Pty Ltd",
		}},
	} {
		t.Run(strings.TrimPrefix(test.name, "../"), func(t *testing.T) {
			db := openPath(t, test.open, test.name)
			for addr, want := range test.want {
				if got := describe(t, db, addr); got != want {
					t.Errorf("%s: got %s, want %s", addr, got, want)
				}
			}
			if err := db.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Values of every product's form are taken, and what is none is left to the next path.
func TestLayoutForms(t *testing.T) {
	for _, test := range []struct {
		record map[string]any
		want   addrInfo
	}{
		{map[string]any{"country": "United States", "country_code": "us"}, addrInfo{country: "US", countryName: "United States"}},
		{map[string]any{"country": "DE", "state1": "Hesse", "city": "Kassel"}, addrInfo{country: "DE", region: "Hesse", city: "Kassel"}},
		{map[string]any{"represented_country": map[string]any{"iso_code": "US", "names": map[string]any{"en": "United States"}}}, addrInfo{country: "US", countryName: "United States"}},
		{map[string]any{"country": map[string]any{"iso_code": "FR"}, "registered_country": map[string]any{"iso_code": "US"}}, addrInfo{country: "FR"}},
		{map[string]any{"asn": "AS123", "domain": "example.com"}, addrInfo{asn: 123, org: "example.com"}},
		{map[string]any{"asn": uint64(123), "organization": "Example"}, addrInfo{asn: 123, org: "Example"}},
		{map[string]any{"autonomous_system_number": uint64(7), "asn": "AS123", "as_name": ""}, addrInfo{asn: 7}},
		{map[string]any{"asn": "unknown", "subdivisions": []any{}}, addrInfo{}},
	} {
		var got addrInfo
		for _, kind := range []DBKind{City, ASN} {
			every := layoutOf(kind, func([]any) bool { return true })
			if _, err := every.extract(&got, func(path []any) (any, error) { return walk(test.record, path), nil }); err != nil {
				t.Fatal(err)
			}
		}
		if got != test.want {
			t.Errorf("%v: got %+v, want %+v", test.record, got, test.want)
		}
	}
	for _, test := range []struct {
		v    any
		part int
		want float64
	}{{"1.25,103.8", 0, 1.25}, {"1.25, 103.8", 1, 103.8}, {"-7.5", 1, -7.5}, {float32(2.5), 0, 2.5}} {
		var got *float64
		if !setDegrees(&got, test.v, test.part) || *got != test.want {
			t.Errorf("%v: got %v, want %v", test.v, got, test.want)
		}
	}
	for _, v := range []any{"", "x,y", "NaN", "181", uint64(5), nil} {
		var got *float64
		if setDegrees(&got, v, 0) || got != nil {
			t.Errorf("%v: got %v", v, *got)
		}
	}
}

// The packet's address counts, where there is one.
func TestDBAddresses(t *testing.T) {
	lookups := openDB(t, OpenASN, "asn").Lookups()
	for _, test := range []struct{ name, pkt, addr, want string }{
		{"src_asn", "8.8.8.8", "192.0.2.1", "15169"},
		{"dst_asn", "8.8.8.8", "192.0.2.1", "15169"},
		{"src_asn", "-", "192.0.2.1", "64496"},
		{"src_asn", "10.0.0.1", "192.0.2.1", "-"},
		{"dst_as_org", "-", "-", "-"},
	} {
		if got := lookup(t, lookups, test.name, test.pkt, test.addr); got != test.want {
			t.Errorf("%s of %s, %s: got %s, want %s", test.name, test.pkt, test.addr, got, test.want)
		}
	}
	if got := lookup(t, lookups, "src_asn"); got != "-" {
		t.Errorf("without any address: got %s", got)
	}
}

func TestDBDescription(t *testing.T) {
	db := openDB(t, OpenCity, "city")
	if got, want := db.Type(), "GeoLite2-City"; got != want {
		t.Errorf("got type %s, want %s", got, want)
	}
	if got, want := db.Built(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); got != want {
		t.Errorf("got time %v, want %v", got, want)
	}
}

func TestOpenErrors(t *testing.T) {
	text := filepath.Join(t.TempDir(), "notes.mmdb")
	if err := os.WriteFile(text, []byte("not a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty.mmdb")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		open func(string) (*DB, error)
		path string
		want string
	}{
		{OpenCity, "missing.mmdb", "open missing.mmdb: "},
		{OpenCity, ours + "/asn.mmdb", `asn.mmdb: "GeoLite2-ASN" is no city database but an asn database`},
		{OpenASN, ours + "/city.mmdb", `city.mmdb: "GeoLite2-City" is no asn database but a city database`},
		{OpenASN, text, "notes.mmdb: "},
		{OpenASN, empty, "empty.mmdb: "},
		{OpenASN, t.TempDir(), ": "},
	} {
		db, err := test.open(test.path)
		if err == nil {
			db.Close()
			t.Errorf("%s: got no error", test.path)
			continue
		}
		t.Log(err)
		if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.path) {
			t.Errorf("%s: got error %q, want %q", test.path, err, test.want)
		}
	}
}

// Archives and other editions of a database are told as what they are, with what to do.
func TestOpenOtherFiles(t *testing.T) {
	db, err := os.ReadFile(ours + "/city.mmdb")
	if err != nil {
		t.Fatal(err)
	}
	tarred := func(w io.Writer) error {
		tw := tar.NewWriter(w)
		if err := tw.WriteHeader(&tar.Header{Name: "GeoLite2-City.mmdb", Mode: 0o600, Size: int64(len(db))}); err != nil {
			return err
		}
		_, err := tw.Write(db)
		return errors.Join(err, tw.Close())
	}
	for name, test := range map[string]struct {
		write func(io.Writer) error
		want  string
	}{
		"a.tar":    {tarred, "a tar archive: unpack it with tar xf "},
		"a.tar.gz": {func(w io.Writer) error { z := gzip.NewWriter(w); return errors.Join(tarred(z), z.Close()) }, "a tar archive: unpack it with tar xzf "},
		"a.mmdb.gz": {func(w io.Writer) error {
			z := gzip.NewWriter(w)
			_, err := z.Write(db)
			return errors.Join(err, z.Close())
		}, "compressed with gzip: unpack it with gunzip "},
		"a.zip": {func(w io.Writer) error {
			z := zip.NewWriter(w)
			f, err := z.Create("GeoLite2-City.mmdb")
			if err != nil {
				return err
			}
			_, err = f.Write(db)
			return errors.Join(err, z.Close())
		}, "a zip archive: unpack it with unzip "},
	} {
		var b bytes.Buffer
		if err := test.write(&b); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenCity(path); err == nil || !strings.Contains(err.Error(), path+": "+test.want+path) {
			t.Errorf("%s: got error %v, want %q", name, err, test.want)
		}
	}
}

// A damaged database is an error when it is opened or when it is used, never a panic, and never a wrong value.
func TestBrokenDBs(t *testing.T) {
	paths, _ := filepath.Glob(reference + "/*roken*.mmdb")
	if len(paths) == 0 {
		t.Skip("without MaxMind's test databases")
	}
	paths = append(paths, reference+"/GeoIP2-City-Test-Invalid-Node-Count.mmdb")
	for _, path := range paths {
		db, err := OpenCity(path)
		if err == nil {
			for _, addr := range everywhere() {
				db.find(addr)
			}
			err = db.Err()
			db.Close()
		}
		t.Log(err)
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got error %v", path, err)
		}
	}
}

// everywhere is an address in each /16, and some of IPv6.
func everywhere() []netip.Addr {
	var addrs []netip.Addr
	for n := range 1 << 16 {
		addrs = append(addrs, netip.AddrFrom4([4]byte{byte(n >> 8), byte(n), byte(n), 1}))
		addrs = append(addrs, netip.AddrFrom16([16]byte{byte(n >> 8), byte(n), 0xd, 0xb8}))
	}
	return addrs
}

// Whatever happens to the bytes of a database, there is an error or an answer.
func FuzzDB(f *testing.F) {
	var whole [][]byte
	for i, name := range []string{"city", "asn"} {
		data, err := os.ReadFile(filepath.Join(ours, name+".mmdb"))
		if err != nil {
			f.Fatal(err)
		}
		whole = append(whole, data)
		for _, place := range []int{0, 100, len(data) / 2, len(data) - 200, len(data) - 20} {
			f.Add(i == 0, place, []byte{0xff, 0, 0x3f}, len(data))
			f.Add(i == 0, place, []byte{}, place)
		}
	}
	f.Fuzz(func(t *testing.T, city bool, place int, patch []byte, length int) {
		data := slices.Clone(whole[1])
		if city {
			data = slices.Clone(whole[0])
		}
		if place >= 0 && place < len(data) {
			copy(data[place:], patch)
		}
		if length >= 0 && length < len(data) {
			data = data[:length]
		}
		path := filepath.Join(t.TempDir(), "fuzz.mmdb")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, open := range []func(string) (*DB, error){OpenCity, OpenASN} {
			db, err := open(path)
			if err != nil {
				if !strings.Contains(err.Error(), path) {
					t.Errorf("the error does not name the file: %v", err)
				}
				continue
			}
			for _, addr := range []string{"192.0.2.1", "198.51.100.200", "203.0.113.1", "8.8.8.8", "2001:db8::", "::", "255.255.255.255"} {
				out := schema.NewColumn(schema.Field{Kind: schema.Text})
				p := db.find(netip.MustParseAddr(addr))
				text(out, p.city)
				text(out, p.org)
				if out.Len() != 2 {
					t.Errorf("got %d values", out.Len())
				}
				out.Array().Release()
			}
			db.Close()
		}
	})
}

// One DB serves all workers.
func TestDBConcurrently(t *testing.T) {
	db := openDB(t, OpenCity, "city")
	fresh := openDB(t, OpenCity, "city")
	var addrs []netip.Addr
	want := make(map[netip.Addr]addrInfo)
	for n := range 1024 {
		a := netip.AddrFrom4([4]byte{203, 0, 113, byte(n)})
		if n >= 256 {
			a = netip.AddrFrom4([4]byte{198, 51, 100, byte(n)})
		}
		addrs = append(addrs, a)
		want[a] = *fresh.lookup(a)
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(3, uint64(worker)))
			for range 20_000 {
				a := addrs[rnd.IntN(len(addrs))]
				got, want := db.find(a), want[a]
				if got.country != want.country || got.city != want.city {
					t.Errorf("%s: got %s, %s, want %s, %s", a, got.country, got.city, want.country, want.city)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestFindDB(t *testing.T) {
	for _, test := range []struct {
		kind  DBKind
		env   map[string]string
		files []string
		want  string
	}{
		{City, nil, nil, ""},
		{City, nil, []string{"/usr/share/GeoIP/GeoLite2-City.mmdb"}, "/usr/share/GeoIP/GeoLite2-City.mmdb"},
		{City, nil, []string{"/usr/share/GeoIP/GeoLite2-Country.mmdb", "/opt/homebrew/var/GeoIP/GeoLite2-City.mmdb"}, "/opt/homebrew/var/GeoIP/GeoLite2-City.mmdb"},
		{City, nil, []string{"/usr/share/GeoIP/GeoLite2-City.mmdb", "/var/lib/GeoIP/GeoIP2-City.mmdb"}, "/var/lib/GeoIP/GeoIP2-City.mmdb"},
		{City, nil, []string{"/usr/share/GeoIP/GeoLite2-ASN.mmdb"}, ""},
		{ASN, nil, []string{"/usr/local/share/GeoIP/GeoLite2-ASN.mmdb", "/usr/share/GeoIP/dbip-asn-lite.mmdb"}, "/usr/local/share/GeoIP/GeoLite2-ASN.mmdb"},
		{ASN, map[string]string{"PROGRAMDATA": "/ProgramData"}, []string{"/ProgramData/MaxMind/GeoIPUpdate/GeoIP/GeoLite2-ASN.mmdb"}, "/ProgramData/MaxMind/GeoIPUpdate/GeoIP/GeoLite2-ASN.mmdb"},
	} {
		got := FindDB(test.kind, func(name string) string { return test.env[name] }, func(path string) bool {
			for _, file := range test.files {
				if filepath.FromSlash(file) == path {
					return true
				}
			}
			return false
		})
		if got != filepath.FromSlash(test.want) {
			t.Errorf("%s among %v: got %q, want %q", test.kind, test.files, got, test.want)
		}
	}
}

// What a distinct address costs: all fields of a city database, its record decoded before or not, beside
// decoding alone.
func BenchmarkDB(b *testing.B) {
	path := reference + "/GeoIP2-City-Test.mmdb"
	db := openPath(b, OpenCity, path)
	rec := record(b, schema.Table{{Name: "srcaddr", Kind: schema.Addr}}, []string{"81.2.69.142"}, []string{"81.2.69.160"}, []string{"89.160.20.112"}, []string{"175.16.199.1"})
	rec.Retain()
	lookups := db.Lookups()[:6]
	for _, forget := range []bool{false, true} {
		b.Run(fmt.Sprintf("fields/decode=%t", forget), func(b *testing.B) {
			outs := make([]*schema.Column, len(lookups))
			for i, l := range lookups {
				outs[i] = schema.NewColumn(l.Field)
			}
			row := 0
			in := rec.Columns()
			for b.Loop() {
				row = (row + 1) % 4
				a, _ := address(in, row)
				addr := a.As16()
				db.recent[addr[15]^addr[14]^addr[7]].Store(nil)
				if forget {
					db.infos.Clear()
				}
				for i, l := range lookups {
					outs[i].Truncate(0)
					l.Append(outs[i], in, row)
				}
			}
		})
	}
	b.Run("geoip2", func(b *testing.B) {
		r, err := maxminddb.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		for b.Loop() {
			var c geoip2.City
			if err := r.Lookup(netip.MustParseAddr("81.2.69.142")).Decode(&c); err != nil {
				b.Fatal(err)
			}
		}
	})
}
