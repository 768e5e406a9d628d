package function

import (
	"math"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/codes"
)

// A State holds the aggregate state of one function for each group, by the group's number. It is used by one goroutine at
// a time.
type State interface {
	// Grow makes room for groups.
	Grow(groups int)
	// Add adds rows: row rows[i] belongs to group ids[i], for which grow has made room.
	Add(ids []uint32, rows []int32, in Inputs) error
	// Merge adds another state of the same function, which it does not change. Its group g is group ids[g] here, or is left
	// out if that is skip; its key code c of the field is codes[c] here, or c if codes is nil.
	Merge(other State, ids, codes []uint32) error
	// Value is the result for a group; ok is false for null. Nothing is added after it.
	Value(group uint32) (v int64, ok bool)
	// Append encodes the state of a group. load merges an encoded state into a group, and fails for bytes that append
	// cannot have written. Nothing is added after an append.
	Append(dst []byte, group uint32) []byte
	Load(src []byte, group uint32) (rest []byte, err error)
	// Size is about how many bytes it takes.
	Size() int64
	// Inexact is a sentence about the largest error of the values, "" if they are exact.
	Inexact() string
}

// Boxed is a value of a state as a cell of a table: int64 or nil.
func Boxed(v int64, ok bool) any {
	if !ok {
		return nil
	}
	return v
}

// Skip as the target of a group leaves the group out of a merge.
const Skip = math.MaxUint32

// Inputs are the columns that a function reads. They are indexed by row.
type Inputs struct {
	Col, Also arrow.Array // of the measure's field, and of the function's second field
	Codes     []uint32    // dictionary codes of the measure's field, for a function that reads codes; 0 is null
}

// exact is embedded in states whose values are always exact.
type exact struct{}

func (exact) Inexact() string { return "" }

// Cells is a paged row-major matrix of accumulators. It has a row for each group, so that a record touches one cache line
// for all measures, and a column for each numeric state. Growing copies the first page only.
type Cells struct {
	pages  pages
	Groups int     // how many rows there are
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

func (c *Cells) Grow(groups int) {
	if groups <= c.Groups {
		return
	}
	width := len(c.none)
	for page := 0; page<<pageBits < groups*width; page++ {
		if page == len(c.pages) {
			c.pages = append(c.pages, make([]int64, 0, min(page, 1)<<pageBits))
		}
		c.pages[page] = codes.Grown(c.pages[page], min(groups*width-page<<pageBits, 1<<pageBits))
	}
	for ; c.Groups < groups; c.Groups++ {
		for at, none := range c.none {
			*c.pages.at(uint(c.Groups*width + at)) = none
		}
	}
}

// A number is a column of cells. States that are one accumulator for each group embed it.
type number struct {
	exact
	*Cells
	at int
}

func newNumber(none int64) number { return number{Cells: &Cells{none: []int64{none}}} }

// Join moves the column into cells that several states share. Neither has groups yet.
func (n *number) Join(c *Cells) {
	c.none = append(c.none, n.none[n.at])
	n.Cells, n.at = c, len(c.none)-1
}

func (n *number) Of(group uint32) *int64 {
	return n.pages.at(uint(group)*uint(len(n.none)) + uint(n.at))
}

func (n *number) Size() int64 { return 8 * int64(n.Groups) }

// A Numeric state embeds number and has no other data. It is merged in parts while groups are still being numbered.
type Numeric interface {
	// MergeSome merges groups from, from+1, … of the other state into groups ids[0], ids[1], … here.
	MergeSome(other State, ids []uint32, from int) error
	Join(*Cells)
}

// JoinCells moves a state into shared cells if it is numeric.
func JoinCells(s State, c *Cells) {
	if n, ok := s.(Numeric); ok {
		n.Join(c)
	}
}

// MergeLot is how many groups or values are merged at once: as many as fit into the processor's caches.
const MergeLot = 1024
