package parse

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"flowlog/parse/schema"
)

// A Problem is a dropped record, or in columnar formats a dropped value, with the reason.
type Problem struct {
	Object string
	Line   int64 // counted from 1; the number of the document or row in formats without lines
	Field  string
	Value  string
	Fault  schema.Fault
	Null   bool // only the value was dropped: the record counts, with a null

	object int // the object's place in the source
}

// String is the message for people: object:line: field: what is wrong.
func (p Problem) String() string {
	place := schema.Shown(p.Object)
	if p.Line > 0 {
		place += ":" + strconv.FormatInt(p.Line, 10)
	}
	switch {
	case p.Null:
		return fmt.Sprintf("%s: %s: %s is %s, and is read as null", place, clip(p.Field), strconv.Quote(p.Value), p.Fault)
	case p.Field != "":
		return fmt.Sprintf("%s: %s: %s is %s", place, clip(p.Field), strconv.Quote(p.Value), p.Fault)
	}
	return fmt.Sprintf("%s: %s: %s", place, p.Fault, p.Value)
}

// A ListingError is what a Source yields where it could not list, or not to the end: the number of missing objects is not
// known. Object names what was listed.
type ListingError struct{ Err error }

func (e *ListingError) Error() string { return e.Err.Error() }
func (e *ListingError) Unwrap() error { return e.Err }

// An ObjectError is an object that could not be read, or not to its end; or, if Err is a *ListingError, a listing.
type ObjectError struct {
	Object  string
	Records int64 // read before the error, which count
	Err     error
}

func (e ObjectError) Error() string {
	text := schema.Shown(e.Object) + ": " + brief(e.Err.Error())
	switch {
	case e.Listing():
		return text + "; how many objects are missing is not known"
	case e.Records == 1:
		return text + "; the record before that counts"
	case e.Records > 1:
		return text + fmt.Sprintf("; the %d records before that count", e.Records)
	}
	return text
}

func (e ObjectError) Unwrap() error { return e.Err }

// Listing reports whether the error is of a listing that is not complete.
func (e ObjectError) Listing() bool {
	var listing *ListingError
	return errors.As(e.Err, &listing)
}

// Stats are the results of a scan beside its batches.
type Stats struct {
	schema.Stats
	Problems []Problem     // the first few dropped records and values, in the order of the input
	Failed   []ObjectError // in the order of the input
	Unknown  []UnknownColumn
	Odd      []OddValues
	Passed   []PassedOver
	Doubles

	Headerless  int64    // objects without a header, read by Options.LogFormat or the default format
	Unchosen    Unchosen // objects that were not read
	OutsideEnds Ends     // of the records outside the time of Options

	read []string // see MadeOf
}

// Doubles is input whose records count twice.
type Doubles struct {
	Twice    []string // objects that were read before, by this or another name
	Remakes  []Remake // objects that were made of others of the same input
	Overlaps []string // pairs of flow logs that log the same interfaces
}

// Ends is the range of the ends of some records, in Unix seconds.
type Ends struct {
	First, Last int64
	Known       bool // there are such records
}

// Cover extends the range by the end of a record.
func (e *Ends) Cover(end int64) {
	if !e.Known {
		*e = Ends{end, end, true}
	}
	e.First, e.Last = min(e.First, end), max(e.Last, end)
}

// Join extends the range by that of other records.
func (e *Ends) Join(f Ends) {
	if f.Known {
		e.Cover(f.First)
		e.Cover(f.Last)
	}
}

// Merge adds the results of a second scan, which came after.
func (s *Stats) Merge(t Stats) {
	s.Stats.Add(t.Stats)
	s.AddFormats(t.Stats)
	s.Headerless += t.Headerless
	s.Unchosen.Merge(t.Unchosen)
	s.OutsideEnds.Join(t.OutsideEnds)
	s.Problems = append(s.Problems, t.Problems[:min(len(t.Problems), shownProblems-len(s.Problems))]...)
	s.Failed = append(s.Failed, t.Failed...)
	s.Twice = append(s.Twice, t.Twice...)
	s.Passed = append(s.Passed, t.Passed...)
	s.Remakes = append(s.Remakes, t.Remakes...)
	known := make(map[string]bool, len(s.Unknown))
	for _, u := range s.Unknown {
		known[u.Name] = true
	}
	for _, u := range t.Unknown {
		if !known[u.Name] {
			known[u.Name] = true
			s.Unknown = append(s.Unknown, u)
		}
	}
	for _, o := range t.Odd {
		s.odd(o)
	}
	for _, both := range t.Overlaps {
		if i, found := slices.BinarySearch(s.Overlaps, both); !found {
			s.Overlaps = slices.Insert(s.Overlaps, i, both)
		}
	}
}

