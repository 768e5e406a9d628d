package parse

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/valyala/fastjson"

	"flowlog/parse/schema"
)

func isJSON(head []byte, _ Options) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	if len(head) == 0 || head[0] == '{' {
		return len(head) > 0
	}
	if head[0] == '[' {
		inside := bytes.TrimLeft(head[1:], " \t\r\n")
		return len(inside) > 0 && (inside[0] == '{' || inside[0] == ']' || inside[0] == '[' || inside[0] == '"')
	}
	end := stringEnd(head, 0) // a text a line, which has more than a quoted name of CSV
	if head[0] != '"' || end == 0 || len(tokens(head[:end], nil)) < 2 {
		return false
	}
	after := bytes.TrimLeft(head[end:], " \t\r")
	return len(after) == 0 || after[0] == '\n' || after[0] == '"'
}

// errCutOff is the error for JSON that ends early.
var errCutOff = errors.New("the JSON ends within a document: the file is cut off")

// readJSON reads a stream of JSON, with or without white space, commas or brackets of an array between the documents.
// What its records are is found from the first of them; then it is read event by event.
func readJSON(in *input, c *content) error {
	sh, err := in.findShape(c)
	if err != nil || sh == nil {
		return err
	}
	start := place{layout: in.intern(sh.layout, in.object)}
	in.current.Store(start.layout)
	unfinished := false
	last := func(data []byte, depth int) (int, int, bool) {
		end, events, longest := 0, 0, 0
		for {
			ev := sh.next(data[end:], depth)
			if ev.end == 0 {
				unfinished = ev.open
				return end + leadingBlank(data[end:]), depth, false
			}
			events, longest = events+1, max(longest, ev.end)
			if events > 1 && events*(longest/shortestMember) > mostCells {
				return end, depth, true
			}
			end += ev.end
			depth = ev.depth
		}
	}
	err = in.cut(c.Reader(0), start, last, func(w *worker, b *block, at place) place { return w.events(b, at, sh) })
	if err == nil && unfinished {
		return errCutOff
	}
	return err
}

// shortestMember is the length of {"a":1}, less one: an object has no more members than its length has times that.
const shortestMember = 6

// A shape is where the records of a stream of JSON are. An event is an element of the list in a document, or a
// document that has no such element.
type shape struct {
	list   []string        // members that lead from a document to the list, "" for each element of a list on the way; nil: each document is an event
	path   []string        // members that lead from an event to its record; nil: it must be searched for
	full   []string        // members that lead from a document to its first record
	direct bool            // path leads there
	object bool            // the record is an object, or a list of fields and values, rather than text
	layout *layout         // of text; of objects, the names of the first
	extra  map[string]bool // names of members of the first objects that are not known
}

// An event is where the next event in a piece of JSON is.
type event struct {
	start, end int
	depth      int  // how many containers on the way to the list are open at end
	aside      bool // it is no event but what stands beside the list
	open       bool // if there is none: a document is not finished
}

// next finds the next event in data, which starts with depth containers open on the way to the list, none of them
// between documents. What stands in a document before the list is an event aside, and so is each value after it. What cannot start a document
// is passed over to the end of its line, and is an event too, to be reported. Without a whole event end is 0, and
// start is where the unfinished one begins.
func (sh *shape) next(data []byte, depth int) event { // at len(list)+1 the list is open
	doc := 0
	seen := depth > 0 // the list, in this document
	passed := false   // there is a value before the list that may hold records
	var key []byte
	isKey := true
	for i := 0; i < len(data); {
		c := data[i]
		if c <= ' ' {
			i += leadingBlank(data[i:])
			continue
		}
		if depth == 0 && (c == ',' || c == '[' || c == ']') {
			i++
			continue
		}
		if depth == 0 {
			doc, seen, passed, isKey = i, false, false, true
			switch c {
			case '{':
				if len(sh.list) > 0 {
					depth, i = 1, i+1
					continue
				}
				fallthrough
			case '"':
				end := valueEnd(data, i)
				return event{start: i, end: end, open: end == 0}
			}
			if n := bytes.IndexByte(data[i:], '\n'); n >= 0 {
				return event{start: i, end: i + n + 1}
			}
			return event{start: i}
		}
		inList := depth == len(sh.list)+1
		inArray := inList || depth > 1 && sh.list[depth-1] == ""
		switch c {
		case ',':
			isKey = true
			i++
		case ':':
			isKey = false
			i++
		case '}', ']':
			depth--
			i++
			isKey = false
			if depth == 0 && !seen {
				return event{start: doc, end: i}
			}
		case '"', '{', '[':
			if c != '"' && !inList && (inArray && sh.list[depth-1] == "" || !inArray && !isKey && string(key) == sh.list[depth-1]) && c == sh.opens(depth) {
				depth, i, isKey = depth+1, i+1, true
				if depth == len(sh.list)+1 && !seen && passed {
					return event{start: doc, end: i, depth: depth, aside: true}
				}
				continue
			}
			end := valueEnd(data, i)
			if end == 0 {
				if !seen {
					return event{start: doc, open: true}
				}
				if !inList {
					i = len(data)
				}
				return event{start: i, open: true}
			}
			if inList {
				return event{start: i, end: end, depth: depth}
			}
			switch {
			case c == '"' && isKey && !inArray:
				key = data[i+1 : end-1]
			case end-i < shortestBeside:
			case seen:
				return event{start: i, end: end, depth: depth, aside: true}
			default:
				passed = true
			}
			i = end
		default:
			i++
		}
	}
	if depth > 0 && !seen {
		return event{start: doc, open: true}
	}
	return event{start: len(data), open: depth > 0}
}

