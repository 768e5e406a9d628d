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

// A layout is where the records of a database have the fields of one kind.
type layout []located

// A located is a field with the paths at which records can have it.
type located struct {
	*dbField
	bit   uint32 // of the field, by its index in dbFields
	paths [][]any
}

// layoutOf is the fields of a kind, with those of their paths that are wanted.
func layoutOf(kind DBKind, wanted func(path []any) bool) layout {
	var l layout
	for i := range dbFields {
		f := located{dbField: &dbFields[i], bit: 1 << i}
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

// take takes the fields out of a record by get, which returns nil for a path that the record does not have. It returns
// the bits of the fields that the record has.
func (l layout) take(p *place, get func(path []any) (any, error)) (had uint32, err error) {
	for _, f := range l {
		for _, path := range f.paths {
			v, err := get(path)
			if err != nil {
				return 0, err
			}
			if v != nil && f.set(p, v) {
				had |= f.bit
				break
			}
		}
	}
	return had, nil
}

// read takes the fields out of a record. A path can fail because the record is laid out in another way than those that
// were probed: then the whole record is decoded, which tells it from a damaged one.
func (l layout) read(r maxminddb.Result) (p *place, had uint32, err error) {
	p = new(place)
	var v any
	had, err = l.take(p, func(path []any) (any, error) {
		v = nil
		err := r.DecodePath(&v, path...)
		return v, err
	})
	if err == nil {
		return p, had, nil
	}
	var record any
	if err := r.Decode(&record); err != nil {
		return nil, 0, err
	}
	p = new(place)
	had, err = l.take(p, func(path []any) (any, error) { return walk(record, path), nil })
	return p, had, err
}

// walk is the value of a record at a path, or nil.
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

// How much of a database is read to learn its layout.
const (
	probeRecords  = 1 << 10
	probeNetworks = 1 << 17
)

// A probe is what the first records of a database hold.
type probe struct {
	records int
	scalars map[string]bool   // members of records that are plain values
	nested  map[string]bool   // members of records that are maps or lists
	had     map[DBKind]uint32 // the fields that were found
}

// probeOf reads the first records of a database. A damaged one is left to the look-up that meets it.
func probeOf(r *maxminddb.Reader) probe {
	p := probe{scalars: make(map[string]bool), nested: make(map[string]bool), had: make(map[DBKind]uint32)}
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
			had, _ := l.take(new(place), func(path []any) (any, error) { return walk(record, path), nil })
			p.had[kind] |= had
		}
	}
	return p
}

// layout is where to look for the fields of a kind. The paths of a flat record are tried in nested ones only if the
// probe met their member.
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

// fieldNames are the fields of a kind among the bits, without the side.
func fieldNames(kind DBKind, bits uint32) []string {
	var names []string
	for i, f := range dbFields {
		if f.db == kind && bits&(1<<i) != 0 {
			names = append(names, f.name)
		}
	}
	return names
}

// A usage is what the look-ups of a database came to.
type usage struct {
	found      atomic.Int64  // look-ups that found a record
	asked, had atomic.Uint32 // bits of fields
}

// set sets bits, which mostly are set already.
func set(to *atomic.Uint32, bits uint32) {
	if to.Load()&bits != bits {
		to.Or(bits)
	}
}

// Note says which of the fields that were asked for no record had that the look-ups found; "" if there is none, or no
// look-up found a record. Of a field that other records of the database have it says nothing, unless all are missing.
func (db *DB) Note() string {
	asked, found := db.use.asked.Load(), db.use.found.Load()
	lacks := asked &^ db.use.had.Load()
	if lacks != asked {
		lacks &^= db.has
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

// An OtherKindError is the error for a database that has the fields of another kind than the one that was asked for.
type OtherKindError struct {
	Path string
	Kind DBKind // what it is
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
	if what := notMMDB(path); what != "" { // asked first: a database in a tar archive opens, with its data out of place
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
	if p.records > 0 && p.had[kind] == 0 {
		return nil, errors.Join(p.refuse(path, reader.Metadata.DatabaseType, kind), reader.Close())
	}
	return &DB{path: path, kind: kind, reader: reader, layout: p.layout(kind), has: p.had[kind], members: p.holds()}, nil
}

// refuse is the error for a database whose records have no field of a kind.
func (p probe) refuse(path, typ string, kind DBKind) error {
	for other, had := range p.had {
		if had != 0 {
			return &OtherKindError{path, other, kind, typ}
		}
	}
	return fmt.Errorf("%s: %q is no %s: its records have no %s; they have: %s",
		path, typ, kind, strings.Join(fieldNames(kind, ^uint32(0)), ", "), p.holds())
}

// inFolder is the database in a folder that has exactly one, or the path of a file.
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

// notMMDB says what a file is that is no database, and what to do; "" if that is not known.
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
