package group

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/sql"
)

// A Remote is the half of a split report that is computed here. What each group of the engine has come to is taken in as
// the states of an Aggregator, which looks up what only flowlog knows, groups again, ranks and adds up.
//
//	Split → SQL → engine → rows → Add → Table
type Remote struct {
	*sql.Split
	agg   *Aggregator
	doubt *doubt // where the rows do not tell what is logged
	flows int64
	skips int64 // SKIPDATA records, if the report counts them
	batch *remoteBatch
	own   map[string]arrow.Array // the columns of the batch that is being taken in
	emit  schema.Emit            // looks up what is local
}

// NewRemote makes what takes in the rows of the query.
func NewRemote(s *sql.Split) (*Remote, error) {
	m := &Remote{Split: s, doubt: newDoubt(s)}
	var err error
	if m.agg, err = newAggregator(s.Source.Fields, []report.Report{s.Here()}, 1, true); err != nil {
		return nil, err
	}
	wanted := s.Report.Aggregates()
	for i, b := range m.agg.workers[0].groupings[0].accs {
		if i >= len(wanted) || b.Func != wanted[i].Func || b.Field != wanted[i].Field {
			return nil, fmt.Errorf("%s: the query has other aggregates than the report", s.Report.Name)
		}
	}
	m.batch = m.newBatch()
	return m, nil
}
