package schema

import (
	"maps"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
)

// A Projection is the list of fields that a consumer needs of each record, and so the columns of a batch.
type Projection struct {
	Fields Table
	// Named is how many of the fields were requested; those after them are what these are computed from.
	Named int
	// Extra adds the input's columns that the table lacks, after Fields, as text. Rest adds those of the table that
	// were not requested and are not computed too, as text, or as numbers where the table says so.
	Extra, Rest bool
	// Coded allows addresses to come dictionary-encoded (see Column.Code): the consumer reads them by Coders alone.
	Coded bool

	known    Table
	places   map[string]int  // by name: the index of a field in known
	index    map[string]int  // by name: the index of a field in Fields
	computed map[string]bool // the fields that Logged left out
}

// Project returns the projection to the named fields, each once, in the order given, followed by the fields that
// enriched ones are computed from. For a name that is not in the table the error offers the nearest.
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

// Logged returns the part of the projection that is read from the input: all fields but the computed ones. Lookups
// read each address, so addresses are not dictionary-encoded if any field is computed.
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

// With returns a projection that has another field of the table too, behind the others.
func (p *Projection) With(name string) *Projection {
	f, ok := p.Field(name)
	if _, has := p.index[name]; has || !ok {
		return p
	}
	q := *p
	q.index = maps.Clone(p.index)
	q.index[name] = len(p.Fields)
	q.Fields = append(slices.Clip(p.Fields), f)
	return &q
}

// Index is the position of the named field, or -1.
func (p *Projection) Index(name string) int {
	if i, ok := p.index[name]; ok {
		return i
	}
	return -1
}

// Field returns the field of the projected table with this exact name.
func (p *Projection) Field(name string) (Field, bool) {
	if i, ok := p.places[name]; ok {
		return p.known[i], true
	}
	return Field{}, false
}

// lookup is Table.Lookup by a map, for inputs with thousands of columns.
func (p *Projection) lookup(name string) (Field, bool) {
	if f, ok := p.Field(name); ok {
		return f, true
	}
	if f, ok := p.known.Lookup(name); ok {
		return p.Field(f.Name)
	}
	return Field{}, false
}

// Knows reports whether the projected table has a field with this exact name.
func (p *Projection) Knows(name string) bool {
	_, ok := p.places[name]
	return ok
}

// Other returns the column for an input column that is not among Fields, if Extra or Rest wants it.
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