// opens is what the next container on the way to the list begins with.
func (sh *shape) opens(depth int) byte {
	if depth == len(sh.list) || sh.list[depth] == "" {
		return '['
	}
	return '{'
}

// stringEnd finds the end of a string that starts at data[i], or 0.
func stringEnd(data []byte, i int) int {
	for i++; ; i++ {
		n := bytes.IndexByte(data[min(i, len(data)):], '"')
		if n < 0 {
			return 0
		}
		i += n
		slashes := 0
		for data[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i + 1
		}
	}
}

// valueEnd finds the end of a string, an object or an array that starts at data[i], or 0.
func valueEnd(data []byte, i int) int {
	depth := 0
	for i < len(data) {
		switch data[i] {
		case '"':
			if i = stringEnd(data, i); i == 0 || depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				return i + 1
			}
		}
		i++
	}
	return 0
}

// finished makes a document of what has come of one: it closes what is open after the last whole value.
func finished(data []byte) []byte {
	var open, closers []byte
	good := 0
	mark := func(i int) {
		good = i
		closers = append(closers[:0], open...)
	}
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			end := stringEnd(data, i)
			if end == 0 {
				i = len(data)
				break
			}
			i = end - 1
		case '{', '[':
			open = append(open, data[i]+2) // the closing one
			mark(i + 1)
		case '}', ']':
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
			mark(i + 1)
		case ',':
			if good != i {
				mark(i)
			}
		}
		if len(open) > mostDepth {
			break
		}
	}
	slices.Reverse(closers)
	return slices.Concat(data[:good], closers)
}

// mostDepth is how deep documents can be nested.
const mostDepth = 300

// findShape reads on until a record shows where records are.
func (in *input) findShape(c *content) (*shape, error) {
	for {
		f := &seeker{opt: in.opt, projection: in.projection}
		sh := f.shapeOf(c.head, c.whole)
		if sh != nil {
			return sh, nil
		}
		if c.whole || c.err() != nil || f.refused != nil || len(c.head) >= longestRecord {
			return nil, cmp.Or(f.refused, c.err(), f.failure())
		}
		c.grow()
	}
}

// shapeOf finds the shape by the first record of a stream.
func (f *seeker) shapeOf(head []byte, whole bool) *shape {
	var docs []*fastjson.Value
	all := &shape{}
	for data := head; ; {
		ev := all.next(data, 0)
		text := data[min(ev.start, len(data)):max(ev.end, ev.start)]
		if ev.end == 0 {
			text = finished(data[ev.start:])
		}
		if v, err := fastjson.ParseBytes(text); err == nil && len(text) > 0 {
			f.documents++
			if found := f.find(v, nil, 0); len(found) > 0 {
				return f.shape(found[0])
			}
			if f.refused != nil {
				return nil
			}
			if len(docs) < objectSample {
				docs = append(docs, v)
			}
		} else if len(text) > 0 {
			f.broken = true
		}
		if ev.end == 0 {
			break
		}
		data = data[ev.end:]
	}
	if f.messages && len(f.opt.LogFormat) == 0 && !whole {
		return nil // a later one may fit
	}
	var blank []found
	for _, v := range docs {
		if found := f.objects(v, nil); len(found) > 0 && len(found[0].members) > 0 {
			return f.shape(found[0])
		} else if len(found) > 0 {
			blank = found
		}
	}
	if blank != nil && f.refused == nil && whole {
		return f.shape(blank[0])
	}
	if whole && len(f.opt.LogFormat) > 0 && f.longest.path != nil {
		return f.shape(f.longest)
	}
	return nil
}

