package report

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
)

// A filter evaluates a condition on batches. It keeps memory for that, so it is for one goroutine.
type filter interface {
	// keep returns those of the rows for which the condition has the wanted value, in their order: rows for
	// which it is null are never among them. It reuses rows.
	keep(rec arrow.Record, rows []int32, want bool) []int32
}

// column finds a column that the projection is known to have.
func column(rec arrow.Record, name string) arrow.Array {
	return rec.Column(rec.Schema().FieldIndices(name)[0])
}

// logic is And, and Or, which is And of the opposite: it is true where one part is, as And is false where one
// part is.
type logic struct {
	each             bool // the value that the whole has only where each part has it
	parts            []filter
	rest, hits, kept []int32
}

func newLogic(each bool, parts []Expr) filter {
	l := &logic{each: each}
	for _, x := range parts {
		l.parts = append(l.parts, x.filter())
	}
	return l
}

func (e And) filter() filter { return newLogic(true, e) }
func (e Or) filter() filter  { return newLogic(false, e) }

func (l *logic) keep(rec arrow.Record, rows []int32, want bool) []int32 {
	if want == l.each {
		for _, p := range l.parts {
			if len(rows) == 0 {
				break
			}
			rows = p.keep(rec, rows, want)
		}
		return rows
	}
	l.rest = append(l.rest[:0], rows...)
	l.kept = l.kept[:0]
	for _, p := range l.parts {
		if len(l.rest) == 0 {
			break
		}
		l.hits = append(l.hits[:0], l.rest...)
		hits := p.keep(rec, l.hits, want)
		l.rest = without(l.rest, hits)
		l.kept = append(l.kept, hits...)
	}
	slices.Sort(l.kept)
	return rows[:copy(rows, l.kept)]
}

// without drops rows that are in gone from rows. Both ascend.
func without(rows, gone []int32) []int32 {
	left := rows[:0]
	for _, row := range rows {
		if len(gone) > 0 && gone[0] == row {
			gone = gone[1:]
			continue
		}
		left = append(left, row)
	}
	return left
}

type opposite struct{ x filter }

func (e Not) filter() filter { return opposite{e.X.filter()} }

func (f opposite) keep(rec arrow.Record, rows []int32, want bool) []int32 {
	return f.x.keep(rec, rows, !want)
}

type isNull struct{ field string }

func (e IsNull) filter() filter { return isNull{e.Field.Name} }

func (f isNull) keep(rec arrow.Record, rows []int32, want bool) []int32 {
	col := column(rec, f.field)
	if nulls := col.NullN(); nulls == 0 || nulls == col.Len() {
		if (nulls > 0) == want {
			return rows
		}
		return rows[:0]
	}
	valid := schema.ValidityOf(col)
	kept := rows[:0]
	for _, row := range rows {
		if valid.Null(row) == want {
			kept = append(kept, row)
		}
	}
	return kept
}

func (e Compare) filter() filter {
	switch v := e.Value.(type) {
	case int64:
		var spans []span[int64]
		if s, ok := intSpan(e.Op, v); ok {
			spans = append(spans, s)
		}
		return newNumbers(e.Field, spans)
	case float64:
		return &floats{e.Field.Name, []span[float64]{floatSpan(e.Op, v)}}
	case string:
		return newTexts(e.Field, func(s string) bool { return holds(e.Op, strings.Compare(s, v)) })
	}
	panic("a value of no kind")
}

// holds reports whether a comparison that came out below, at or above 0 is what op asks for.
func holds(op Op, c int) bool {
	switch op {
	case Less:
		return c < 0
	case LessEqual:
		return c <= 0
	case Greater:
		return c > 0
	case GreaterEqual:
		return c >= 0
	}
	return c == 0
}

