package report

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/disk"
	"flowlog/parse/schema"
)

// A spill is a temporary file of partial results, for reports with more groups than memory holds. Groups are
// dealt out to partitions by a hash of their keys, so that the parts of one group, from whatever worker, are
// in the same partition, and one partition at a time can be finished.
type spill struct {
	mu     sync.Mutex
	file   *disk.File
	size   int64
	chunks [partitions][]chunk
}

// A chunk is a part of the file: an Arrow stream with one record of a grouping.
type chunk struct {
	grouping     int
	offset, size int64
}

// partitions is how many there are. A finished one is in memory as a whole: a spill may be a hundred times as
// large as that.
const partitions = 256

// newSpill makes the file. It is deleted at once where an open file can be, so that it is gone after any exit.
func newSpill(dir string) (*spill, error) {
	f, err := disk.CreateTemp(dir, "flowlog-*.spill")
	if err != nil {
		return nil, fmt.Errorf("the groups do not fit into memory, and there is no place for a temporary file: %w: name a directory with --temp-dir, or allow more with --memory", err)
	}
	if runtime.GOOS != "windows" {
		if err := disk.Remove(f.Name()); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return &spill{file: f}, nil
}

func (s *spill) close() error {
	err := s.file.Close()
	if runtime.GOOS == "windows" {
		err = errors.Join(err, disk.Remove(s.file.Name()))
	}
	return err
}

// spill puts everything that a worker has come to on disk.
func (a *Aggregator) spill(w *worker) error {
	a.mu.Lock()
	if a.spilled == nil {
		var err error
		if a.spilled, err = newSpill(a.tempDir); err != nil {
			a.mu.Unlock()
			return err
		}
	}
	if err := w.roll(nil); err != nil {
		a.mu.Unlock()
		return err
	}
	a.bins.observe(w)
	a.mu.Unlock()
	return w.spill(a.spilled)
}

// spill puts everything that the worker has come to on disk. The worker cannot be used afterwards.
func (w *worker) spill(s *spill) error {
	if err := w.roll(nil); err != nil {
		return err
	}
	for i, u := range w.groupings {
		var parts [partitions][]uint32
		h := w.hashers(u)
		_, ids := u.groups()
		for _, g := range ids {
			p := h.of(g) % partitions
			parts[p] = append(parts[p], g)
		}
		for p, groups := range parts {
			if len(groups) == 0 {
				continue
			}
			if err := w.spillGroups(s, p, i, u, groups); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *worker) spillGroups(s *spill, partition, grouping int, u *grouping, groups []uint32) error {
	rec, err := w.unload(u, groups)
	if err != nil {
		return err
	}
	defer rec.Release()
	content, err := encodeRecord(rec)
	if err != nil {
		return err
	}
	s.mu.Lock()
	c := chunk{grouping, s.size, int64(len(content))}
	s.size += c.size
	s.chunks[partition] = append(s.chunks[partition], c)
	s.mu.Unlock()
	if _, err := s.file.WriteAt(content, c.offset); err != nil {
		return fmt.Errorf("the groups do not fit into memory, and the temporary file cannot be written: %w: name another directory with --temp-dir, or allow more with --memory", err)
	}
	return nil
}

// load takes a partition in.
func (s *spill) load(w *worker, partition int) error {
	for _, c := range s.chunks[partition] {
		load := func(rec arrow.Record) error { return w.load(w.groupings[c.grouping], rec) }
		if err := decodeRecord(io.NewSectionReader(s.file, c.offset, c.size), load); err != nil {
			return fmt.Errorf("temporary file: %w", err)
		}
	}
	return nil
}

// A groupHasher hashes the keys of groups, the same in all workers.
type groupHasher struct {
	values []values
	hashes []hashes
	codes  func(group uint32, level int) uint32
}

func (w *worker) hashers(u *grouping) *groupHasher {
	h := &groupHasher{hashes: make([]hashes, len(u.keys))}
	all := make([]uint32, u.rows.groups)
	for g := range all {
		all[g] = uint32(g)
	}
	codes := w.keyCodes(u, all)
	for _, place := range u.keys {
		h.values = append(h.values, w.coded[place].values())
	}
	h.codes = func(group uint32, level int) uint32 { return codes[level][group] }
	return h
}

func (h *groupHasher) of(group uint32) uint64 {
	sum := uint64(0)
	for level := range h.values {
		sum = sum*0x9e3779b97f4a7c15 + h.hashes[level].of(h.codes(group, level), h.values[level])
	}
	return sum ^ sum>>32
}

// size is about how many bytes the worker's groups take.
func (w *worker) size() int64 {
	var n int64
	for _, c := range w.coded {
		if c.pair != nil {
			n += c.pair.pairs.Size()
		} else {
			n += c.coder.Size()
		}
	}
	for _, u := range slices.Concat(w.groupings, w.inner) {
		for _, l := range u.levels {
			n += l.Size() + 4*int64(len(l.near))
		}
		n += u.rows.size()
		for _, l := range u.backlogs {
			if l != nil {
				n += 8 * int64(l.most)
			}
		}
		for _, b := range u.bases {
			if b.state != nil {
				n += b.state.size()
			}
		}
	}
	return n
}

// finishSpilled makes one worker of all that was spilled and what the workers have left: with the groups of each
// partition that can be among the rows that are shown. Of the others it has the sums.
func (a *Aggregator) finishSpilled(stats schema.Stats) (*worker, error) {
	if err := a.roll(nil); err != nil {
		return nil, err
	}
	a.chooseSteps()
	for _, w := range a.workers {
		if err := w.spill(a.spilled); err != nil {
			return nil, err
		}
	}
	a.workers = nil
	if err := a.findSpans(); err != nil {
		return nil, err
	}
	final := a.newWorker()
	for p := range partitions {
		w := a.newWorker()
		if err := a.spilled.load(w, p); err != nil {
			return nil, err
		}
		for i := range w.groupings {
			if err := final.takeShown(i, w, stats); err != nil {
				return nil, err
			}
		}
	}
	return final, nil
}

// findSpans finds the time that each report covers whose measures need it, ahead of all else: what a row is depends
// on it.
func (a *Aggregator) findSpans() error {
	all := make([][]state, len(a.reports))
	needed := false
	for i, u := range a.newWorker().runs {
		if u.span != nil {
			all[i] = u.empty(u.span...)
			needed = true
		}
	}
	for p := 0; needed && p < partitions; p++ {
		w := a.newWorker()
		if err := a.spilled.load(w, p); err != nil {
			return err
		}
		for i, u := range w.runs {
			if all[i] == nil {
				continue
			}
			exist, _ := u.groups()
			part, err := u.together(exist, nil, u.span...)
			if err != nil {
				return err
			}
			for _, b := range u.span {
				if err := all[i][b].merge(part[b], []uint32{0}, nil); err != nil {
					return err
				}
			}
		}
	}
	for i, u := range a.newWorker().runs {
		if u.span != nil {
			a.spans[i] = u.spanOf(all[i])
		}
	}
	return nil
}

// takeShown takes in the groups of another worker that may be shown by some report, and adds up the others.
func (w *worker) takeShown(grouping int, o *worker, stats schema.Stats) error {
	to, from := w.groupings[grouping], o.groupings[grouping]
	exist, ids := from.groups()
	if len(ids) == 0 {
		return nil
	}
	shown := make(map[uint32]bool)
	var may map[*run][]ranked
	if len(from.keys) > 0 {
		var err error
		if may, err = w.choose(shown, o, from, exist, ids, stats); err != nil {
			return err
		}
		to.restGroups += len(ids) - len(shown)
		all := ids
		ids = nil
		for _, id := range all {
			if shown[id] {
				ids = append(ids, id)
				exist[id] = false
			}
		}
		if len(ids) < len(all) {
			if to.rest == nil {
				to.rest = to.empty()
			}
			if err := w.addRest(to.rest, o, from, exist); err != nil {
				return err
			}
		}
	}
	rec, err := o.unload(from, ids)
	if err != nil {
		return err
	}
	defer rec.Release()
	here, err := w.loadGroups(to, rec)
	if err != nil {
		return err
	}
	at := make(map[uint32]uint32, len(ids))
	for i, id := range ids {
		at[id] = here[i]
	}
	for u, rows := range may {
		for _, r := range rows {
			u.met.here[at[r.id]] = true
		}
	}
	return nil
}

// choose notes which groups of another worker may be shown by some report. For reports with a condition on rows, it
// returns these, and adds up the others that meet it.
func (w *worker) choose(shown map[uint32]bool, o *worker, from *grouping, exist []bool, ids []uint32, stats schema.Stats) (map[*run][]ranked, error) {
	may := make(map[*run][]ranked)
	for i, u := range o.runs {
		if u.grouping != from {
			continue
		}
		lacks := o.lackingMeasures(u, stats, &Table{})
		order, byKey := u.order(lacks)
		if err := u.cover(exist); err != nil {
			return nil, err
		}
		if u.Spike != nil { // the bins of a series are in all partitions
			for _, id := range ids {
				shown[id] = true
			}
			continue
		}
		rows, met, err := o.rank(u, ids, order, byKey, !byKey != u.Reverse, stats)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			shown[r.id] = true
		}
		if u.Having != nil {
			may[w.runs[i]] = rows
			if err := w.addCut(w.runs[i], o, from, rows, met); err != nil {
				return nil, err
			}
		}
	}
	return may, nil
}

// addCut adds up the groups of another worker that meet a report's condition on rows, but for those that may be shown.
func (w *worker) addCut(u *run, o *worker, from *grouping, rows []ranked, met []uint32) error {
	if u.met == nil {
		u.met = &metRows{here: make(map[uint32]bool)}
	}
	if len(met) == len(rows) {
		return nil
	}
	in := make([]bool, from.rows.groups)
	for _, id := range met {
		in[id] = true
	}
	for _, r := range rows {
		in[r.id] = false
	}
	u.met.n += len(met) - len(rows)
	if u.met.cut == nil {
		u.met.cut = u.empty()
	}
	return w.addRest(u.met.cut, o, from, in)
}

// addRest adds up groups of another worker to others that are not here.
func (w *worker) addRest(rest []state, o *worker, from *grouping, in []bool) error {
	all, err := from.together(in, nil)
	if err != nil {
		return err
	}
	var coded [][]uint32
	for i, b := range from.bases {
		if all[i] == nil {
			continue
		}
		var codes []uint32
		if b.fn.codes {
			if coded == nil {
				coded = w.translate(o)
			}
			codes = coded[b.coded]
		}
		if err := rest[i].merge(all[i], []uint32{0}, codes); err != nil {
			return err
		}
	}
	return nil
}