// objectSample is how many documents without text are looked at for objects of fields.
const objectSample = 100

// shape is the shape of a stream with the record.
func (f *seeker) shape(r found) *shape {
	sh := &shape{object: r.members != nil, direct: true, path: r.path, full: r.path}
	if i := slices.Index(r.path, opaque); i >= 0 {
		sh.direct = false
		sh.path = r.path[:i]
	} else if r.labeled { // the list around it is the one of events
		sh.direct = false
		sh.path = r.path[:len(r.path)-1]
	}
	if i := lastIndex(sh.path, ""); i >= 0 {
		sh.list, sh.path = sh.path[:i], sh.path[i+1:]
		if !slices.ContainsFunc(sh.list, func(s string) bool { return s != "" }) {
			sh.list = nil // the brackets around a stream
		}
	}
	for len(sh.list) > 0 && sh.list[0] == "" {
		sh.list, sh.full = sh.list[1:], sh.full[1:]
	}
	if f.layout != nil {
		sh.layout = f.layout
		return sh
	}
	sh.layout, sh.extra = &layout{}, make(map[string]bool)
	for _, name := range f.opt.fields(namesOf(r.members)) {
		if name != "" {
			sh.layout.names = append(sh.layout.names, name)
			if !f.projection.Knows(name) {
				sh.extra[name] = true
			}
		}
	}
	if !sh.object {
		sh.layout = &layout{names: f.opt.LogFormat, fixed: true}
	}
	return sh
}

func lastIndex(path []string, step string) int {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == step {
			return i
		}
	}
	return -1
}

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
	w.objects++
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
		if problem == nil && f.object != w.objects { // named twice: the first counts
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

// mostNames bounds the names of members that are kept, and the lists of them: an input can have new ones in each object.
// mostShaped bounds how many members all these lists have.
const (
	mostNames  = 1000
	mostShaped = 1 << 20
)

// fieldsOf returns what each member of an object is, nil for one that is nothing that counts. It depends on all of them:
// another name of a field stands for it only where its own is not there.
func (w *worker) fieldsOf(members []member) []*field {
	w.key = w.key[:0]
	for _, m := range members {
		w.key = append(binary.AppendUvarint(w.key, uint64(len(m.name))), m.name...)
	}
	fields, ok := w.shapes[string(w.key)]
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
	if w.shaped += len(members); w.shaped <= mostShaped && len(w.shapes) < mostNames {
		w.shapes[string(w.key)] = fields
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
	if f.known || len(w.fields) < mostNames {
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
		if _, ok := schema.Logged().Named(f.name); ok {
			return &Problem{Line: at.line, Value: m.name + " is " + several[m.value.Type()], Fault: schema.NotRecord}
		}
		fallthrough
	default:
		tok = m.value.MarshalTo(nil)
	}
	f.object = w.objects
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

// signatures are members that only the logs of other services have.
var signatures = []struct {
	members []string
	what    string
}{
	{[]string{"class_uid", "src_endpoint"}, ""},
	{[]string{"eventSource", "eventName"}, "CloudTrail events"},
	{[]string{"query_name"}, "Route 53 Resolver query logs"},
	{[]string{"webaclId"}, "WAF logs"},
	{[]string{"detail-type", "detail"}, "EventBridge events"},
	{[]string{"schemaVersion", "service"}, "GuardDuty findings"},
	{[]string{"event_type", "firewall_name"}, "Network Firewall logs"},
}

// foreign says what an object is that is known to be no flow log.
func foreign(v *fastjson.Value) error {
	for _, s := range signatures {
		if slices.ContainsFunc(s.members, func(name string) bool { return !v.Exists(name) }) {
			continue
		}
		if s.what == "" {
			return errOCSF
		}
		return fmt.Errorf("these are no flow logs: they are %s, by the member %s", s.what, strings.Join(s.members, " and "))
	}
	switch {
	case v.Exists("findings") && (v.Exists("rules") || v.Exists("version")), string(v.GetStringBytes("runs", "0", "tool", "driver", "name")) == "flowlog":
		return &OwnError{"a result of flowlog check", readLogs}
	}
	if v.Exists("report") && (v.Exists("rows") || v.Exists("flows") || v.Get("report").Type() == fastjson.TypeString) {
		return errReport
	}
	return nil
}
