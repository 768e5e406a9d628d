package parse

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"flowlog/parse/schema"
)

// A seeker searches JSON for records, at any depth. A text is taken for a record by its form, not by the name of its
// member.
type seeker struct {
	opt        Options
	projection *schema.Projection
	layout     *layout // of the text records; nil until one was found

	documents int
	broken    bool  // something is not a document
	messages  bool  // there is a message that is no record so far
	empty     bool  // there is a list without elements
	control   int   // control messages
	longest   found // text that might be a record
	names     []string
	refused   error // why there can be no records
}

// found is a record, and its path in the document.
type found struct {
	path    []string // names of members, "" for an element of a list
	text    []byte
	members []member // of an object of fields
	lacks   bool     // an element of a list of which others have records
	labeled bool     // it stands beside words in a list within a list
}

// opaque is the step of a path into text that is itself JSON, base64 or compressed, and into a list of fields and values.
const opaque = "\x00"

// A member is a name and a value of an object.
type member struct {
	name  string
	value *fastjson.Value
}

// metadata are the names of members that describe an event and never hold its record.
var metadata = map[string]bool{
	"@timestamp": true, "timestamp": true, "time": true, "ts": true, "date": true, "id": true, "@id": true, "eventid": true,
	"ingestiontime": true, "loggroup": true, "logstream": true, "logstreamname": true, "owner": true, "subscriptionfilters": true,
	"host": true, "hostname": true, "source": true, "sourcetype": true, "extractedfields": true, "searchedlogstreams": true,
	"nexttoken": true, "nextforwardtoken": true, "nextbackwardtoken": true, "@ptr": true, "@log": true, "@logstream": true,
	"querylanguage": true, "logformat": true, "log_format": true,
}

// nested bounds the depth of JSON within text within JSON.
const nested = 5

// longestPayload bounds the size that one compressed member may unpack to.
const longestPayload = 64 << 20

