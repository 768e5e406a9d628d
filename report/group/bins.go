package group

import (
	"math"

	"flowlog/report"
	"flowlog/report/calendar"
	"flowlog/report/expr"
)

// observed is the span of the auto time keys seen: of bins of time whose width is left open.
type observed struct{ expr.Span[int64] }

func newObserved() observed { return observed{expr.Span[int64]{Lo: math.MaxInt64, Hi: math.MinInt64}} }

// observe adds those of a worker whose derivations were carried out, and reports whether there are any.
func (o *observed) observe(w *worker) bool {
	open := false
	for _, g := range w.groupings {
		for i, k := range g.keys {
			if k.Every != calendar.Auto {
				continue
			}
			open = true
			c := g.encoders[i].coder
			seen := make([]bool, c.Len())
			_, ids := g.existing()
			for _, code := range g.keyCodes(ids)[i] {
				seen[code] = true
			}
			for code, yes := range seen {
				if yes {
					o.add(c.Value(uint32(code)))
				}
			}
		}
	}
	return open
}

func (o *observed) add(second any) {
	if s, ok := second.(int64); ok {
		o.Lo, o.Hi = min(o.Lo, s), max(o.Hi, s)
	}
}

// chosen is a key with the width of bins that was chosen, if it was left open.
func (o *observed) chosen(k report.Key) report.Key {
	if k.Every == calendar.Auto {
		k.Every, k.Chosen = calendar.Widths[0], true
		if o.Lo <= o.Hi {
			k.Every = calendar.Choose(o.Lo, o.Hi, k.Zone)
		}
	}
	return k
}
