package bill

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"flowlog/enrich/price"
	"flowlog/enrich/price/internal/stream"
)

// explorerHint is how to get what can be read.
const explorerHint = "ask for aws ce get-cost-and-usage --granularity DAILY --metrics UnblendedCost UsageQuantity --group-by Type=DIMENSION,Key=USAGE_TYPE"

// An explorer reads an answer of Cost Explorer's GetCostAndUsage.
type explorer struct {
	*Bill
	groups  int
	keys    []string // of the groups, as they are defined; nil until that is read
	results bool
}

// metric is a sum of Cost Explorer's.
type metric struct{ Amount, Unit string }

// group is a row of a period: the values of what it is grouped by, and metrics.
type group struct {
	Keys    []string
	Metrics map[string]metric
}

func (b *Bill) readExplorer(name string, in *bufio.Reader) error {
	e := &explorer{Bill: b}
	err := stream.Whole(name, in, func(s *stream.JSON, name string) error {
		switch name {
		case "GroupDefinitions":
			var definitions []struct{ Type, Key string }
			if err := s.Value(&definitions); err != nil {
				return err
			}
			e.keys = []string{}
			for _, d := range definitions {
				e.keys = append(e.keys, d.Key)
			}
			return nil
		case "NextPageToken":
			var token string
			if err := s.Value(&token); err != nil {
				return err
			}
			if token != "" {
				b.note("the answer of Cost Explorer has more pages, which are not in the file")
			}
			return nil
		case "ResultsByTime":
			e.results = true
			return s.Array(func() error { return e.period(s) })
		}
		return s.Pass()
	})
	switch {
	case err != nil:
		return err
	case !e.results:
		return fmt.Errorf("%s: is no bill: %s", name, explorerHint)
	case e.groups == 0 || e.keys != nil && !slices.Contains(e.keys, "USAGE_TYPE"):
		return fmt.Errorf("%s: is not grouped by USAGE_TYPE: %s", name, explorerHint)
	}
	return nil
}

// period reads the groups of one period, which may stand before its time.
func (e *explorer) period(s *stream.JSON) error {
	var lines []line
	var span struct{ Start, End string }
	err := s.Object(func(name string) error {
		switch name {
		case "TimePeriod":
			return s.Value(&span)
		case "Estimated":
			var estimated bool
			if err := s.Value(&estimated); err != nil {
				return err
			}
			if estimated {
				e.note("some costs are estimated: AWS may still change them")
			}
			return nil
		case "Groups":
			return s.Array(func() error {
				var g group
				if err := s.Value(&g); err != nil {
					return err
				}
				l, ok, err := e.line(g)
				if ok {
					lines = append(lines, l)
				}
				return err
			})
		}
		return s.Pass()
	})
	if err != nil {
		return err
	}
	for _, l := range lines {
		if err := l.span(span.Start, span.End); err != nil {
			return err
		}
		if err := e.add(l); err != nil {
			return err
		}
	}
	return nil
}

// line makes a line of a group. It is false for one of no traffic.
func (e *explorer) line(g group) (l line, ok bool, err error) {
	e.groups++
	at := slices.IndexFunc(g.Keys, func(k string) bool { _, ok := price.UsageOf(k); return ok })
	if at < 0 {
		return line{}, false, nil
	}
	l.UsageType = g.Keys[at]
	for i, k := range g.Keys {
		if i != at {
			l.Product = k // the other dimension: SERVICE
		}
	}
	cost, has := g.Metrics["UnblendedCost"]
	amount, counted := g.Metrics["UsageQuantity"]
	if !has || !counted {
		return l, false, fmt.Errorf("has %s, and not both UnblendedCost and UsageQuantity: %s", strings.Join(slices.Sorted(maps.Keys(g.Metrics)), ", "), explorerHint)
	}
	var others []string
	for name := range g.Metrics {
		if strings.HasSuffix(name, "Cost") && name != "UnblendedCost" {
			others = append(others, name)
		}
	}
	e.otherCosts(others)
	l.cost, l.currency, l.amount, l.unit = cost.Amount, cost.Unit, amount.Amount, amount.Unit
	if l.currency == "" {
		return l, false, errors.New("a cost without a unit")
	}
	return l, true, nil
}
