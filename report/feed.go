package report

import (
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"flowlog/parse/schema"
)

// begin looks at what a batch has, and plans for it.
func (w *worker) begin(rec arrow.Record) error {
	n := int(rec.NumRows())
	p := w.aggregator.projection
	w.flows = flows(column(rec, "log_status"), w.rows(n), w.flows[:0])
	w.others = w.others[:0]
	if len(w.flows) < n {
		w.buffer = append(w.buffer[:0], w.rows(n)...)
		w.others = append(w.others, without(w.buffer, w.flows)...)
	}
	w.look(rec)
	w.batches++
	if len(w.flows) == 0 && w.planned {
		return nil
	}
	if w.aggregator.spiking() && len(w.flows) > 0 {
		w.aggregator.began.observe(w.columns[p.Index("start")], w.flows)
	}
	had, lacked := slices.Clone(w.had), slices.Clone(w.lacked)
	for i, col := range w.flowing {
		if col == nil {
			continue
		}
		lacked[i] = lacked[i] || col.NullN() > 0
		if !had[i] && anyValue(col, w.flows) {
			had[i] = true
			w.aggregator.present[i].Store(true)
		}
	}
	holds := w.planned && slices.Equal(had, w.had)
	for i, relied := range w.relied {
		holds = holds && !(relied && lacked[i])
	}
	if holds {
		copy(w.lacked, lacked)
		return nil
	}
	return w.replan(had, lacked)
}

// look takes the columns of a batch whose flows are known.
func (w *worker) look(rec arrow.Record) {
	for i, f := range w.aggregator.projection.Fields {
		w.columns[i], w.flowing[i] = nil, nil
		at := rec.Schema().FieldIndices(f.Name)
		if len(at) == 0 {
			continue
		}
		col := rec.Column(at[0])
		w.columns[i], w.flowing[i] = col, col
		if col.NullN() > 0 && col.NullN() == nulls(col, w.others) {
			w.flowing[i] = withoutNulls(col)
		}
	}
}

// rows are the first so many: 0, 1, 2 …
func (w *worker) rows(n int) []int32 {
	for i := len(w.all); i < n; i++ {
		w.all = append(w.all, int32(i))
	}
	return w.all[:n]
}

// nulls is how many of the rows are null.
func nulls(col arrow.Array, rows []int32) int {
	if col.NullN() == 0 {
		return 0
	}
	n, valid := 0, schema.ValidityOf(col)
	for _, row := range rows {
		if valid.Null(row) {
			n++
		}
	}
	return n
}

