package function

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// A logLog is a HyperLogLog: it estimates the cardinality of the hashes added, with a standard error of 1.04 / sqrt(2^14).
// It has no correction for cardinalities below 40,000, and is not used for these. Source: Flajolet, Fusy, Gandouet and
// Meunier, "HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm", 2007.
type logLog struct{ ranks [1 << logLogBits]uint8 }

const logLogBits = 14

func (l *logLog) add(hash uint64) {
	rank := uint8(bits.LeadingZeros64(hash<<logLogBits|1<<(logLogBits-1))) + 1
	if r := &l.ranks[hash>>(64-logLogBits)]; *r < rank {
		*r = rank
	}
}

func (l *logLog) merge(o *logLog) {
	for i, rank := range o.ranks {
		l.ranks[i] = max(l.ranks[i], rank)
	}
}

func (l *logLog) count() int64 {
	sum := 0.0
	for _, rank := range l.ranks {
		sum += math.Ldexp(1, -int(rank))
	}
	const m = 1 << logLogBits
	const alpha = 0.7213 / (1 + 1.079/m)
	return int64(math.Round(alpha * m * m / sum))
}

// append writes the estimate in place of a number of values.
func (l *logLog) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, math.MaxUint64)
	return append(dst, l.ranks[:]...)
}
