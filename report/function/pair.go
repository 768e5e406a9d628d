package function

import "flowlog/parse/codes"

// A PairCoder is the dictionary of pairs of values, which it knows by their codes. A pair with a null is null.
type PairCoder struct {
	Parts  [2]int // places of what codes the values
	coders [2]codes.Coder
	Pairs  *codes.Pairs
	words  []uint64 // of a batch
	ids    []uint32
}

func NewPairCoder(parts [2]int, a, b codes.Coder) *PairCoder {
	return &PairCoder{Parts: parts, coders: [2]codes.Coder{a, b}, Pairs: codes.NewPairs()}
}

func (c *PairCoder) Encode(a, b []uint32, rows []int32, out []uint32) {
	c.words, c.ids = codes.Grown(c.words, len(rows)), codes.Grown(c.ids, len(rows))
	n := 0
	for _, row := range rows {
		if a[row] != 0 && b[row] != 0 {
			c.words[n] = uint64(a[row])<<32 | uint64(b[row])
			n++
		}
	}
	c.Pairs.IDs(c.words[:n], c.ids)
	n = 0
	for _, row := range rows {
		out[row] = 0
		if a[row] != 0 && b[row] != 0 {
			out[row] = c.ids[n] + 1
			n++
		}
	}
}

func (c *PairCoder) code(a, b uint32) uint32 {
	if a == 0 || b == 0 {
		return 0
	}
	id, _ := c.Pairs.ID(uint64(a)<<32 | uint64(b))
	return id + 1
}

func (c *PairCoder) Len() int { return c.Pairs.Len() + 1 }

// Value is a pair of values.
func (c *PairCoder) Value(code uint32) any {
	if code == 0 {
		return nil
	}
	word := c.Pairs.Words()[code-1]
	return [2]any{c.coders[0].Value(uint32(word >> 32)), c.coders[1].Value(uint32(word))}
}

func (c *PairCoder) Code(v any) (uint32, bool) {
	pair, ok := v.([2]any)
	if !ok {
		return 0, false
	}
	a, ok := c.coders[0].Code(pair[0])
	b, ok2 := c.coders[1].Code(pair[1])
	return c.code(a, b), ok && ok2
}

// Absorb adds the pairs of another pairCoder, whose values have the codes translated here, and returns the code
// of each code there.
func (c *PairCoder) Absorb(o *PairCoder, translated [][]uint32) []uint32 {
	codes := make([]uint32, o.Len())
	for i, word := range o.Pairs.Words() {
		codes[i+1] = c.code(translated[c.Parts[0]][word>>32], translated[c.Parts[1]][uint32(word)])
	}
	return codes
}
