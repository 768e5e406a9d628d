package parse

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"flowlog/parse/schema"
)

// A layout is the fields of a text record, in order. A scan interns its layouts, so they compare by address.
type layout struct {
	names []string // canonical
	fixed bool     // the format was given or assumed, not read from a header
}

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

// headerOf returns the layout that a header has, or nil if the line is none: its tokens must be the names of a flow log's
// fields.
func headerOf(toks [][]byte, p *schema.Projection, opt Options) *layout {
	raw := make([]string, len(toks))
	for i, tok := range toks {
		raw[i] = string(tok)
	}
	l := &layout{names: opt.fields(raw)}
	if slices.Contains(l.names, "") && !opt.displaces(raw) || opt.refused("text", l.names, p) != nil {
		return nil
	}
	return l
}

// intern returns the one layout of the scan that equals l, and notes its columns that are not fields.
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
	s.unknown(o, slices.DeleteFunc(slices.Clone(l.names), func(name string) bool { return name == "" || s.projection.Knows(name) })...)
	return l
}

// errNoLayout is the error for records without a header that do not fit the default format.
var errNoLayout error = schema.Wordsf("there is no header line, and the records do not fit the default format: "+
	"name their fields with %s, as in the flow log's LogFormat", schema.Opt("log-format", "${version} ${account-id} …"))

// errOCSF is the error for records in the format of Security Lake.
var errOCSF = errors.New("these are OCSF records, as Security Lake keeps them, not flow logs: read the flow logs that it was fed from")

// holds reports whether tokens can be the values of the named fields. If strictly, a value must also be one that AWS
// documents: that rules out other text, but also values that AWS adds later.
func holds(names []string, toks [][]byte, strictly bool) bool {
	if len(toks) != len(names) {
		return false
	}
	for i, name := range names {
		tok := toks[i]
		f, ok := schema.LoggedField(name)
		if !ok || f.IsNull(tok) {
			continue
		}
		fault := schema.Valid
		switch f.Kind {
		case schema.Int32, schema.Int64:
			_, fault = schema.ParseInt(tok)
		case schema.Time:
			_, fault = schema.ParseTime(tok)
		case schema.Addr:
			if _, ok := schema.ParseAddr(tok); !ok {
				return false
			}
		}
		if fault != schema.Valid || strictly && !f.Documents(string(tok)) {
			return false
		}
	}
	return true
}

// telling reports whether at least three of the fields have values of a form that other text rarely has by accident.
func telling(names []string) bool {
	n := 0
	for _, name := range names {
		if f, ok := schema.LoggedField(name); ok && (f.Kind != schema.Text || f.Values != nil) {
			n++
		}
	}
	return n >= 3
}

// mostMargin is the largest number of words that tools put around a record on its line.
const mostMargin = 8

// margins finds the record on a line to which a tool has added words, such as a time, a stream or EVENTS: it returns the
// numbers of words before and after it.
func margins(names []string, toks [][]byte) (before, after int, ok bool) {
	more := len(toks) - len(names)
	if more < 0 || more > mostMargin || more > 0 && !telling(names) && !isTimestamp(toks[0]) && string(toks[0]) != "EVENTS" {
		return 0, 0, false
	}
	for after = range min(more, 2) + 1 {
		if before = more - after; holds(names, toks[before:len(toks)-after], true) {
			return before, after, true
		}
	}
	return 0, 0, false
}

// isTimestamp recognises the time that CloudWatch and its tools put in front of each record: 2014-12-14T04:06:50.000Z.
func isTimestamp(tok []byte) bool {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if _, err := time.Parse(form, string(tok)); err == nil {
			return true
		}
	}
	return false
}

// layoutWithout is the layout of records without a header: Options.LogFormat, or the default format if one of the lines
// fits it. Words around the records are columns without a name. It is nil if no line fits.
func layoutWithout(opt Options, lines [][]byte) *layout {
	names := opt.LogFormat
	if len(names) == 0 {
		names = schema.Version(2)
	}
	for _, line := range lines {
		if before, after, ok := margins(names, tokens(line, nil)); ok {
			return &layout{names: slices.Concat(make([]string, before), names, make([]string, after)), fixed: true}
		}
	}
	if len(opt.LogFormat) > 0 {
		return &layout{names: names, fixed: true}
	}
	return nil
}

// decoration reports whether a line is one that `aws logs … --output text` prints beside the records.
func (l *layout) decoration(toks [][]byte) bool {
	if !l.fixed || len(toks) > 3 {
		return false
	}
	first := string(toks[0])
	return first == "SEARCHEDLOGSTREAMS" || strings.HasPrefix(first, "b/") || strings.HasPrefix(first, "f/")
}

// miscounted describes a line whose number of tokens is not that of its layout.
func (l *layout) miscounted(toks [][]byte) string {
	whose := "the header names"
	if l.fixed {
		whose = "the format has"
	}
	return fmt.Sprintf("%d, but %s %d", len(toks), whose, len(l.names))
}

// firstLines returns the complete lines of the head of some text.
func firstLines(head []byte, whole bool) [][]byte {
	if !whole {
		head = head[:bytes.LastIndexByte(head, '\n')+1]
	}
	return bytes.Split(head, []byte("\n"))
}
