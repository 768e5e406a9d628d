package enrich

import (
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/oschwald/maxminddb-golang/v2"

	"flowlog/parse/schema"
)

// DBKind is a kind of address database, as messages name it.
type DBKind string

const (
	City DBKind = "city database" // MaxMind format: location of an address
	ASN  DBKind = "asn database"  // MaxMind format: autonomous system of an address
	AWS  DBKind = "AWS ranges"    // AWS's ip-ranges.json: service and region
)

// An addrInfo is a decoded database record of an address. Missing values are "", nil or 0.
type addrInfo struct {
	country, countryName, region, city string
	latitude, longitude                *float64
	asn                                uint
	org                                string
}

// A dbField is a field that a database has for the addresses of both ends.
type dbField struct {
	db      DBKind
	name    string
	kind    schema.Kind
	letters schema.Case
	doc     string
	append  func(*schema.Column, *addrInfo)
	// setBits takes a value of a record into the place, and reports whether it is one of the field.
	set func(*addrInfo, any) bool
	// paths are the possible paths of the value in a record, best first: those of GeoIP2 and DB-IP, whose records are
	// nested, then those of IPinfo, IPLocate and others, whose records are flat.
	paths string
}

func (f dbField) field(prefix, addrDoc string, addrs []string) schema.Field {
	return schema.Field{Name: prefix + "_" + f.name, Kind: f.kind, Case: f.letters, From: addrs, Doc: f.doc + " of " + addrDoc}
}

var dbFields = []dbField{
	{
		City, "country", schema.Text, schema.Upper, "Country (ISO 3166-1 code)",
		func(c *schema.Column, p *addrInfo) { text(c, p.country) }, func(p *addrInfo, v any) bool { return setCode(&p.country, v) },
		"country.iso_code registered_country.iso_code represented_country.iso_code country.code geo.country_code country_code country_iso_code countryCode country",
	},
	{
		City, "country_name", schema.Text, schema.MixedCase, "Country (English name)",
		func(c *schema.Column, p *addrInfo) { text(c, p.countryName) }, func(p *addrInfo, v any) bool { return setName(&p.countryName, v) },
		"country.names.en registered_country.names.en represented_country.names.en country.name geo.country country_name countryName country",
	},
	{
		City, "region", schema.Text, schema.MixedCase, "First subdivision of the country (English name)",
		func(c *schema.Column, p *addrInfo) { text(c, p.region) }, func(p *addrInfo, v any) bool { return setText(&p.region, v) },
		"subdivisions.0.names.en region.name geo.region region region_name subdivision state state1 region1",
	},
	{
		City, "city", schema.Text, schema.MixedCase, "City (English name)",
		func(c *schema.Column, p *addrInfo) { text(c, p.city) }, func(p *addrInfo, v any) bool { return setText(&p.city, v) },
		"city.names.en city.name geo.city city city_name",
	},
	{
		City, "latitude", schema.Float, schema.MixedCase, "Approximate latitude in degrees",
		func(c *schema.Column, p *addrInfo) { float(c, p.latitude) }, func(p *addrInfo, v any) bool { return setDegrees(&p.latitude, v, 0) },
		"location.latitude geo.latitude latitude lat loc",
	},
	{
		City, "longitude", schema.Float, schema.MixedCase, "Approximate longitude in degrees",
		func(c *schema.Column, p *addrInfo) { float(c, p.longitude) }, func(p *addrInfo, v any) bool { return setDegrees(&p.longitude, v, 1) },
		"location.longitude geo.longitude longitude lng lon loc",
	},
	{
		ASN, "asn", schema.Int64, schema.MixedCase, "Number of the autonomous system",
		func(c *schema.Column, p *addrInfo) { whole(c, p.asn) }, func(p *addrInfo, v any) bool { return setASN(&p.asn, v) },
		"traits.autonomous_system_number asn.asn as.asn autonomous_system_number asn as_number",
	},
	{
		ASN, "as_org", schema.Text, schema.MixedCase, "Organization that the autonomous system is registered to",
		func(c *schema.Column, p *addrInfo) { text(c, p.org) }, func(p *addrInfo, v any) bool { return setText(&p.org, v) },
		"traits.autonomous_system_organization asn.name as.name autonomous_system_organization as_name as_org asn_name organization org name as_domain domain",
	},
}

