package group

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/function"
)

// Partial results in a file let a report be computed in parts, each on a machine of its own, and finished
// where the parts are brought together. The file begins with a line that says what it is. Frames follow: one with
// a JSON document that says which reports it is about, then records of groups, each an Arrow stream of its own,
// and at last one with the checksum of all bytes before it: a file that was cut off, or in which any bit is another, is
// refused. Earlier versions wrote an empty last frame.

// partialMagic is the first line. Its number changes when what is written would be read wrongly by an older
// flowlog.
const partialMagic = schema.PartialMagic + "1\n"

// Of what a frame is, if it is not the number of a grouping.
const (
	headerFrame = math.MaxUint32
	lastFrame   = math.MaxUint32 - 1
)

// maxFrame is how large a frame may be: a record of 65,536 groups is far smaller, unless they have very many
// distinct values.
const maxFrame = 1 << 31

// writeFrame writes what the frame is, its size, its checksum, and its content.
func writeFrame(out io.Writer, what uint32, content []byte) error {
	head := binary.LittleEndian.AppendUint32(nil, what)
	head = binary.LittleEndian.AppendUint64(head, uint64(len(content)))
	head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(content, castagnoli))
	_, err := out.Write(head)
	if err == nil {
		_, err = out.Write(content)
	}
	return err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// readFrame reads a frame. It takes no more memory than there is content.
func readFrame(in io.Reader) (what uint32, content []byte, err error) {
	var head [16]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", function.ErrPartial, err)
	}
	size := binary.LittleEndian.Uint64(head[4:])
	if size > maxFrame {
		return 0, nil, function.ErrPartial
	}
	var buf bytes.Buffer
	n, err := buf.ReadFrom(io.LimitReader(in, int64(size)))
	if err == nil && uint64(n) < size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", function.ErrPartial, err)
	}
	if crc32.Checksum(buf.Bytes(), castagnoli) != binary.LittleEndian.Uint32(head[12:]) {
		return 0, nil, fmt.Errorf("%w: a checksum is wrong", function.ErrPartial)
	}
	return binary.LittleEndian.Uint32(head[:]), buf.Bytes(), nil
}

// unloadRows is how many groups a record has at most.
const unloadRows = 1 << 16

// partialHeader says what a file is about.
type partialHeader struct {
	Reports []report.ReportText
	report.Request
	Settings [][]report.Setting `json:",omitempty"` // of Reports
	Fields   []report.FieldText // that the reports read
	Present  []string           // those of which some flow had a value
	Stats    schema.Stats       // of the input
	Parts    []string           `json:",omitempty"` // the runs that this is of, each a name that no other has
	Transit  int64              `json:",omitempty"` // of Stats, which has it for itself
}

// WritePartial writes what was computed so far to a file, for Merge to finish. The Aggregator cannot be used
// afterwards.
func (a *Aggregator) WritePartial(out io.Writer, stats schema.Stats, request report.Request) error {
	return a.writePartial(out, stats, request, []string{rand.Text()})
}

func (a *Aggregator) writePartial(out io.Writer, stats schema.Stats, request report.Request, parts []string) error {
	a.noticeSkimmed(stats)
	h := partialHeader{Request: request, Stats: stats, Parts: parts, Transit: stats.Transit}
	for i := range a.reports {
		h.Reports = append(h.Reports, a.reports[i].Text())
		h.Settings = append(h.Settings, a.reports[i].Settings)
	}
	for i, f := range a.projection.Fields {
		h.Fields = append(h.Fields, report.FieldText{Name: f.Name, Kind: f.Kind, Max: f.Max, From: f.From, Names: f.Names, InPlace: f.InPlace})
		if a.present[i].Load() {
			h.Present = append(h.Present, f.Name)
		}
	}
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	sum := crc32.New(castagnoli)
	file := io.MultiWriter(out, sum)
	if _, err := io.WriteString(file, partialMagic); err != nil {
		return err
	}
	if err := writeFrame(file, headerFrame, data); err != nil {
		return err
	}
	if err := a.writeGroups(file); err != nil {
		return err
	}
	return writeFrame(out, lastFrame, binary.LittleEndian.AppendUint32(nil, sum.Sum32()))
}

// writeGroups writes the groups of all workers.
func (a *Aggregator) writeGroups(out io.Writer) error {
	if a.spilled != nil {
		for _, w := range a.workers {
			if err := a.spill(w); err != nil {
				return err
			}
		}
		for p := range partitions {
			w, err := a.partition(p)
			if err != nil {
				return err
			}
			if err := w.write(out); err != nil {
				return err
			}
		}
		return nil
	}
	w, err := a.gather(false)
	if err != nil {
		return err
	}
	return w.write(out)
}

// write writes the groups that the worker has.
func (w *worker) write(out io.Writer) error {
	for i, g := range w.groupings {
		_, ids := g.existing()
		g.grow(g.rows.Groups)
		for part := range slices.Chunk(ids, unloadRows) {
			rec, err := g.unload(part)
			if err != nil {
				return err
			}
			content, err := encodeRecord(rec)
			rec.Release()
			if err != nil {
				return err
			}
			if err := writeFrame(out, uint32(i), content); err != nil {
				return err
			}
		}
	}
	return nil
}
