package enrich

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/oschwald/maxminddb-golang/v2"

	"flowlog/parse/disk"
)

// A layout maps the fields of one kind to their paths in the records of a database.
type layout []fieldPaths

// A fieldPaths is a field with its possible paths in a record.
type fieldPaths struct {
	*dbField
	bit   uint32 // of the field, by its index in dbFields
	paths [][]any
}

// layoutOf returns the layout of a kind, with the paths that wanted accepts.
func layoutOf(kind DBKind, wanted func(path []any) bool) layout {
	var l layout
	for i := range dbFields {
		f := fieldPaths{dbField: &dbFields[i], bit: 1 << i}
		if f.db != kind {
			continue
		}
		for _, words := range strings.Fields(f.dbField.paths) {
			var path []any
			for _, word := range strings.Split(words, ".") {
				if n, err := strconv.Atoi(word); err == nil {
					path = append(path, n)
				} else {
					path = append(path, word)
				}
			}
			if wanted(path) {
				f.paths = append(f.paths, path)
			}
		}
		l = append(l, f)
	}
	return l
}

// extract reads the fields of a record by get, which returns nil for a path that the record lacks. It returns the bits
// of the fields that the record has.
func (l layout) extract(p *addrInfo, get func(path []any) (any, error)) (present uint32, err error) {
	for _, f := range l {
		for _, path := range f.paths {
			v, err := get(path)
			if err != nil {
				return 0, err
			}
			if v != nil && f.set(p, v) {
				present |= f.bit
				break
			}
		}
	}
	return present, nil
}

// read reads the fields of a record. A path can fail because the record has another layout than the probed ones: then
// the whole record is decoded, which fails only if it is damaged.
func (l layout) read(r maxminddb.Result) (p *addrInfo, present uint32, err error) {
	p = new(addrInfo)
	var v any
	present, err = l.extract(p, func(path []any) (any, error) {
		v = nil
		err := r.DecodePath(&v, path...)
		return v, err
	})
	if err == nil {
		return p, present, nil
	}
	var record any
	if err := r.Decode(&record); err != nil {
		return nil, 0, err
	}
	p = new(addrInfo)
	present, err = l.extract(p, func(path []any) (any, error) { return walk(record, path), nil })
	return p, present, err
}

