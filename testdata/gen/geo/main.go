// Command geo writes the small MaxMind databases that flowlog is tested with. All that they say is invented,
// but for what anyone knows of a few famous networks.
//
//	cd testdata/gen && go run ./geo ../geo
package main

import (
	"fmt"
	"log"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"go4.org/netipx"
)

// networks are the blocks of addresses that the sample logs draw from: those for documentation (RFC 5737,
// 3849), in autonomous systems for documentation (RFC 5398), and some of well-known operators. What is left
// empty is not in the database.
var networks = []struct {
	block                 string
	country, region, city string
	latitude, longitude   float64
	asn                   uint32
	org                   string
}{
	{"192.0.2.0/25", "US", "Virginia", "Ashburn", 39.0437, -77.4875, 64496, "Example Hosting LLC"},
	{"192.0.2.128/25", "US", "Oregon", "Boardman", 45.8399, -119.7006, 64496, "Example Hosting LLC"},
	{"198.51.100.0/26", "DE", "Hesse", "Frankfurt am Main", 50.1188, 8.6843, 64497, "Beispiel Netz GmbH"},
	{"198.51.100.64/26", "DE", "Bavaria", "Munich", 48.1374, 11.5755, 64497, "Beispiel Netz GmbH"},
	{"198.51.100.128/25", "FR", "Île-de-France", "Paris", 48.8566, 2.3522, 64498, "Réseau Exemple SAS"},
	{"203.0.113.0/26", "JP", "Tokyo", "Tokyo", 35.6895, 139.6917, 64499, "Example Scanning Co., Ltd."},
	{"203.0.113.64/26", "BR", "São Paulo", "São Paulo", -23.5475, -46.6361, 64500, "Exemplo Telecom S.A."},
	{"203.0.113.128/26", "NL", "", "", 52.3824, 4.8995, 64501, "Example Transit B.V."},  // a country only
	{"203.0.113.192/27", "", "", "", 0, 0, 64502, "Example Anycast"},                    // a network only
	{"203.0.113.224/27", "IS", "Capital Region", "Reykjavík", 64.1355, -21.8954, 0, ""}, // a place only
	{"2001:db8::/34", "SG", "", "Singapore", 1.2897, 103.8501, 64503, "Example Cloud Pte. Ltd."},
	{"2001:db8:4000::/34", "AU", "New South Wales", "Sydney", -33.8678, 151.2073, 64504, "Example Pacific Pty Ltd"},
	{"2001:db8:8000::/33", "IE", "Leinster", "Dublin", 53.3331, -6.2489, 65536, "Example Research Network"},

	{"1.1.1.0/24", "", "", "", 0, 0, 13335, "CLOUDFLARENET"},
	{"8.8.8.0/24", "US", "California", "Mountain View", 37.386, -122.0838, 15169, "GOOGLE"},
	{"13.32.0.0/15", "US", "", "", 37.751, -97.822, 16509, "AMAZON-02"},
	{"20.0.0.0/11", "US", "Virginia", "Boydton", 36.6676, -78.3875, 8075, "MICROSOFT-CORP-MSN-AS-BLOCK"},
	{"34.64.0.0/10", "US", "Missouri", "Kansas City", 39.1027, -94.5778, 396982, "GOOGLE-CLOUD-PLATFORM"},
	{"52.94.0.0/16", "US", "Virginia", "Ashburn", 39.0469, -77.4903, 16509, "AMAZON-02"},
	{"54.239.0.0/16", "US", "Washington", "Seattle", 47.6062, -122.3321, 16509, "AMAZON-02"},
	{"104.16.0.0/13", "", "", "", 0, 0, 13335, "CLOUDFLARENET"},
	{"140.82.112.0/20", "US", "California", "San Francisco", 37.7749, -122.4194, 36459, "GITHUB"},
	{"151.101.0.0/16", "", "", "", 0, 0, 54113, "FASTLY"},
	{"2600:1f00::/24", "US", "Virginia", "Ashburn", 39.0469, -77.4903, 16509, "AMAZON-02"},
	{"2606:4700::/32", "", "", "", 0, 0, 13335, "CLOUDFLARENET"},
	{"2a00:1450::/32", "IE", "", "", 53.3472, -6.2439, 15169, "GOOGLE"},
}

// countries has the names of each country in English, and in another language, which is not to be taken.
var countries = map[string][2]string{
	"AU": {"Australia", "Australien"},
	"BR": {"Brazil", "Brasilien"},
	"DE": {"Germany", "Deutschland"},
	"FR": {"France", "Frankreich"},
	"IE": {"Ireland", "Irland"},
	"IS": {"Iceland", "Island"},
	"JP": {"Japan", "Japan"},
	"NL": {"The Netherlands", "Niederlande"},
	"SG": {"Singapore", "Singapur"},
	"US": {"United States", "USA"},
}

// A part is what a record of some database is put together from.
type part uint8

