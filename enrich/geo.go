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

// DBKind is a kind of file about addresses, in words.
type DBKind string

const (
	City DBKind = "city database" // MaxMind's: where an address is
	ASN  DBKind = "asn database"  // MaxMind's: whose network it is in
	AWS  DBKind = "AWS ranges"    // AWS's: what it is used for there
)

// A place is what the databases know of an address, in the form in which it is remembered. What they do not
// know is "", nil or 0.
type place struct {
	country, countryName, region, city string
	latitude, longitude                *float64
	asn                                uint
	org                                string
}

// A dbField is a field that a database gives of either side.
type dbField struct {
	db      DBKind
	name    string
	kind    schema.Kind
	letters schema.Case
	doc     string
	append  func(*schema.Column, *place)
	// set takes a value of a record into the place, and reports whether it is one of the field.
	set func(*place, any) bool
	// paths are where records may have the value, best first: those of GeoIP2 and DB-IP, whose records are nested, then
	// those of IPinfo, IPLocate and others, whose records are flat.
	paths string
}

func (f dbField) field(prefix, addrDoc string, addrs []string) schema.Field {
	return schema.Field{Name: prefix + "_" + f.name, Kind: f.kind, Case: f.letters, From: addrs, Doc: f.doc + " of " + addrDoc}
}

var dbFields = []dbField{
	{
		City, "country", schema.Text, schema.Upper, "Country (ISO 3166-1 code)",
		func(c *schema.Column, p *place) { text(c, p.country) }, func(p *place, v any) bool { return setCode(&p.country, v) },
		"country.iso_code registered_country.iso_code represented_country.iso_code country.code geo.country_code country_code country_iso_code countryCode country",
	},
	{
		City, "country_name", schema.Text, schema.MixedCase, "Country (English name)",
		func(c *schema.Column, p *place) { text(c, p.countryName) }, func(p *place, v any) bool { return setName(&p.countryName, v) },
		"country.names.en registered_country.names.en represented_country.names.en country.name geo.country country_name countryName country",
	},
	{
		City, "region", schema.Text, schema.MixedCase, "First subdivision of the country (English name)",
		func(c *schema.Column, p *place) { text(c, p.region) }, func(p *place, v any) bool { return setText(&p.region, v) },
		"subdivisions.0.names.en region.name geo.region region region_name subdivision state state1 region1",
	},
	{
		City, "city", schema.Text, schema.MixedCase, "City (English name)",
		func(c *schema.Column, p *place) { text(c, p.city) }, func(p *place, v any) bool { return setText(&p.city, v) },
		"city.names.en city.name geo.city city city_name",
	},
	{
		City, "latitude", schema.Float, schema.MixedCase, "Approximate latitude in degrees",
		func(c *schema.Column, p *place) { float(c, p.latitude) }, func(p *place, v any) bool { return setDegrees(&p.latitude, v, 0) },
		"location.latitude geo.latitude latitude lat loc",
	},
	{
		City, "longitude", schema.Float, schema.MixedCase, "Approximate longitude in degrees",
		func(c *schema.Column, p *place) { float(c, p.longitude) }, func(p *place, v any) bool { return setDegrees(&p.longitude, v, 1) },
		"location.longitude geo.longitude longitude lng lon loc",
	},
	{
		ASN, "asn", schema.Int64, schema.MixedCase, "Number of the autonomous system",
		func(c *schema.Column, p *place) { whole(c, p.asn) }, func(p *place, v any) bool { return setASN(&p.asn, v) },
		"traits.autonomous_system_number asn.asn as.asn autonomous_system_number asn as_number",
	},
	{
		ASN, "as_org", schema.Text, schema.MixedCase, "Organization that the autonomous system is registered to",
		func(c *schema.Column, p *place) { text(c, p.org) }, func(p *place, v any) bool { return setText(&p.org, v) },
		"traits.autonomous_system_organization asn.name as.name autonomous_system_organization as_name as_org asn_name organization org name as_domain domain",
	},
}

func setText(to *string, v any) bool {
	s, ok := v.(string)
	*to = s
	return ok && s != ""
}

// setCode takes codes of countries and refuses names: some databases call the one country, some the other.
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

// setASN takes a number, also as text with or without AS in front.
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
// has decoded: a database has far fewer records than networks, and networks than addresses.
type DB struct {
	path    string
	kind    DBKind
	reader  *maxminddb.Reader
	layout  layout
	has     uint32       // bits of the fields that its first records have
	members string       // of the records, to tell
	places  sync.Map     // by offset: *place
	known   atomic.Int64 // places, about
	recent  [256]atomic.Pointer[answer]
	err     atomic.Pointer[error]
	use     usage
}

// placeLimit is the number of decoded records, of some 300 bytes each, from which on they are forgotten.
const placeLimit = 1 << 18

// An answer is what a database knows of one address.
type answer struct {
	addr netip.Addr
	*place
}

// nowhere is what is known of an address that is not in the database.
var nowhere = new(place)

// Type is what the database calls itself, such as GeoLite2-City.
func (db *DB) Type() string { return db.reader.Metadata.DatabaseType }

// Built is when the database was made, in UTC: addresses move on.
func (db *DB) Built() time.Time { return db.reader.Metadata.BuildTime().UTC() }

// Err is the first error that a lookup met, such as a record that is damaged, or nil. What could not be read
// is null.
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
				f.field(side.prefix, side.addrDoc, side.addrs),
				func(out *schema.Column, in []arrow.Array, row int) {
					if a, ok := address(in, row); ok {
						set(&db.use.asked, bit)
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

// find returns what the database knows of an address, which may be nowhere.
func (db *DB) find(a netip.Addr) *place {
	b := a.As16()
	recent := &db.recent[b[15]^b[14]^b[7]]
	if last := recent.Load(); last != nil && last.addr == a {
		return last.place
	}
	p := db.lookup(a)
	recent.Store(&answer{a, p})
	return p
}

func (db *DB) lookup(a netip.Addr) *place {
	if a.Is6() && db.reader.Metadata.IPVersion == 4 {
		return nowhere
	}
	r := db.reader.Lookup(a)
	if err := r.Err(); err != nil {
		db.fail(a, err)
		return nowhere
	}
	if !r.Found() {
		return nowhere
	}
	db.use.found.Add(1)
	if p, ok := db.places.Load(r.Offset()); ok {
		return p.(*place)
	}
	p, had, err := db.layout.read(r)
	set(&db.use.had, had)
	if err != nil {
		db.fail(a, err)
		p = nowhere
	}
	if db.known.Add(1) > placeLimit {
		db.places.Clear()
		db.known.Store(0)
	}
	db.places.Store(r.Offset(), p)
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

// databases lists what files of each kind are called, best first.
var databases = map[DBKind][]string{
	City: {
		"GeoIP2-Enterprise.mmdb", "GeoIP2-City.mmdb", "GeoLite2-City.mmdb", "dbip-city-lite.mmdb",
		"GeoIP2-Country.mmdb", "GeoLite2-Country.mmdb", "dbip-country-lite.mmdb",
	},
	ASN: {"GeoIP2-ISP.mmdb", "GeoLite2-ASN.mmdb", "dbip-asn-lite.mmdb", "GeoIP2-Enterprise.mmdb"},
}

// FindDB returns the path of the best database of a kind in the directories where geoipupdate, which fetches
// them from MaxMind, and the packages of operating systems keep them, or "". It looks with env, which reads an
// environment variable, and exists, which tells whether there is a file.
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
