// Package render writes finished reports, and streams of records, in THE output formats.
//
//	report.Table → Format.Tables → io.Writer
//	schema.Batch → Format.Records → RecordWriter → io.Writer
//
// Text in reports and records is chosen by whoever sent the traffic or tagged the instance. Every format escapes it, so
// that it never acts as a terminal escape, formula, link, markup or line end.
package render

import (
	"fmt"
	"io"
	"time"

	"flowlog/parse/schema"
	"flowlog/report"
)

// A Document is the result of a run of `flowlog report`.
type Document struct {
	Tables []report.Table
	Input  schema.Stats
	// Settings are those that all tables share.
	Settings []report.Setting
	// Covered is the time that the records cover, from the first start to the last end; zero if unknown.
	Covered [2]time.Time
	// Queries are the queries of reports that an engine computed. They replace Input: flowlog itself read nothing.
	Queries []Query
}

// A Query is one that an engine ran for a report.
type Query struct {
	Report  string   `json:"report"`
	Engine  string   `json:"engine"`
	ID      string   `json:"id,omitempty"`
	Bytes   *int64   `json:"bytes,omitempty"` // bytes scanned; nil if unknown
	Seconds float64  `json:"seconds"`
	Dollars *float64 `json:"dollars,omitempty"` // nil if unknown
}

// Options are the user's choices for formats for people; the other formats ignore them.
type Options struct {
	Raw      bool           // plain numbers in tables
	Zone     *time.Location // of times in tables; nil is UTC, as everywhere else
	Color    bool           // emphasis by terminal escapes
	Terminal bool           // the output is a terminal, so csv escapes control characters too
	Chart    bool           // draw charts
	Width    int            // columns of the terminal; 0 if there is none, or it is unknown
	ASCII    bool           // draw with ASCII characters alone
	Holds    string         // what records are, if not those of flow logs: schema.Connections, schema.ReportRecords
}

func (o Options) zone() *time.Location {
	if o.Zone == nil {
		return time.UTC
	}
	return o.Zone
}

// A RecordWriter writes the batches of a scan in the order of Seq, which counts from 0 without gaps. Close ends the
// output, but does not close the underlying writer.
type RecordWriter interface {
	// Add is a schema.Emit: it may be called concurrently, and it returns once the batch may be reused. It
	// waits for the batches before it, which other calls must add. After an error every
	// call returns that error.
	Add(schema.Batch) error
	// Close must follow the last Add. Called while an Add still waits, because the scan has ended early, it
	// makes that Add return an error.
	Close() error
}

// A Noter is a RecordWriter of a format with metadata.
type Noter interface {
	// Note adds a key and value to the metadata. It must be called before Close, while no Add is running.
	Note(key, value string)
}

// single returns the only report of a document. Commands refuse several for such a format before, with a hint.
func single(format string, doc Document) (report.Table, error) {
	if len(doc.Tables) != 1 {
		return report.Table{}, fmt.Errorf("%s holds one report, not %d", format, len(doc.Tables))
	}
	return doc.Tables[0], nil
}

// none discards records: only the statistics of the scan matter.
type none struct{}

func (none) Add(schema.Batch) error { return nil }
func (none) Close() error           { return nil }

func noReports(io.Writer, Document, Options) error { return nil }

func noRecords(io.Writer, schema.Table, Options) (RecordWriter, error) { return none{}, nil }
