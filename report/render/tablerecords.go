package render

import (
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"flowlog/parse/schema"
	"flowlog/report/render/cells"
)

// tableRecords streams records for people. The first batch with rows sets the widths of columns; a longer value in a later
// one shifts the rest of its row. Times are readable unless Raw.
func tableRecords(w io.Writer, fields schema.Table, opt Options) (RecordWriter, error) {
	return &recordTable{out: w, fields: fields, opt: opt}, nil
}

// recordTable formats batches one after another: a person reads slower than one goroutine formats.
type recordTable struct {
	out    io.Writer
	fields schema.Table
	opt    Options
	turns  cells.Sequencer
	cells  cells.Batch
	widths []int // nil until the header is written
}

func (t *recordTable) Add(b schema.Batch) error {
	return t.turns.Do(b.Seq, func() error {
		if cells.Empty(b) {
			return nil
		}
		if err := t.cells.Load(b.Record, t.fields); err != nil {
			return err
		}
		return t.write()
	})
}

func (t *recordTable) write() error {
	var text []byte
	ends := make([]int, 0, t.cells.Rows*len(t.fields))
	for row := range t.cells.Rows {
		for i := range t.fields {
			text = t.append(text, &t.cells.Columns[i], row)
			ends = append(ends, len(text))
		}
	}
	var out []byte
	if t.widths == nil {
		out = t.head(text, ends)
	}
	start := 0
	for i, end := range ends {
		col := i % len(t.fields)
		out = t.pad(out, col, text[start:end], width(text[start:end]))
		start = end
	}
	_, err := t.out.Write(out)
	return err
}

func (t *recordTable) append(dst []byte, c *cells.Column, row int) []byte {
	switch {
	case c.Null(row):
		return append(dst, '-')
	case c.Kind == schema.Time && !t.opt.Raw:
		return time.Unix(c.Longs[row], 0).In(t.opt.zone()).AppendFormat(dst, instant)
	}
	return c.Append(dst, row, func(dst []byte, _ *schema.Field, s string) []byte { return appendPrintable(dst, s) })
}

// head sets the widths from the names and the first rows, and returns the header with its rule.
func (t *recordTable) head(text []byte, ends []int) []byte {
	names := t.fields.Names()
	t.widths = make([]int, len(names))
	for i, f := range t.fields {
		if f.Kind == schema.Time && !t.opt.Raw {
			names[i] += " (" + t.opt.zone().String() + ")"
		}
		t.widths[i] = len(names[i])
	}
	start := 0
	for i, end := range ends {
		col := i % len(names)
		t.widths[col] = max(t.widths[col], width(text[start:end]))
		start = end
	}
	var out []byte
	total := len(gap) * max(0, len(names)-1)
	for i, name := range names {
		out = t.pad(out, i, []byte(name), len(name))
		total += t.widths[i]
	}
	out = append(trimmed(out, t.opt.Color), '\n')
	return append(append(out, strings.Repeat(rule, total)...), '\n')
}

// pad appends a cell of a visible width, padded, and a gap or the end of the line.
func (t *recordTable) pad(dst []byte, col int, cell []byte, visible int) []byte {
	n := t.widths[col] - visible
	kind := t.fields[col].Kind
	right := kind == schema.Int32 || kind == schema.Int64 || kind == schema.Float
	if right {
		dst = spaces(dst, n)
	}
	dst = append(dst, cell...)
	if col == len(t.fields)-1 {
		return append(dst, '\n')
	}
	if !right {
		dst = spaces(dst, n)
	}
	return append(dst, gap...)
}

// width is the number of terminal columns of a printable text.
func width(s []byte) int {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return twwidth.WidthWithOptions(string(s), twwidth.Options{})
		}
	}
	return len(s)
}

func spaces(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}

func (t *recordTable) Close() error {
	return t.turns.Finish(func() error {
		if t.widths != nil || len(t.fields) == 0 {
			return nil
		}
		_, err := t.out.Write(append(t.head(nil, nil), "no records\n"...))
		return err
	})
}
