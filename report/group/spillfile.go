package group

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/disk"
	"flowlog/parse/schema"
	"flowlog/report/function"
)

// A spill is a temporary file of groups, for reports with more of them than memory holds. Groups are dealt out to hash
// partitions of their keys, so that the parts of one group, from whatever worker, are in the same partition, and one
// partition at a time can be finished.
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

// partitions is how many there are. One partition at a time is in memory as a whole: a spill may be a hundred times as
// large as that.
const partitions = 256

// newSpill makes the file. It is deleted at once where an open file can be, so that it is gone after any exit.
func newSpill(dir string) (*spill, error) {
	f, err := disk.CreateTemp(dir, "flowlog-*.spill")
	if err != nil {
		return nil, schema.Wordsf("the groups do not fit into memory, and there is no place for a temporary file: %w: name a directory with %s, or allow more with %s", err, schema.Opt("temp-dir"), schema.Opt("memory"))
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

// write writes all groups of groupings, which cannot be used afterwards.
func (s *spill) write(groupings []*grouping) error {
	for i, g := range groupings {
		var parts [partitions][]uint32
		h := newGroupHasher(g)
		_, ids := g.existing()
		for _, id := range ids {
			p := h.of(id) % partitions
			parts[p] = append(parts[p], id)
		}
		for p, ids := range parts {
			if len(ids) == 0 {
				continue
			}
			if err := s.writeChunk(p, i, g, ids); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *spill) writeChunk(partition, grouping int, g *grouping, ids []uint32) error {
	rec, err := g.unload(ids)
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
		return schema.Wordsf("the groups do not fit into memory, and the temporary file cannot be written: %w: name another directory with %s, or allow more with %s", err, schema.Opt("temp-dir"), schema.Opt("memory"))
	}
	return nil
}

// load calls take with the groupings of a partition, and records of their groups.
func (s *spill) load(partition int, take func(grouping int, rec arrow.Record) error) error {
	for _, c := range s.chunks[partition] {
		load := func(rec arrow.Record) error { return take(c.grouping, rec) }
		if err := decodeRecord(io.NewSectionReader(s.file, c.offset, c.size), load); err != nil {
			return fmt.Errorf("temporary file: %w", err)
		}
	}
	return nil
}

// A groupHasher hashes the keys of groups, the same in all workers.
type groupHasher struct {
	values []function.Values
	hashes []function.Hashes
	codes  [][]uint32 // by key and group
}

func newGroupHasher(g *grouping) *groupHasher {
	h := &groupHasher{hashes: make([]function.Hashes, len(g.keys))}
	all := make([]uint32, g.rows.Groups)
	for id := range all {
		all[id] = uint32(id)
	}
	h.codes = g.keyCodes(all)
	for _, c := range g.encoders {
		h.values = append(h.values, c.values())
	}
	return h
}

func (h *groupHasher) of(group uint32) uint64 {
	sum := uint64(0)
	for i := range h.values {
		sum = sum*0x9e3779b97f4a7c15 + h.hashes[i].Of(h.codes[i][group], h.values[i])
	}
	return sum ^ sum>>32
}
