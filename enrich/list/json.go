package list

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"flowlog/parse/schema"
)

// A document is the members by which the forms in JSON are told apart.
type document struct {
	Type    string            `json:"type"`
	Objects []json.RawMessage `json:"objects"` // of STIX
	Entries []struct {        // of get-managed-prefix-list-entries
		Cidr, Description string
	}
	PrefixLists []prefixList
}

// A prefixList is one of describe-prefix-lists, or without Cidrs one of describe-managed-prefix-lists.
type prefixList struct {
	PrefixListName, PrefixListID string
	Cidrs                        []string
}

// A jsonReader reads documents one behind another.
type jsonReader struct {
	file    string
	content []byte
	lines   lineCounter
	list    *List
	columns []string // of lines of JSON, in the order of their first appearance
}

// readJSON reads a list in JSON. It returns nil if the JSON is something else.
func readJSON(file string, content []byte) (*List, error) {
	r := &jsonReader{file: file, content: content, lines: lineCounter{content: content}, list: new(List)}
	in := json.NewDecoder(bytes.NewReader(content))
	for first := true; ; first = false {
		var raw json.RawMessage
		start := in.InputOffset()
		switch err := in.Decode(&raw); {
		case err == io.EOF && first, err != nil && first && !likelyList(content):
			return nil, nil
		case err == io.EOF:
			r.finish()
			return r.list, nil
		case err != nil:
			return nil, jsonFault(file, content, start, err)
		}
		start = in.InputOffset() - int64(len(raw))
		known, err := r.document(raw, start)
		if err != nil {
			return nil, err
		}
		if !known && first {
			return nil, nil
		}
		if !known {
			r.list.skip("that have no member cidr or ip", r.lines.at(start))
		}
	}
}

// likelyList reports whether JSON that is cut off or malformed began as a list.
func likelyList(content []byte) bool {
	head := content[:min(len(content), 4096)]
	return bytes.Contains(head, []byte(`"bundle"`)) || bytes.Contains(head, []byte(`"objects"`)) || bytes.Contains(head, []byte(`"cidr"`)) || bytes.Contains(head, []byte(`"Cidr"`))
}

// document adds what a document lists. It is false if it is none of a list.
func (r *jsonReader) document(raw json.RawMessage, start int64) (bool, error) {
	if raw[0] == '[' {
		return r.array(raw, start)
	}
	if raw[0] != '{' {
		return false, nil
	}
	members, err := textMembers(raw)
	if err != nil {
		return false, nil
	}
	if c, ok := columnsOf(members.names, memberNames); ok {
		r.row(c, members, r.lines.at(start))
		return true, nil
	}
	if i := slices.Index(members.names, "type"); i >= 0 && members.values[i] == "metadata" {
		r.list.Form = "JSON lines"
		return true, nil // the last line of Spamhaus's
	}
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		if d.Objects == nil && d.Entries == nil {
			return false, nil
		}
		return false, jsonFault(r.file, r.content, start, err)
	}
	return r.members(d, start)
}

// members adds what the members of a document list.
func (r *jsonReader) members(d document, start int64) (bool, error) {
	l := r.list
	switch {
	case d.Type == "bundle" || len(d.Objects) > 0:
		l.Form, l.Columns = "STIX 2.1", indicatorColumns
		for _, raw := range d.Objects {
			offset := r.offset(raw, start)
			var o indicator
			if err := json.Unmarshal(raw, &o); err != nil {
				l.skip("that are no object of STIX", r.lines.at(offset))
				continue
			}
			l.addIndicator(o, r.lines.at(offset))
			start = offset
		}
	case d.Entries != nil:
		l.Form, l.Columns = "AWS prefix list", []string{"description"}
		for _, e := range d.Entries {
			l.add(e.Cidr, Entry{Line: r.lines.at(start), Label: e.Description, Cells: []string{e.Description}})
		}
	case len(d.PrefixLists) > 0 && !slices.ContainsFunc(d.PrefixLists, func(p prefixList) bool { return p.Cidrs != nil }):
		return false, fmt.Errorf("%s: describe-managed-prefix-lists prints no networks: get those of each list with aws ec2 get-managed-prefix-list-entries --prefix-list-id %s",
			at(r.file, r.content, int(start)), schema.Shown(shortened(d.PrefixLists[0].PrefixListID, 40)))
	case len(d.PrefixLists) > 0:
		l.Form, l.Columns = "AWS prefix lists", []string{"name", "id"}
		for _, p := range d.PrefixLists {
			for _, cidr := range p.Cidrs {
				l.add(cidr, Entry{Line: r.lines.at(start), Label: p.PrefixListName, Cells: []string{p.PrefixListName, p.PrefixListID}})
			}
		}
	default:
		return false, nil
	}
	return true, nil
}

