// Package render writes what flowlog found, in any of THE output formats: finished reports, and records as
// they are parsed.
//
//	report.Table → Format.Tables → io.Writer
//	schema.Batch → Format.Records → RecordWriter → io.Writer
//
// All text in it was chosen by whoever sent the traffic or tagged the instance. No format lets it pass for
// anything but text: not for terminal escapes, formulas, links, markup or the end of a line.
package render

import (
	"fmt"
	"io"
	"time"

	"flowlog/parse/schema"
	"flowlog/report"
)

// A Document is what a run of `flowlog report` found.
type Document struct {
	Tables []report.Table
	Input  schema.Stats
	// Settings are those that all tables have in common.
	Settings []report.Setting
	// Covered is the time that the records cover, from the first start to the last end; zero if nobody knows.
	Covered [2]time.Time
	// Queries are what the reports took that an engine computed, in place of Input: flowlog read nothing.
	Queries []Query
}

// A Query is one that an engine ran for a report.
type Query struct {
	Report  string   `json:"report"`
	Engine  string   `json:"engine"`
	ID      string   `json:"id,omitempty"`
	Bytes   *int64   `json:"bytes,omitempty"` // that it read; nil if unknown
	Seconds float64  `json:"seconds"`
	Dollars *float64 `json:"dollars,omitempty"` // nil if unknown
}

// Options are what a user may choose about the look of an output. The formats for people heed them, the
// others have one form only.
type Options struct {
	Raw      bool           // plain numbers in tables
	Zone     *time.Location // of times in tables; nil is UTC, as everywhere else
	Color    bool           // emphasis by terminal escapes
	Terminal bool           // somebody reads the output on a terminal, so csv escapes control characters too
	Chart    bool           // tables are drawn
	Width    int            // columns of the terminal that tables are for; 0 if there is none, or nobody knows
	ASCII    bool           // charts are drawn with characters that every terminal has
}

func (o Options) zone() *time.Location {
	if o.Zone == nil {
		return time.UTC
	}
	return o.Zone
}

// A RecordWriter writes the batches of a scan in the order of their Seq, which count up from 0 without a
// gap. Close ends the output, but does not close what it is written to.
type RecordWriter interface {
	// Add is a schema.Emit: it may be called concurrently, and it returns once the batch may be reused. It
	// waits for the batches before it, each of which must come in some other call. After an error every
	// call returns that error.
	Add(schema.Batch) error
	// Close must follow the last Add. Called while an Add still waits, because the scan has ended early, it
	// makes that Add return an error.
	Close() error
}

// A Noter is a RecordWriter of a format with room for what is no record.
type Noter interface {
	// Note keeps a value under a key. It must be called before Close, when no Add is under way.
	Note(key, value string)
}

// single returns the report of a document for a format that has room for one. Commands refuse others before, with a hint.
func single(format string, doc Document) (report.Table, error) {
	if len(doc.Tables) != 1 {
		return report.Table{}, fmt.Errorf("%s holds one report, not %d", format, len(doc.Tables))
	}
	return doc.Tables[0], nil
}

// none is the RecordWriter of a run whose statistics alone matter.
type none struct{}

func (none) Add(schema.Batch) error { return nil }
func (none) Close() error           { return nil }

func noReports(io.Writer, Document, Options) error { return nil }

func noRecords(io.Writer, schema.Table, Options) (RecordWriter, error) { return none{}, nil }