func setText(to *string, v any) bool {
	s, ok := v.(string)
	*to = s
	return ok && s != ""
}

// setCode accepts country codes and refuses names: "country" is the code in some databases, the name in others.
func setCode(to *string, v any) bool {
	s, ok := v.(string)
	if !ok || len(s) != 2 {
		return false
	}
	*to = strings.ToUpper(s)
	return true
}

func setName(to *string, v any) bool {
	s, ok := v.(string)
	if !ok || len(s) <= 2 {
		return false
	}
	*to = s
	return true
}

// setDegrees takes a number, also as text, and of text like 1.25,103.8 the part with the index.
func setDegrees(to **float64, v any, part int) bool {
	var degrees float64
	switch v := v.(type) {
	case float64:
		degrees = v
	case float32:
		degrees = float64(v)
	case string:
		if pair := strings.Split(v, ","); len(pair) == 2 {
			v = pair[part]
		}
		var err error
		if degrees, err = strconv.ParseFloat(strings.TrimSpace(v), 64); err != nil {
			return false
		}
	default:
		return false
	}
	if !(math.Abs(degrees) <= 180) {
		return false
	}
	*to = &degrees
	return true
}

// setASN accepts a number, or text with or without the prefix AS.
func setASN(to *uint, v any) bool {
	s := strings.TrimPrefix(strings.ToUpper(fmt.Sprint(v)), "AS")
	n, err := strconv.ParseUint(s, 10, 32)
	*to = uint(n)
	return err == nil && n > 0
}

// A DB is an open MaxMind database. Its lookups run from any number of goroutines at once.
//
// They come one field at a time, while the database holds one record for all of them, and decoding that
// costs a microsecond. So a DB remembers the answers that it gave last, by address, and every record that it
// sampled decoded: a database has far fewer records than networks, and networks than addresses.
type DB struct {
	path    string
	kind    DBKind
	reader  *maxminddb.Reader
	layout  layout
	sampled uint32                          // bits of the fields that its first records have
	members string                          // member names of its first records, for messages
	infos   sync.Map                        // decoded records by offset: *addrInfo
	cached  atomic.Int64                    // approximate number of infos
	recent  [256]atomic.Pointer[cachedInfo] // direct-mapped cache by a hash of the address
	err     atomic.Pointer[error]
	use     usage
}

// maxCachedInfos is the number of decoded records beyond which the cache is cleared. At some 300 bytes each they take
// about 80 MB.
const maxCachedInfos = 1 << 18

// A cachedInfo is the result of a lookup, cached by address.
type cachedInfo struct {
	addr netip.Addr
	*addrInfo
}

// noInfo is the result for an address that is not in the database.
var noInfo = new(addrInfo)

// Type is the database type in its metadata, such as GeoLite2-City.
func (db *DB) Type() string { return db.reader.Metadata.DatabaseType }

// Built is the build time of the database, in UTC: old databases have stale addresses.
func (db *DB) Built() time.Time { return db.reader.Metadata.BuildTime().UTC() }

// Err returns the first error of a lookup, such as a damaged record, or nil. Values that could not be read are null.
func (db *DB) Err() error {
	if err := db.err.Load(); err != nil {
		return *err
	}
	return nil
}

// Close frees the database. No lookup may be under way or follow.
func (db *DB) Close() error { return db.reader.Close() }

