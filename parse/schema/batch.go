package schema

import (
	"github.com/apache/arrow/go/v15/arrow"
)

// A Batch is some records in Arrow form, on their way from the parser to whoever asked for them.
type Batch struct {
	arrow.Record
	// Worker numbers the goroutine that carries the batch: no two batches with the same number are under
	// way at once, so what is kept per worker needs no lock.
	Worker int
	// Seq numbers the batches of a scan from 0. In an ordered scan it is their place in the input.
	Seq int64
}

// An Emit takes one batch. Batches come from several goroutines at once. The record is valid only until
// Emit returns. An error ends the scan.
type Emit func(Batch) error

// Stats counts what a scan has read.
type Stats struct {
	Objects   int64 `json:"objects"`
	Bytes     int64 `json:"bytes"`   // as stored, so compressed where it was
	Records   int64 `json:"records"` // well-formed ones: Flows + NoData + SkipData + Other
	Flows     int64 `json:"flows"`   // log-status OK, or none logged
	NoData    int64 `json:"nodata"`
	SkipData  int64 `json:"skipdata"`
	Other     int64 `json:"other_status,omitempty"` // any further log-status
	Malformed int64 `json:"malformed"`              // records that were dropped
	// MalformedValues is how many values of formats that are read column by column were dropped, while their records count.
	MalformedValues int64         `json:"malformed_values,omitempty"`
	Outside         int64         `json:"outside,omitempty"` // records outside the time that was asked for
	Faults          [Faults]int64 `json:"-"`                 // Malformed and MalformedValues by kind
	Transit         int64         `json:"-"`                 // records, and those outside the time, in the format of transit gateways
	// Strange has the names of columns that the input has and the table of fields has not, in the order of the input.
	Strange []string `json:"-"`
	Skimmed []string `json:"-"` // fields with values in records that were counted by what the file notes, and not read
	// Formats says how much came in which format.
	Formats map[string]Volume `json:"formats,omitempty"`
	Seconds float64           `json:"seconds"`
}

// A Volume is how much there is of something.
type Volume struct {
	Objects int64 `json:"objects"`
	Records int64 `json:"records"`
}

// Log statuses. Only OK records are flows.
const (
	StatusOK       = "OK"
	StatusNoData   = "NODATA"
	StatusSkipData = "SKIPDATA"
)

// OfTransitGateways reports whether all records are in the format of transit gateways, as far as can be told: what is
// converted to a table of all fields is not.
func (s Stats) OfTransitGateways() bool { return s.Transit > 0 && s.Transit >= s.Records+s.Outside }

// Add adds up what two parts of a scan have read.
func (s *Stats) Add(t Stats) {
	s.Objects += t.Objects
	s.Bytes += t.Bytes
	s.Records += t.Records
	s.Flows += t.Flows
	s.NoData += t.NoData
	s.SkipData += t.SkipData
	s.Other += t.Other
	s.Malformed += t.Malformed
	s.MalformedValues += t.MalformedValues
	s.Outside += t.Outside
	s.Transit += t.Transit
	s.Strange = union(s.Strange, t.Strange)
	s.Skimmed = union(s.Skimmed, t.Skimmed)
	for i := range t.Faults {
		s.Faults[i] += t.Faults[i]
	}
}

// union appends those of more that the names do not have.
func union(names, more []string) []string {
	if len(more) == 0 {
		return names
	}
	seen := make(map[string]bool, len(names)+len(more))
	for _, name := range names {
		seen[name] = true
	}
	for _, name := range more {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}
