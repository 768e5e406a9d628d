package codes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// TestTablesAgreeWithMaps asks for words in lots of all sizes, in which the same word comes more than once.
func TestTablesAgreeWithMaps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	pairs, single, set := NewPairs(), NewPairs(), NewSet()
	numbers := make(map[uint64]uint32)
	members := make(map[uint64]bool)
	for _, n := range []int{0, 1, 2, lookupBatch - 1, lookupBatch, lookupBatch + 1, 3000, 70_000, 140_000} {
		words, ids := make([]uint64, n), make([]uint32, n)
		for i := range words {
			words[i] = uint64(r.IntN(2+n))<<32 | uint64(r.IntN(3))
		}
		pairs.IDs(words, ids)
		var added []uint64
		for i, word := range words {
			number, known := numbers[word]
			if !known {
				number = uint32(len(numbers))
				numbers[word] = number
			}
			if id, isNew := single.ID(word); id != number || ids[i] != number || isNew == known {
				t.Fatalf("word %x: got numbers %d and, in a lot, %d, want %d", word, id, ids[i], number)
			}
			words[i]++ // there is no 0 in a set
			if !members[words[i]] {
				members[words[i]] = true
				added = append(added, words[i])
			}
		}
		if got := set.AddAll(words); !slices.Equal(got, added) {
			t.Fatalf("of %d words: got %d new ones, want %d", n, len(got), len(added))
		}
	}
	if pairs.Len() != len(numbers) || set.Len() != len(members) || len(slices.Collect(set.All)) != len(members) {
		t.Errorf("got %d and %d words, want %d and %d", pairs.Len(), set.Len(), len(numbers), len(members))
	}
	for id, word := range pairs.Words() {
		if numbers[word] != uint32(id) {
			t.Errorf("word %x: got number %d, want %d", word, id, numbers[word])
		}
	}
}

// TestPairsTellWordsApart: words of which nearly all bits are set are one another if others get in by mistake.
func TestPairsTellWordsApart(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	words, ids := make([]uint64, lookupBatch), make([]uint32, lookupBatch)
	for table := range uint64(3000) {
		p := NewPairs()
		for i := range words {
			words[i] = table<<32 | math.MaxUint32&^uint64(r.IntN(1<<12))
		}
		p.IDs(words, ids)
		p.IDs(words, ids) // now there is something in their places
		for i, id := range ids {
			if want, _ := p.ID(words[i]); id != want {
				t.Fatalf("word %x: got number %d, want %d", words[i], id, want)
			}
		}
	}
}

func TestAddrCoderAgreesWithMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	coder, absorbed := newAddrCoder(), newAddrCoder()
	codes := make(map[[16]byte]uint32)
	for _, n := range []int{1, 10, 3000, 40_000} {
		c := schema.NewColumn(schema.Field{Name: "srcaddr", Kind: schema.Addr})
		rows, want, out := make([]int32, n), make([]uint32, n), make([]uint32, n)
		for i := range n {
			a := [16]byte{10: 0xff, 0xff, 0, 0, byte(r.IntN(1 + n/256)), byte(r.Uint32())}
			switch r.IntN(6) {
			case 0: // its lower half is that of an IPv4 address
				a[0] = 0x20
			case 1:
				a[10] = byte(r.IntN(2))
			}
			if rows[i] = int32(i); r.IntN(8) == 0 {
				c.Nulls = append(c.Nulls, int32(i))
			} else if want[i] = codes[a]; want[i] == 0 {
				codes[a] = uint32(len(codes) + 1)
				want[i] = codes[a]
			}
			c.Addr = append(c.Addr, a)
		}
		coder.Encode(c.Array(), rows, out)
		if !slices.Equal(out, want) {
			t.Fatalf("of %d rows: got codes %v, want %v", n, out, want)
		}
	}
	if coder.Len() != len(codes)+1 {
		t.Errorf("got %d codes, want %d", coder.Len(), len(codes)+1)
	}
	for i, code := range absorbed.Absorb(coder) {
		if int(code) != i {
			t.Fatalf("code %d is %d in an empty coder", i, code)
		}
	}
}

// zipfAddrs is a column of addresses that come as often as Zipf says, as in real traffic; one in twenty is IPv6.
func zipfAddrs(distinct uint64, n int) arrow.Array {
	zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 4, distinct-1)
	c := schema.NewColumn(schema.Field{Name: "srcaddr", Kind: schema.Addr})
	for range n {
		a := uint32(zipf.Uint64()) * 2654435761
		addr := [16]byte{10: 0xff, 0xff, byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)}
		if a%20 == 0 {
			copy(addr[:], "\x20\x01\x0d\xb8")
		}
		c.Addr = append(c.Addr, addr)
	}
	return c.Array()
}

