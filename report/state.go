package report

import (
	"math"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/codes"
)

// A state holds the aggregate state of one function for each group, by the group's number. It is used by one goroutine at
// a time.
type state interface {
	// grow makes room for groups.
	grow(groups int)
	// add adds rows: row rows[i] belongs to group ids[i], for which grow has made room.
	add(ids []uint32, rows []int32, in inputs) error
	// merge adds another state of the same function, which it does not change. Its group g is group ids[g] here, or is left
	// out if that is skip; its key code c of the field is codes[c] here, or c if codes is nil.
	merge(other state, ids, codes []uint32) error
	// value is the result for a group; ok is false for null. Nothing is added after it.
	value(group uint32) (v int64, ok bool)
	// append encodes the state of a group. load merges an encoded state into a group, and fails for bytes that append
	// cannot have written. Nothing is added after an append.
	append(dst []byte, group uint32) []byte
	load(src []byte, group uint32) (rest []byte, err error)
	// size is about how many bytes it takes.
	size() int64
	// inexact is a sentence about the largest error of the values, "" if they are exact.
	inexact() string
}

// boxed is a value of a state as a cell of a table: int64 or nil.
func boxed(v int64, ok bool) any {
	if !ok {
		return nil
	}
	return v
}

// skip as the target of a group leaves the group out of a merge.
const skip = math.MaxUint32

// inputs are the columns that a function reads. They are indexed by row.
type inputs struct {
	col, also arrow.Array // of the measure's field, and of the function's second field
	codes     []uint32    // dictionary codes of the measure's field, for a function that reads codes; 0 is null
}

// exact is embedded in states whose values are always exact.
type exact struct{}

func (exact) inexact() string { return "" }

// cells is a paged row-major matrix of accumulators. It has a row for each group, so that a record touches one cache line
// for all measures, and a column for each numeric state. Growing copies the first page only.
type cells struct {
	pages  pages
	groups int     // how many rows there are
	none   []int64 // the row of a group without records
}

const pageBits = 20

type pages [][]int64

// at points to the cell with an index in the matrix.
func (p pages) at(i uint) *int64 { return &p[i>>pageBits][i%(1<<pageBits)] }

// one is the only page, nil if there are several. Most groupings have one, and its cells are found faster.
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
		c.pages[page] = codes.Grown(c.pages[page], min(groups*width-page<<pageBits, 1<<pageBits))
	}
	for ; c.groups < groups; c.groups++ {
		for at, none := range c.none {
			*c.pages.at(uint(c.groups*width + at)) = none
		}
	}
}

// A number is a column of cells. States that are one accumulator for each group embed it.
type number struct {
	exact
	*cells
	at int
}

func newNumber(none int64) number { return number{cells: &cells{none: []int64{none}}} }

// join moves the column into cells that several states share. Neither has groups yet.
func (n *number) join(c *cells) {
	c.none = append(c.none, n.none[n.at])
	n.cells, n.at = c, len(c.none)-1
}

func (n *number) of(group uint32) *int64 {
	return n.pages.at(uint(group)*uint(len(n.none)) + uint(n.at))
}

func (n *number) size() int64 { return 8 * int64(n.groups) }

// A numeric state embeds number and has no other data. It is merged in parts while groups are still being numbered.
type numeric interface {
	// mergeSome merges groups from, from+1, … of the other state into groups ids[0], ids[1], … here.
	mergeSome(other state, ids []uint32, from int) error
	join(*cells)
}

// isNumeric reports whether a state is numeric.
func isNumeric(s state) bool {
	_, ok := s.(numeric)
	return ok
}

// joinCells moves a state into shared cells if it is numeric.
func joinCells(s state, c *cells) {
	if n, ok := s.(numeric); ok {
		n.join(c)
	}
}

// A merging is a merge of one state into another that is to be done.
type merging struct {
	to, from state
	codes    []uint32 // as for state.merge
}

// mergeLot is how many groups or values are merged at once: as many as fit into the processor's caches.
const mergeLot = 1024

// mergeNumbers merges the numeric states, of groups from, from+1, …, which are ids[0], ids[1], … in the targets. All
// states of mergeLot groups are merged before the next groups, while their cells are in the cache.
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

// mergeOthers merges the states that are not numeric, several at once.
func mergeOthers(states []merging, ids []uint32) error {
	return atOnce(len(states), func(i int) error {
		m := states[i]
		if isNumeric(m.to) {
			return nil
		}
		return m.to.merge(m.from, ids, m.codes)
	})
}