func (e In) filter() filter {
	items := flatten(nil, e.Items)
	switch e.Field.Kind {
	case schema.Addr:
		return newAddrs(e.Field, items)
	case schema.Text:
		words := make(map[string]bool, len(items))
		for _, it := range items {
			words[it.Value.(string)] = true
		}
		return newTexts(e.Field, func(s string) bool { return words[s] })
	case schema.Float:
		var spans []span[float64]
		for _, it := range items {
			s := span[float64]{math.Inf(-1), math.Inf(1)}
			if !it.Range {
				it.Lo, it.Hi = it.Value, it.Value
			}
			if it.Lo != nil {
				s.lo = it.Lo.(float64)
			}
			if it.Hi != nil {
				s.hi = it.Hi.(float64)
			}
			spans = append(spans, s)
		}
		return &floats{e.Field.Name, merged(spans, func(x float64) float64 { return x })}
	}
	var spans []span[int64]
	for _, it := range items {
		s := span[int64]{math.MinInt64, math.MaxInt64}
		if !it.Range {
			it.Lo, it.Hi = it.Value, it.Value
		}
		if it.Lo != nil {
			s.lo = it.Lo.(int64)
		}
		if it.Hi != nil {
			s.hi = it.Hi.(int64)
		}
		spans = append(spans, s)
	}
	return newNumbers(e.Field, spans)
}

// flatten appends the items, and those of files in their place, to out.
func flatten(out, items []Item) []Item {
	for _, it := range items {
		if it.File != "" {
			out = flatten(out, it.Items)
		} else {
			out = append(out, it)
		}
	}
	return out
}

