package enrich

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/oschwald/geoip2-golang/v2"
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
	db     DBKind
	name   string
	kind   schema.Kind
	doc    string
	append func(*schema.Column, *place)
}

func (f dbField) field(prefix, addrDoc string, addrs []string) schema.Field {
	return schema.Field{Name: prefix + "_" + f.name, Kind: f.kind, From: addrs, Doc: f.doc + " of " + addrDoc}
}

var dbFields = []dbField{
	{City, "country", schema.Text, "Country (ISO 3166-1 code)", func(c *schema.Column, p *place) { text(c, p.country) }},
	{City, "country_name", schema.Text, "Country (English name)", func(c *schema.Column, p *place) { text(c, p.countryName) }},
	{City, "region", schema.Text, "First subdivision of the country (English name)", func(c *schema.Column, p *place) { text(c, p.region) }},
	{City, "city", schema.Text, "City (English name)", func(c *schema.Column, p *place) { text(c, p.city) }},
	{City, "latitude", schema.Float, "Approximate latitude in degrees", func(c *schema.Column, p *place) { float(c, p.latitude) }},
	{City, "longitude", schema.Float, "Approximate longitude in degrees", func(c *schema.Column, p *place) { float(c, p.longitude) }},
	{ASN, "asn", schema.Int64, "Number of the autonomous system", func(c *schema.Column, p *place) { whole(c, p.asn) }},
	{ASN, "as_org", schema.Text, "Organization that the autonomous system is registered to", func(c *schema.Column, p *place) { text(c, p.org) }},
}

// A recordReader decodes the part of a record that one kind of fields needs.
type recordReader func(maxminddb.Result) (*place, error)

// layouts says what can be read from a database, by what it calls itself: the first row whose name is a part
// of that counts. So it reads GeoIP2 and GeoLite2, and what is laid out alike under names that geoip2's own
// reader may not know: DBIP-City-Lite, DBIP-Location-ISP (compat=Enterprise), GeoIP2-Precision-ISP.
var layouts = []struct {
	name string
	read map[DBKind]recordReader
}{
	{"Enterprise", map[DBKind]recordReader{City: readCity, ASN: readTraits}},
	{"City", map[DBKind]recordReader{City: readCity}},
	{"Location", map[DBKind]recordReader{City: readCity}},
	{"Country", map[DBKind]recordReader{City: readCity}},
	{"ASN", map[DBKind]recordReader{ASN: readASN}},
	{"ISP", map[DBKind]recordReader{ASN: readASN}},
}

func readCity(r maxminddb.Result) (*place, error) {
	var c geoip2.City
	if err := r.Decode(&c); err != nil {
		return nil, err
	}
	p := &place{
		country:     c.Country.ISOCode,
		countryName: c.Country.Names.English,
		city:        c.City.Names.English,
		latitude:    c.Location.Latitude,
		longitude:   c.Location.Longitude,
	}
	if len(c.Subdivisions) > 0 {
		p.region = c.Subdivisions[0].Names.English
	}
	return p, nil
}

func readASN(r maxminddb.Result) (*place, error) {
	var a geoip2.ASN
	err := r.Decode(&a)
	return &place{asn: a.AutonomousSystemNumber, org: a.AutonomousSystemOrganization}, err
}

func readTraits(r maxminddb.Result) (*place, error) {
	var e geoip2.Enterprise
	err := r.Decode(&e)
	return &place{asn: e.Traits.AutonomousSystemNumber, org: e.Traits.AutonomousSystemOrganization}, err
}

// A DB is an open MaxMind database. Its lookups run from any number of goroutines at once.
//
// They come one field at a time, while the database holds one record for all of them, and decoding that
// costs a microsecond. So a DB remembers the answers that it gave last, by address, and every record that it
// has decoded: a database has far fewer records than networks, and networks than addresses.
type DB struct {
	path   string
	kind   DBKind
	reader *maxminddb.Reader
	read   recordReader
	places sync.Map     // by offset: *place
	known  atomic.Int64 // places, about
	recent [256]atomic.Pointer[answer]
	err    atomic.Pointer[error]
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

// OpenCity opens a database of cities, or of countries, which leaves the other fields null.
func OpenCity(path string) (*DB, error) { return open(path, City) }

// OpenASN opens a database of autonomous systems.
func OpenASN(path string) (*DB, error) { return open(path, ASN) }

func open(path string, kind DBKind) (*DB, error) {
	reader, err := maxminddb.Open(path)
	if named := new(fs.PathError); errors.As(err, &named) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, layout := range layouts {
		if !strings.Contains(reader.Metadata.DatabaseType, layout.name) {
			continue
		}
		if read := layout.read[kind]; read != nil {
			return &DB{path: path, kind: kind, reader: reader, read: read}, nil
		}
		break
	}
	err = fmt.Errorf("%s: %q is not a type of database that has %s", path, reader.Metadata.DatabaseType, map[DBKind]string{
		City: "cities or countries; GeoLite2-City is one",
		ASN:  "autonomous systems; GeoLite2-ASN is one",
	}[kind])
	return nil, errors.Join(err, reader.Close())
}

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
		for _, f := range dbFields {
			if f.db != db.kind {
				continue
			}
			lookups = append(lookups, Lookup{
				f.field(side.prefix, side.addrDoc, side.addrs),
				func(out *schema.Column, in []arrow.Array, row int) {
					if a, ok := address(in, row); ok {
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
	if p, ok := db.places.Load(r.Offset()); ok {
		return p.(*place)
	}
	p, err := db.read(r)
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
