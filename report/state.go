package report

import (
	"math"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// A state holds the aggregate state of one function for each group, by the group's number. It is used by one goroutine at
// a time.
type state interface {
	// grow makes room for groups.
	grow(groups int)
	// add takes in rows: row rows[i] belongs to group ids[i]. There is room for the groups.
	add(ids []uint32, rows []int32, in inputs) error
	// merge takes in another state of the same function, whose group g is group ids[g] here, or none if that is
	// skip, and whose code c of the field is code codes[c] here; nil codes are the same.
	merge(other state, ids, codes []uint32) error
	// value is the result for a group; ok is false for null. Nothing is added after it.
	value(group uint32) (v int64, ok bool)
	// append encodes the state of a group, and load takes that in again, on top of what a group has. Nothing is added
	// after an append.
	append(dst []byte, group uint32) []byte
	load(src []byte, group uint32) (rest []byte, err error)
	// size is about how many bytes it takes.
	size() int64
	// inexact says how far off values may be; it is "" if they are exact.
	inexact() string
}

// boxed is a value of a state as a table has it.
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

// exact is embedded in states whose values are always exact.
type exact struct{}

func (exact) inexact() string { return "" }

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

// A number is a state's cell of each group.
type number struct {
	exact
	*cells
	at int
}

func newNumber(none int64) number { return number{cells: &cells{none: []int64{none}}} }

// join moves the number into cells that several states share. Both are empty yet.
func (n *number) join(c *cells) {
	c.none = append(c.none, n.none[n.at])
	n.cells, n.at = c, len(c.none)-1
}

func (n *number) of(group uint32) *int64 {
	return n.pages.at(uint(group)*uint(len(n.none)) + uint(n.at))
}

func (n *number) size() int64 { return 8 * int64(n.groups) }

// A numeric state is nothing but a number of each group.
type numeric interface {
	// mergeSome is merge of the groups from one on, of which these are the ids.
	mergeSome(other state, ids []uint32, from int) error
	join(*cells)
}

// isNumeric reports whether a state is nothing but a number of each group.
func isNumeric(s state) bool {
	_, ok := s.(numeric)
	return ok
}

// joinCells moves a state into cells that several share, if it is a number of each group.
func joinCells(s state, c *cells) {
	if n, ok := s.(numeric); ok {
		n.join(c)
	}
}

// A merging is a state that is to be taken into another one.
type merging struct {
	to, from state
	codes    []uint32 // as for state.merge
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
		if isNumeric(m.to) {
			return nil
		}
		return m.to.merge(m.from, ids, m.codes)
	})
}