// offset finds a part of the content that comes behind another one.
func (r *jsonReader) offset(part json.RawMessage, behind int64) int64 {
	if i := bytes.Index(r.content[behind:], part); i >= 0 {
		return behind + int64(i)
	}
	return behind
}

// array adds the texts or the objects of an array.
func (r *jsonReader) array(raw json.RawMessage, start int64) (bool, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts) == 0 {
		return false, nil
	}
	for i, part := range parts {
		start = r.offset(part, start)
		line := r.lines.at(start)
		var text string
		if part[0] == '"' && json.Unmarshal(part, &text) == nil {
			r.list.add(text, Entry{Line: line})
			continue
		}
		members, err := textMembers(part)
		c, ok := columnsOf(members.names, memberNames)
		switch {
		case err == nil && ok:
			r.row(c, members, line)
		case i == 0:
			return false, nil
		default:
			r.list.skip("that have no member cidr or ip", line)
		}
	}
	if r.list.Form == "" {
		r.list.Form = "JSON"
	}
	return r.list.Entries != nil || r.columns != nil, nil
}

// row adds an object of lines of JSON. Later objects may have further members.
func (r *jsonReader) row(c columns, m members, line int) {
	r.list.Form = "JSON lines"
	one := &List{}
	c.add(one, m.values, line)
	for _, s := range one.Skipped {
		r.list.skip(s.Reason, line)
	}
	for _, e := range one.Entries {
		cells := make([]string, len(r.columns))
		for i, name := range c.others() {
			j := slices.Index(r.columns, name)
			if j < 0 {
				if len(r.columns) == maxMembers {
					continue
				}
				j = len(r.columns)
				r.columns = append(r.columns, name)
				cells = append(cells, "")
			}
			cells[j] = e.Cells[i]
		}
		e.Cells = cells
		r.list.Entries = append(r.list.Entries, e)
	}
}

// maxMembers bounds the columns of lines of JSON, and maxCell the length of a list in a cell.
const (
	maxMembers = 100
	maxCell    = 4096
)

// finish gives all rows of lines of JSON the same columns.
func (r *jsonReader) finish() {
	if r.columns == nil {
		return
	}
	r.list.Columns = r.columns
	for i := range r.list.Entries {
		e := &r.list.Entries[i]
		e.Cells = append(e.Cells, make([]string, len(r.columns)-len(e.Cells))...)
	}
}

// members are the members of an object whose values are texts, numbers, booleans or lists of those, in their order.
type members struct{ names, values []string }

// textMembers reads the members of an object.
func textMembers(raw json.RawMessage) (m members, err error) {
	if len(raw) == 0 || raw[0] != '{' {
		return m, io.ErrUnexpectedEOF
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	if _, err := in.Token(); err != nil {
		return m, err
	}
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return m, err
		}
		var part json.RawMessage
		if err := in.Decode(&part); err != nil {
			return m, err
		}
		if part[0] == '{' || part[0] == '[' && len(part) > maxCell {
			continue
		}
		var value any
		if err := json.Unmarshal(part, &value); err != nil {
			return m, err
		}
		if text, ok := textOf(value); ok && !slices.Contains(m.names, name.(string)) {
			m.names, m.values = append(m.names, name.(string)), append(m.values, text)
		}
	}
	return m, nil
}

// textOf is the text of a value, false if it has none in a cell.
func textOf(value any) (string, bool) {
	switch v := value.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	case []any:
		var parts []string
		for _, x := range v {
			text, ok := textOf(x)
			if _, nested := x.([]any); nested || !ok {
				return "", false
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, ","), true
	}
	return "", false
}
