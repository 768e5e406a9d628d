package report

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// A function is an aggregate function. Measures name it by its name.
type function struct {
	name     string
	kinds    []schema.Kind // of fields that it can be applied to by users; nil if by name only
	share    bool          // a group's part of the total makes sense
	fraction bool          // the values are floating-point numbers
	new      func() state  // nil if the value does not come from records, or comes from parts
	// parts are the measures that this one is computed from when all records have been seen, and of is how: by
	// their values and the seconds that the group covers. A nil part makes the whole nil.
	parts func(Measure) []Measure
	of    func(parts []any, seconds float64) any
	span  bool   // of needs the seconds
	zero  bool   // of a time without any flow it is 0, and not unknown
	also  string // a second field that the function is computed from
	// adds is the function that combines the values of several groups. It is "" if nothing does, and for quantiles, of
	// which an engine counts the buckets.
	adds string
}

// partsOf are the parts of a measure, if it has any.
func (f function) partsOf(m Measure) []Measure {
	if f.parts == nil {
		return nil
	}
	return f.parts(m)
}

var (
	wholeKinds   = []schema.Kind{schema.Int32, schema.Int64}
	orderedKinds = []schema.Kind{schema.Int32, schema.Int64, schema.Time}
	allKinds     = []schema.Kind{schema.Int32, schema.Int64, schema.Time, schema.Float, schema.Addr, schema.Text}
)

// functions is THE table of aggregate functions.
var functions = []function{
	{name: "count", zero: true, adds: "sum", kinds: allKinds, share: true, new: func() state { return newCount() }},
	{name: "sum", zero: true, adds: "sum", kinds: wholeKinds, share: true, new: func() state { return newSum() }},
	{name: "min", adds: "min", kinds: orderedKinds, new: func() state { return newExtreme(1) }},
	{name: "max", adds: "max", kinds: orderedKinds, new: func() state { return newExtreme(-1) }},
	{name: "avg", kinds: wholeKinds, fraction: true, parts: sumAndCount, of: func(parts []any, _ float64) any { return ratio(parts[0], parts[1]) }},
	{name: "distinct", zero: true, kinds: allKinds, new: func() state { return newDistinct(nil) }},
	{name: "p50", kinds: wholeKinds, new: func() state { return newSketch(0.50) }},
	{name: "p90", kinds: wholeKinds, new: func() state { return newSketch(0.90) }},
	{name: "p95", kinds: wholeKinds, new: func() state { return newSketch(0.95) }},
	{name: "p99", kinds: wholeKinds, new: func() state { return newSketch(0.99) }},
	{name: "bps", zero: true, fraction: true, span: true, parts: sumOf, of: func(parts []any, seconds float64) any { return rate(parts[0], 8, seconds) }},
	{name: "pps", zero: true, fraction: true, span: true, parts: sumOf, of: func(parts []any, seconds float64) any { return rate(parts[0], 1, seconds) }},
	{name: "accepted", zero: true, share: true, parts: withAction("ACCEPT"), of: ofWhole},
	{name: "rejected", zero: true, share: true, parts: withAction("REJECT"), of: ofWhole},
	{name: "rejected_share", fraction: true, parts: withAction("REJECT"), of: func(parts []any, _ float64) any { return ratio(parts[0], parts[1]) }},
	{name: "duration", parts: startAndEnd, of: duration},
	{name: "gap", also: "end", new: func() state { return &gap{} }},
	{name: "malformed"},
}

func sumOf(m Measure) []Measure { return []Measure{{Func: "sum", Field: m.Field}} }

func sumAndCount(m Measure) []Measure {
	return []Measure{{Func: "sum", Field: m.Field}, {Func: "count", Field: m.Field}}
}

// withAction counts the flows with an action, and those with any. Both are conditions, so that groups by action have
// them.
func withAction(action string) func(Measure) []Measure {
	these, all := where("action = "+action), where("action is not null")
	return func(Measure) []Measure { return []Measure{{Func: "count", Where: these}, {Func: "count", Where: all}} }
}

func startAndEnd(Measure) []Measure {
	return []Measure{{Func: "min", Field: "start"}, {Func: "max", Field: "end"}}
}

// ratio divides two whole numbers; nothing comes of nothing.
func ratio(part, whole any) any {
	if whole == int64(0) {
		return nil
	}
	return float64(part.(int64)) / float64(whole.(int64))
}

