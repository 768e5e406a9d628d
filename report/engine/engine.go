// Package engine defines what runs the remote half of a report, its SQL, on a query engine:
//
//	report.Remote → its SQL → Runner → Result → report.Remote
//
// Each engine has a folder of its own below, with its SDK or driver.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"flowlog/parse/schema"
	"flowlog/report/group"
)

// A Runner runs queries on one engine, one at a time.
type Runner interface {
	// Run starts a query and streams its rows. Cancelling ctx cancels the query on the server, also while rows are read.
	// Errors contain neither passwords nor tokens.
	Run(ctx context.Context, sql string) (Result, error)
	// Stats is what the last query took; it is complete when its Result is closed.
	Stats() Stats
	Close() error
}

// A Result is the result of a query: column names, then rows.
type Result interface {
	Columns() []string
	// Next returns the next row, one value per column: nil, bool, int64, float64 or string; other types come as text. The
	// caller owns the row. After the last row the error is io.EOF.
	Next(ctx context.Context) ([]any, error)
	// Close ends the query, on the server too if it is still running.
	Close() error
}

// Stats is the cost of a query.
type Stats struct {
	Scanned int64         // bytes; -1 if the engine does not say
	Elapsed time.Duration // on the engine
	ID      string        // the engine's ID of the query
	Cost    float64       // US dollars; -1 if unknown
}

// A Denied error is an access error of the engine: credentials are missing or wrong, or a permission is missing.
type Denied struct{ Err error }

func (e *Denied) Error() string      { return e.Err.Error() }
func (e *Denied) Unwrap() error      { return e.Err }
func (e *Denied) AccessDenied() bool { return true }

// A NoColumn error says that the engine's table lacks a field of the report.
type NoColumn struct {
	Field string
	Err   error
}

func (e *NoColumn) Error() string {
	return fmt.Sprintf("the table has no column %s: ask without it, or of a table that has it, as `flowlog sql ddl` makes them", e.Field)
}
func (e *NoColumn) Unwrap() error { return e.Err }

// unresolved matches the error of Trino and Athena for a column that does not exist.
var unresolved = regexp.MustCompile(`(?i)\bcolumn '"?(\w+)"?' cannot be resolved`)

// named turns the error of a query into a NoColumn if a missing column caused it.
func named(err error) error {
	if err == nil {
		return nil
	}
	if m := unresolved.FindStringSubmatch(err.Error()); m != nil {
		if f, ok := schema.Logged().Lookup(m[1]); ok {
			return &NoColumn{f.Name, err}
		}
	}
	return err
}

// Feed runs the remote half of a report and adds its rows to the local half. If the rows do not tell which fields the
// records have, it then runs the queries for these. wrap computes the enriched fields; ran is called after each query.
func Feed(ctx context.Context, r Runner, m *group.Remote, wrap group.Wrap, ran func(Stats)) error {
	_, err := each(ctx, r, m.SQL, m.Width(), func(row []any) error { return m.Add(row, wrap) })
	for err == nil {
		ran(r.Stats())
		var sql string
		if sql, err = m.Doubt(); err != nil || sql == "" {
			break
		}
		var rows int
		if rows, err = each(ctx, r, sql, 0, m.Settle); err == nil && rows != 1 {
			err = fmt.Errorf("the query has one row, and the engine's answer %d", rows)
		}
	}
	return named(err)
}

// Count runs a query whose result is one number.
func Count(ctx context.Context, r Runner, sql string) (n int64, err error) {
	_, err = each(ctx, r, sql, 1, func(row []any) error {
		n, _ = row[0].(int64)
		return nil
	})
	return n, err
}

// each runs a query with so many columns, 0 for any number, and calls the function with each row.
func each(ctx context.Context, r Runner, sql string, columns int, take func(row []any) error) (rows int, err error) {
	res, err := r.Run(ctx, sql)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, res.Close()) }()
	if got := len(res.Columns()); columns > 0 && got != columns {
		return 0, fmt.Errorf("the query has %d columns, and the engine's answer %d", columns, got)
	}
	for {
		row, err := res.Next(ctx)
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		if err := take(row); err != nil {
			return rows, err
		}
		rows++
	}
}
