package dataset

import (
	"errors"
	"fmt"
	"math"
	"path"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"flowlog/parse/schema"
)

// partitionRows are the rows of a batch that belong to one partition.
type partitionRows struct {
	*partition
	rows []int32
}

// A keyValues is the values of the keys in a row: units since 1970 for times, codes in the batch's dictionary for texts,
// math.MinInt64 for null. Four keys are more than a useful layout has, and an array can be a map's key.
type keyValues [4]int64

// split groups the rows of a batch by partition.
func (w *Writer) split(rec arrow.Record) ([]partitionRows, error) {
	sources, err := w.keySources(rec)
	if err != nil {
		return nil, err
	}
	var all []partitionRows
	indexes := make(map[keyValues]int)
	folders := make(map[string]int) // a foreign dictionary may have a text twice
	var last keyValues
	at := -1
	for row := range int(rec.NumRows()) {
		var p keyValues
		for i := range sources {
			switch s := &sources[i]; {
			case s.nulls != nil && s.nulls.IsNull(row):
				p[i] = math.MinInt64
			case s.unit > 0:
				if p[i] = s.longs[row] / s.unit; p[i]*s.unit > s.longs[row] {
					p[i]-- // before 1970
				}
			default:
				p[i] = int64(s.codes[row])
			}
		}
		if at < 0 || p != last {
			last = p
			n, ok := indexes[p]
			if !ok {
				folder := w.folder(p, sources)
				if n, ok = folders[folder]; !ok {
					n = len(all)
					folders[folder] = n
					all = append(all, partitionRows{partition: w.partition(folder)})
				}
				indexes[p] = n
			}
			at = n
		}
		all[at].rows = append(all[at].rows, int32(row))
	}
	return all, nil
}

// A keySource is the column of a batch that a key is computed from.
type keySource struct {
	longs []int64       // of a time
	codes []int32       // of a text
	words *array.String // the dictionary of codes
	nulls arrow.Array   // nil if no row is null
	unit  int64         // seconds of a time's unit; 0 for a text
}

// keySources returns the source of each key.
func (w *Writer) keySources(rec arrow.Record) ([]keySource, error) {
	if len(w.Keys) > len(keyValues{}) {
		return nil, errors.New("too many keys")
	}
	sources := make([]keySource, len(w.Keys))
	for i, at := range w.sources {
		a := rec.Column(at)
		if !arrow.TypeEqual(a.DataType(), w.Fields[at].Kind.Arrow()) {
			return nil, fmt.Errorf("column %s: the values are of type %s, not %s", w.Fields[at].Name, a.DataType(), w.Fields[at].Kind.Arrow())
		}
		s := &sources[i]
		if a.NullN() > 0 {
			s.nulls = a
		}
		if s.unit = int64(w.Keys[i].Unit / time.Second); s.unit > 0 {
			s.longs = a.(*array.Int64).Int64Values()
		} else if a.NullN() < a.Len() {
			s.codes, s.words = schema.TextCodes(a)
		}
	}
	return sources, nil
}

// folder returns the folder of a partition.
func (w *Writer) folder(p keyValues, sources []keySource) string {
	folder := ""
	for i, k := range w.Keys {
		value := ""
		switch {
		case p[i] == math.MinInt64:
		case k.Unit > 0:
			value = time.Unix(p[i]*sources[i].unit, 0).UTC().Format(k.Form)
		default:
			value = sources[i].words.Value(int(p[i]))
		}
		folder = path.Join(folder, k.folder(value))
	}
	return folder
}

func (w *Writer) partition(folder string) *partition {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.partitions[folder]
	if p == nil {
		p = &partition{folder: folder}
		w.partitions[folder] = p
	}
	return p
}