// ofWhole is the part of a number, unknown if the number is 0.
func ofWhole(parts []any, _ float64) any {
	if parts[1] == int64(0) {
		return nil
	}
	return parts[0]
}

// duration is the time between a start and an end, unknown if these are the wrong way round.
func duration(parts []any, _ float64) any {
	start, end := parts[0].(int64), parts[1].(int64)
	if end < start {
		return nil
	}
	return end - start
}

func rate(sum any, unit, seconds float64) any { return unit * float64(sum.(int64)) / seconds }

func functionNamed(name string) function {
	return functions[slices.IndexFunc(functions, func(f function) bool { return f.name == name })]
}

// A state holds what a function has come to for each group, by the group's number.
type state interface {
	// grow makes room for groups.
	grow(groups int)
	// add takes in rows: row rows[i] belongs to group ids[i].
	add(ids []uint32, rows []int32, in inputs) error
	// merge takes in another state of the same function, whose group g is group ids[g] here, or none if that is
	// skip, and whose code c of the field is code codes[c] here; nil codes are the same.
	merge(other state, ids, codes []uint32) error
	// value is the result for a group; nil is null.
	value(group uint32) any
	// append writes what a group has come to, so that load takes it in again, on top of what a group has. Nothing
	// is added after an append.
	append(dst []byte, group uint32) []byte
	load(src []byte, group uint32) (rest []byte, err error)
	// size is about how many bytes it takes.
	size() int64
}

// A wholeState is a state whose values are whole numbers.
type wholeState interface {
	// whole is the value for a group. It is false for null.
	whole(group uint32) (int64, bool)
}

func boxed(v int64, ok bool) any {
	if !ok {
		return nil
	}
	return v
}

// skip in place of a group's number leaves it out of a merge.
const skip = math.MaxUint32

// inputs are what a function is computed from, by row.
type inputs struct {
	col, also arrow.Array // of the measure's field, and of the function's own
	codes     []uint32    // of the field, for a function that needs them
}

// An estimate is a state whose values may not be exact.
type estimate interface {
	// error says how far off values may be; it is "" if they are exact.
	error() string
}

// errSum is the error for sums beyond 64 bits.
var errSum = errors.New("a sum is larger than 9223372036854775807 (2^63-1): narrow the input")

// cells are numbers of groups. A group's lie side by side: where there are many groups, what a record adds to is then
// one wait for memory, and not one for each measure. They come in pages, of which only the first one is ever copied.
type cells struct {
	pages  pages
	groups int     // there is room for
	none   []int64 // what they are for an empty group
}

const pageBits = 20

type pages [][]int64

// at is where on the pages a number is.
func (p pages) at(i uint) *int64 { return &p[i>>pageBits][i%(1<<pageBits)] }

// one is the page if there is only one, which is found faster: most groupings are small.
func (p pages) one() []int64 {
	if len(p) != 1 {
		return nil
	}
	return p[0]
}

func (c *cells) grow(groups int) {
	if groups <= c.groups {
		return
	}
	width := len(c.none)
	for page := 0; page<<pageBits < groups*width; page++ {
		if page == len(c.pages) {
			c.pages = append(c.pages, make([]int64, 0, min(page, 1)<<pageBits))
		}
		c.pages[page] = schema.Grown(c.pages[page], min(groups*width-page<<pageBits, 1<<pageBits))
	}
	for ; c.groups < groups; c.groups++ {
		for at, none := range c.none {
			*c.pages.at(uint(c.groups*width + at)) = none
		}
	}
}

// A number is one of the cells of each group.
type number struct {
	*cells
	at int
}

func newNumber(none int64) number { return number{&cells{none: []int64{none}}, 0} }

// join makes it one of other cells, which are empty yet.
func (n *number) join(c *cells) {
	c.none = append(c.none, n.none[n.at])
	*n = number{c, len(c.none) - 1}
}

func (n *number) of(group uint32) *int64 {
	return n.pages.at(uint(group)*uint(len(n.none)) + uint(n.at))
}

func (n *number) size() int64 { return 8 * int64(n.groups) }

// A merging is a state that is to be taken into another one.
type merging struct {
	to, from state
	codes    []uint32 // as for state.merge
}

