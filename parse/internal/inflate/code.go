package inflate

const (
	endOfBlock = 256 // RFC 1951, 3.2.5
	longest    = 15  // bits of a code: RFC 1951, 3.2.7
	maxLitLen  = 288 // of fixed codes; dynamic ones have two fewer, and the last two of these have no meaning
	maxDist    = 32  // likewise
)

// A valueCode is the meaning of a symbol for a length or a distance: base, plus the number in the extra bits that follow
// it.
type valueCode struct {
	base  uint16
	extra uint8
}

// RFC 1951, 3.2.5.
var (
	lengthCodes = [29]valueCode{
		{3, 0}, {4, 0}, {5, 0}, {6, 0}, {7, 0}, {8, 0}, {9, 0}, {10, 0}, {11, 1}, {13, 1}, {15, 1}, {17, 1},
		{19, 2}, {23, 2}, {27, 2}, {31, 2}, {35, 3}, {43, 3}, {51, 3}, {59, 3}, {67, 4}, {83, 4}, {99, 4},
		{115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0}}
	distCodes = [30]valueCode{
		{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 1}, {7, 1}, {9, 2}, {13, 2}, {17, 3}, {25, 3}, {33, 4}, {49, 4},
		{65, 5}, {97, 5}, {129, 6}, {193, 6}, {257, 7}, {385, 7}, {513, 8}, {769, 8}, {1025, 9}, {1537, 9},
		{2049, 10}, {3073, 10}, {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12}, {16385, 13}, {24577, 13}}
)

// A code is a prefix code, given by its number of codes of each length: RFC 1951, 3.2.2.
type code struct {
	count   [longest + 1]uint16
	longest uint              // length in use, 0 if no symbol has a code
	symbols [maxLitLen]uint16 // in the order of their codes
}

// set makes c the code in which symbol i has lengths[i] bits, or no code if that is 0. It reports false if the lengths are
// not those of a complete code; a code of no symbol, and one of a single symbol with one bit, are allowed.
func (c *code) set(lengths []uint8) bool {
	c.count = [longest + 1]uint16{}
	for _, n := range lengths {
		c.count[n]++
	}
	c.count[0] = 0
	c.longest = 0
	var next [longest + 2]uint16 // place in symbols
	used, total := 0, uint16(0)  // codes, in units of the longest ones
	for n := 1; n <= longest; n++ {
		next[n] = total
		total += c.count[n]
		used += int(c.count[n]) << (longest - n)
		if c.count[n] > 0 {
			c.longest = uint(n)
		}
	}
	for s, n := range lengths {
		if n > 0 {
			c.symbols[next[n]] = uint16(s)
			next[n]++
		}
	}
	return used == 1<<longest || total == 0 || total == 1 && c.longest == 1
}

// fixedCodes sets the codes of blocks that do not bring their own: RFC 1951, 3.2.6.
func (r *Reader) fixedCodes() {
	l := r.lengths[:]
	for i := range l {
		switch {
		case i < 144:
			l[i] = 8
		case i < 256:
			l[i] = 9
		case i < 280:
			l[i] = 7
		case i < maxLitLen:
			l[i] = 8
		default:
			l[i] = 5
		}
	}
	r.litLen.set(l[:maxLitLen])
	r.dist.set(l[maxLitLen:])
	r.tables.build(&r.litLen, &r.dist)
}

// codeOrder is the order in which the lengths of the codes of lengths come: RFC 1951, 3.2.7.
var codeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamicCodes reads the codes of a block: RFC 1951, 3.2.7.
func (r *Reader) dynamicCodes() error {
	head, err := r.readBits(14)
	if err != nil {
		return err
	}
	lits, dists, codes := head&31+257, head>>5&31+1, head>>10+4
	if lits > 286 || dists > len(distCodes) {
		return r.corrupt()
	}
	var lengths [len(codeOrder)]uint8
	for _, s := range codeOrder[:codes] {
		n, err := r.readBits(3)
		if err != nil {
			return err
		}
		lengths[s] = uint8(n)
	}
	if !r.codes.set(lengths[:]) {
		return r.corrupt()
	}
	all := r.lengths[:lits+dists]
	for i := 0; i < len(all); {
		s, err := r.symbol(&r.codes)
		if err != nil {
			return err
		}
		if s < 16 {
			all[i] = uint8(s)
			i++
			continue
		}
		n := uint8(0)
		if s == 16 {
			if i == 0 {
				return r.corrupt()
			}
			n = all[i-1]
		}
		times, err := r.extra([3]valueCode{{3, 2}, {3, 3}, {11, 7}}[s-16])
		if err != nil {
			return err
		}
		if times > len(all)-i {
			return r.corrupt()
		}
		for range times {
			all[i] = n
			i++
		}
	}
	if !r.litLen.set(all[:lits]) || !r.dist.set(all[lits:]) {
		return r.corrupt()
	}
	r.tables.build(&r.litLen, &r.dist)
	return nil
}
