package inflate

import (
	"bytes"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	klauspost "github.com/klauspost/compress/gzip"
)

// head is the shortest header.
const head = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

// flowLog is n records whose numbers vary as those of a flow log do.
func flowLog(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for range n {
		fmt.Fprintf(&b, "2 123456789012 eni-%08x 10.0.%d.%d 10.1.0.%d %d 443 6 %d %d 1710720000 1710720060 ACCEPT OK\n",
			r.Uint32N(9)*0x1234567, r.IntN(4), r.IntN(256), r.IntN(256), r.IntN(65536), r.IntN(50), r.IntN(100000))
	}
	return b.Bytes()
}

func random(n int) []byte {
	b := make([]byte, n)
	for i, r := 0, rand.New(rand.NewPCG(3, 4)); i < n; i++ {
		b[i] = byte(r.Uint32())
	}
	return b
}

// skewed has bytes whose frequencies make for codes of all lengths.
func skewed() []byte {
	var b []byte
	for i, a, c := 0, 1, 1; i < 22; i, a, c = i+1, c, a+c {
		b = append(b, bytes.Repeat([]byte{byte('a' + i)}, a)...)
	}
	r := rand.New(rand.NewPCG(5, 6))
	r.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	return b
}

func pack(level int, data []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	return packWith(&b, w, err, data)
}

func packKlauspost(level int, data []byte) []byte {
	var b bytes.Buffer
	w, err := klauspost.NewWriterLevel(&b, level)
	return packWith(&b, w, err, data)
}