// An UnknownColumn is a column of the input that is no field of the table.
type UnknownColumn struct {
	Name   string
	Object string // the first that has it
}

// OddValues are values of a field that AWS does not document. Their records count.
type OddValues struct {
	Field   string
	Value   string // the first in the order of bytes
	Records int64
}

// odd adds odd values, in the order of the fields' names.
func (s *Stats) odd(o OddValues) {
	i, found := slices.BinarySearchFunc(s.Odd, o, func(a, b OddValues) int { return cmp.Compare(a.Field, b.Field) })
	if !found {
		s.Odd = slices.Insert(s.Odd, i, o)
		return
	}
	s.Odd[i].Value = min(s.Odd[i].Value, o.Value)
	s.Odd[i].Records += o.Records
}

// shownProblems is the number of dropped records and values that are kept to be shown.
const shownProblems = 5

// tally collects the results of the parts of a scan.
type tally struct {
	sync.Mutex
	Stats
	unknownAt map[string]*object // the first object that has a column of this name
	loggedBy  map[string]string  // flow log by interface
}

func (t *tally) problem(p Problem) {
	p.Value = clip(p.Value)
	t.Lock()
	defer t.Unlock()
	order := func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.object, b.object), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Field, b.Field))
	}
	i, _ := slices.BinarySearchFunc(t.Problems, p, order)
	if t.Problems = slices.Insert(t.Problems, i, p); len(t.Problems) > shownProblems {
		t.Problems = t.Problems[:shownProblems]
	}
}

// unknown notes columns of an object that are not fields.
func (t *tally) unknown(o *object, columns ...string) {
	t.Lock()
	defer t.Unlock()
	if t.unknownAt == nil {
		t.unknownAt = make(map[string]*object)
	}
	for _, column := range columns {
		if at, ok := t.unknownAt[column]; !ok || o.index < at.index {
			t.unknownAt[column] = o
		}
	}
}

// unknowns lists the columns that are not fields, by their first object and then by name.
func (t *tally) unknowns() []UnknownColumn {
	names := slices.SortedFunc(maps.Keys(t.unknownAt), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.unknownAt[a].index, t.unknownAt[b].index), cmp.Compare(a, b))
	})
	columns := make([]UnknownColumn, len(names))
	for i, name := range names {
		columns[i] = UnknownColumn{name, t.unknownAt[name].Name}
	}
	return columns
}

// logged notes that a flow log logs an interface.
func (t *tally) logged(eni, flowLog string) {
	t.Lock()
	defer t.Unlock()
	if t.loggedBy == nil {
		t.loggedBy = make(map[string]string)
	}
	other, ok := t.loggedBy[eni]
	if !ok {
		t.loggedBy[eni] = flowLog
	}
	if !ok || other == flowLog {
		return
	}
	both := min(other, flowLog) + " and " + max(other, flowLog)
	if i, found := slices.BinarySearch(t.Overlaps, both); !found {
		t.Overlaps = slices.Insert(t.Overlaps, i, both)
	}
}

// brief shortens a long error text, which may quote names of the input: repeated steps of a path are left out, and the text
// is cut after some lines.
func brief(s string) string {
	const long, most, period = 300, 4000, 3
	if len(s) <= long {
		return s
	}
	var steps []string
	for step := range strings.SplitSeq(s, ".") {
		steps = append(steps, step)
		n := len(steps)
		for k := 1; k <= period && 2*k <= n && step != "" && step[0] > '9'; k++ {
			if slices.Equal(steps[n-k:], steps[n-2*k:n-k]) {
				steps = steps[:n-k]
				break
			}
		}
	}
	if s = strings.Join(steps, "."); len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// clip shortens a value of the input for a message, and puts it on one line: white space becomes one blank, and a control
// character a question mark.
func clip(s string) string {
	const most = 80
	var b strings.Builder
	blank := false
	for _, c := range []byte(s) {
		if b.Len() >= most {
			b.WriteString("…")
			break
		}
		switch {
		case c == ' ' || '\t' <= c && c <= '\r':
			blank = b.Len() > 0
			continue
		case blank:
			b.WriteByte(' ')
			blank = false
		}
		if c < ' ' || c == 0x7f {
			c = '?'
		}
		b.WriteByte(c)
	}
	return b.String()
}
