package parse

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"flowlog/parse/schema"
)

// A layout is which field each token of a record is. A scan has each just once, so they compare by address.
type layout struct {
	names []string // canonical
	fixed bool     // the format was given or assumed: there is no header to point at
}

// field returns the name of the field that a name of the input stands for, or "" if it cannot be the name of one.
// Readers of all formats ask it, so that a name means the same in each.
func (opt Options) field(name string) string { return schema.FieldNamed(schema.CanonicalName(name)) }

// preferOwn takes a field's own name before an alias of it: where raw has both, the column under the alias keeps its
// name, and is not the field.
func preferOwn(raw, names []string) {
	for i, name := range names {
		own := schema.CanonicalName(raw[i])
		if name == "" || own == "" || own == name {
			continue
		}
		for _, other := range raw {
			if schema.CanonicalName(other) == name {
				names[i] = own
			}
		}
	}
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

// headerOf returns the layout that a line announces, or nil if the line is not a header: its tokens are the names
// of a flow log's fields.
func headerOf(toks [][]byte, p *schema.Projection, opt Options) *layout {
	l := &layout{}
	raw := make([]string, len(toks))
	for i, tok := range toks {
		raw[i] = string(tok)
		name := opt.field(string(tok))
		if name == "" || tok[0] < 'a' {
			return nil
		}
		l.names = append(l.names, name)
	}
	preferOwn(raw, l.names)
	if notFlowLog(l.names, p) != nil {
		return nil
	}
	return l
}

// measures are columns that reports have and records have not.
var measures = []string{"flows", "rejected", "accepted", "bps", "pps", "nodata", "skipdata", "malformed", "rejected_share", "change_share"}

func isMeasure(name string) bool {
	return slices.Contains(measures, name) || strings.HasPrefix(name, "distinct_")
}

// notFlowLog says why columns or members of these names are not those of a flow log, or nil if they are: all of them
// are known, or there are both addresses, or the interface and both times. A name that is "" is one that cannot be a
// field's.
func notFlowLog(names []string, p *schema.Projection) error {
	var known, unknown []string
	for _, name := range names {
		if p.Knows(name) {
			known = append(known, name)
		} else {
			unknown = append(unknown, cmp.Or(name, "one that cannot be a field's"))
		}
	}
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(known, name) })
	}
	switch {
	case slices.ContainsFunc(unknown, isMeasure):
		return errReport
	case len(known) > 0 && len(unknown) == 0, has("srcaddr", "dstaddr"), has("pkt_srcaddr", "pkt_dstaddr"), has("interface_id", "start", "end"):
		return nil
	}
	return fmt.Errorf("these are no flow logs: %s, without both addresses or the interface and both times; "+
		"if they are, rename the columns, or name the format with --input-format", seen(known, unknown))
}

// holding says why a file with these columns cannot be read, by what its metadata says that it holds: what parse has
// written holds flows, whichever columns it was asked for. "" is not known.
func holding(what string, names []string, p *schema.Projection, opt Options) error {
	switch what {
	case schema.FlowRecords:
		return nil
	case schema.ReportRecords:
		return errReport
	}
	if opt.Input != "" {
		return nil
	}
	return notFlowLog(names, p)
}

// seen lists the names that were met.
func seen(known, unknown []string) string {
	list := func(names []string) string {
		const most = 6
		more := ""
		if len(names) > most {
			names, more = names[:most], fmt.Sprintf(" and %d more", len(names)-most)
		}
		return clip(strings.Join(names, ", ")) + more
	}
	if len(known) == 0 {
		return "no name is that of a field, but " + list(unknown)
	}
	return "the names are " + list(known) + ", and not known are " + list(unknown)
}

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

// holds reports whether tokens can be the values of the named fields.
func holds(names []string, toks [][]byte) bool {
	if len(toks) != len(names) {
		return false
	}
	for i, name := range names {
		tok := toks[i]
		f, ok := schema.Logged().Lookup(name)
		if !ok || string(tok) == "-" {
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
		words := closed[name]
		if fault != schema.Valid || words != nil && !slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, string(tok)) }) {
			return false
		}
	}
	return true
}

// closed has the fields of which each value is known.
var closed = map[string][]string{
	"action":     {"ACCEPT", "REJECT"},
	"log_status": {schema.StatusOK, schema.StatusNoData, schema.StatusSkipData},
}

// telling reports whether enough of the fields have a form that other text has not by accident.
func telling(names []string) bool {
	n := 0
	for _, name := range names {
		if f, ok := schema.Logged().Lookup(name); ok && (f.Kind != schema.Text || closed[name] != nil) {
			n++
		}
	}
	return n >= 3
}

// mostMargin is how many words tools put around a record on its line.
const mostMargin = 8

// margins finds the record on a line to which a tool has added words: a time, a stream, EVENTS.
func margins(names []string, toks [][]byte) (before, after int, ok bool) {
	more := len(toks) - len(names)
	if more < 0 || more > mostMargin || more > 0 && !telling(names) && !isTimestamp(toks[0]) && string(toks[0]) != "EVENTS" {
		return 0, 0, false
	}
	for after = range min(more, 2) + 1 {
		if before = more - after; holds(names, toks[before:len(toks)-after]) {
			return before, after, true
		}
	}
	return 0, 0, false
}

// isTimestamp recognises what CloudWatch and its tools put in front of each record: 2014-12-14T04:06:50.000Z.
func isTimestamp(tok []byte) bool {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if _, err := time.Parse(form, string(tok)); err == nil {
			return true
		}
	}
	return false
}

// layoutWithout says how records without a header are laid out: as told, or in the default format if one of
// the lines at hand fits it. Words around the records are columns of no name.
func layoutWithout(opt Options, lines [][]byte) (*layout, error) {
	names := opt.LogFormat
	if len(names) == 0 {
		names = schema.Version(2)
	}
	for _, line := range lines {
		if before, after, ok := margins(names, tokens(line, nil)); ok {
			return &layout{names: slices.Concat(make([]string, before), names, make([]string, after)), fixed: true}, nil
		}
	}
	if len(opt.LogFormat) > 0 {
		return &layout{names: names, fixed: true}, nil
	}
	return nil, errNoLayout
}

// aside reports whether a line is one that `aws logs … --output text` prints beside the records.
func (l *layout) aside(toks [][]byte) bool {
	if !l.fixed || len(toks) > 3 {
		return false
	}
	first := string(toks[0])
	return first == "SEARCHEDLOGSTREAMS" || strings.HasPrefix(first, "b/") || strings.HasPrefix(first, "f/")
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