// A numeric state is nothing but numbers.
type numeric interface {
	// mergeSome is merge of the groups from one on, of which these are the ids.
	mergeSome(other state, ids []uint32, from int) error
}

// mergeLot is how many groups or values are merged at once: as many as stay in the processor's caches.
const mergeLot = 1024

// mergeNumbers merges the numbers among the states, of the groups from one on, of which these are the ids. What a group
// has lies side by side, and is waited for once.
func mergeNumbers(states []merging, ids []uint32, from int) error {
	for len(ids) > 0 {
		lot := ids[:min(len(ids), mergeLot)]
		for _, m := range states {
			if n, ok := m.to.(numeric); ok {
				if err := n.mergeSome(m.from, lot, from); err != nil {
					return err
				}
			}
		}
		ids, from = ids[len(lot):], from+len(lot)
	}
	return nil
}

// mergeOthers merges the states that are no numbers.
func mergeOthers(states []merging, ids []uint32) error {
	return atOnce(len(states), func(i int) error {
		m := states[i]
		if _, ok := m.to.(numeric); ok {
			return nil
		}
		return m.to.merge(m.from, ids, m.codes)
	})
}

// count counts records, or those that have a value of a field.
type count struct{ number }

func newCount() *count { return &count{newNumber(0)} }

func (s *count) add(ids []uint32, rows []int32, in inputs) error {
	if in.col == nil || in.col.NullN() == 0 {
		if s.groups == 1 {
			*s.of(0) += int64(len(rows))
			return nil
		}
		pages, at, width := s.pages, uint(s.at), uint(len(s.none))
		if v := pages.one(); v != nil {
			for _, id := range ids {
				v[uint(id)*width+at]++
			}
			return nil
		}
		for _, id := range ids {
			*pages.at(uint(id)*width + at)++
		}
		return nil
	}
	valid := schema.ValidityOf(in.col)
	for i, row := range rows {
		if !valid.Null(row) {
			*s.of(ids[i])++
		}
	}
	return nil
}

func (s *count) merge(other state, ids, _ []uint32) error {
	return s.mergeSome(other, ids[:other.(*count).groups], 0)
}

func (s *count) mergeSome(other state, ids []uint32, from int) error {
	o := other.(*count)
	for i, id := range ids {
		if n := *o.of(uint32(from + i)); n != 0 && id != skip {
			*s.of(id) += n
		}
	}
	return nil
}

func (s *count) whole(group uint32) (int64, bool) { return *s.of(group), true }
func (s *count) value(group uint32) any           { return *s.of(group) }

// sum adds up a field. A group in which the field is always null has no sum.
type sum struct{ number }

// noSum is the sum of nothing. Its lower bits are 0, to which values can be added.
const noSum = math.MinInt64

func newSum() *sum { return &sum{newNumber(noSum)} }

func (s *sum) add(ids []uint32, rows []int32, in inputs) error {
	valid := schema.ValidityOf(in.col)
	over := false
	switch a := in.col.(type) {
	case *array.Int64:
		over = addUp(s, ids, rows, a.Int64Values(), valid)
	case *array.Int32:
		over = addUp(s, ids, rows, a.Int32Values(), valid)
	}
	if over {
		return errSum
	}
	return nil
}

// addUp adds values to the sums of their groups, and reports whether one became too large.
func addUp[T int32 | int64](s *sum, ids []uint32, rows []int32, values []T, valid schema.Validity) bool {
	var over int64
	if s.groups == 1 { // through memory each addition would wait for the one before
		total := *s.of(0)
		for _, row := range rows {
			if !valid.Null(row) {
				total = total&^noSum + int64(values[row])
				over |= total
			}
		}
		*s.of(0) = total
		return over < 0
	}
	if s.groups <= fewGroups && len(rows) >= fewGroups {
		return addUpFew(s, ids, rows, values, valid)
	}
	at, width := uint(s.at), uint(len(s.none))
	if v := s.pages.one(); v != nil {
		for i, row := range rows {
			if !valid.Null(row) {
				t := &v[uint(ids[i])*width+at]
				*t = *t&^noSum + int64(values[row])
				over |= *t
			}
		}
		return over < 0
	}
	for i, row := range rows {
		if !valid.Null(row) {
			t := s.pages.at(uint(ids[i])*width + at)
			*t = *t&^noSum + int64(values[row])
			over |= *t
		}
	}
	return over < 0
}

