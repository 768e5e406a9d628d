package inventory

import (
	"hash/maphash"
	"slices"
)

// A run is consecutive snapshots of a stream, by their index there.
type run struct{ first, last int32 }

// A stream is the snapshots of one call in one account and region. They are in the order in which they were read.
type stream struct {
	call, account, region string
	times                 []int64 // Unix seconds, of each snapshot
	partial               []bool  // the snapshot is a page or so: what it lacks may be there all the same
}

// An element is one element of a listing, in any number of snapshots: as long as its bytes are the same, only the runs of
// snapshots grow.
type element struct {
	stream int32
	run    run   // the last one
	before []run // the others, in order
	states []state
}

// A state is how an element describes one holder of addresses.
type state struct {
	holder int32
	about  *description
	claims []claim
	attach int64 // when the interface was attached, in Unix seconds, 0 if unknown
	gone   int64 // when a pod released its addresses, 0 if it has not
}

// see adds a snapshot.
func (e *element) see(snapshot int32) {
	switch {
	case e.run.last == snapshot:
	case e.run.last == snapshot-1:
		e.run.last = snapshot
	default:
		e.before = append(e.before, e.run)
		e.run = run{snapshot, snapshot}
	}
}

// runs lists all runs, in the order of reading.
func (e *element) runs() []run { return append(slices.Clip(e.before), e.run) }

type elementKey struct {
	stream int32
	hash   uint64
}

// A store collects what is read.
//
// Long because it has one index for each kind of thing that other things refer to.
type store struct {
	seed     maphash.Seed
	streams  []stream
	byScope  map[[3]string]int32
	elements map[elementKey]*element
	order    []*element // in the order of appearance
	holders  []string   // IDs
	byID     map[string]int32
	words    map[string]string
	names    *names
	vpcs     map[string]vpc
	flowLogs map[string]flowLog
	clusters map[string]int32 // stream, by the UID of a pod
	nodes    map[string]string
	items    []item
	known    map[string]int64 // by account and region: until when AWS Config's items are complete
}

func newStore() *store {
	return &store{
		seed: maphash.MakeSeed(), byScope: make(map[[3]string]int32), elements: make(map[elementKey]*element), byID: make(map[string]int32),
		words: make(map[string]string), names: newNames(), vpcs: make(map[string]vpc), flowLogs: make(map[string]flowLog),
		clusters: make(map[string]int32), nodes: make(map[string]string), known: make(map[string]int64),
	}
}

// intern returns a copy of a text, the same for equal texts.
func (s *store) intern(text string) string {
	if text == "" {
		return ""
	}
	if word, ok := s.words[text]; ok {
		return word
	}
	s.words[text] = text
	return text
}

// holder numbers a holder of addresses by its ID.
func (s *store) holder(id string) int32 {
	h, ok := s.byID[id]
	if !ok {
		h = int32(len(s.holders))
		s.holders = append(s.holders, id)
		s.byID[id] = h
	}
	return h
}

// stream returns the index of the stream of a call in an account and region.
func (s *store) stream(call, account, region string) int32 {
	key := [3]string{call, account, region}
	i, ok := s.byScope[key]
	if !ok {
		i = int32(len(s.streams))
		s.streams = append(s.streams, stream{call: call, account: account, region: region})
		s.byScope[key] = i
	}
	return i
}

// snapshot adds a snapshot to a stream, and returns its index: that of the last one, if it is of the same time.
func (s *store) snapshot(of int32, time int64) int32 {
	st := &s.streams[of]
	if n := len(st.times); n > 0 && st.times[n-1] == time {
		return int32(n - 1)
	}
	st.times = append(st.times, time)
	st.partial = append(st.partial, false)
	return int32(len(st.times) - 1)
}

// element returns the element with these bytes, and whether it has to be decoded: if it was not in the snapshot before.
func (s *store) element(stream, snapshot int32, raw []byte) (e *element, known bool) {
	key := elementKey{stream, maphash.Bytes(s.seed, raw)}
	e = s.elements[key]
	if e == nil {
		e = &element{stream: stream, run: run{snapshot, snapshot}}
		s.elements[key] = e
		s.order = append(s.order, e)
		return e, false
	}
	known = e.run.last >= snapshot-1
	e.see(snapshot)
	return e, known
}

// object returns the element with these bytes, whose stream is not known yet, and whether it is known.
func (s *store) object(raw []byte) (e *element, known bool) {
	key := elementKey{-1, maphash.Bytes(s.seed, raw)}
	e, known = s.elements[key]
	if !known {
		e = &element{stream: -1}
		s.elements[key] = e
		s.order = append(s.order, e)
	}
	return e, known
}
