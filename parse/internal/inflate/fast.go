package inflate

import (
	"encoding/binary"
	"math/bits"
)

// An entry decodes the next bits of the input: a value, which is a length or a distance; for litLen
// also one or two literals, or a literal and then a length, as many as there is room for. Its fields:
//
//	 0–5   number of these bits
//	 8–13  number without the extra bits of the value
//	14–15  number of literals
//	16–28  mask of the extra bits
//	   29  isValue
//	   30  isSpecial
//	32–47  base of the value
//	48–63  the literals
//
// isSpecial entries hold neither. They are a link to the table for codes that begin like this, with the
// mask of their other bits in 16–28 and its place in 32–47; otherwise the end of the block; or, if they are
// isValue too, no code.
type entry = uint64

const (
	isValue   entry = 1 << 29
	isSpecial entry = 1 << 30
	none            = isSpecial | isValue

	literals = 14 // shifts
	mask     = 16
	maxMask  = 1<<13 - 1
	base     = 32
	text     = 48
)

const (
	// litBits and distBits are the numbers of bits that index the main tables. Nearly all codes of a flow log are that short,
	// and often two of them together; larger tables are slower to build, and displace the window from the first-level cache.
	litBits  = 11
	distBits = 9

	// stride is the number of bytes of a match that are copied at once: the size of a vector register.
	stride = 16
)

// tables decode litLen and dist many bits at a time. The main tables have an entry for each number of litBits or distBits
// bits; the tables for longer codes, of at least two symbols each, stand behind them.
type tables struct {
	litTable  [1<<litBits + maxLitLen/2<<(longest-litBits)]entry
	distTable [1<<distBits + maxDist/2<<(longest-distBits)]entry
}

// build makes the tables of two codes.
func (t *tables) build(litLen, dist *code) {
	var entries [maxLitLen]entry
	for i, v := range distCodes {
		entries[i] = v.entry()
	}
	entries[30], entries[31] = none, none
	buildTable(t.distTable[:], distBits, dist, &entries)
	for i := range endOfBlock {
		entries[i] = 1<<literals | entry(i)<<text
	}
	entries[endOfBlock] = isSpecial
	for i, v := range lengthCodes {
		entries[endOfBlock+1+i] = v.entry()
	}
	entries[286], entries[287] = none, none
	buildTable(t.litTable[:], litBits, litLen, &entries)

	// An entry gets what follows its literal. That is in a lower place, so it is not changed yet.
	for i := 1<<litBits - 1; i >= 0; i-- {
		e := t.litTable[i]
		if e>>literals&3 == 0 {
			continue
		}
		n := e & 63
		next := t.litTable[i>>n]
		if next&isSpecial == 0 && n+next>>8&63 <= litBits {
			both := e>>text | next>>text<<8
			t.litTable[i] = next&(1<<text-1) + n + n<<8 + 1<<literals + both<<text
		}
	}
}

func (v valueCode) entry() entry {
	return isValue | entry(v.extra) | (1<<v.extra-1)<<mask | entry(v.base)<<base
}

// buildTable makes the table for a code, whose symbols have the given entries without the lengths of their codes.
func buildTable(table []entry, width uint, c *code, entries *[maxLitLen]entry) {
	symbols := c.symbols[:]
	v := uint16(0)  // the next code
	table[0] = none // and stays so where no code begins
	for n := uint(1); n <= width; n++ {
		size := 1 << n
		copy(table[size/2:size], table) // as for one bit fewer, whatever the last bit is
		v <<= 1
		for _, s := range symbols[:c.count[n]] {
			table[bits.Reverse16(v)>>(16-n)] = entries[s] + entry(n|n<<8)
			v++
		}
		symbols = symbols[c.count[n]:]
	}
	if c.longest <= width {
		return
	}
	end, size := 1<<width, 1<<(c.longest-width)
	for n := width + 1; n <= c.longest; n++ {
		v <<= 1
		for _, s := range symbols[:c.count[n]] {
			whole := int(bits.Reverse16(v) >> (16 - n))
			begin, rest := whole&(1<<width-1), whole>>width
			if rest == 0 { // the first code that begins like this
				table[begin] = isSpecial | entry(size-1)<<mask | entry(end)<<base
				end += size
			}
			for sub := table[table[begin]>>base:][:size]; rest < size; rest += 1 << (n - width) {
				sub[rest] = entries[s] + entry(n|n<<8)
			}
			v++
		}
		symbols = symbols[c.count[n]:]
	}
}

