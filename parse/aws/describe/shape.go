package describe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A shaper writes elements as JSON.
type shaper struct{ bytes.Buffer }

// string writes a text.
func (s *shaper) string(text string) {
	e := json.NewEncoder(&s.Buffer)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil { // any string can be encoded
		panic(err)
	}
	s.Truncate(s.Len() - len("\n"))
}

// object writes the children of a node. Those that are not among the members are named by the rule and have no kind.
func (s *shaper) object(n *node, members []Member) error {
	s.WriteByte('{')
	var taken, written []string // names in the answer, and in what is written
	for _, child := range n.children {
		m := find(members, child.name)
		switch {
		case slices.Contains(taken, child.name) && m == nil:
			continue // it was written with the first one, as a list
		case slices.Contains(taken, child.name):
			return fmt.Errorf("%s: it is there twice", m.CLI)
		case m != nil && slices.Contains([]Kind{Number, Bool, Time}, m.Kind) && len(child.text) == 0:
			continue // null
		}
		name := freeName(child.name, members, written)
		if m != nil {
			name = m.CLI
		}
		if len(written) > 0 {
			s.WriteByte(',')
		}
		taken, written = append(taken, child.name), append(written, name)
		s.string(name)
		s.WriteByte(':')
		var err error
		if m != nil {
			err = s.member(child, m)
		} else if same := n.all(child.name); len(same) > 1 {
			err = s.list(same, nil)
		} else {
			err = s.unknown(child)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	s.WriteByte('}')
	return nil
}

// freeName is the name by the rule, or one nearer to the answer's if another member has that.
func freeName(xml string, members []Member, written []string) string {
	for _, name := range []string{byRule(xml), strings.ToUpper(xml[:1]) + xml[1:]} {
		if !slices.Contains(written, name) && !slices.ContainsFunc(members, func(m Member) bool { return m.CLI == name }) {
			return name
		}
	}
	return xml
}

// member writes the value of a member of the table.
func (s *shaper) member(n *node, m *Member) error {
	switch m.Kind {
	case List:
		return s.list(n.children, m.Of)
	case Object:
		return s.object(n, m.Of)
	}
	value := n.value()
	switch m.Kind {
	case Number:
		if !json.Valid([]byte(value)) || strings.Trim(value, "-0123456789.eE+") != "" {
			return fmt.Errorf("%q is not a number", value)
		}
		s.WriteString(value)
	case Bool:
		if value != "true" && value != "false" {
			return fmt.Errorf("%q is neither true nor false", value)
		}
		s.WriteString(value)
	case Time:
		t, err := time.Parse(time.RFC3339, value)
		if err != nil {
			return fmt.Errorf("%q is not a time", value)
		}
		s.string(cliTime(t))
	default:
		s.string(value)
	}
	return nil
}

// cliTime is a time as the aws command's version 2 writes it: with microseconds if there are any.
func cliTime(t time.Time) string {
	layout := "2006-01-02T15:04:05-07:00"
	if t = t.UTC(); t.Nanosecond() >= 1000 {
		layout = "2006-01-02T15:04:05.000000-07:00"
	}
	return t.Format(layout)
}

// list writes the elements of a list: objects with these members, texts where they have no children, or unknown ones.
func (s *shaper) list(elements []*node, members []Member) error {
	s.WriteByte('[')
	for i, e := range elements {
		if i > 0 {
			s.WriteByte(',')
		}
		var err error
		if members != nil {
			err = s.object(e, members)
		} else {
			err = s.unknown(e)
		}
		if err != nil {
			return err
		}
	}
	s.WriteByte(']')
	return nil
}

// unknown writes what the table does not have: a list if its elements are called as those of lists are.
func (s *shaper) unknown(n *node) error {
	switch {
	case len(n.children) > 0 && (n.children[0].name == "item" || n.children[0].name == "member"):
		return s.list(n.children, nil)
	case len(n.children) > 0:
		return s.object(n, nil)
	case len(n.text) == 0 && strings.HasSuffix(n.name, "Set"):
		s.WriteString("[]")
	default:
		s.string(n.value())
	}
	return nil
}

// reshape writes an element that came as JSON: as it is, but for its times, which come as seconds since 1970.
func (s *shaper) reshape(element json.RawMessage, members []Member) error {
	if len(members) == 0 {
		return json.Compact(&s.Buffer, element)
	}
	d := json.NewDecoder(bytes.NewReader(element))
	d.UseNumber()
	var value map[string]any
	if err := d.Decode(&value); err != nil {
		return fmt.Errorf("an element of the answer is no object: %w", err)
	}
	for _, m := range members {
		seconds, ok := value[m.CLI].(json.Number)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(string(seconds), 64)
		if err != nil || f < 0 || f > 1e11 { // year 5138
			return fmt.Errorf("%s: %q is not a time", m.CLI, seconds)
		}
		value[m.CLI] = cliTime(time.UnixMilli(int64(f*1000 + 0.5)))
	}
	e := json.NewEncoder(&s.Buffer)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return err
	}
	s.Truncate(s.Len() - len("\n"))
	return nil
}
