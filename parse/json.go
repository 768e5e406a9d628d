package parse

import (
	"bytes"
	"cmp"
	"fmt"

	"github.com/valyala/fastjson"

	"flowlog/parse/schema"
)

func isJSON(head []byte, _ Options) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	if len(head) == 0 || head[0] == '{' {
		return len(head) > 0
	}
	inside := bytes.TrimLeft(head[1:], " \t\r\n")
	return head[0] == '[' && len(inside) > 0 && (inside[0] == '{' || inside[0] == ']')
}

// readJSON reads a stream of JSON objects, with or without white space, commas or brackets of an array
// between them. Records in messages have no header; an object without messages is taken for a record whose
// members are its fields.
func readJSON(in *input, c *content) error {
	start := place{}
	l, err := layoutOfMessages(in.opt, c)
	if err != nil {
		return err
	}
	if l != nil {
		start.layout = in.intern(l, in.object)
		in.current.Store(start.layout)
	}
	return in.cut(c.Reader(0), start, lastDocument, (*worker).documents)
}

// layoutOfMessages finds the layout of the records in messages from the first documents. It is nil if none
// of them is a message.
func layoutOfMessages(opt Options, c *content) (*layout, error) {
	var lines [][]byte
	var p fastjson.Parser
	for data := c.head; len(data) > 0; {
		start, end := document(data)
		if end == 0 {
			break
		}
		if v, err := p.ParseBytes(data[start:end]); err == nil {
			if v.Exists("class_uid") && v.Exists("src_endpoint") {
				return nil, errOCSF
			}
			messages(v, func(message []byte) { lines = append(lines, bytes.Clone(message)) })
		}
		data = data[end:]
	}
	if lines == nil {
		return nil, nil
	}
	return layoutWithout(opt, lines)
}

// document finds the next JSON object in data, from its opening to its closing brace. What cannot start
// one is passed over to the end of its line, and is a document too, to be reported. end is 0 if the
// object is not complete.
func document(data []byte) (start, end int) {
	for start < len(data) && bytes.IndexByte([]byte(" \t\r\n,[]"), data[start]) >= 0 {
		start++
	}
	if start == len(data) {
		return start, 0
	}
	if data[start] != '{' {
		if i := bytes.IndexByte(data[start:], '\n'); i >= 0 {
			return start, start + i + 1
		}
		return start, 0
	}
	depth := 0
	for i := start; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return start, i + 1
			}
		}
	}
	return start, 0
}

// lastDocument finds the end of the last complete object.
func lastDocument(data []byte) int {
	last := 0
	for {
		_, end := document(data[last:])
		if end == 0 {
			return last
		}
		last += end
	}
}

// documents decodes a block of JSON objects. Places count documents, not lines.
func (w *worker) documents(b *block, at place) place {
	for data := b.data; len(data) > 0; {
		start, end := document(data)
		if end == 0 {
			if start == len(data) {
				return at
			}
			end = len(data)
		}
		doc := bytes.TrimRight(data[start:end], "\r\n")
		data = data[end:]
		at.line++
		v, err := w.json.ParseBytes(doc)
		if err == nil && v.Type() != fastjson.TypeObject {
			err = fmt.Errorf("not an object but %s", clip(string(doc)))
		}
		if err != nil {
			w.drop(doc, Problem{Line: at.line, Value: err.Error(), Fault: schema.NotJSON})
			continue
		}
		if !messages(v, func(message []byte) { w.message(at, message) }) {
			w.object(b, at, doc, v.GetObject())
		}
	}
	return at
}

// messages calls yield with each record that a document carries as text, and reports whether it is of that
// kind: a Firehose or CloudWatch event, {"message": "<record>"}; what filter-log-events and get-log-events
// print, {"events": [event …]}; or what a subscription delivers, {"logEvents": [event …]}, whose
// CONTROL_MESSAGE carries no records. What CloudWatch makes of a record (extractedFields) is not used.
func messages(v *fastjson.Value, yield func([]byte)) bool {
	if message := v.Get("message"); message != nil && message.Type() == fastjson.TypeString {
		yield(message.GetStringBytes())
		return true
	}
	for _, list := range []string{"logEvents", "events"} {
		events := v.Get(list)
		if events == nil || events.Type() != fastjson.TypeArray {
			continue
		}
		if string(v.GetStringBytes("messageType")) == "CONTROL_MESSAGE" {
			return true
		}
		for _, event := range events.GetArray() {
			yield(event.GetStringBytes("message"))
		}
		return true
	}
	return false
}

// message appends the record that a message is.
func (w *worker) message(at place, message []byte) {
	w.tokens = tokens(message, w.tokens[:0])
	if len(w.tokens) == 0 {
		return
	}
	if at.layout == nil {
		w.drop(message, Problem{Line: at.line, Value: errNoLayout.Error(), Fault: schema.WrongCount})
		return
	}
	w.append(at, message, true)
}

// object appends a record whose fields are the members of a JSON object.
func (w *worker) object(b *block, at place, doc []byte, o *fastjson.Object) {
	var problem *Problem
	known := o.Len() == 0 // a record of which nothing is known
	o.Visit(func(key []byte, v *fastjson.Value) {
		if v.Type() == fastjson.TypeObject || v.Type() == fastjson.TypeArray {
			problem = cmp.Or(problem, &Problem{Line: at.line, Value: string(key) + " is not one value", Fault: schema.NotRecord})
			return
		}
		c, ok := w.byName[string(key)]
		if !ok {
			name := w.opt.field(string(key))
			if name == "" {
				return
			}
			if w.projection.Knows(name) {
				known = true
			} else {
				w.unknown(b.index, b.Name, name)
			}
			if c = w.column(name); c == nil {
				return
			}
		}
		known = known || w.projection.Knows(c.Name)
		if problem != nil || c.Len() > w.rows { // named twice: the first counts
			return
		}
		var tok []byte
		switch v.Type() {
		case fastjson.TypeNull:
			return
		case fastjson.TypeString:
			tok, _ = v.StringBytes()
		default:
			tok = v.MarshalTo(nil)
		}
		c.Pad(w.rows)
		if fault := c.Parse(tok); fault != schema.Valid {
			problem = &Problem{Line: at.line, Field: c.Name, Value: string(tok), Fault: fault}
		}
	})
	switch {
	case problem != nil:
		w.drop(doc, *problem)
	case !known:
		w.drop(doc, Problem{Line: at.line, Value: "no member of " + clip(string(doc)) + " is a field", Fault: schema.NotRecord})
	default:
		w.rows++
	}
}

// memberNames lists the members of the first JSON object in data that can be fields, in their order.
func memberNames(data []byte, opt Options) []string {
	start, end := document(data)
	v, err := fastjson.ParseBytes(data[start:end])
	if err != nil || v.Type() != fastjson.TypeObject {
		return nil
	}
	var names []string
	v.GetObject().Visit(func(key []byte, _ *fastjson.Value) {
		if name := opt.field(string(key)); name != "" {
			names = append(names, name)
		}
	})
	return names
}