// fewGroups is how many groups are added up in several sums each: where most rows are of one group, an addition would wait
// for the one before.
const fewGroups = 256

func addUpFew[T int32 | int64](s *sum, ids []uint32, rows []int32, values []T, valid schema.Validity) bool {
	var sums [4][fewGroups]int64
	var seen [fewGroups]bool
	var over int64
	for i, row := range rows {
		if !valid.Null(row) {
			id := ids[i] % fewGroups
			t := &sums[i%len(sums)][id]
			*t += int64(values[row])
			over |= *t
			seen[id] = true
		}
	}
	for id := range uint32(s.groups) {
		if !seen[id] {
			continue
		}
		t := s.of(id)
		*t &^= noSum
		for _, some := range &sums {
			*t += some[id]
			over |= *t
		}
	}
	return over < 0
}

func (s *sum) merge(other state, ids, _ []uint32) error {
	return s.mergeSome(other, ids[:other.(*sum).groups], 0)
}

func (s *sum) mergeSome(other state, ids []uint32, from int) error {
	o := other.(*sum)
	for i, id := range ids {
		v := *o.of(uint32(from + i))
		if v == noSum || id == skip {
			continue
		}
		t := s.of(id)
		if *t = *t&^noSum + v; *t < 0 {
			return errSum
		}
	}
	return nil
}

func (s *sum) whole(group uint32) (int64, bool) {
	v := *s.of(group)
	return v, v != noSum
}

func (s *sum) value(group uint32) any { return boxed(s.whole(group)) }

// extreme finds the smallest (sign 1) or largest (sign -1) value of a field. It keeps the smallest product of
// sign and value; unset is MaxInt64.
type extreme struct {
	sign int64
	number
}

func newExtreme(sign int64) *extreme { return &extreme{sign, newNumber(math.MaxInt64)} }

func (s *extreme) add(ids []uint32, rows []int32, in inputs) error {
	valid := schema.ValidityOf(in.col)
	switch a := in.col.(type) {
	case *array.Int64:
		findExtreme(s, ids, rows, a.Int64Values(), valid)
	case *array.Int32:
		findExtreme(s, ids, rows, a.Int32Values(), valid)
	}
	return nil
}

func findExtreme[T int32 | int64](s *extreme, ids []uint32, rows []int32, values []T, valid schema.Validity) {
	if s.groups == 1 {
		best := *s.of(0)
		for _, row := range rows {
			if v := s.sign * int64(values[row]); v < best && !valid.Null(row) {
				best = v
			}
		}
		*s.of(0) = best
		return
	}
	at, width := uint(s.at), uint(len(s.none))
	if extremes := s.pages.one(); extremes != nil {
		for i, row := range rows {
			if v, best := s.sign*int64(values[row]), &extremes[uint(ids[i])*width+at]; v < *best && !valid.Null(row) {
				*best = v
			}
		}
		return
	}
	for i, row := range rows {
		if v, best := s.sign*int64(values[row]), s.pages.at(uint(ids[i])*width+at); v < *best && !valid.Null(row) {
			*best = v
		}
	}
}

func (s *extreme) merge(other state, ids, _ []uint32) error {
	return s.mergeSome(other, ids[:other.(*extreme).groups], 0)
}

func (s *extreme) mergeSome(other state, ids []uint32, from int) error {
	o := other.(*extreme)
	for i, id := range ids {
		if v := *o.of(uint32(from + i)); v != math.MaxInt64 && id != skip {
			t := s.of(id)
			*t = min(*t, v)
		}
	}
	return nil
}

func (s *extreme) whole(group uint32) (int64, bool) {
	v := *s.of(group)
	return s.sign * v, v != math.MaxInt64
}

func (s *extreme) value(group uint32) any { return boxed(s.whole(group)) }

// instant is the time that a measure in Unix seconds stands for.
func instant(v any) any {
	if s, ok := v.(int64); ok {
		return time.Unix(s, 0).UTC()
	}
	return v
}

// addsUp reports whether what an engine has of a group can be added to what it has of others.
func (f function) addsUp() bool {
	if f.new == nil {
		return f.parts != nil
	}
	_, rank := f.new().(*sketch)
	return f.adds != "" || rank
}
