package parse

import "flowlog/parse/schema"

// A batch has a cell for each of its rows in each column that any of them has a value for. Records of different columns
// in one block could thus take far more memory than the block: blocks of JSON end before they have maxCells, and rows
// beyond maxCellsHard cells are dropped, which records below changing headers, or in one document, can come to.
const (
	maxCells     = 4 << 20
	maxCellsHard = 16 << 20
	narrow       = 128 // columns are never too many: the fields of the table, and as many more
)

// pad makes the column as long as there are rows, so that a value can be appended to it. It reports false if the block
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

// row counts one more row. It reports false if the block would have too many cells.
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
	wide := 0 // that of dropped records too is in w.wide
	for _, c := range w.extra {
		if c.Len() > 0 && !c.Blank() {
			wide++
		}
	}
	w.wide = wide + len(w.cols)
	w.full = w.wide*(w.rows+1) > maxCellsHard // and stays so: neither becomes less
	return !w.full
}

// tooWide is what is wrong with a record that would make a block have too many cells.
func tooWide(at place) *Problem {
	return &Problem{Line: at.line, Value: "there are too many records of different columns side by side: put them into files by their columns", Fault: schema.NotRecord}
}
