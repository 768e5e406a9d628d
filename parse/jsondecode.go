package parse

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unsafe"

	"github.com/valyala/fastjson"

	"flowlog/parse/schema"
)

// events decodes a block of JSON. Places count events, not lines.
func (w *worker) events(b *block, at place, sh *shape) place {
	depth := b.depth
	for data := b.data; ; {
		ev := sh.next(data, depth)
		if ev.end == 0 {
			if rest := bytes.TrimSpace(data[ev.start:]); len(rest) > 0 {
				at.line++
				w.drop(rest, Problem{Line: at.line, Value: "cut off: " + string(rest), Fault: schema.NotJSON})
			}
			return at
		}
		text := bytes.TrimRight(data[ev.start:ev.end], "\r\n")
		data, depth = data[ev.end:], ev.depth
		if ev.aside {
			at = w.beside(b, at, sh, text, depth)
			continue
		}
		at.line++
		at = w.event(b, at, sh, text)
	}
}

// event decodes an event: where its record should be, or else wherever it has any.
func (w *worker) event(b *block, at place, sh *shape, text []byte) place {
	v, err := w.json.ParseBytes(text)
	if err == nil && v.Type() != fastjson.TypeObject && v.Type() != fastjson.TypeArray && v.Type() != fastjson.TypeString {
		err = fmt.Errorf("not an object but %s", clip(string(text)))
	}
	if err != nil {
		w.drop(text, Problem{Line: at.line, Value: err.Error(), Fault: schema.NotJSON})
		return at
	}
	if sh.direct {
		r := v
		if len(sh.path) > 0 {
			r = v.Get(sh.path...)
		}
		switch {
		case r == nil:
		case sh.moreThan(v, r, 0):
		case sh.object && r.Type() == fastjson.TypeObject:
			w.object(b, at, text, sh, w.membersOf(r))
			return at
		case !sh.object && r.Type() == fastjson.TypeString:
			message := r.GetStringBytes()
			if w.tokens = tokens(message, w.tokens[:0]); len(w.tokens) == len(at.layout.names) && !w.namesField(w.tokens[0]) {
				w.append(at, message, true)
				return at
			}
		}
	}
	return w.search(b, at, sh, text, v)
}

// membersOf is membersOf for an object that is done with before the next one is parsed.
func (w *worker) membersOf(v *fastjson.Value) []member {
	w.members = w.members[:0]
	v.GetObject().Visit(func(key []byte, v *fastjson.Value) {
		w.members = append(w.members, member{unsafe.String(unsafe.SliceData(key), len(key)), v})
	})
	return w.members
}

// namesField reports whether a token could begin a header. Few values are words without a digit.
func (w *worker) namesField(tok []byte) bool {
	if tok[0] < 'A' || bytes.ContainsAny(tok, "0123456789.:/") {
		return false
	}
	return w.projection.Knows(w.opt.field(string(tok)))
}

// search decodes an event that has no record at the usual place.
func (w *worker) search(b *block, at place, sh *shape, text []byte, v *fastjson.Value) place {
	f := &seeker{opt: w.opt, projection: w.projection, layout: at.layout}
	var all []found
	if sh.object {
		all = f.objects(v, nil)
		if len(all) == 0 {
			f.layout = nil
			if all = f.find(v, nil, 0); len(all) > 0 { // another kind of record in the same stream
				at.layout = w.intern(f.layout, b.object)
			}
		}
	} else {
		all = f.find(v, nil, 0)
	}
	for _, r := range all {
		at = w.one(b, at, sh, text, r)
	}
	switch {
	case f.refused != nil:
		w.drop(text, Problem{Line: at.line, Value: f.refused.Error(), Fault: schema.NotRecord})
	case len(all) > 0 || f.control > 0:
	case sh.object && v.Type() == fastjson.TypeObject:
		w.object(b, at, text, sh, membersOf(v))
	case f.longest.path != nil && !sh.object:
		message := f.longest.text
		if w.tokens = tokens(message, w.tokens[:0]); len(w.tokens) == len(at.layout.names) && len(message) < longestNoted {
			return w.message(b, at, message) // which says what is wrong with it
		}
		w.drop(message, Problem{Line: at.line, Value: at.layout.miscounted(w.tokens), Fault: schema.WrongCount})
	case f.empty && (!sh.direct || v.Get(sh.path...) == nil): // a document whose list has no events
	default:
		w.drop(text, Problem{Line: at.line, Value: "no member of " + clip(string(text)) + " is a field", Fault: schema.NotRecord})
	}
	return at
}

// one appends a record that was found in an event, or drops what should be one.
func (w *worker) one(b *block, at place, sh *shape, doc []byte, r found) place {
	switch {
	case r.members != nil:
		w.object(b, at, doc, sh, r.members)
	case r.lacks:
		w.drop(r.text, Problem{Line: at.line, Value: "no record in " + clip(string(r.text)), Fault: schema.NotRecord})
	default:
		return w.message(b, at, r.text)
	}
	return at
}