// fast decodes while there is input for it and room for output. It reports the end of the block.
//
// A round is one entry of litTable and one of distTable: at most 48 bits, which is fewer than a load brings.
// Its time goes into waiting for one table after the other, and into branches that could not be foreseen. So
// entries hold several symbols, literals are stored even if there are none, a round without a match copies
// nothing from nowhere in place of a branch (a tenth faster for gzip -6 of flow logs), and the first two
// strides of a match are copied whatever its length.
//
// Long because its variables stay in registers only within one function.
func (r *Reader) fast() (done bool, err error) {
	in, out := r.in[:r.end], &r.out
	bits, nbits := r.bits, uint64(r.nbits) // nbits in its low 6 bits
	ip, op, first := r.ip, r.op, r.first
	bad := false
	for ip <= len(in)-8 && op <= outSize-outSlack {
		// Only whole bytes are counted. The bits of the next one come again with the next load, which makes
		// no difference.
		nbits &= 63
		bits |= binary.LittleEndian.Uint64(in[ip:]) << nbits
		ip += int(7 - nbits>>3)
		nbits |= 56

		e := r.litTable[bits&(1<<litBits-1)]
		if e&isSpecial != 0 {
			if e&isValue == 0 && e>>base != 0 {
				e = r.litTable[e>>base+bits>>litBits&(e>>mask&maxMask)]
			}
			if e&isSpecial != 0 {
				bits >>= e & 63
				nbits -= e
				bad = e&isValue != 0
				done = !bad
				break
			}
		}
		was := bits
		bits >>= e & 63 // first, since all else waits for it
		nbits -= e
		binary.LittleEndian.PutUint16(out[op:], uint16(e>>text))
		op += int(e >> literals & 3)
		length := int(uint16(e>>base)) + int(was>>(e>>8&63)&(e>>mask&maxMask))

		e = r.distTable[bits&(1<<distBits-1)] & -(e / isValue & 1) // 0 without a length
		if e&isSpecial != 0 {
			if e&isValue == 0 {
				e = r.distTable[e>>base+bits>>distBits&(e>>mask&maxMask)]
			}
			if e&isSpecial != 0 {
				bad = true
				break
			}
		}
		was = bits
		bits >>= e & 63
		nbits -= e
		dist := int(uint16(e>>base)) + int(was>>(e>>8&63)&(e>>mask&maxMask))
		from := op - dist
		if from < first {
			bad = true
			break
		}
		if uint(dist-1) < stride-1 {
			for n := 0; n < length; { // as much as there is of it, each time twice as much
				n += copy(out[op+n:op+length], out[from:op+n])
			}
			op += length
			continue
		}
		*(*[stride]byte)(out[op:]) = *(*[stride]byte)(out[from:])
		*(*[stride]byte)(out[op+stride:]) = *(*[stride]byte)(out[from+stride:])
		for n := 2 * stride; n < length; n += stride {
			*(*[stride]byte)(out[op+n:]) = *(*[stride]byte)(out[from+n:])
		}
		op += length
	}
	nbits &= 63
	r.ip, r.op = ip-int(nbits>>3), op
	r.nbits = uint(nbits & 7)
	r.bits = bits & (1<<r.nbits - 1)
	if bad {
		err = r.corrupt()
	}
	return done, err
}
