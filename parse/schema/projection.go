package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
)

// A Projection is the list of fields that somebody needs of each record, and so the columns of a batch.
type Projection struct {
	Fields Table
	// Named is how many of the fields were asked for by name: those after them are what these are computed from.
	Named int
	// Extra asks for the columns of the input that the table does not know too, after Fields, as text. Rest asks for those
	// that it knows as well and that are not computed: they come as text, or as a number where the table says so.
	Extra, Rest bool
	// Coded allows addresses to come as dictionaries (see Column.Code): whoever asks looks at them by means of
	// Coders alone.
	Coded bool

	known    Table
	places   map[string]int // of the fields of known, by their names
	index    map[string]int
	computed map[string]bool // what Logged has left out
}

// Project lists the named fields, each once, in the order given. The fields that enriched ones are
// computed from follow. A name that is not in the table is an error that offers the nearest.
func (t Table) Project(names ...string) (*Projection, error) {
	p := &Projection{known: t, places: make(map[string]int, len(t)), index: make(map[string]int)}
	for i, f := range t {
		if _, twice := p.places[f.Name]; !twice {
			p.places[f.Name] = i
		}
	}
	asked := len(names)
	for i := 0; i < len(names); i++ {
		if i == asked {
			p.Named = len(p.Fields)
		}
		f, ok := p.lookup(names[i])
		if !ok {
			return nil, UnknownField(names[i], t.Names(), "flowlog fields")
		}
		if _, ok := p.index[f.Name]; ok {
			continue
		}
		p.index[f.Name] = len(p.Fields)
		p.Fields = append(p.Fields, f)
		if len(f.From) > 0 {
			names = append(slices.Clip(names), f.From...)
		}
	}
	if len(names) == asked {
		p.Named = len(p.Fields)
	}
	return p, nil
}

// Logged is the part of the projection that is read from the input: all but what enrichers compute. These look
// at each address.
func (p *Projection) Logged() *Projection {
	q := &Projection{known: p.known, places: p.places, Extra: p.Extra, Rest: p.Rest, index: make(map[string]int), computed: make(map[string]bool)}
	for _, f := range p.Fields {
		if len(f.From) == 0 {
			q.index[f.Name] = len(q.Fields)
			q.Fields = append(q.Fields, f)
		} else {
			q.computed[f.Name] = true
		}
	}
	q.Coded = p.Coded && len(q.Fields) == len(p.Fields)
	return q
}

// Index is the position of the named field, or -1.
func (p *Projection) Index(name string) int {
	if i, ok := p.index[name]; ok {
		return i
	}
	return -1
}

// Field finds a field of the table that was projected, by its own name.
func (p *Projection) Field(name string) (Field, bool) {
	if i, ok := p.places[name]; ok {
		return p.known[i], true
	}
	return Field{}, false
}

// lookup is Table.Lookup, for inputs with thousands of columns.
func (p *Projection) lookup(name string) (Field, bool) {
	if f, ok := p.Field(name); ok {
		return f, true
	}
	if f, ok := p.known.Lookup(name); ok {
		return p.Field(f.Name)
	}
	return Field{}, false
}

// Knows reports whether the table that was projected has the field, by its own name.
func (p *Projection) Knows(name string) bool {
	_, ok := p.places[name]
	return ok
}

// Other returns the column that an input's column of this name is beside the fields, if the projection asks for it.
func (p *Projection) Other(name string) (Field, bool) {
	if name == "" || p.computed[name] {
		return Field{}, false
	}
	if _, ok := p.index[name]; ok {
		return Field{}, false
	}
	f := Field{Name: name, Kind: Text}
	known, ok := p.Field(name)
	if ok && known.Kind != Addr {
		f = known
		f.From, f.Names = nil, ""
	}
	return f, ok && p.Rest || !ok && p.Extra
}

// Arrow is the schema of a batch with these columns. All columns are nullable.
func (t Table) Arrow() *arrow.Schema {
	fields := make([]arrow.Field, len(t))
	for i, f := range t {
		fields[i] = arrow.Field{Name: f.Name, Type: f.Kind.Arrow(), Nullable: true}
	}
	return arrow.NewSchema(fields, nil)
}

// Unknown is the error for a name that does not exist: it offers the nearest that does, and the command
// that lists them all.
func Unknown(what, name string, names []string, list string) error {
	return fmt.Errorf("unknown %s %q: %s`%s` lists them", what, name, DidYouMean(name, names), list)
}

// DidYouMean offers, in front of what else an error says, the name that is nearest to s; it is "" if none is near.
func DidYouMean(s string, names []string) string {
	if near := Nearest(s, names); near != "" {
		return "did you mean " + near + "? "
	}
	return ""
}

// Nearest returns the name that is the fewest edits away from s, or "" if none is near.
func Nearest(s string, names []string) string {
	s = strings.ReplaceAll(strings.ToLower(s), "-", "_")
	best, nearest := max(1, len(s)/3)+1, ""
	for _, name := range names {
		if d := edits(s, strings.ReplaceAll(name, "-", "_")); d < best {
			best, nearest = d, name
		}
	}
	return nearest
}

// edits counts the insertions, deletions, replacements and swaps of neighbours that lead from a to b.
func edits(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := range len(a) {
		before, last, row := rows[(i+2)%3], rows[i%3], rows[(i+1)%3]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}
