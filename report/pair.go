package report

import "flowlog/parse/codes"

// A pairCoder is the dictionary of pairs of values, which it knows by their codes. A pair with a null is null.
type pairCoder struct {
	parts  [2]int // places of what codes the values
	coders [2]codes.Coder
	pairs  *codes.Pairs
	words  []uint64 // of a batch
	ids    []uint32
}

func newPairCoder(parts [2]int, a, b codes.Coder) *pairCoder {
	return &pairCoder{parts: parts, coders: [2]codes.Coder{a, b}, pairs: codes.NewPairs()}
}

func (c *pairCoder) encode(a, b []uint32, rows []int32, out []uint32) {
	c.words, c.ids = codes.Grown(c.words, len(rows)), codes.Grown(c.ids, len(rows))
	n := 0
	for _, row := range rows {
		if a[row] != 0 && b[row] != 0 {
			c.words[n] = uint64(a[row])<<32 | uint64(b[row])
			n++
		}
	}
	c.pairs.IDs(c.words[:n], c.ids)
	n = 0
	for _, row := range rows {
		out[row] = 0
		if a[row] != 0 && b[row] != 0 {
			out[row] = c.ids[n] + 1
			n++
		}
	}
}

func (c *pairCoder) code(a, b uint32) uint32 {
	if a == 0 || b == 0 {
		return 0
	}
	id, _ := c.pairs.ID(uint64(a)<<32 | uint64(b))
	return id + 1
}

func (c *pairCoder) Len() int { return c.pairs.Len() + 1 }

// Value is a pair of values.
func (c *pairCoder) Value(code uint32) any {
	if code == 0 {
		return nil
	}
	word := c.pairs.Words()[code-1]
	return [2]any{c.coders[0].Value(uint32(word >> 32)), c.coders[1].Value(uint32(word))}
}

func (c *pairCoder) Code(v any) (uint32, bool) {
	pair, ok := v.([2]any)
	if !ok {
		return 0, false
	}
	a, ok := c.coders[0].Code(pair[0])
	b, ok2 := c.coders[1].Code(pair[1])
	return c.code(a, b), ok && ok2
}

// absorb adds the pairs of another pairCoder, whose values have the codes translated here, and returns the code
// of each code there.
func (c *pairCoder) absorb(o *pairCoder, translated [][]uint32) []uint32 {
	codes := make([]uint32, o.Len())
	for i, word := range o.pairs.Words() {
		codes[i+1] = c.code(translated[c.parts[0]][word>>32], translated[c.parts[1]][uint32(word)])
	}
	return codes
}
