package parse

import "flowlog/parse/schema"

// A batch has a cell for each row in each column that has any value. Records of different columns in one block could
// thus take far more memory than the block. Blocks of JSON end before they have maxCells cells. Records below changing
// headers, or in one document, can still exceed that: rows beyond maxCellsHard cells are dropped.
const (
	maxCells     = 4 << 20
	maxCellsHard = 16 << 20
	narrow       = 128 // columns that are always allowed: the fields of the table, and as many more
)

// pad appends nulls to the column up to the current row, so that a value can be appended. It reports false if the block
// would have too many cells.
func (w *worker) pad(c *schema.Column) bool {
	if c.Len() == 0 || c.Blank() {
		if w.wide++; !w.room() {
			return false
		}
	}
	c.Pad(w.rows)
	return true
}

// row completes a row. It reports false if the block would have too many cells.
func (w *worker) row() bool {
	if !w.room() {
		return false
	}
	w.rows++
	return true
}

// room reports whether the block may have one more row.
func (w *worker) room() bool {
	if w.full {
		return false
	}
	if w.wide <= narrow || w.wide*(w.rows+1) <= maxCellsHard {
		return true
	}
	wide := 0 // w.wide counts columns of dropped records too
	for _, c := range w.extra {
		if c.Len() > 0 && !c.Blank() {
			wide++
		}
	}
	w.wide = wide + len(w.cols)
	w.full = w.wide*(w.rows+1) > maxCellsHard // until the next block, since neither factor decreases
	return !w.full
}

// tooWide is the problem of a record that would give a block too many cells.
func tooWide(at place) *Problem {
	return &Problem{Line: at.line, Value: "there are too many records of different columns side by side: put them into files by their columns", Fault: schema.NotRecord}
}