// walk returns the value at a path of a decoded record, or nil.
func walk(v any, path []any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

// How much of a database is read to learn its layout. A thousand distinct records show every member that is not rare;
// the limit on networks bounds databases in which most networks share few records.
const (
	probeRecords  = 1 << 10
	probeNetworks = 1 << 17
)

// A probe is a sample of the first records of a database.
type probe struct {
	records int
	scalars map[string]bool   // members of records that are plain values
	nested  map[string]bool   // members of records that are maps or lists
	present map[DBKind]uint32 // the fields that were found
}

// probeOf samples the first records of a database. It skips damaged ones: the lookup of such a record reports it.
func probeOf(r *maxminddb.Reader) probe {
	p := probe{scalars: make(map[string]bool), nested: make(map[string]bool), present: make(map[DBKind]uint32)}
	every := func([]any) bool { return true }
	layouts := map[DBKind]layout{City: layoutOf(City, every), ASN: layoutOf(ASN, every)}
	seen := make(map[uintptr]bool)
	networks := 0
	for result := range r.Networks() {
		networks++
		if result.Err() != nil || len(seen) == probeRecords || networks > probeNetworks {
			break
		}
		if seen[result.Offset()] {
			continue
		}
		seen[result.Offset()] = true
		var record map[string]any
		if result.Decode(&record) != nil {
			continue
		}
		p.records++
		for name, v := range record {
			switch v.(type) {
			case map[string]any, []any:
				p.nested[name] = true
			default:
				p.scalars[name] = true
			}
		}
		for kind, l := range layouts {
			present, _ := l.extract(new(addrInfo), func(path []any) (any, error) { return walk(record, path), nil })
			p.present[kind] |= present
		}
	}
	return p
}

// layout returns the layout of a kind. In nested records, a path of flat ones is tried only if the probe has its member.
func (p probe) layout(kind DBKind) layout {
	deep := false
	layoutOf(kind, func(path []any) bool {
		deep = deep || len(path) > 1 && p.nested[path[0].(string)]
		return false
	})
	return layoutOf(kind, func(path []any) bool {
		if len(path) > 1 {
			return deep
		}
		return !deep || p.scalars[path[0].(string)]
	})
}

// holds lists the members of the records that were probed.
func (p probe) holds() string {
	names := slices.Sorted(maps.Keys(p.scalars))
	for name := range p.nested {
		if !p.scalars[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return "nothing"
	}
	const most = 12
	if len(names) > most {
		names = append(names[:most], "…")
	}
	return strings.Join(names, ", ")
}

// fieldNames returns the names of the fields of a kind whose bits are set, without the prefix of the end.
func fieldNames(kind DBKind, bits uint32) []string {
	var names []string
	for i, f := range dbFields {
		if f.db == kind && bits&(1<<i) != 0 {
			names = append(names, f.name)
		}
	}
	return names
}

// A usage counts the lookups of a database and their results.
type usage struct {
	found              atomic.Int64  // look-ups that found a record
	requested, present atomic.Uint32 // bits of fields: looked up, and found in some record
}

// setBits sets bits. It writes only if one is not set yet, so that the cache line stays shared between processors.
func setBits(to *atomic.Uint32, bits uint32) {
	if to.Load()&bits != bits {
		to.Or(bits)
	}
}

// Note names the requested fields that none of the records found has, or returns "". A field that other records of the
// database have is named only if all requested fields are missing.
func (db *DB) Note() string {
	asked, found := db.use.requested.Load(), db.use.found.Load()
	lacks := asked &^ db.use.present.Load()
	if lacks != asked {
		lacks &^= db.sampled
	}
	without := fieldNames(db.kind, lacks)
	if found == 0 || len(without) == 0 {
		return ""
	}
	ups := "look-ups"
	if found == 1 {
		ups = "look-up"
	}
	return fmt.Sprintf("%s %s: %s %s found records, none has %s; its records have: %s",
		db.kind, db.path, thousands(found), ups, strings.Join(without, " or "), db.members)
}

func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// OpenCity opens a database of cities, or of countries, which leaves the other fields null.
func OpenCity(path string) (*DB, error) { return open(path, City) }

// OpenASN opens a database of autonomous systems.
func OpenASN(path string) (*DB, error) { return open(path, ASN) }

// An OtherKindError is the error for a database of another kind than the requested one.
type OtherKindError struct {
	Path string
	Kind DBKind // the kind that it is
	want DBKind
	typ  string
}

func (e *OtherKindError) Error() string {
	return fmt.Sprintf("%s: %q is no %s but %s %s", e.Path, e.typ, e.want, map[DBKind]string{City: "a", ASN: "an"}[e.Kind], e.Kind)
}

func open(path string, kind DBKind) (*DB, error) {
	path, err := inFolder(path)
	if err != nil {
		return nil, err
	}
	if err := disk.Regular(path); err != nil {
		return nil, err
	}
	if what := notMMDB(path); what != "" { // requested first: a database in a tar archive opens, with its data out of place
		return nil, fmt.Errorf("%s: %s", path, what)
	}
	reader, err := maxminddb.Open(path)
	if named := new(fs.PathError); errors.As(err, &named) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	p := probeOf(reader)
	if p.records > 0 && p.present[kind] == 0 {
		return nil, errors.Join(p.refuse(path, reader.Metadata.DatabaseType, kind), reader.Close())
	}
	return &DB{path: path, kind: kind, reader: reader, layout: p.layout(kind), sampled: p.present[kind], members: p.holds()}, nil
}

// refuse returns the error for a database whose records have no field of a kind.
func (p probe) refuse(path, typ string, kind DBKind) error {
	for other, had := range p.present {
		if had != 0 {
			return &OtherKindError{path, other, kind, typ}
		}
	}
	return fmt.Errorf("%s: %q is no %s: its records have no %s; they have: %s",
		path, typ, kind, strings.Join(fieldNames(kind, ^uint32(0)), ", "), p.holds())
}

// inFolder returns the path of the only database in a folder; the path of a file it returns unchanged.
func inFolder(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return path, nil // opening it says what is wrong
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", err
	}
	var files []string
	for _, e := range entries {
		if strings.EqualFold(filepath.Ext(e.Name()), ".mmdb") {
			files = append(files, e.Name())
		}
	}
	switch len(files) {
	case 1:
		return filepath.Join(path, files[0]), nil
	case 0:
		return "", fmt.Errorf("%s: a folder without an mmdb file: name the file", path)
	}
	return "", fmt.Errorf("%s: a folder with %d databases: name one of %s", path, len(files), strings.Join(files, ", "))
}

// notMMDB describes a file that is another format than a database, and how to get the database; "" if it is none of
// those formats.
func notMMDB(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	head, _ := io.ReadAll(io.LimitReader(f, 512))
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return fmt.Sprintf("a zip archive: unpack it with unzip %s and name the mmdb file in it", path)
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return ""
		}
		if z, err := gzip.NewReader(bufio.NewReader(f)); err == nil {
			if head, _ := io.ReadAll(io.LimitReader(z, 512)); isTar(head) {
				return fmt.Sprintf("a tar archive: unpack it with tar xzf %s and name the mmdb file in it", path)
			}
		}
		return fmt.Sprintf("compressed with gzip: unpack it with gunzip %s and name the mmdb file", path)
	case isTar(head):
		return fmt.Sprintf("a tar archive: unpack it with tar xf %s and name the mmdb file in it", path)
	case isCSV(head):
		return "a CSV file: download the mmdb edition of the database"
	}
	return ""
}

// isTar reports whether these first 512 bytes are the header of a tar archive.
func isTar(head []byte) bool {
	_, err := tar.NewReader(bytes.NewReader(head)).Next()
	return err == nil
}

// isCSV reports whether the first line is text with several columns.
func isCSV(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return bytes.Count(line, []byte(",")) > 1 && utf8.Valid(line) && !bytes.ContainsRune(line, 0)
}
