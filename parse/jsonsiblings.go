package parse

import (
	"bytes"
	"slices"

	"github.com/valyala/fastjson"

	"flowlog/parse/schema"
)

// This file reads the records of JSON that stand in several members of one object.

// siblings collects the records of the members of one object. Log shippers keep a record twice in one event, as message and
// as event.original: such a copy is left out. The same record in members of the same form is not a copy, as in an object
// that has a list for each interface.
type siblings struct {
	records []found
	indexed int                 // how many of the records are in paths
	paths   map[string][]string // from the member to the record, by what it says
}

// add adds the records of the next member, which is depth steps into their paths.
func (s *siblings) add(records []found, depth int) {
	if len(s.records) == 0 {
		s.records = records
		return
	}
	if len(records) == 0 {
		return
	}
	if s.paths == nil {
		s.paths = make(map[string][]string)
	}
	for _, r := range s.records[s.indexed:] {
		if key := r.key(); s.paths[key] == nil {
			s.paths[key] = slices.Clip(r.path[depth:])
		}
	}
	s.indexed = len(s.records)
	for _, r := range records {
		path, ok := s.paths[r.key()]
		within := r.path[depth:]
		if !ok || slices.Equal(path, within) && !(r.members == nil && textItself(within)) {
			s.records = append(s.records, r)
		}
	}
}

// textItself reports whether all steps of a path lead into text.
func textItself(path []string) bool {
	return !slices.ContainsFunc(path, func(step string) bool { return step != opaque })
}

// key is the content of a record, to compare it with others.
func (r found) key() string {
	if r.members == nil {
		return string(r.text)
	}
	var b []byte
	for _, m := range r.members {
		b = append(append(b, m.name...), 0)
		b = append(m.value.MarshalTo(b), 0)
	}
	return string(b)
}

// shortestBeside is the length of the shortest value beside a list that is searched for records.
const shortestBeside = 16

// beside decodes the part of a document beside the list of events. Records at the places of another list of the same form
// are read; others may be copies of those in the list, and are dropped with a problem.
func (w *worker) beside(b *block, at place, sh *shape, text []byte, depth int) place {
	v, err := w.json.ParseBytes(text)
	if depth > len(sh.list) { // it is what comes before the list
		v, err = w.json.ParseBytes(finished(text))
	}
	if err != nil {
		w.drop(text, Problem{Line: at.line, Value: err.Error(), Fault: schema.NotJSON})
		return at
	}
	f := &seeker{opt: w.opt, projection: w.projection, layout: at.layout, names: []string{}}
	search := f.objects
	if !sh.object {
		search = func(v *fastjson.Value, path []string) []found { return f.find(v, path, 0) }
	}
	for _, r := range search(v, nil) {
		switch {
		case depth > len(sh.list) && !alike(r.path, sh.full) || depth <= len(sh.list) && !slices.Equal(r.path, sh.full[depth:]):
			w.drop([]byte(r.key()), Problem{Line: at.line, Value: "a record beside the list of records, at " + jqPath(r.path), Fault: schema.NotRecord})
		default:
			at = w.one(b, at, sh, text, r)
		}
	}
	return at
}

// alike reports whether paths differ in at most one step.
func alike(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	differ := 0
	for i := range a {
		if a[i] != b[i] {
			differ++
		}
	}
	return differ <= 1
}

// moreThan reports whether an event may hold records beside r, its record at the usual place.
func (sh *shape) moreThan(v, r *fastjson.Value, step int) bool {
	if step == len(sh.path) {
		return false
	}
	more := false
	next := v.Get(sh.path[step])
	v.GetObject().Visit(func(key []byte, m *fastjson.Value) {
		switch {
		case more:
		case m == next:
			more = sh.moreThan(m, r, step+1)
		default:
			more = step+1 < len(sh.path) && m.Exists(sh.path[step+1:]...) || sh.mayHold(m, r)
		}
	})
	return more
}

// mayHold reports whether a value may hold a record that is not a copy of r.
func (sh *shape) mayHold(v, r *fastjson.Value) bool {
	may := false
	switch v.Type() {
	case fastjson.TypeString:
		s := v.GetStringBytes()
		blanks := bytes.Count(s, []byte(" ")) + bytes.Count(s, []byte("\t"))
		return !sh.object && len(s) >= shortestBeside && blanks+1 >= len(sh.layout.names) && !bytes.Equal(s, r.GetStringBytes())
	case fastjson.TypeArray:
		return slices.ContainsFunc(v.GetArray(), func(e *fastjson.Value) bool { return sh.mayHold(e, r) })
	case fastjson.TypeObject:
		if sh.object {
			return true
		}
		v.GetObject().Visit(func(_ []byte, m *fastjson.Value) { may = may || sh.mayHold(m, r) })
	}
	return may
}
