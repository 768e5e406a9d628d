package enrich

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"flowlog/parse/schema"
)

// A listing is the output of a call of `aws ec2 describe-…`, or a part of it selected by --query. Its rows are indexed by the
// IDs that records have, and by all addresses.
//
// Users cannot rename AWS's columns, so the fields by ID are prefixed with the table's name as well, as in eni_name.

// An object is one of a listing, and the part of the content that it was decoded from.
type object struct {
	members map[string]any
	part    json.RawMessage
}

// isListing reports whether JSON begins as the whole output of a call does. Others may be listings too.
func isListing(content []byte) bool {
	in := json.NewDecoder(bytes.NewReader(content))
	brace, err1 := in.Token()
	member, err2 := in.Token()
	return err1 == nil && err2 == nil && brace == json.Delim('{') && slices.ContainsFunc(calls, func(c call) bool { return member == c.member || member == c.wrapper && c.wrapper != "" })
}

// readListing reads one JSON document, or several behind one another.
func (t *Table) readListing(file string, content []byte) error {
	if t.key != nil {
		return fmt.Errorf("%s:1: column 1: all files of a table must have the same kind of key, and %s is a list or CSV: give this one another name", file, t.file)
	}
	if t.index == nil {
		t.index = []index{&ids{texts: *newTexts()}, new(networks)}
	}
	l := &listingReader{Table: t, file: file, content: content}
	in := json.NewDecoder(bytes.NewReader(content))
	for {
		var document json.RawMessage
		err := in.Decode(&document)
		if err == io.EOF {
			break
		}
		if err != nil {
			return l.fault(nil, err)
		}
		if err := l.read(document, ""); err != nil {
			return err
		}
	}
	if !l.recognized {
		return fmt.Errorf("%s:1: column 1: this is not what a call of aws ec2 prints that flowlog knows (%s), and no list of addresses; tables of your own are CSV", file, callNames())
	}
	return nil
}

type listingReader struct {
	*Table
	file       string
	content    []byte
	recognized bool // some object is one of a listing
}

// fault returns err with the line and column in the file. part is the part of the content that was decoded, nil for all.
func (l *listingReader) fault(part json.RawMessage, err error) error {
	offset := max(bytes.Index(l.content, part), 0)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset += int(syntax.Offset) - 1
	case errors.As(err, &kind):
		return l.wrongKind(offset+int(kind.Offset)-1, kind.Value)
	default:
		offset, err = len(l.content), errors.New("the JSON ends too early: get the listing again")
	}
	return fmt.Errorf("%s: %w", position(l.file, l.content, offset), err)
}

// wrongKind is the error for a value that is none of AWS's at its place.
func (l *listingReader) wrongKind(offset int, kind string) error {
	article := "a"
	if kind == "array" || kind == "object" {
		article = "an"
	}
	return fmt.Errorf("%s: there is %s %s where AWS has something else: get the listing again", position(l.file, l.content, offset), article, kind)
}

// wrongMember is the error for the value of a member of an object.
func (l *listingReader) wrongMember(o object, path string, value any) error {
	offset := max(bytes.Index(l.content, o.part), 0)
	name := path[strings.LastIndexByte(path, '.')+1:]
	if i := bytes.Index(o.part, []byte(`"`+strings.TrimSuffix(name, "[]")+`"`)); i >= 0 {
		i += len(strings.TrimSuffix(name, "[]")) + 2
		offset += i + len(o.part[i:]) - len(bytes.TrimLeft(o.part[i:], ": \t\r\n"))
	}
	return l.wrongKind(offset, kindOf(value))
}