// Lookups returns the lookups of all fields that the database has.
func (db *DB) Lookups() []Lookup {
	var lookups []Lookup
	for _, side := range sides {
		for i, f := range dbFields {
			if f.db != db.kind {
				continue
			}
			bit := uint32(1) << i
			lookups = append(lookups, Lookup{
				Field: f.field(side.prefix, side.addrDoc, side.addrs),
				Append: func(out *schema.Column, in []arrow.Array, row int) {
					if a, ok := address(in, row); ok {
						setBits(&db.use.requested, bit)
						f.append(out, db.find(a))
					} else {
						out.Null()
					}
				},
			})
		}
	}
	return lookups
}

// find returns the record of an address, or noInfo.
func (db *DB) find(a netip.Addr) *addrInfo {
	b := a.As16()
	recent := &db.recent[b[15]^b[14]^b[7]]
	if last := recent.Load(); last != nil && last.addr == a {
		return last.addrInfo
	}
	p := db.lookup(a)
	recent.Store(&cachedInfo{a, p})
	return p
}

func (db *DB) lookup(a netip.Addr) *addrInfo {
	if a.Is6() && db.reader.Metadata.IPVersion == 4 {
		return noInfo
	}
	r := db.reader.Lookup(a)
	if err := r.Err(); err != nil {
		db.fail(a, err)
		return noInfo
	}
	if !r.Found() {
		return noInfo
	}
	db.use.found.Add(1)
	if p, ok := db.infos.Load(r.Offset()); ok {
		return p.(*addrInfo)
	}
	p, present, err := db.layout.read(r)
	setBits(&db.use.present, present)
	if err != nil {
		db.fail(a, err)
		p = noInfo
	}
	if db.cached.Add(1) > maxCachedInfos {
		db.infos.Clear()
		db.cached.Store(0)
	}
	db.infos.Store(r.Offset(), p)
	return p
}

func (db *DB) fail(a netip.Addr, err error) {
	err = fmt.Errorf("%s: the record of %s is damaged, get the database again: %w", db.path, a, err)
	db.err.CompareAndSwap(nil, &err)
}

func text(c *schema.Column, s string) {
	if s == "" {
		c.Null()
	} else {
		c.Text(strings.ToValidUTF8(s, "\ufffd"))
	}
}

func float(c *schema.Column, v *float64) {
	if v == nil {
		c.Null()
	} else {
		c.Float = append(c.Float, *v)
	}
}

func whole(c *schema.Column, v uint) {
	if v == 0 {
		c.Null()
	} else {
		c.Int64 = append(c.Int64, int64(v))
	}
}

// databases lists the usual file names of each kind, best first.
var databases = map[DBKind][]string{
	City: {
		"GeoIP2-Enterprise.mmdb", "GeoIP2-City.mmdb", "GeoLite2-City.mmdb", "dbip-city-lite.mmdb",
		"GeoIP2-Country.mmdb", "GeoLite2-Country.mmdb", "dbip-country-lite.mmdb",
	},
	ASN: {"GeoIP2-ISP.mmdb", "GeoLite2-ASN.mmdb", "dbip-asn-lite.mmdb", "GeoIP2-Enterprise.mmdb"},
}

// FindDB returns the path of the best database of a kind in the directories that geoipupdate and operating system
// packages use, or "". env reads an environment variable; exists reports whether a file exists.
func FindDB(kind DBKind, env func(string) string, exists func(string) bool) string {
	dirs := []string{
		"/usr/share/GeoIP",
		"/usr/local/share/GeoIP",
		"/var/lib/GeoIP",
		"/opt/homebrew/var/GeoIP",
		"/usr/local/var/GeoIP",
	}
	if data := env("PROGRAMDATA"); data != "" { // Windows has it
		dirs = []string{filepath.Join(data, "MaxMind", "GeoIPUpdate", "GeoIP")}
	}
	for _, name := range databases[kind] {
		for _, dir := range dirs {
			if path := filepath.Join(dir, name); exists(path) {
				return path
			}
		}
	}
	return ""
}
