package schema

import (
	"github.com/apache/arrow/go/v15/arrow"
)

// A Batch is a set of records in Arrow form, handed from one stage of the pipeline to the next.
type Batch struct {
	arrow.Record
	// Worker is the number of the goroutine that carries the batch. Two batches with the same number are never
	// processed at once, so state per worker needs no lock.
	Worker int
	// Seq numbers the batches of a scan from 0. In an ordered scan it is the batch's position in the input.
	Seq int64
}

// An Emit takes one batch. Batches come from several goroutines at once. The record is valid only until
// Emit returns. An error ends the scan.
type Emit func(Batch) error

// Stats counts what a scan has read. It has more than 12 fields because it is a flat list of counters, and its JSON
// form is public.
type Stats struct {
	Objects   int64 `json:"objects"`
	Bytes     int64 `json:"bytes"`   // as stored, so compressed where it was
	Records   int64 `json:"records"` // well-formed ones: Flows + NoData + SkipData + Other
	Flows     int64 `json:"flows"`   // log-status OK, or none logged
	NoData    int64 `json:"nodata"`
	SkipData  int64 `json:"skipdata"`
	Other     int64 `json:"other_status,omitempty"` // any further log-status
	Malformed int64 `json:"malformed"`              // records that were dropped
	// MalformedValues counts the values that columnar formats dropped; their records count as well-formed.
	MalformedValues int64         `json:"malformed_values,omitempty"`
	Outside         int64         `json:"outside,omitempty"` // records outside --since and --until
	Faults          [Faults]int64 `json:"-"`                 // Malformed and MalformedValues by kind
	Transit         int64         `json:"-"`                 // records in the transit gateway format, those outside the time range included
	// Strange lists the input's columns that are no fields, in the order of the input.
	Strange []string `json:"-"`
	Skimmed []string `json:"-"` // fields with values in records that were counted from file statistics alone
	// Formats is the volume of each input format.
	Formats map[string]Volume `json:"formats,omitempty"`
	Seconds float64           `json:"seconds"`
}

// A Volume counts the objects and records of one input format.
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

// OfTransitGateways reports whether all records are in the transit gateway format. It is false for records that were
// converted to a table of all fields, which does not tell.
func (s Stats) OfTransitGateways() bool { return s.Transit > 0 && s.Transit >= s.Records+s.Outside }

// AddFormats adds the volumes of another scan by input format.
func (s *Stats) AddFormats(t Stats) {
	if s.Formats == nil && len(t.Formats) > 0 {
		s.Formats = make(map[string]Volume, len(t.Formats))
	}
	for name, v := range t.Formats {
		sum := s.Formats[name]
		s.Formats[name] = Volume{Objects: sum.Objects + v.Objects, Records: sum.Records + v.Records}
	}
}

// Add adds the counts of another part of a scan.
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

// union appends to names the elements of more that it lacks.
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
