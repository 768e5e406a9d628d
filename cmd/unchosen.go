package cmd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"flowlog/parse"
	"flowlog/parse/s3"
)

// nothingError ends a command of whose input no record is left: by the time, accounts, regions or flow logs that were
// asked for.
type nothingError struct{ text string }

func (e nothingError) Error() string { return e.text }

// chooses reports whether an object is to be read, by its name. If not, it is counted.
func (r *reader) chooses(name string) bool {
	_, ok := r.opt.Keys.Choose(name, &r.stats.Unchosen)
	return ok
}

// gather brings together what all sources left out. If they have found nothing of the time asked for, it asks S3 which
// time there is.
func (r *reader) gather(ctx context.Context, found bool) {
	if !found {
		r.none.empty = r.emptyDataset(ctx)
	}
	for _, src := range r.from.sources {
		remote, ok := src.(*s3.Source)
		if !ok {
			continue
		}
		left := &r.stats.Unchosen
		left.Merge(remote.Unchosen())
		if found || len(r.stats.Failed) > 0 || !r.opt.Keys.Timed() || !left.From.IsZero() || ctx.Err() != nil {
			continue
		}
		// it is only for a message: what goes wrong here leaves that shorter
		if from, to, err := remote.Span(ctx); err == nil && !from.IsZero() {
			left.Cover(parse.Key{Time: from, Span: to.Sub(from)})
		}
	}
}

// anyUnchosen reports whether the filters left out any object, as far as is known.
func (r *reader) anyUnchosen() bool {
	l := r.stats.Unchosen
	return l.Timed > 0 || !l.From.IsZero() || len(l.Accounts)+len(l.Regions)+len(l.FlowLogs) > 0
}

// nothing is the error that no record is left, or nil.
func (r *reader) nothing() error {
	s := r.stats
	unread := s.Objects == 0 && !r.opt.Keys.All()
	if s.Records > 0 || r.none.done || s.Outside == 0 && !r.anyUnchosen() && !unread {
		return nil
	}
	text := "no record is left"
	if r.none.asked != "" {
		text += " that ends " + r.none.asked
	}
	reasons := append(r.otherTimes(), r.otherNames()...)
	if s.Malformed > 0 {
		reasons = append(reasons, count(s.Malformed, "malformed record"))
	}
	if other := r.otherServices(); other != "" {
		reasons = append(reasons, other)
	}
	if reasons == nil {
		reasons = []string{"there are no objects that could have one"}
	}
	return nothingError{text + ": " + strings.Join(reasons, "; ")}
}

// otherTimes says what time the records and objects are of that were left out for it.
func (r *reader) otherTimes() []string {
	var reasons []string
	s := r.stats
	switch ends := s.OutsideEnds; {
	case s.Outside > 0 && ends.Known:
		reasons = append(reasons, fmt.Sprintf("%s read, which %s %s", count(s.Outside, "record"), either(s.Outside, "ends", "end"), r.between(time.Unix(ends.First, 0), time.Unix(ends.Last, 0))))
	case s.Outside > 0:
		reasons = append(reasons, fmt.Sprintf("%s read, without an end", count(s.Outside, "record")))
	}
	switch l := s.Unchosen; {
	case l.Timed > 0:
		reasons = append(reasons, fmt.Sprintf("%s not read, whose %s %s to %s", count(l.Timed, "object"), either(l.Timed, "name says", "names say"), r.clock(l.From), r.clock(l.To)))
	case !l.From.IsZero():
		reasons = append(reasons, fmt.Sprintf("there are folders of %s to %s", r.clock(l.From), r.clock(l.To)))
	}
	return reasons
}

