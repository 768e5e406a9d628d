package group

import (
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/codes"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/function"
	"flowlog/report/parallel"
)

// An encoder is the dictionary encoder of a key, or of a field or pair of fields whose distinct values are counted.
type encoder struct {
	key   report.Key
	field int         // of the projection
	kind  schema.Kind // of the key's values
	coder codes.Coder
	pair  *function.PairCoder // in place of coder, for a pair
	every bool                // a grouping without a condition needs the codes: all flows of a batch are encoded at once
	codes []uint32            // by row of the batch
	done  bool                // the codes of all flows of the batch are there
	rest  bool                // and those of the other rows
}

func newEncoder(k report.Key, p *schema.Projection) *encoder {
	i := p.Index(k.Field)
	return &encoder{key: k, field: i, kind: k.Kind(p.Fields[i]), coder: coderOf(k, p.Fields[i])}
}

// values is what the codes stand for.
func (c *encoder) values() function.Values {
	if c.pair != nil {
		return c.pair
	}
	return c.coder
}

// begin makes room for the codes of the rows of a batch.
func (c *encoder) begin(rows int) {
	c.done, c.rest = false, false
	c.codes = codes.Grown(c.codes, rows)
}

// encode encodes some rows of a column.
func (c *encoder) encode(col arrow.Array, rows []int32) {
	if blank(col) { // no row has a value
		clear(c.codes)
		return
	}
	c.coder.Encode(col, rows, c.codes)
}

// dictionaries are the encoders of a worker. Groupings refer to them by index. Those of the reports come first: they are
// the same in all workers.
type dictionaries struct {
	projection *schema.Projection
	list       []*encoder
	shared     int // how many are those of the reports
}

// of returns the index of the encoder of a key. every says that the codes of all flows are needed.
func (d *dictionaries) of(k report.Key, every bool) int {
	i := slices.IndexFunc(d.list, func(c *encoder) bool { return c.key == k })
	if i < 0 {
		i = len(d.list)
		d.list = append(d.list, newEncoder(k, d.projection))
	}
	d.list[i].every = d.list[i].every || every
	return i
}

// ofPair returns the index of the encoder of the pairs of values of two fields.
func (d *dictionaries) ofPair(field, with string, every bool) int {
	a, b := d.of(report.Key{Field: field}, every), d.of(report.Key{Field: with}, every)
	i := slices.IndexFunc(d.list, func(c *encoder) bool { return c.pair != nil && c.pair.Parts == [2]int{a, b} })
	if i < 0 {
		i = len(d.list)
		pair := function.NewPairCoder([2]int{a, b}, d.list[a].coder, d.list[b].coder)
		d.list = append(d.list, &encoder{key: report.Key{Field: field + "+" + with}, pair: pair})
	}
	return i
}

// coder returns the coder of a key: a new one if no grouping has the key.
func (d *dictionaries) coder(k report.Key) codes.Coder {
	if i := slices.IndexFunc(d.list, func(c *encoder) bool { return c.key == k }); i >= 0 {
		return d.list[i].coder
	}
	return coderOf(k, d.projection.Fields[d.projection.Index(k.Field)])
}

// merge adds the values of another worker's dictionaries, and returns by dictionary the codes here of the codes there.
func (d *dictionaries) merge(o *dictionaries) [][]uint32 {
	translated := make([][]uint32, d.shared)
	_ = parallel.Each(d.shared, func(i int) error {
		if c := d.list[i]; c.pair == nil {
			translated[i] = c.coder.Absorb(o.list[i].coder)
		}
		return nil
	})
	for i, c := range d.list[:d.shared] {
		if c.pair != nil {
			translated[i] = c.pair.Absorb(o.list[i].pair, translated)
		}
	}
	return translated
}

// size is about how many bytes the dictionaries take.
func (d *dictionaries) size() int64 {
	var n int64
	for _, c := range d.list {
		if c.pair != nil {
			n += c.pair.Pairs.Size()
		} else {
			n += c.coder.Size()
		}
	}
	return n
}
