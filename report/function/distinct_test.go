package function

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"testing"
)

// codeValues are values that are their codes.
type codeValues struct{}

func (codeValues) Len() int                  { return exactDistinct * 4 }
func (codeValues) Value(code uint32) any     { return int64(code) }
func (codeValues) Code(v any) (uint32, bool) { return uint32(v.(int64)), true }

// TestDistinctAgreesWithMaps counts few and many values of groups, in one state or in two that are merged, or that
// took in what the other had written.
func TestDistinctAgreesWithMaps(t *testing.T) {
	const groups = 200
	r := rand.New(rand.NewPCG(1, 1))
	whole, halves, loaded := newDistinct(codeValues{}), [2]*distinct{newDistinct(codeValues{}), newDistinct(codeValues{})}, newDistinct(codeValues{})
	values := make([]map[uint32]bool, groups)
	for g := range values {
		values[g] = make(map[uint32]bool)
	}
	for batch := range 100 {
		ids, rows, codes := make([]uint32, 1000), make([]int32, 1000), make([]uint32, 1000)
		for i := range ids {
			ids[i], rows[i] = uint32(r.IntN(groups)), int32(i)
			codes[i] = uint32(r.IntN(1 + int(ids[i])/10)) // 0 is null
			if codes[i] != 0 {
				values[ids[i]][codes[i]] = true
			}
		}
		for _, s := range []*distinct{whole, halves[batch%2]} {
			s.Grow(groups)
			if err := s.Add(ids, rows, Inputs{Codes: codes}); err != nil {
				t.Fatal(err)
			}
		}
	}
	same := make([]uint32, groups)
	for g := range same {
		same[g] = uint32(g)
	}
	loaded.Grow(groups)
	for g := range uint32(groups) {
		for _, half := range halves {
			if rest, err := loaded.Load(half.Append(nil, g), g); err != nil || len(rest) > 0 {
				t.Fatal(err, rest)
			}
		}
	}
	if err := halves[0].Merge(halves[1], same, nil); err != nil {
		t.Fatal(err)
	}
	halves[0].sorted = nil // of before the merge
	for g, want := range values {
		for name, s := range map[string]*distinct{"one": whole, "merged": halves[0], "loaded": loaded} {
			if got, _ := s.Value(uint32(g)); got != int64(len(want)) {
				t.Errorf("%s: group %d: got %d values, want %d", name, g, got, len(want))
			}
			if !bytes.Equal(s.Append(nil, uint32(g)), whole.Append(nil, uint32(g))) {
				t.Errorf("%s: group %d: got other values", name, g)
			}
		}
	}
	all := distinctOfAll{coder: codeValues{}}
	same[groups-1] = Skip
	if err := all.Merge(whole, same, nil); err != nil {
		t.Fatal(err)
	}
	union := make(map[uint32]bool)
	for _, of := range values[:groups-1] {
		maps.Copy(union, of)
	}
	if got, _ := all.Value(0); got != int64(len(union)) {
		t.Errorf("got %d values of all groups, want %d", got, len(union))
	}
}

// TestEstimatesAreTheSame: those of a group do not depend on whether its values come one after the other or from
// several states.
func TestEstimatesAreTheSame(t *testing.T) {
	const n = exactDistinct + 1000
	fill := func(from, to uint32) *distinct {
		s := newDistinct(codeValues{})
		s.Grow(2)
		for code := from; code < to; code++ {
			s.words = append(s.words, 1<<32|uint64(code))
		}
		s.seeAll()
		return s
	}
	want, _ := fill(1, n).Value(1)
	if want == n-1 || want < n*98/100 || want > n*102/100 {
		t.Errorf("got %d, want an estimate of %d", want, n-1)
	}
	for _, parts := range [][2]*distinct{{fill(1, 2), fill(1, n)}, {fill(1, n), fill(1, 5)}, {fill(1, n/2), fill(n/3, n)}} {
		if err := parts[0].Merge(parts[1], []uint32{0, 1}, nil); err != nil {
			t.Fatal(err)
		}
		if got, _ := parts[0].Value(1); got != want {
			t.Errorf("got %d of two states, want %d", got, want)
		}
	}
}