// message appends the record that a text is, or takes it for the header of those that follow.
func (w *worker) message(b *block, at place, message []byte) place {
	w.tokens = tokens(message, w.tokens[:0])
	if len(w.tokens) == 0 {
		return at
	}
	if w.namesField(w.tokens[0]) {
		if l := headerOf(w.tokens, w.projection, w.opt); l != nil {
			at.layout = w.intern(l, b.object)
			b.current.Store(at.layout)
			return at
		}
	}
	w.append(at, message, true)
	return at
}

// object appends a record whose fields are the members of a JSON object.
func (w *worker) object(b *block, at place, doc []byte, sh *shape, members []member) {
	var problem *Problem
	known, strange := 0, 0
	w.touched = w.touched[:0]
	w.objectSeq++
	for i, f := range w.fieldsOf(members) {
		switch {
		case f == nil:
			continue
		case f.known:
			known++
		default:
			if !sh.extra[f.name] {
				strange++
			}
			if f.noted != b.object {
				f.noted = b.object
				w.unknown(b.object, f.name)
			}
		}
		if problem == nil && f.object != w.objectSeq { // named twice: the first counts
			problem = w.member(at, f, members[i])
		}
	}
	if problem == nil && (known == 0 && len(members) > 0 || strange > 0 && known < 2 || strange > known) {
		if err := w.opt.refused("json", w.opt.fields(namesOf(members)), w.projection); err != nil {
			problem = &Problem{Line: at.line, Value: "too few members of " + clip(string(doc)) + " are fields", Fault: schema.NotRecord}
			if known == 0 {
				problem.Value = "no member of " + clip(string(doc)) + " is a field"
			}
		}
	}
	if problem != nil {
		w.drop(doc, *problem)
		return
	}
	if !w.row() {
		w.drop(doc, *tooWide(at))
	}
}

// field is what the members of one name are.
type field struct {
	name   string // canonical
	known  bool   // to the table
	col    *schema.Column
	read   bool    // col collects values; else it checks them
	object int64   // the last one with a value
	noted  *object // the last one of which it was noted that it has the column, which is not known
}

// maxNames bounds the names of members that are kept, and the lists of them: an input can have new ones in each object.
// maxShapeMembers bounds how many members all these lists have.
const (
	maxNames        = 1000
	maxShapeMembers = 1 << 20
)

// fieldsOf returns what each member of an object is, nil for one that is nothing that counts. It depends on all of them:
// another name of a field stands for it only where its own is not there.
func (w *worker) fieldsOf(members []member) []*field {
	w.shapeKey = w.shapeKey[:0]
	for _, m := range members {
		w.shapeKey = append(binary.AppendUvarint(w.shapeKey, uint64(len(m.name))), m.name...)
	}
	fields, ok := w.shapes[string(w.shapeKey)]
	if ok {
		return fields
	}
	same := map[string]*field{"": nil}
	for _, name := range w.opt.fields(namesOf(members)) {
		f, ok := same[name]
		if !ok {
			f = w.fieldOf(name)
			same[name] = f
		}
		fields = append(fields, f)
	}
	if w.shaped += len(members); w.shaped <= maxShapeMembers && len(w.shapes) < maxNames {
		w.shapes[string(w.shapeKey)] = fields
	}
	return fields
}

// fieldOf returns the field of a name, which belongs to a document.
func (w *worker) fieldOf(name string) *field {
	if f, ok := w.fields[name]; ok {
		return f
	}
	name = strings.Clone(name)
	f := &field{name: name, known: w.projection.Knows(name), col: w.column(name)}
	if f.read = f.col != nil; !f.read {
		f.col = unreadColumn(name)
	}
	if f.known || len(w.fields) < maxNames {
		w.fields[name] = f
	}
	return f
}

// several are the values of JSON that are not one, by type.
var several = map[fastjson.Type]string{fastjson.TypeObject: "an object", fastjson.TypeArray: "a list"}

// member appends the value of a member, or checks it if nobody reads it. It returns what is wrong with it.
func (w *worker) member(at place, f *field, m member) *Problem {
	var tok []byte
	switch m.value.Type() {
	case fastjson.TypeNull:
		return nil
	case fastjson.TypeString:
		tok, _ = m.value.StringBytes()
	case fastjson.TypeObject, fastjson.TypeArray: // text, but not the value of a field
		if _, ok := schema.LoggedField(f.name); ok {
			return &Problem{Line: at.line, Value: m.name + " is " + several[m.value.Type()], Fault: schema.NotRecord}
		}
		fallthrough
	default:
		tok = m.value.MarshalTo(nil)
	}
	f.object = w.objectSeq
	parse := f.col.Check
	if f.read {
		if !w.pad(f.col) {
			return tooWide(at)
		}
		w.touched = append(w.touched, f.col)
		parse = f.col.Parse
	}
	if fault := parse(tok); fault != schema.Valid {
		return &Problem{Line: at.line, Field: f.name, Value: string(tok), Fault: fault}
	}
	return nil
}

func namesOf(members []member) []string {
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.name
	}
	return names
}
