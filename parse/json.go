package parse

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/valyala/fastjson"
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

// errCutOff is the error for JSON that ends within a document.
var errCutOff = errors.New("the JSON ends within a document: the file is cut off")

// readJSON reads a stream of JSON, with or without white space, commas or brackets of an array between the documents. The
// first records decide its shape; then it is read event by event.
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
			if events > 1 && events*(longest/shortestMember) > maxCells {
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

// shortestMember is the length of {"a":1}, less one: the length of an object divided by it bounds its number of members.
const shortestMember = 6

// A shape is the place of the records in a stream of JSON. An event is an element of the list in a document, or a document
// without such an element.
type shape struct {
	list   []string        // members that lead from a document to the list, "" for each element of a list on the way; nil: each document is an event
	path   []string        // members that lead from an event to its record; nil: it must be searched for
	full   []string        // members that lead from a document to its first record
	direct bool            // path leads there
	object bool            // the record is an object, or a list of fields and values, rather than text
	layout *layout         // of text; of objects, the names of the first
	extra  map[string]bool // names of members of the first objects that are not known
}

// findShape grows the head until a record shows the shape.
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

// shapeOf finds the shape by the first record of a stream. It is nil if the head has no record.
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

// objectSample is the number of documents without text records that are searched for objects of fields.
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

// foreign returns which other log or output an object is of, or nil if it may be of a flow log.
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