// add feeds the batch that it has looked at.
func (w *worker) add(rec arrow.Record) error {
	n := int(rec.NumRows())
	for _, c := range w.coded {
		c.done, c.rest = false, false
		c.codes = schema.Grown(c.codes, n)
	}
	for _, groupings := range [][]*grouping{w.groupings, w.inner} {
		for _, g := range groupings {
			if err := w.run(g, rec, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// withoutNulls is a column all of whose rows have the values that they have in memory.
func withoutNulls(col arrow.Array) arrow.Array {
	d := col.Data()
	buffers := append([]*memory.Buffer{nil}, d.Buffers()[1:]...)
	if words, ok := col.(*array.Dictionary); ok {
		return array.NewDictionaryData(array.NewDataWithDictionary(d.DataType(), d.Len(), buffers, 0, d.Offset(), words.Dictionary().Data().(*array.Data)))
	}
	return array.MakeFromData(array.NewData(d.DataType(), d.Len(), buffers, d.Children(), 0, d.Offset()))
}

// anyValue reports whether some of the rows are not null.
func anyValue(col arrow.Array, rows []int32) bool {
	valid := schema.ValidityOf(col)
	return col.NullN() < col.Len() && slices.ContainsFunc(rows, func(row int32) bool { return !valid.Null(row) })
}

// flows appends the rows whose log-status is OK, or unknown, to out.
func flows(status arrow.Array, rows, out []int32) []int32 {
	if status.NullN() == status.Len() {
		return append(out, rows...)
	}
	codes, words := schema.TextCodes(status)
	ok := codeOf(words, schema.StatusOK)
	valid := schema.ValidityOf(status)
	for _, row := range rows {
		if codes[row] == ok || valid.Null(row) {
			out = append(out, row)
		}
	}
	return out
}

// codeOf finds a value in a dictionary, or returns -1.
func codeOf(words *array.String, value string) int32 {
	for i := range words.Len() {
		if words.Value(i) == value {
			return int32(i)
		}
	}
	return -1
}

// run feeds the groups of a report.
func (w *worker) run(u *grouping, rec arrow.Record, n int) error {
	p := w.aggregator.projection
	rows := w.flows
	w.mixed = u.all && len(w.flows) < n
	switch {
	case u.from != nil && !w.mixed:
		return nil
	case u.from != nil:
		rows = w.others
	case w.mixed:
		rows = w.rows(n)
	}
	if u.where != nil {
		rows = u.where.meet(rec, rows, w.batches, u.all, !u.all || len(w.runs) == 1)
	}
	if len(rows) == 0 {
		return nil
	}
	if r, ok := w.canWait(u, rows); ok {
		return w.feed(u, 0, w.firstCodes(u, rows), w.coded[u.keys[0]].coder.Len(), r)
	}
	ids, groups := w.group(u, rows)
	u.rows.grow(groups)
	if err := u.rows.add(ids, rows, inputs{}); err != nil {
		return err
	}
	allRows, allIDs := rows, ids
	flowRows, flowIDs := rows, ids
	if w.mixed {
		flowRows = w.flows
		switch {
		case u.from != nil:
			flowRows = nil
		case u.where != nil:
			w.buffer = append(w.buffer[:0], rows...)
			flowRows = flows(w.columns[p.Index("log_status")], w.buffer, w.buffer[:0])
		}
		w.flowIDs = pick(ids, rows, flowRows, w.flowIDs[:0])
		flowIDs = w.flowIDs
	}
	for i := range u.bases {
		b := &u.bases[i]
		if b.state == nil || b.from != nil && !b.All {
			continue
		}
		ids, rows := flowIDs, flowRows
		if b.All {
			ids, rows = allIDs, allRows
		}
		if b.aside && u.from == nil && u.where == nil {
			ids, rows = pick(ids, rows, w.others, w.asideIDs[:0]), w.others
			w.asideIDs = ids
		}
		if b.where != nil {
			w.some = append(w.some[:0], rows...)
			if some := b.where.keep(rec, w.some, true); len(some) < len(rows) {
				w.picked = pick(ids, rows, some, w.picked[:0])
				ids, rows = w.picked, some
			}
		}
		b.state.grow(groups)
		columns := w.flowing
		if b.All {
			columns = w.columns
		}
		var in inputs
		if b.field >= 0 {
			if in.col = columns[b.field]; blank(in.col) {
				continue // nulls change nothing
			}
		}
		if b.also >= 0 {
			in.also = columns[b.also]
		}
		if b.fn.codes {
			in.codes = w.codes(b.coded, rows, w.mixed && b.All)
		}
		if err := b.state.add(ids, rows, in); err != nil {
			return err
		}
	}
	return nil
}

// pick returns the ids of those rows that are in some.
func pick(ids []uint32, rows, some []int32, out []uint32) []uint32 {
	i := 0
	for _, row := range some {
		for rows[i] != row {
			i++
		}
		out = append(out, ids[i])
	}
	return out
}

// codes returns the codes at a place of coded, by row, for at least the given rows. These are flows, unless all
// is set.
func (w *worker) codes(place int, rows []int32, all bool) []uint32 {
	c := w.coded[place]
	if c.pair != nil {
		c.pair.encode(w.codes(c.pair.parts[0], rows, all), w.codes(c.pair.parts[1], rows, all), rows, c.codes)
		return c.codes
	}
	switch {
	case c.wide:
		if !c.done {
			c.encode(w.flowing[c.field], w.flows)
		}
		if all && !c.rest {
			c.encode(w.columns[c.field], w.others)
		}
		c.done, c.rest = true, c.rest || all
	case all:
		c.encode(w.columns[c.field], rows)
	default:
		c.encode(w.flowing[c.field], rows)
	}
	return c.codes
}

// blank reports whether a column is null throughout. Then it may be nil.
func blank(col arrow.Array) bool { return col == nil || col.NullN() == col.Len() }

// encode codes some rows of a column.
func (c *coded) encode(col arrow.Array, rows []int32) {
	if blank(col) { // no row has a value
		clear(c.codes)
		return
	}
	c.coder.Encode(col, rows, c.codes)
}

// firstCodes returns the codes of the first key of the rows.
func (w *worker) firstCodes(u *grouping, rows []int32) []uint32 {
	w.ids = schema.Grown(w.ids, len(rows))
	ids, codes := w.ids[:len(rows)], w.codes(u.keys[0], rows, w.mixed)
	for i, row := range rows {
		ids[i] = codes[row]
	}
	return ids
}

// group numbers the groups of the rows, and says how many numbers there are.
func (w *worker) group(u *grouping, rows []int32) ([]uint32, int) {
	if len(u.keys) == 0 {
		w.ids = schema.Grown(w.ids, len(rows))
		ids := w.ids[:len(rows)]
		clear(ids)
		return ids, 1
	}
	ids := w.firstCodes(u, rows)
	groups := w.coded[u.keys[0]].coder.Len()
	for level, table := range u.levels {
		c := w.coded[u.keys[level+1]]
		if groups == 1 && c.coder.Len() == 1 && blank(w.columns[c.field]) { // and always was
			table.ID(0)
			continue
		}
		codes := w.codes(u.keys[level+1], rows, w.mixed)
		values := c.coder.Len()
		w.words = schema.Grown(w.words, len(rows))
		table.number(ids, groups, rows, codes, values, w.words)
		groups = table.Len()
	}
	return ids, groups
}
