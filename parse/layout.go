package parse

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"flowlog/parse/schema"
)

// A layout is which field each token of a record is. A scan has each just once, so they compare by address.
type layout struct {
	names []string // canonical
	fixed bool     // the format was given or assumed: there is no header to point at
}

// field returns the name of the field that a name of the input stands for, or "" if it cannot be the name of one.
// Readers of all formats ask it, so that a name means the same in each.
func (opt Options) field(name string) string { return schema.CanonicalName(name) }

// tokens splits a line at white space, which is every byte up to the blank, and appends to toks.
func tokens(line []byte, toks [][]byte) [][]byte {
	for i := 0; i < len(line); {
		for i < len(line) && line[i] <= ' ' {
			i++
		}
		start := i
		for i < len(line) && line[i] > ' ' {
			i++
		}
		if i > start {
			toks = append(toks, line[start:i])
		}
	}
	return toks
}

// headerOf returns the layout that a line announces, or nil if the line is not a header. A header is told
// by its tokens: all could be names, and enough of them are known.
func headerOf(toks [][]byte, p *schema.Projection, opt Options) *layout {
	known := 0
	l := &layout{}
	for _, tok := range toks {
		name := opt.field(string(tok))
		if name == "" || tok[0] < 'a' {
			return nil
		}
		if p.Knows(name) {
			known++
		}
		l.names = append(l.names, name)
	}
	if !enoughKnown(known, len(toks)) {
		return nil
	}
	return l
}

// enoughKnown reports whether a line of names, some of them known, is a header. Half of them are enough, so that
// a field that AWS adds later does not hide it; and so are six, which no other file has by accident: what
// flowlog enriches can have more columns of its own than of AWS's.
func enoughKnown(known, all int) bool { return known > 0 && (2*known >= all || known >= 6) }

// intern returns the one layout of the scan that equals l, and notes the columns that are not known.
func (s *scan) intern(l *layout, o *object) *layout {
	key := strings.Join(l.names, " ")
	if l.fixed {
		key += "\n"
	}
	s.Lock()
	if m, ok := s.layouts[key]; ok {
		l = m
	} else {
		s.layouts[key] = l
	}
	s.Unlock()
	for _, name := range l.names {
		if name != "" && !s.projection.Knows(name) {
			s.unknown(o.index, o.Name, name)
		}
	}
	return l
}

// errNoLayout is the error for records that nothing describes.
var errNoLayout = errors.New("there is no header line, and the records do not fit the default format: " +
	"name their fields with --log-format '${version} ${account-id} …', as in the flow log's LogFormat")

// errOCSF is the error for records that AWS has translated.
var errOCSF = errors.New("these are OCSF records, as Security Lake keeps them, not flow logs: read the flow logs that it was fed from")

// fits reports whether a line is a record of the default format, version 2.
func fits(toks [][]byte) bool {
	names := schema.Version(2)
	if len(toks) != len(names) {
		return false
	}
	for i, name := range names {
		f, _ := schema.Logged().Lookup(name)
		if schema.NewColumn(f).Parse(toks[i]) != schema.Valid {
			return false
		}
	}
	switch string(toks[12]) {
	case "ACCEPT", "REJECT", "-":
	default:
		return false
	}
	switch string(toks[13]) {
	case schema.StatusOK, schema.StatusNoData, schema.StatusSkipData:
		return true
	}
	return false
}

// layoutWithout says how records without a header are laid out: as told, or in the default format if one of
// the lines at hand fits it.
func layoutWithout(opt Options, lines [][]byte) (*layout, error) {
	if len(opt.LogFormat) > 0 {
		return &layout{names: opt.LogFormat, fixed: true}, nil
	}
	for _, line := range lines {
		if fits(tokens(line, nil)) {
			return &layout{names: schema.Version(2), fixed: true}, nil
		}
	}
	return nil, errNoLayout
}

// miscounted describes a line that has not as many tokens as its layout.
func (l *layout) miscounted(toks [][]byte) string {
	whose := "the header names"
	if l.fixed {
		whose = "the format has"
	}
	return fmt.Sprintf("%d, but %s %d", len(toks), whose, len(l.names))
}

// firstLines cuts the complete lines out of the head of some text.
func firstLines(head []byte, whole bool) [][]byte {
	if !whole {
		head = head[:bytes.LastIndexByte(head, '\n')+1]
	}
	return bytes.Split(head, []byte("\n"))
}