func packWith(b *bytes.Buffer, w io.WriteCloser, err error, data []byte) []byte {
	if err == nil {
		_, err = w.Write(data)
	}
	if err := cmp.Or(err, w.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// class is what kind of error err is.
func class(err error) string {
	var corrupt flate.CorruptInputError
	switch {
	case err == nil:
		return "none"
	case errors.As(err, &corrupt):
		return "corrupt"
	}
	return err.Error()
}

// A comparison reads with our reader and with the libraries, one after the other with the same ones, so that
// nothing may be left over in ours.
type comparison struct {
	own       Reader
	standard  gzip.Reader
	klauspost klauspost.Reader
}

func (c *comparison) readOwn(src io.Reader) ([]byte, error) {
	c.own.Reset(src)
	return io.ReadAll(&c.own)
}

func (c *comparison) readStandard(data []byte) ([]byte, error) {
	return readAll(&c.standard, c.standard.Reset(bytes.NewReader(data)))
}

func (c *comparison) readKlauspost(data []byte) ([]byte, error) {
	return readAll(&c.klauspost, c.klauspost.Reset(bytes.NewReader(data)))
}

func readAll(r io.Reader, err error) ([]byte, error) {
	if err == io.EOF {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// check compares what we make of data, which comes in pieces such as iotest.OneByteReader makes, with the
// standard library. It must be the same or, of data that is cut off, more: the library asks for as many bits as the end
// of a block takes, before it looks whether a shorter code is there. What follows that may be corrupt.
func (c *comparison) check(t *testing.T, data []byte, pieces ...func(io.Reader) io.Reader) {
	t.Helper()
	var src io.Reader = bytes.NewReader(data)
	for _, p := range pieces {
		src = p(src)
	}
	got, err := c.readOwn(src)
	want, wantErr := c.readStandard(data)
	if err == gzip.ErrHeader {
		// reserved flags are an error: RFC 1952, 2.3.1.2; compress/gzip passes over them
		want, wantErr = c.readKlauspost(data)
	}
	at, corrupt := err.(flate.CorruptInputError)
	corrupt = corrupt && wantErr == io.ErrUnexpectedEOF && int(at) > len(data)-8
	if class(err) != class(wantErr) && !corrupt {
		t.Fatalf("%v after %d bytes, want %v after %d\n%x", err, len(got), wantErr, len(want), data[:min(len(data), 1<<10)])
	}
	if !bytes.HasPrefix(got, want) || len(got) > len(want) && err != io.ErrUnexpectedEOF && !corrupt {
		t.Fatalf("%d bytes, want %d (%v): first difference at %d\n%x", len(got), len(want), err, difference(got, want), data[:min(len(data), 1<<10)])
	}
}

func difference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// contents are what is packed in the tests.
func contents() map[string][]byte {
	all := map[string][]byte{
		"nothing":  nil,
		"a byte":   []byte("x"),
		"flow log": flowLog(3000),
		"random":   random(200000),
		"skewed":   skewed(),
		"letters":  random(1000)[:100],
	}
	for period := 1; period <= 40; period += 1 + period/8 {
		all[fmt.Sprint("period ", period)] = bytes.Repeat(random(period), 40000/period)
	}
	return all
}

func TestReader(t *testing.T) {
	var c comparison
	for name, content := range contents() {
		packed := make(map[string][]byte)
		for _, level := range []int{-2, 0, 1, 9} {
			packed[fmt.Sprint("level ", level)] = pack(level, content)
			packed[fmt.Sprint("klauspost ", level)] = packKlauspost(level, content)
		}
		packed["stateless"] = packKlauspost(klauspost.StatelessCompression, content)
		packed["members"] = slices.Concat(pack(6, content), pack(0, nil), pack(1, content))
		for how, data := range packed {
			t.Run(name+"/"+how, func(t *testing.T) {
				want := content
				if how == "members" {
					want = slices.Concat(content, content)
				}
				for _, src := range []io.Reader{bytes.NewReader(data), iotest.OneByteReader(bytes.NewReader(data)),
					iotest.HalfReader(bytes.NewReader(data)), iotest.DataErrReader(bytes.NewReader(data))} {
					got, err := c.readOwn(src)
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("%d bytes, %v; want %d, first difference at %d", len(got), err, len(want), difference(got, want))
					}
				}
				if len(want) < 1<<10 {
					c.own.Reset(bytes.NewReader(data))
					if err := iotest.TestReader(&c.own, want); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}

// damaged are small streams with blocks of all types, whose every piece and every change is read.
func damaged() map[string][]byte {
	text := flowLog(6)
	fixed := []byte("aaaaaaaaaabcabcabcabcabcbcbcbcbc")
	return map[string][]byte{
		"stored":    pack(0, text[:100]),
		"fixed":     pack(6, fixed),
		"dynamic":   pack(9, text),
		"huffman":   pack(-2, text[:300]),
		"klauspost": packKlauspost(9, text),
		"random":    pack(6, random(60)),
		"skewed":    pack(-2, skewed()[:600]),
		"members":   slices.Concat(pack(6, fixed), pack(0, nil), pack(1, text[:200])),
		"header":    withHeader(0x1e, "\x05\x00extra"+"name\x00"+"comment\x00", true, pack(6, fixed)),
		"composed":  compose(rand.New(rand.NewPCG(8, 10)), 1, 30),
	}
}

// withHeader gives packed data more of a header.
func withHeader(flags byte, fields string, crc bool, packed []byte) []byte {
	h := append([]byte(head), fields...)
	h[3] = flags
	if crc {
		h = binary.LittleEndian.AppendUint16(h, uint16(crc32.ChecksumIEEE(h)))
	}
	return append(h, packed[len(head):]...)
}

func TestReaderOfTruncated(t *testing.T) {
	var c comparison
	for name, data := range damaged() {
		t.Run(name, func(t *testing.T) {
			whole, _ := c.readStandard(data)
			for n := range len(data) + 1 {
				c.check(t, data[:n])
				if got, err := c.readOwn(iotest.OneByteReader(bytes.NewReader(data[:n]))); !bytes.HasPrefix(whole, got) {
					t.Fatalf("%d of %d bytes: content differs at %d (%v)", n, len(data), difference(whole, got), err)
				}
			}
		})
	}
}

func TestReaderOfChanged(t *testing.T) {
	var c comparison
	for name, data := range damaged() {
		t.Run(name, func(t *testing.T) {
			for bit := range 8 * len(data) {
				data := bytes.Clone(data)
				data[bit/8] ^= 1 << (bit % 8)
				c.check(t, data)
				// far from the end of the input other code runs
				data = append(data, make([]byte, 2*inSlack)...)
				c.check(t, data)
			}
		})
	}
}

// TestReaderOfComposed is about what no packer writes, most of all codes of any length for anything.
func TestReaderOfComposed(t *testing.T) {
	var c comparison
	for seed := range uint64(500) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		data := compose(rnd, 1+rnd.IntN(4), rnd.IntN(2000))
		c.check(t, data)
		if _, err := c.readStandard(data); err != nil && seed%10 < 8 {
			t.Fatalf("seed %d: %v", seed, err)
		}
		cut := data[:rnd.IntN(len(data))]
		c.check(t, cut)
	}
}

// TestReaderOfInvalid is about what the changes above are unlikely to make.
func TestReaderOfInvalid(t *testing.T) {
	var c comparison
	type field struct{ v, n int }
	fixed := []field{{1 | 1<<1, 3}}
	literal := field{0b00001100, 8} // 0, which has code 00110000
	match := field{0b1000000, 7}    // of 3 bytes, code 0000001
	dynamic := func(lits, dists int, codes ...field) []field {
		return append([]field{{1 | 2<<1, 3}, {lits - 257, 5}, {dists - 1, 5}, {15, 4}}, codes...)
	}
	// codes of one bit each for the lengths 0 (0) and 18 (1), which is zeros
	zeros := []field{{0, 3}, {0, 3}, {1, 3}, {1, 3}}
	for range 15 {
		zeros = append(zeros, field{0, 3})
	}
	// for 1 (0) and 18 (1)
	ones := slices.Clone(zeros)
	ones[3], ones[17] = field{0, 3}, field{1, 3}
	join := func(parts ...[]field) []field { return slices.Concat(parts...) }
	eobAlone := join(ones, []field{{1, 1}, {127, 7}, {1, 1}, {118 - 11, 7}, {1, 1}, {9, 7}, {0, 1}}) // 138 + 118 + 1
	for name, fields := range map[string][]field{
		"type":                   {{1 | 3<<1, 3}},
		"size of stored":         {{1, 3}, {0, 5}, {5, 16}, {5, 16}},
		"length 286":             append(fixed, literal, field{0b01100011, 8}),
		"length 287":             append(fixed, literal, field{0b11100011, 8}),
		"distance 30":            append(fixed, literal, match, field{0b01111, 5}),
		"distance 31":            append(fixed, literal, match, field{0b11111, 5}),
		"distance 1":             append(fixed, literal, match, field{0, 5}, field{0, 7}),
		"distance before start":  append(fixed, literal, match, field{0b10000, 5}),
		"287 symbols":            dynamic(287, 1, zeros...),
		"31 distances":           dynamic(257, 31, zeros...),
		"no code of lengths":     dynamic(257, 1, slices.Repeat([]field{{0, 3}}, 19)...),
		"too many codes":         dynamic(257, 1, slices.Repeat([]field{{1, 3}}, 19)...),
		"too few codes":          dynamic(257, 1, slices.Repeat([]field{{5, 3}}, 19)...),
		"nothing to repeat":      dynamic(257, 1, append([]field{{1, 3}, {1, 3}}, slices.Repeat([]field{{0, 3}}, 17)...)...),
		"repeats beyond the end": dynamic(257, 1, join(zeros, []field{{1, 1}, {127, 7}, {1, 1}, {127, 7}})...),
		"no codes at all":        dynamic(257, 1, join(zeros, []field{{1, 1}, {127, 7}, {1, 1}, {120 - 11, 7}})...),
		"only an end, 0":         dynamic(257, 1, join(eobAlone, []field{{0, 1}})...),
		"only an end, 1":         dynamic(257, 1, join(eobAlone, []field{{1, 1}})...),
	} {
		for _, more := range []int{0, 1, 8, 2 * inSlack} {
			w := bitWriter{out: []byte(head)}
			for _, f := range fields {
				w.put(f.v, f.n)
			}
			data := append(w.out, make([]byte, more)...)
			t.Run(fmt.Sprint(name, "/", more), func(t *testing.T) {
				c.check(t, data)
			})
		}
	}
}

func TestHeader(t *testing.T) {
	var c comparison
	packed := pack(6, []byte("content"))
	long := strings.Repeat("x", 511)
	extra := "\x00\x80" + strings.Repeat("e", 1<<15)
	for name, data := range map[string][]byte{
		"empty":                nil,
		"not gzip":             []byte("2 123456789012 eni-0123456789abcdef0"),
		"other method":         append([]byte("\x1f\x8b\x07"), packed[3:]...),
		"extra":                withHeader(1<<2, extra, false, packed),
		"no extra":             withHeader(1<<2, "\x00\x00", false, packed),
		"long name":            withHeader(1<<3, long+"\x00", false, packed),
		"too long name":        withHeader(1<<3, long+"x\x00", false, packed),
		"long comment":         withHeader(1<<4, long+"\x00", false, packed),
		"too long comment":     withHeader(1<<4, long+"x\x00", false, packed),
		"checksum":             withHeader(1<<1, "", true, packed),
		"wrong checksum":       withHeader(1<<1, "\x00\x00", false, packed),
		"all":                  withHeader(0x1f, extra+"name\x00comment\x00", true, packed),
		"reserved":             withHeader(1<<5, "", false, packed),
		"zeros after it":       append(bytes.Clone(packed), make([]byte, 512)...),
		"a zero after it":      append(bytes.Clone(packed), 0),
		"garbage after it":     append(bytes.Clone(packed), "garbage after it"...),
		"no garbage, a member": append(bytes.Clone(packed), packed...),
	} {
		t.Run(name, func(t *testing.T) {
			c.check(t, data)
			for n := range min(len(data), 600) {
				c.check(t, data[:n])
			}
		})
	}
}

func TestReaderOfFailingSource(t *testing.T) {
	var c comparison
	content := flowLog(3000)
	data := pack(6, content)
	failed := errors.New("connection reset")
	for _, n := range []int{0, 5, 10, 100, len(data) / 2, len(data) - 8, len(data) - 1, len(data)} {
		r := NewReader(io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(failed)))
		got, err := io.ReadAll(r)
		if err != failed {
			t.Errorf("after %d of %d bytes: %v, want %v", n, len(data), err, failed)
		}
		want, _ := c.readStandard(data[:n])
		if !bytes.HasPrefix(content, got) || len(got) < len(want) {
			t.Errorf("after %d of %d bytes: got %d bytes, want at least %d", n, len(data), len(got), len(want))
		}
		if again, err := r.Read(make([]byte, 1)); again != 0 || err != failed {
			t.Errorf("after an error: %d, %v", again, err)
		}
	}
	if _, err := io.ReadAll(NewReader(stuck{})); err != io.ErrNoProgress {
		t.Errorf("a source that returns nothing: %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func FuzzReader(f *testing.F) {
	for _, data := range damaged() {
		f.Add(data)
		f.Add(data[len(head):])
	}
	for seed := range uint64(20) {
		f.Add(compose(rand.New(rand.NewPCG(seed, 7)), 2, 100))
	}
	var c comparison
	f.Fuzz(func(t *testing.T, data []byte) {
		// as it is; without what it takes to make a header; and far from the end of the input
		for _, data := range [][]byte{data, append([]byte(head), data...), slices.Concat([]byte(head), data, make([]byte, 2*inSlack))} {
			c.check(t, data)
			c.check(t, data, iotest.HalfReader)
		}
	})
}

func FuzzComposed(f *testing.F) {
	for seed := range uint64(10) {
		f.Add(seed, seed, uint16(300), uint16(0))
	}
	var c comparison
	f.Fuzz(func(t *testing.T, a, b uint64, symbols, bit uint16) {
		data := compose(rand.New(rand.NewPCG(a, b)), 1+int(a%4), int(symbols))
		c.check(t, data)
		data[int(bit)/8%len(data)] ^= 1 << (bit % 8)
		c.check(t, data)
	})
}

// compose writes a member of some dynamic blocks of the given number of random symbols, with random codes.
// Now and then there is a mistake in it.
func compose(rnd *rand.Rand, blocks, symbols int) []byte {
	w := bitWriter{out: []byte(head)}
	var content []byte
	for i := range blocks {
		w.block(rnd, symbols, i == blocks-1, &content)
	}
	w.put(0, -w.n&7)
	w.out = binary.LittleEndian.AppendUint32(w.out, crc32.ChecksumIEEE(content))
	return binary.LittleEndian.AppendUint32(w.out, uint32(len(content)))
}

type bitWriter struct {
	out []byte
	n   int // bits in it
}

// put writes the n lowest bits of v, the lowest first.
func (w *bitWriter) put(v, n int) {
	for i := range n {
		if w.n%8 == 0 {
			w.out = append(w.out, 0)
		}
		w.out[len(w.out)-1] |= byte(v>>i&1) << (w.n % 8)
		w.n++
	}
}

// randomCode gives n of the symbols codes, together a complete code, with lengths up to most.
func randomCode(rnd *rand.Rand, lengths []uint8, n, most int) {
	leaves := []uint8{0}
	for tries := 0; len(leaves) < n && tries < 10*n; tries++ {
		i := rnd.IntN(len(leaves))
		if rnd.IntN(4) == 0 {
			i = len(leaves) - 1 // makes for long ones
		}
		if int(leaves[i]) < most {
			leaves[i]++
			leaves = append(leaves, leaves[i])
		}
	}
	if len(leaves) == 1 {
		leaves[0] = 1
	}
	for i, s := range rnd.Perm(len(lengths))[:len(leaves)] {
		lengths[s] = leaves[i]
	}
}

// codesOf returns the codes, to be written from the lowest bit: RFC 1951, 3.2.2.
func codesOf(lengths []uint8) []int {
	codes := make([]int, len(lengths))
	v := 0
	for n := uint8(1); n <= longest; n++ {
		v <<= 1
		for s, l := range lengths {
			if l == n {
				codes[s] = int(bits.Reverse16(uint16(v)) >> (16 - n))
				v++
			}
		}
	}
	return codes
}

func (w *bitWriter) block(rnd *rand.Rand, symbols int, final bool, content *[]byte) {
	lits, dists := 257+rnd.IntN(30), 1+rnd.IntN(30)
	lit, dist := make([]uint8, lits), make([]uint8, dists)
	randomCode(rnd, lit, 2+rnd.IntN(lits-1), longest)
	if lit[endOfBlock] == 0 { // takes the code of another
		s := slices.IndexFunc(lit, func(n uint8) bool { return n > 0 })
		lit[endOfBlock], lit[s] = lit[s], 0
	}
	randomCode(rnd, dist, 1+rnd.IntN(dists), longest)
	if rnd.IntN(8) == 0 {
		clear(dist)
	}

	w.put(b2i(final)|2<<1, 3)
	w.put(lits-257, 5)
	w.put(dists-1, 5)
	w.put(19-4, 4)
	for _, s := range codeOrder { // 16 lengths of 4 bits each, no repetition
		w.put(4*b2i(s < 16), 3)
	}
	for _, n := range slices.Concat(lit, dist) {
		w.put(int(bits.Reverse8(n)>>4), 4)
	}

	litCodes, distCodesOf := codesOf(lit), codesOf(dist)
	var usable, reach []int
	for s, n := range lit {
		if n > 0 && s != endOfBlock {
			usable = append(usable, s)
		}
	}
	for s, n := range dist {
		if n > 0 {
			reach = append(reach, s)
		}
	}
	for range symbols {
		if len(usable) == 0 {
			break
		}
		s := usable[rnd.IntN(len(usable))]
		if s < endOfBlock {
			w.put(litCodes[s], int(lit[s]))
			*content = append(*content, byte(s))
			continue
		}
		if len(reach) == 0 {
			continue
		}
		d := reach[rnd.IntN(len(reach))]
		l, v := lengthCodes[s-endOfBlock-1], distCodes[d]
		lengthMore, more := rnd.IntN(1<<l.extra), rnd.IntN(1<<v.extra)
		length, back := int(l.base)+lengthMore, int(v.base)+more
		if back > len(*content) && rnd.IntN(20000) > 0 {
			continue
		}
		w.put(litCodes[s], int(lit[s]))
		w.put(lengthMore, int(l.extra))
		w.put(distCodesOf[d], int(dist[d]))
		w.put(more, int(v.extra))
		for range length {
			if back <= len(*content) {
				*content = append(*content, (*content)[len(*content)-back])
			}
		}
	}
	w.put(litCodes[endOfBlock], int(lit[endOfBlock]))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func BenchmarkReader(b *testing.B) {
	content := flowLog(200_000)
	type reader interface {
		io.Reader
		Reset(io.Reader) error
	}
	for _, level := range []int{1, 6, 9} {
		data := pack(level, content)
		for _, bench := range []struct {
			name string
			reader
		}{{"own", own{new(Reader)}}, {"klauspost", new(klauspost.Reader)}, {"standard", new(gzip.Reader)}} {
			b.Run(fmt.Sprintf("level=%d/%s", level, bench.name), func(b *testing.B) {
				b.SetBytes(int64(len(content)))
				block := make([]byte, 256<<10) // as parse reads it
				for b.Loop() {
					err := bench.Reset(bytes.NewReader(data))
					for err == nil {
						_, err = bench.Read(block)
					}
					if err != io.EOF {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

type own struct{ *Reader }

func (o own) Reset(src io.Reader) error {
	o.Reader.Reset(src)
	return nil
}