const (
	country part = 1 << iota
	city
	system // the autonomous system
	traits // the same, where Enterprise databases have it
	abroad // the country of registration instead of the country
	ipinfo // flat, with text for numbers, as IPinfo has it
	iplocate
)

// databases are the files to write. The types are those of the products, and one of nobody's.
var databases = []struct {
	file, kind string
	ipVersion  int
	parts      part
}{
	{"city.mmdb", "GeoLite2-City", 6, country | city},
	{"asn.mmdb", "GeoLite2-ASN", 6, system},
	{"country.mmdb", "DBIP-Country-Lite", 6, country},
	{"own.mmdb", "Our-Networks", 6, country | city | abroad},
	{"ipinfo.mmdb", "ipinfo generic_location_asn.mmdb", 6, ipinfo},
	{"iplocate-country.mmdb", "IPLocate IP to Country", 6, iplocate},
	{"iplocate-asn.mmdb", "IPLocate IP to ASN", 6, iplocate | system},
	{"enterprise.mmdb", "DBIP-Location-ISP (compat=Enterprise)", 4, country | city | traits},
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: geo DIRECTORY")
	}
	for _, db := range databases {
		if err := write(filepath.Join(os.Args[1], db.file), db.kind, db.ipVersion, db.parts); err != nil {
			log.Fatalf("%s: %v", db.file, err)
		}
	}
}

func write(path, kind string, ipVersion int, parts part) error {
	tree, err := mmdbwriter.New(mmdbwriter.Options{
		BuildEpoch:              1767225600, // 2026-01-01, so that every run writes the same bytes
		DatabaseType:            kind,
		Description:             map[string]string{"en": "Invented data that flowlog is tested with"},
		Languages:               []string{"de", "en"},
		IPVersion:               ipVersion,
		RecordSize:              24,
		IncludeReservedNetworks: true,
	})
	if err != nil {
		return err
	}
	for i, n := range networks {
		prefix, err := netip.ParsePrefix(n.block)
		if err != nil {
			return err
		}
		if r := record(i, parts); len(r) > 0 && (ipVersion == 6 || prefix.Addr().Is4()) {
			if err := tree.Insert(netipx.PrefixIPNet(prefix), r); err != nil {
				return fmt.Errorf("%s: %w", n.block, err)
			}
		}
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := tree.WriteTo(out); err != nil {
		return err
	}
	return out.Close()
}

// record is the record of a network, or nothing.
func record(i int, parts part) mmdbtype.Map {
	n := networks[i]
	r := mmdbtype.Map{}
	if parts&(ipinfo|iplocate) != 0 {
		return flat(i, parts)
	}
	if parts&country != 0 && n.country != "" {
		names := countries[n.country]
		r["country"] = mmdbtype.Map{
			"iso_code": mmdbtype.String(n.country),
			"names":    mmdbtype.Map{"en": mmdbtype.String(names[0]), "de": mmdbtype.String(names[1])},
		}
		if parts&abroad != 0 && n.region == "" {
			r["registered_country"] = r["country"]
			delete(r, "country")
		}
	}
	if parts&city != 0 && n.country != "" {
		r["location"] = mmdbtype.Map{
			"latitude":  mmdbtype.Float64(n.latitude),
			"longitude": mmdbtype.Float64(n.longitude),
		}
		if n.city != "" {
			r["city"] = mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(n.city)}}
		}
		if n.region != "" {
			r["subdivisions"] = mmdbtype.Slice{mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(n.region)}}}
		}
	}
	if n.asn == 0 {
		return r
	}
	network := mmdbtype.Map{
		"autonomous_system_number":       mmdbtype.Uint32(n.asn),
		"autonomous_system_organization": mmdbtype.String(n.org),
	}
	if parts&system != 0 {
		return network
	}
	if parts&traits != 0 {
		r["traits"] = network
	}
	return r
}

// flat is the record of a network in a database that has no maps in its records. A value that is not known is left out.
func flat(i int, parts part) mmdbtype.Map {
	n := networks[i]
	texts := map[string]string{}
	as := ""
	if n.asn != 0 {
		as = fmt.Sprintf("AS%d", n.asn)
	}
	switch {
	case parts&ipinfo != 0:
		texts = map[string]string{
			"country": n.country, "country_name": countries[n.country][0], "region": n.region, "city": n.city,
			"asn": as, "as_name": n.org,
		}
		if n.country != "" {
			texts["lat"], texts["lng"] = fmt.Sprint(n.latitude), fmt.Sprint(n.longitude)
		}
	case parts&system != 0:
		texts = map[string]string{"asn": as, "name": n.org, "country_code": n.country}
	default:
		texts = map[string]string{"country_code": n.country, "country_name": countries[n.country][0]}
	}
	r := mmdbtype.Map{}
	for name, text := range texts {
		if text != "" {
			r[mmdbtype.String(name)] = mmdbtype.String(text)
		}
	}
	return r
}