func BenchmarkAddrCoder(b *testing.B) {
	for _, distinct := range []uint64{1000, 200_000, 2_000_000} {
		b.Run(fmt.Sprint(distinct), func(b *testing.B) {
			const batch, batches = 2000, 500
			col := zipfAddrs(distinct, batch*batches)
			rows, out := make([]int32, batch*batches), make([]uint32, batch*batches)
			for i := range rows {
				rows[i] = int32(i)
			}
			c := newAddrCoder()
			c.Encode(col, rows, out)
			for b.Loop() {
				for part := range slices.Chunk(rows, batch) {
					c.Encode(col, part, out)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(rows)), "ns/row")
		})
	}
}

func TestWordCoderAgreesWithMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	coder := &wordCoder{kind: schema.Int64, codes: NewPairs()}
	codes := make(map[int64]uint32)
	for _, most := range []int64{2, 1 << 15, 1 << 17, math.MaxInt64} { // more than are near, in the end
		c := schema.NewColumn(schema.Field{Name: "bytes", Kind: schema.Int64})
		rows, want, out := make([]int32, 40_000), make([]uint32, 40_000), make([]uint32, 40_000)
		for i := range rows {
			if rows[i] = int32(i); r.IntN(8) == 0 {
				c.Null()
				continue
			}
			v := r.Int64N(most) >> r.IntN(3)
			if want[i] = codes[v]; want[i] == 0 {
				codes[v] = uint32(len(codes) + 1)
				want[i] = codes[v]
			}
			c.Int64 = append(c.Int64, v)
		}
		for range 2 {
			coder.Encode(c.Array(), rows, out)
			if !slices.Equal(out, want) {
				t.Fatalf("of numbers below %d: got codes %v, want %v", most, out, want)
			}
		}
	}
	if !coder.uncached {
		t.Error("got a table of near words, want none")
	}
}

func BenchmarkWordCoder(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, span := range []int64{60, 3600, 86_400, 1 << 40} {
		c, rows, out := schema.NewColumn(schema.Field{Name: "start", Kind: schema.Time}), make([]int32, 8000), make([]uint32, 8000)
		for i := range rows {
			rows[i] = int32(i)
			c.Int64 = append(c.Int64, 1_710_720_000+r.Int64N(span))
		}
		b.Run(fmt.Sprint(span), func(b *testing.B) {
			col, coder := c.Array(), &wordCoder{kind: schema.Time, codes: NewPairs()}
			for b.Loop() {
				coder.Encode(col, rows, out)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(rows)), "ns/row")
		})
	}
}

func BenchmarkTextCoder(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	c, rows, out := schema.NewColumn(schema.Field{Name: "interface_id", Kind: schema.Text}), make([]int32, 8000), make([]uint32, 8000)
	for i := range rows {
		if rows[i] = int32(i); r.IntN(50) == 0 {
			c.Null()
		} else {
			c.Text(fmt.Sprintf("eni-%017x", r.IntN(2000)))
		}
	}
	col, coder := c.Array(), newTextCoder()
	for b.Loop() {
		coder.Encode(col, rows, out)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(rows)), "ns/row")
}

func BenchmarkPairs(b *testing.B) {
	for _, distinct := range []int{1000, 100_000, 2_000_000} {
		words, ids := make([]uint64, 2*distinct), make([]uint32, 2*distinct)
		r := rand.New(rand.NewPCG(1, 2))
		for i := range words {
			words[i] = uint64(r.IntN(distinct))<<32 | uint64(r.IntN(2))
		}
		b.Run(fmt.Sprint(distinct), func(b *testing.B) {
			for b.Loop() {
				p := NewPairs()
				at := 0
				for part := range slices.Chunk(words, 2000) {
					p.IDs(part, ids[at:])
					at += len(part)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(words)), "ns/row")
		})
	}
}

func BenchmarkSet(b *testing.B) {
	for _, distinct := range []int{1000, 100_000, 2_000_000} {
		words, copied := make([]uint64, 2*distinct), make([]uint64, 2000)
		r := rand.New(rand.NewPCG(1, 2))
		for i := range words {
			words[i] = uint64(r.IntN(distinct))<<32 | uint64(r.IntN(2)) + 1
		}
		b.Run(fmt.Sprint(distinct), func(b *testing.B) {
			for b.Loop() {
				s := NewSet()
				for part := range slices.Chunk(words, 2000) {
					s.AddAll(copied[:copy(copied, part)])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(words)), "ns/row")
		})
	}
}