// find returns the text records in v: those of all members of an object, a message before the others and without copies,
// and those of all elements of a list.
func (f *seeker) find(v *fastjson.Value, path []string, level int) []found {
	switch v.Type() {
	case fastjson.TypeString:
		return f.inText(v.GetStringBytes(), path, level)
	case fastjson.TypeArray:
		if members := fieldList(v); members != nil {
			return f.inMembers(members, append(slices.Clip(path), opaque), level)
		}
		return f.inList(v.GetArray(), append(slices.Clip(path), ""), level)
	case fastjson.TypeObject:
		if string(v.GetStringBytes("messageType")) == "CONTROL_MESSAGE" {
			f.control++
			return nil
		}
		if f.layout == nil {
			f.refused = cmpErr(f.refused, foreign(v))
		}
		members := membersOf(v)
		if len(path) == 0 && level == 0 && f.names == nil {
			for _, m := range members {
				f.names = append(f.names, m.name)
			}
		}
		return f.inMembers(members, path, level)
	}
	return nil
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (f *seeker) inMembers(members []member, path []string, level int) []found {
	var all siblings
	for _, first := range []bool{true, false} {
		for _, m := range members {
			if (m.name == "message" || m.name == "@message") != first || metadata[strings.ToLower(m.name)] {
				continue
			}
			records := f.find(m.value, append(slices.Clip(path), m.name), level)
			all.add(records, len(path)+1)
			if len(records) > 0 && !telling(f.layout.names) {
				return all.records // other text may fit such a layout by accident
			}
		}
	}
	return all.records
}

func (f *seeker) inList(list []*fastjson.Value, path []string, level int) []found {
	var all, lacking []found
	if len(list) == 0 {
		f.empty = true
	}
	some, labeled := false, false
	within := len(path) == 1 || path[len(path)-2] == "" // a list: it is an event, as Loki's of a time and a text
	for _, v := range list {
		control := f.control
		records := f.find(v, path, level)
		some = some || len(records) > 0
		if len(records) == 0 && within && isWord(v) {
			labeled = true
			continue
		}
		if len(records) == 0 && f.control == control {
			lacking = append(lacking, found{path: path, lacks: true})
			if v.Type() == fastjson.TypeObject || v.Type() == fastjson.TypeArray {
				lacking[len(lacking)-1].text = v.MarshalTo(nil)
			} else {
				lacking[len(lacking)-1].text = v.GetStringBytes()
			}
		}
		all = append(all, records...)
	}
	if !some {
		return nil
	}
	for i := range all {
		all[i].labeled = all[i].labeled || labeled
	}
	return append(all, lacking...)
}

// isWord reports whether a value is too short for a record: a number or a single word.
func isWord(v *fastjson.Value) bool {
	if v.Type() == fastjson.TypeString {
		return bytes.IndexByte(v.GetStringBytes(), ' ') < 0
	}
	return v.Type() != fastjson.TypeObject && v.Type() != fastjson.TypeArray
}

// inText returns the records in a text: the text itself, its lines, or those in the content that it encodes.
func (f *seeker) inText(s []byte, path []string, level int) []found {
	trimmed := bytes.TrimSpace(s)
	if bytes.HasPrefix(trimmed, []byte(controlMessage)) {
		f.control++
		return nil
	}
	if len(trimmed) == 0 {
		return nil
	}
	if f.isRecord(trimmed) {
		return []found{{path: path, text: trimmed}}
	}
	if all := f.inLines(trimmed, path); all != nil {
		return all
	}
	if level >= nested {
		f.note(trimmed, path)
		return nil
	}
	inner := append(slices.Clip(path), opaque)
	if trimmed[0] == '{' || trimmed[0] == '[' || trimmed[0] == '"' {
		all, whole := f.inDocuments(trimmed, inner, level+1)
		if !whole { // else the texts in it are noted
			f.note(trimmed, path)
		}
		return all
	}
	f.note(trimmed, path)
	payload, err := unpacked(trimmed)
	if err != nil {
		f.refused = cmpErr(f.refused, fmt.Errorf("%s: %w", jqPath(path), err))
	}
	if payload == nil {
		return nil
	}
	return f.inText(payload, inner, level+1)
}

// inDocuments returns the records in a text of JSON documents, and whether all of the text is JSON.
func (f *seeker) inDocuments(s []byte, path []string, level int) (all []found, whole bool) {
	whole = true
	for docs := (&shape{}); ; {
		ev := docs.next(s, 0)
		if ev.end == 0 {
			return all, whole && len(bytes.TrimSpace(s[min(ev.start, len(s)):])) == 0
		}
		v, err := fastjson.ParseBytes(s[ev.start:ev.end])
		if err == nil {
			all = append(all, f.find(v, path, level)...)
		}
		whole = whole && err == nil
		s = s[ev.end:]
	}
}

// controlMessage is the text that CloudWatch sends to test a subscription.
const controlMessage = "CWL CONTROL MESSAGE"

// inLines returns the records of a text that has one on a line.
func (f *seeker) inLines(s []byte, path []string) []found {
	if bytes.IndexByte(s, '\n') < 0 {
		return nil
	}
	var all []found
	some := false
	for line := range bytes.SplitSeq(s, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		record := f.isRecord(line)
		some = some || record
		all = append(all, found{path: append(slices.Clip(path), opaque), text: line, lacks: !record})
	}
	if !some {
		return nil
	}
	return all
}

// isRecord reports whether a text is a record, or the header of records, and finds its layout.
func (f *seeker) isRecord(s []byte) bool {
	if len(s) > longestHeader || s[0] == '{' || s[0] == '[' || s[0] == '"' {
		return false
	}
	toks := tokens(s, nil)
	if len(toks) > 1 && f.projection.Knows(f.opt.field(string(toks[0]))) {
		if l := headerOf(toks, f.projection, f.opt); l != nil {
			if f.layout == nil {
				f.layout = l
			}
			return true
		}
	}
	if f.layout != nil {
		return holds(f.layout.names, toks, false)
	}
	if l := layoutWithout(f.opt, [][]byte{s}); l != nil && holds(l.names, toks, true) {
		f.layout = l
		return true
	}
	return false
}

// longestNoted bounds the length of the text that note keeps.
const longestNoted = 4 << 10

// note keeps the text that looks most like a record.
func (f *seeker) note(s []byte, path []string) {
	name := ""
	for _, step := range path {
		if step != "" && step != opaque {
			name = step
		}
	}
	s = s[:min(len(s), longestNoted)]
	words := len(bytes.Fields(s))
	message := name == "message" || name == "@message"
	f.messages = f.messages || message && words > 1
	if words > 1 && (f.longest.path == nil || words > len(bytes.Fields(f.longest.text))) {
		f.longest = found{path: slices.Clone(path), text: bytes.Clone(s)}
		if f.longest.path == nil {
			f.longest.path = []string{}
		}
	}
}

// membersOf lists the members of an object.
func membersOf(v *fastjson.Value) []member {
	o := v.GetObject()
	members := make([]member, 0, o.Len())
	o.Visit(func(key []byte, v *fastjson.Value) { members = append(members, member{string(key), v}) })
	return members
}

// fieldList returns the fields of a row as get-query-results prints them, [{"field": …, "value": …} …], or nil.
func fieldList(v *fastjson.Value) []member {
	var members []member
	for _, e := range v.GetArray() {
		name, value := e.Get("field"), e.Get("value")
		if name == nil || value == nil || name.Type() != fastjson.TypeString {
			return nil
		}
		members = append(members, member{string(name.GetStringBytes()), value})
	}
	return members
}

// objects returns the records that are objects of fields in v, at any depth.
func (f *seeker) objects(v *fastjson.Value, path []string) []found {
	var members []member
	switch v.Type() {
	case fastjson.TypeArray:
		if members = fieldList(v); members != nil {
			members = slices.DeleteFunc(members, func(m member) bool { return strings.HasPrefix(m.name, "@") })
			path = append(slices.Clip(path), opaque)
			break
		}
		var all []found
		for _, e := range v.GetArray() {
			all = append(all, f.objects(e, append(slices.Clip(path), ""))...)
		}
		return all
	case fastjson.TypeObject:
		members = membersOf(v)
	case fastjson.TypeString:
		return f.objectsInText(v.GetStringBytes(), path)
	default:
		return nil
	}
	var names []string
	nestedOnes := false
	for i, name := range f.opt.fields(namesOf(members)) {
		if t := members[i].value.Type(); t == fastjson.TypeObject || t == fastjson.TypeArray || isQuoted(members[i].value) {
			nestedOnes = true
		} else if name != "" {
			names = append(names, name)
		}
	}
	var err error
	if len(names) > 0 {
		if nestedOnes || len(path) > 0 && path[len(path)-1] != "" && path[len(path)-1] != opaque {
			names = append(names, "") // an object with or within others needs more than known names
		}
		if err = f.opt.refused("json", names, f.projection); err == nil {
			return []found{{path: path, members: members}}
		}
	}
	if nestedOnes {
		var all siblings
		refused := f.refused
		for _, m := range members {
			if !metadata[strings.ToLower(m.name)] {
				all.add(f.objects(m.value, append(slices.Clip(path), m.name)), len(path)+1)
			}
		}
		if len(all.records) > 0 {
			f.refused = refused
			return all.records
		}
	} else if len(members) == 0 && len(path) == 0 {
		return []found{{path: path, members: []member{}}}
	}
	if err != nil && (err == errReport || f.refused == nil && slices.ContainsFunc(names, f.projection.Knows)) {
		f.refused = err
	}
	return nil
}

// isQuoted reports whether a value is a text that may be a JSON object, as programs quote one that they log.
func isQuoted(v *fastjson.Value) bool {
	return v.Type() == fastjson.TypeString && bytes.HasPrefix(bytes.TrimLeft(v.GetStringBytes(), " \t\r\n"), []byte("{"))
}

// objectsInText returns the records that are objects of fields in a text that is JSON.
func (f *seeker) objectsInText(s []byte, path []string) []found {
	quoted := 0
	for _, step := range path {
		if step == opaque {
			quoted++
		}
	}
	v, err := fastjson.ParseBytes(s)
	if err != nil || quoted >= nested || v.Type() != fastjson.TypeObject {
		return nil
	}
	return f.objects(v, append(slices.Clip(path), opaque))
}