// merged sorts ranges and joins those that overlap, or leave nothing between them: next is the number after
// another.
func merged[T int64 | float64](spans []span[T], next func(T) T) []span[T] {
	spans = slices.DeleteFunc(spans, func(s span[T]) bool { return s.lo > s.hi })
	slices.SortFunc(spans, func(a, b span[T]) int { return cmp.Compare(a.lo, b.lo) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.lo <= next(out[n-1].hi) {
			out[n-1].hi = max(out[n-1].hi, s.hi)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// numbers is a condition on a whole number: it is in one of some ranges.
type numbers struct {
	field string
	spans []span[int64]
	set   []bool // of small numbers, by number, if there are several ranges
}

func newNumbers(f schema.Field, spans []span[int64]) filter {
	n := &numbers{field: f.Name, spans: merged(spans, func(x int64) int64 { return max(x, x+1) })}
	if f.Kind == schema.Int32 && 0 < f.Max && f.Max <= math.MaxUint16 && len(n.spans) > 1 {
		n.set = make([]bool, f.Max+1)
		for _, s := range n.spans {
			for i := max(s.lo, 0); i <= min(s.hi, f.Max); i++ {
				n.set[i] = true
			}
		}
	}
	return n
}

func (f *numbers) keep(rec arrow.Record, rows []int32, want bool) []int32 {
	switch a := column(rec, f.field).(type) {
	case *array.Int32:
		return keepNumbers(f, a.Int32Values(), schema.ValidityOf(a), rows, want)
	case *array.Int64:
		return keepNumbers(f, a.Int64Values(), schema.ValidityOf(a), rows, want)
	}
	panic("not a column of whole numbers")
}

func keepNumbers[T int32 | int64](f *numbers, values []T, valid schema.Validity, rows []int32, want bool) []int32 {
	kept := rows[:0]
	switch {
	case len(f.spans) == 1:
		lo, width := f.spans[0].lo, uint64(f.spans[0].hi)-uint64(f.spans[0].lo)
		for _, row := range rows {
			if (uint64(int64(values[row]))-uint64(lo) <= width) == want && !valid.Null(row) {
				kept = append(kept, row)
			}
		}
	case f.set != nil:
		for _, row := range rows {
			if f.set[values[row]] == want && !valid.Null(row) {
				kept = append(kept, row)
			}
		}
	default:
		for _, row := range rows {
			if inSpans(f.spans, int64(values[row])) == want && !valid.Null(row) {
				kept = append(kept, row)
			}
		}
	}
	return kept
}

func inSpans[T int64 | float64](spans []span[T], v T) bool {
	i, found := slices.BinarySearchFunc(spans, v, func(s span[T], v T) int { return cmp.Compare(s.lo, v) })
	return found || i > 0 && v <= spans[i-1].hi
}

// floats is a condition on a floating-point number.
type floats struct {
	field string
	spans []span[float64]
}

func (f *floats) keep(rec arrow.Record, rows []int32, want bool) []int32 {
	a := column(rec, f.field).(*array.Float64)
	values, valid := a.Float64Values(), schema.ValidityOf(a)
	kept := rows[:0]
	for _, row := range rows {
		if inSpans(f.spans, values[row]) == want && !valid.Null(row) {
			kept = append(kept, row)
		}
	}
	return kept
}

// texts is a condition on a text. It is evaluated once for each distinct one.
type texts struct {
	field string
	holds func(string) bool
	coder codes.Coder
	known []bool // by code
	codes []uint32
}

func newTexts(f schema.Field, holds func(string) bool) filter {
	return &texts{field: f.Name, holds: holds, coder: codes.NewCoder(f), known: []bool{false}}
}

func (f *texts) keep(rec arrow.Record, rows []int32, want bool) []int32 {
	f.codes = codes.Grown(f.codes, int(rec.NumRows()))
	f.coder.Encode(column(rec, f.field), rows, f.codes)
	for code := len(f.known); code < f.coder.Len(); code++ {
		f.known = append(f.known, f.holds(f.coder.Value(uint32(code)).(string)))
	}
	kept := rows[:0]
	for _, row := range rows {
		if code := f.codes[row]; code != 0 && f.known[code] == want {
			kept = append(kept, row)
		}
	}
	return kept
}

func (e Like) filter() filter { return newTexts(e.Field, likeRegexp(e.Pattern).MatchString) }

// likeRegexp is the regular expression of a pattern of SQL's like.
func likeRegexp(pattern string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for _, c := range pattern {
		switch c {
		case '%':
			b.WriteString(".*")
		case '_':
			b.WriteByte('.')
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	b.WriteString(`\z`)
	return regexp.MustCompile(b.String())
}

func (e Match) filter() filter { return newTexts(e.Field, regexp.MustCompile(e.Regex).MatchString) }

// bits is a condition on the bits of a whole number.
type bitTest struct {
	field string
	bits  int64
}

func (e Has) filter() filter { return bitTest{e.Field.Name, e.Bits} }

func (f bitTest) keep(rec arrow.Record, rows []int32, want bool) []int32 {
	kept := rows[:0]
	switch a := column(rec, f.field).(type) {
	case *array.Int32:
		values, valid := a.Int32Values(), schema.ValidityOf(a)
		for _, row := range rows {
			if (int64(values[row])&f.bits == f.bits) == want && !valid.Null(row) {
				kept = append(kept, row)
			}
		}
	case *array.Int64:
		values, valid := a.Int64Values(), schema.ValidityOf(a)
		for _, row := range rows {
			if (values[row]&f.bits == f.bits) == want && !valid.Null(row) {
				kept = append(kept, row)
			}
		}
	}
	return kept
}

// addrs is a condition on an address: it is in one of some ranges. Those of IPv4, of which lists have
// thousands, are found by the upper half of the address first.
type addrs struct {
	field string
	v4    []span[int64] // ranges of IPv4 addresses as numbers
	from  []int32       // by upper half: the first range of v4 that does not end before it; one more entry at the end
	v6    []addrSpan
}

type addrSpan struct{ lo, hi [16]byte }

func newAddrs(f schema.Field, items []Item) filter {
	a := &addrs{field: f.Name}
	for _, it := range items {
		lo, hi := addrRange(it)
		if lo.Is4() {
			l, h := lo.As4(), hi.As4()
			a.v4 = append(a.v4, span[int64]{int64(binary.BigEndian.Uint32(l[:])), int64(binary.BigEndian.Uint32(h[:]))})
		} else {
			a.v6 = append(a.v6, addrSpan{lo.As16(), hi.As16()})
		}
	}
	a.v4 = merged(a.v4, func(x int64) int64 { return x + 1 })
	slices.SortFunc(a.v6, func(x, y addrSpan) int { return bytes.Compare(x.lo[:], y.lo[:]) })
	joined := a.v6[:0]
	for _, s := range a.v6 {
		if n := len(joined); n > 0 && bytes.Compare(s.lo[:], joined[n-1].hi[:]) <= 0 {
			if bytes.Compare(s.hi[:], joined[n-1].hi[:]) > 0 {
				joined[n-1].hi = s.hi
			}
		} else {
			joined = append(joined, s)
		}
	}
	a.v6 = joined
	if len(a.v4) > 8 {
		a.from = make([]int32, 1<<16+1)
		i := 0
		for upper := range int64(1 << 16) {
			for i < len(a.v4) && a.v4[i].hi < upper<<16 {
				i++
			}
			a.from[upper] = int32(i)
		}
		a.from[1<<16] = int32(len(a.v4))
	}
	return a
}

// addrRange is the range of addresses that an item stands for.
func addrRange(it Item) (lo, hi netip.Addr) {
	switch {
	case it.Prefix.IsValid():
		lo = it.Prefix.Masked().Addr()
		last := lo.AsSlice()
		for bit := it.Prefix.Bits(); bit < 8*len(last); bit++ {
			last[bit/8] |= 0x80 >> (bit % 8)
		}
		hi, _ = netip.AddrFromSlice(last)
		return lo, hi
	case it.Range:
		return it.Lo.(netip.Addr), it.Hi.(netip.Addr)
	}
	return it.Value.(netip.Addr), it.Value.(netip.Addr)
}

func (f *addrs) keep(rec arrow.Record, rows []int32, want bool) []int32 {
	col := column(rec, f.field)
	values, valid := schema.AddrValues(col), schema.ValidityOf(col)
	kept := rows[:0]
	for _, row := range rows {
		if f.has(&values[row]) == want && !valid.Null(row) {
			kept = append(kept, row)
		}
	}
	return kept
}

func (f *addrs) has(a *[16]byte) bool {
	if high, low := binary.LittleEndian.Uint64(a[:8]), binary.LittleEndian.Uint64(a[8:]); high != 0 || uint32(low) != codes.Mapped {
		i, found := slices.BinarySearchFunc(f.v6, a, func(s addrSpan, a *[16]byte) int { return bytes.Compare(s.lo[:], a[:]) })
		return found || i > 0 && bytes.Compare(a[:], f.v6[i-1].hi[:]) <= 0
	}
	v := int64(binary.BigEndian.Uint32(a[12:]))
	spans := f.v4
	if f.from != nil {
		upper := v >> 16
		from, to := f.from[upper], f.from[upper+1]
		spans = spans[from:min(int(to)+1, len(spans))]
		if len(spans) > 16 {
			return inSpans(spans, v)
		}
	}
	for _, s := range spans {
		if v <= s.hi {
			return v >= s.lo
		}
	}
	return false
}

// fieldsTest compares two columns.
type fieldsTest struct {
	CompareFields
	left, right   codes.Coder // for texts, one coder: codes are equal where the texts are
	codesL, codeR []uint32
}

func (e CompareFields) filter() filter {
	f := &fieldsTest{CompareFields: e}
	if e.Left.Kind == schema.Text {
		f.left = codes.NewCoder(e.Left)
		f.right = f.left
	}
	return f
}

func (f *fieldsTest) keep(rec arrow.Record, rows []int32, want bool) []int32 {
	left, right := column(rec, f.Left.Name), column(rec, f.Right.Name)
	validL, validR := schema.ValidityOf(left), schema.ValidityOf(right)
	var compare func(row int32) int
	switch f.Left.Kind {
	case schema.Text:
		n := int(rec.NumRows())
		f.codesL, f.codeR = codes.Grown(f.codesL, n), codes.Grown(f.codeR, n)
		f.left.Encode(left, rows, f.codesL)
		f.right.Encode(right, rows, f.codeR)
		compare = func(row int32) int { return cmp.Compare(f.codesL[row], f.codeR[row]) }
	case schema.Addr:
		l, r := schema.AddrValues(left), schema.AddrValues(right)
		compare = func(row int32) int { return bytes.Compare(l[row][:], r[row][:]) }
	case schema.Float:
		l, r := left.(*array.Float64).Float64Values(), right.(*array.Float64).Float64Values()
		compare = func(row int32) int { return cmp.Compare(l[row], r[row]) }
	default:
		l, r := wholeNumbers(left), wholeNumbers(right)
		compare = func(row int32) int { return cmp.Compare(l(row), r(row)) }
	}
	kept := rows[:0]
	for _, row := range rows {
		if !validL.Null(row) && !validR.Null(row) && holds(f.Op, compare(row)) == want {
			kept = append(kept, row)
		}
	}
	return kept
}

// wholeNumbers gives the values of a column of whole numbers of either size.
func wholeNumbers(col arrow.Array) func(row int32) int64 {
	switch a := col.(type) {
	case *array.Int32:
		values := a.Int32Values()
		return func(row int32) int64 { return int64(values[row]) }
	case *array.Int64:
		values := a.Int64Values()
		return func(row int32) int64 { return values[row] }
	}
	panic("not a column of whole numbers")
}
