package group

import (
	"flowlog/report/expr"
	"flowlog/report/function"
)

// feed adds the rows of the batch to a grouping.
func (f *feeder) feed(g *grouping) error {
	rows, mixed := f.counted(g)
	if len(rows) == 0 {
		return nil
	}
	if r, ok := f.canWait(g, rows); ok {
		return f.feedFrom(g, 0, f.firstCodes(g, rows, false), g.encoders[0].coder.Len(), r)
	}
	set, groups := f.group(g, rows, mixed)
	g.rows.Grow(groups)
	if err := g.rows.Add(set.ids, set.rows, function.Inputs{}); err != nil {
		return err
	}
	flows := f.flowsOf(g, set, mixed)
	for i := range g.accs {
		b := &g.accs[i]
		if b.state == nil || b.derived && !b.All {
			continue
		}
		rows := flows
		if b.All {
			rows = set
		}
		if b.aside && !g.derived && g.selection == nil {
			rows = set.pick(f.others, &f.scratch.asideIDs)
		}
		if err := f.accumulate(b, rows, groups, mixed); err != nil {
			return err
		}
	}
	return nil
}

// counted returns the rows that a grouping counts. mixed says that some are not flows.
func (f *feeder) counted(g *grouping) (rows []int32, mixed bool) {
	rows, mixed = f.flows, g.all && len(f.others) > 0
	switch {
	case g.derived && !mixed:
		return nil, mixed
	case g.derived:
		rows = f.others
	case mixed:
		rows = f.first(f.rows())
	}
	if g.selection != nil {
		rows = g.selection.meet(f.record, rows, f.number, g.all, !g.all || f.alone)
	}
	return rows, mixed
}

// flowsOf returns those rows of a grouping that are flows.
func (f *feeder) flowsOf(g *grouping, all rowSet, mixed bool) rowSet {
	if !mixed {
		return all
	}
	rows := f.flows
	switch {
	case g.derived:
		rows = nil
	case g.selection != nil:
		f.buffer = append(f.buffer[:0], all.rows...)
		rows = expr.Flows(f.columns[f.dicts.projection.Index("log_status")], f.buffer, f.buffer[:0])
	}
	return all.pick(rows, &f.scratch.flowIDs)
}

// accumulate adds rows to an accumulator that has a state for so many groups.
func (f *feeder) accumulate(b *accumulator, set rowSet, groups int, mixed bool) error {
	if b.filter != nil {
		f.scratch.met = append(f.scratch.met[:0], set.rows...)
		if met := b.filter.Keep(f.record, f.scratch.met, true); len(met) < len(set.rows) {
			set = set.pick(met, &f.scratch.metIDs)
		}
	}
	b.state.Grow(groups)
	columns := f.flowing
	if b.All {
		columns = f.columns
	}
	var in function.Inputs
	if b.field >= 0 {
		if in.Col = columns[b.field]; blank(in.Col) {
			return nil // nulls change nothing
		}
	}
	if b.also >= 0 {
		in.Also = columns[b.also]
	}
	if b.dict >= 0 {
		in.Codes = f.codes(f.dicts.list[b.dict], set.rows, mixed && b.All)
	}
	return b.state.Add(set.ids, set.rows, in)
}
