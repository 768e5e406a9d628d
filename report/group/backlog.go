package group

import "flowlog/parse/codes"

// A backlog buffers rows of a key level that does not fit into the processor's caches. The rows are dealt out to the hash
// partitions of the level (radix partitioning), and those of one partition are numbered and added together, so that its
// part of the table stays in the caches.
type backlog struct {
	// A row takes so many words: its prefix group and the next code in one, the codes of further levels, and the values
	// that accumulators need.
	width  int
	memory []uint64 // of the rows, in chunks
	used   int      // by chunks
	most   int      // that was ever used
	parts  [codes.Parts]struct {
		chunks    []int // where they begin
		next, end int   // where the next row goes, and where there is room for no more
	}
	at []int // where the rows are that were put on it last
}

const (
	// backlogSize is how many words wait at most. The more rows, the more of them are of the same groups.
	backlogSize = 1 << 22
	// chunkSize is how many words of a partition lie side by side.
	chunkSize = 1 << 10
)

// add adds rows with the ids of their prefix groups and their next codes.
func (l *backlog) add(ids, keyCodes []uint32, rows []int32) {
	l.at = codes.Grown(l.at, len(rows))
	for i, row := range rows {
		word := uint64(ids[i])<<32 | uint64(keyCodes[row])
		p := &l.parts[codes.Part(word)]
		if p.next == p.end {
			p.chunks = append(p.chunks, l.used)
			p.next, p.end = l.used, l.used+chunkSize/l.width*l.width
			l.used += chunkSize
		}
		l.memory[p.next] = word
		l.at[i] = p.next
		p.next += l.width
	}
	l.most = max(l.most, l.used)
}

// put writes a word of each of the rows that add has added last.
func put[T int32 | int64 | uint32](l *backlog, place int, numbers []T, rows []int32) {
	for i, row := range rows {
		l.memory[l.at[i]+place] = uint64(numbers[row])
	}
}

// get is the reverse of put.
func get[T int64 | uint32](numbers []T, records []uint64, width, place int) {
	for i := 0; place < len(records); i, place = i+1, place+width {
		numbers[i] = T(records[place])
	}
}