// kindOf names the kind of a value of JSON.
func kindOf(value any) string {
	switch value.(type) {
	case float64:
		return "number"
	case bool:
		return "bool"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "string"
}

// read adds the rows of a part of a listing. Instances inherit the account of their reservation.
func (l *listingReader) read(part json.RawMessage, account string) error {
	if part[0] == '[' {
		var parts []json.RawMessage
		if err := json.Unmarshal(part, &parts); err != nil {
			return l.fault(part, err)
		}
		l.recognized = l.recognized || len(parts) == 0
		return l.readAll(parts, account)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(part, &members); err != nil {
		return l.fault(part, err)
	}
	if members["prefixes"] != nil {
		return schema.Wordsf("%s:1: column 1: this is AWS's ip-ranges.json: %s reads it", l.file, schema.Opt("aws-ranges", l.file))
	}
	if i := slices.IndexFunc(calls, func(c call) bool { return members[c.id] != nil && (c.with == "" || members[c.with] != nil) }); i >= 0 {
		return l.readObject(&calls[i], part, account)
	}
	if err := l.inherit(part, members["OwnerId"], &account); err != nil {
		return err
	}
	for i := range calls {
		for _, name := range []string{calls[i].wrapper, calls[i].member} {
			rows := members[name]
			if rows == nil {
				continue
			}
			if rows[0] != '[' {
				return l.wrongMember(object{part: part}, name, map[string]any{})
			}
			l.declare(&calls[i])
			if err := l.read(rows, account); err != nil {
				return err
			}
		}
	}
	return nil
}

// inherit takes the account of a reservation, if it has one.
func (l *listingReader) inherit(part, owner json.RawMessage, account *string) error {
	if owner == nil {
		return nil
	}
	if err := json.Unmarshal(owner, account); err != nil {
		return l.wrongMember(object{part: part}, "OwnerId", 0.0)
	}
	return nil
}

func (l *listingReader) readAll(parts []json.RawMessage, account string) error {
	for _, part := range parts {
		if err := l.read(part, account); err != nil {
			return err
		}
	}
	return nil
}

// readObject adds the row of an object.
func (l *listingReader) readObject(c *call, part json.RawMessage, account string) error {
	o := object{part: part}
	if err := json.Unmarshal(part, &o.members); err != nil {
		return l.fault(part, err)
	}
	if o.members["OwnerId"] == nil && account != "" {
		o.members["OwnerId"] = account
	}
	tags, err := l.tags(o)
	if err != nil {
		return err
	}
	l.declare(c)
	row := l.row(l.file, 0)
	for _, column := range c.columns {
		text, err := l.cell(o, column, tags)
		if err != nil {
			return err
		}
		l.set(l.column(column.name, ""), text)
	}
	for _, tag := range tags {
		name := fieldName(tag.key)
		if name == "" || tag.key == "Name" {
			continue
		}
		if column := l.column("tag_"+name, ""); column.cell(row) == "" { // two tags can map to one name: the first wins
			l.set(column, tag.value)
		}
	}
	if err := l.addIDs(c, o, row); err != nil {
		return err
	}
	return l.addAddresses(c, o, row)
}

// declare adds the columns and the fields of a call to the table, even if the listing is empty.
func (l *listingReader) declare(c *call) {
	l.recognized = true
	for _, column := range c.columns {
		l.column(column.name, "")
	}
	byID := l.index[0].(*ids)
	for _, f := range c.fields {
		if !slices.Contains(byID.fields, f) {
			byID.fields = append(byID.fields, f)
		}
	}
}

// cell is the text of a column. The texts of a list are joined.
func (l *listingReader) cell(o object, column listedColumn, tags []tag) (string, error) {
	for _, path := range column.paths {
		if key, ok := strings.CutPrefix(path, "#"); ok {
			if i := slices.IndexFunc(tags, func(t tag) bool { return t.key == key }); i >= 0 {
				return tags[i].value, nil
			}
			return "", nil
		}
		texts, err := l.texts(o, path)
		if err != nil {
			return "", err
		}
		if text := strings.Join(texts, ","); text != "" {
			return strings.ToValidUTF8(text, "\ufffd"), nil
		}
	}
	return "", nil
}

type tag struct{ key, value string }

// tags returns the tags of an object, by their keys.
func (l *listingReader) tags(o object) ([]tag, error) {
	var tags []tag
	for _, member := range []string{"Tags", "TagSet"} {
		list, ok := o.members[member].([]any)
		if !ok && o.members[member] != nil {
			return nil, l.wrongMember(o, member, o.members[member])
		}
		for _, t := range list {
			pair, _ := t.(map[string]any)
			key, ok1 := pair["Key"].(string)
			value, ok2 := pair["Value"].(string)
			if !ok1 || !ok2 {
				return nil, l.wrongMember(o, member, map[string]any{})
			}
			tags = append(tags, tag{key, strings.ToValidUTF8(value, "\ufffd")})
		}
	}
	slices.SortFunc(tags, func(a, b tag) int { return strings.Compare(a.key, b.key) })
	return tags, nil
}

// texts returns the texts at a path such as State.Name or Groups[].GroupId, in their order. What is missing or null has none.
func (l *listingReader) texts(o object, path string) ([]string, error) {
	var out []string
	var walk func(v any, steps []string) error
	walk = func(v any, steps []string) error {
		switch v := v.(type) {
		case nil:
			return nil
		case string:
			if len(steps) == 0 {
				out = append(out, v)
				return nil
			}
		case map[string]any:
			if len(steps) > 0 && steps[0] != "[]" {
				return walk(v[steps[0]], steps[1:])
			}
		case []any:
			if len(steps) > 0 && steps[0] == "[]" {
				for _, x := range v {
					if err := walk(x, steps[1:]); err != nil {
						return err
					}
				}
				return nil
			}
		}
		return l.wrongMember(o, path, v)
	}
	return out, walk(o.members, strings.Split(strings.ReplaceAll(path, "[]", ".[]"), "."))
}

// addIDs indexes a row by the IDs of an object.
func (l *listingReader) addIDs(c *call, o object, row int32) error {
	byID := l.index[0].(*ids)
	for _, path := range append([]string{c.id}, c.ids...) {
		keys, err := l.texts(o, path)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if before, ok := byID.rows[key]; ok && before != row && !l.same(before, row) {
				return fmt.Errorf("%s: %s is in %s too, and not the same there: name only the newer file", l.file, key, l.rows[before])
			}
			byID.rows[key] = row
		}
	}
	return nil
}

// addAddresses indexes a row by the addresses of an object.
func (l *listingReader) addAddresses(c *call, o object, row int32) error {
	byAddress := l.index[1].(*networks)
	for _, path := range c.address {
		found, err := l.texts(o, path)
		if err != nil {
			return err
		}
		for _, a := range found {
			if a == "" {
				continue
			}
			p, err := parseNetwork(a)
			if err != nil {
				at := max(bytes.Index(l.content, []byte(`"`+a+`"`)), 0)
				id, _ := o.members[c.id].(string)
				return fmt.Errorf("%s: %s: %w", position(l.file, l.content, at), id, err)
			}
			byAddress.own(l.Table, p, row)
		}
	}
	return nil
}

// ambiguous is the row of an address that several interfaces have, each in its own VPC: no name is better than a wrong
// one.
const ambiguous int32 = -2

// own makes a row that of a network, unless another row is.
func (n *networks) own(t *Table, p netip.Prefix, row int32) {
	before, ok := n.trie.Get(p)
	if !ok || before >= 0 && t.same(before, row) {
		n.trie.Insert(p, row)
		return
	}
	if before >= 0 {
		if n.shared++; n.shared == 1 {
			n.firstShared = p
		}
	}
	n.trie.Insert(p, ambiguous)
}

// ids indexes the rows of a listing by the IDs of a record.
type ids struct{ texts }

func (x *ids) joins(table string) []join {
	if len(x.fields) == 0 {
		return nil // all is found by address
	}
	joins := x.texts.joins(table)
	joins[0].prefix = table + "_"
	return joins
}