// either chooses the word for one thing or for any other number of them.
func either(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// between says a span of time in the zone of --tz.
func (r *reader) between(from, to time.Time) string {
	a, b := r.clock(from), r.clock(to)
	if a == b {
		return "at " + a
	}
	return "between " + a + " and " + b
}

// clock is a time as messages have it.
func (r *reader) clock(t time.Time) string {
	form := "2006-01-02 15:04 MST"
	if t.Second() != 0 {
		form = "2006-01-02 15:04:05 MST"
	}
	return t.In(r.zone).Format(form)
}

// keyPart is a part of the names of objects that a flag chooses by.
type keyPart struct {
	thing, plural, flag string
	field               string // of the records, "" if there only the name tells
	asked               []string
	left                map[string]int64
}

func (r *reader) keyParts() []keyPart {
	l, keys := r.stats.Unchosen, r.opt.Keys
	return []keyPart{
		{"account", "accounts", "account", "account_id", keys.Accounts, l.Accounts},
		{"region", "regions", "region-filter", "region", keys.Regions, l.Regions},
		{"flow log", "flow logs", "flow-log", "", keys.FlowLogs, l.FlowLogs},
	}
}

// shownNames is how many names of things a message has.
const shownNames = 5

// otherNames says which accounts, regions and flow logs there are beside those asked for, and how to ask the records
// where the names of objects do not tell.
func (r *reader) otherNames() []string {
	var reasons []string
	for _, n := range r.keyParts() {
		if untold := n.left[""]; untold > 0 {
			reason := fmt.Sprintf("%s not read, whose name does not tell the %s", count(untold, "object"), n.thing)
			if n.field != "" {
				value := "= " + n.asked[0]
				if len(n.asked) > 1 {
					value = "in (" + strings.Join(n.asked, ", ") + ")"
				}
				reason += fmt.Sprintf(" (in place of --%s, --where '%s %s' asks the records)", n.flag, n.field, value)
			}
			reasons = append(reasons, reason)
		}
		others, objects := make([]string, 0, len(n.left)), int64(0)
		for _, name := range slices.Sorted(maps.Keys(n.left)) {
			if name != "" {
				others = append(others, name)
				objects += n.left[name]
			}
		}
		if len(others) == 0 {
			continue
		}
		what := n.thing
		if len(others) > 1 {
			what = n.plural
		}
		reason := fmt.Sprintf("not read, of the %s %s", what, few(others))
		if objects > 0 {
			reason = count(objects, "object") + " " + reason
		} else {
			reason = "folders " + reason
		}
		reasons = append(reasons, reason)
	}
	return reasons
}

// few lists some names, and says how many more there are.
func few(names []string) string {
	if more := len(names) - shownNames; more > 0 {
		return strings.Join(names[:shownNames], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// otherServices says how many objects are logs of which other services, "" if there are none.
func (r *reader) otherServices() string {
	services := r.stats.Unchosen.Services
	if len(services) == 0 {
		return ""
	}
	total := int64(0)
	names := slices.SortedFunc(maps.Keys(services), func(a, b string) int {
		if services[a] != services[b] {
			return int(min(max(services[b]-services[a], -1), 1))
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		total += services[name]
		names[i] = fmt.Sprintf("%s %s", humanize.Comma(services[name]), name)
	}
	return fmt.Sprintf("%s not read, since the folders below AWSLogs/ say other services: %s", count(total, "object"), few(names))
}

// unchosen lists for the closing line how many objects were left out, by the reason. "" if none were.
func (r *reader) unchosen() string {
	var parts []string
	if n := r.stats.Unchosen.Timed; n > 0 {
		parts = append(parts, humanize.Comma(n)+" of another time")
	}
	for _, n := range r.keyParts() {
		objects := int64(0)
		for name, of := range n.left {
			if name != "" {
				objects += of
			}
		}
		if objects > 0 {
			parts = append(parts, fmt.Sprintf("%s of another %s", humanize.Comma(objects), n.thing))
		}
		if untold := n.left[""]; untold > 0 {
			parts = append(parts, fmt.Sprintf("%s that do not tell the %s", humanize.Comma(untold), n.thing))
		}
	}
	if parts == nil {
		return ""
	}
	return "objects left out by their names: " + strings.Join(parts, ", ")
}
