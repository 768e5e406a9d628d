package parse

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// A KeyFilter chooses objects by their names. The zero value chooses all but those of other services, which are never
// chosen: see OtherService.
type KeyFilter struct {
	// Since and Until bound the end of records, half-open; zero is no bound. An object whose name does not
	// have a time is chosen, since its records have one.
	Since, Until time.Time
	// Accounts, Regions and FlowLogs are alternatives; empty means any. An object whose name lacks the part is not chosen.
	Accounts, Regions, FlowLogs []string
}

// Unchosen counts the objects that a KeyFilter did not choose, each for its first reason in the order of the fields. A name
// with a count of 0 is that of a folder that was not listed.
type Unchosen struct {
	Services map[string]int64 // by the AWS service whose logs they are
	Accounts map[string]int64 // by the account that is not among the chosen ones, "" where the name does not tell
	Regions  map[string]int64
	FlowLogs map[string]int64

	// Timed is the number of objects of another time, and From and To the range of the times in their names: half-open, and
	// without the margin for late records.
	Timed    int64
	From, To time.Time
}

// Keep reports whether the object of this name is chosen.
func (f KeyFilter) Keep(name string) bool {
	if f.All() {
		return OtherService(name) == ""
	}
	_, ok := f.Choose(name, nil)
	return ok
}

// Choose returns the key in the name of an object, and whether the object is chosen. If not, it is counted in left.
func (f KeyFilter) Choose(name string, left *Unchosen) (Key, bool) {
	if left == nil {
		left = new(Unchosen)
	}
	k, _ := ParseKey(name)
	if service := OtherService(name); service != "" {
		count(&left.Services, service, 1)
		return k, false
	}
	switch {
	case !among(f.Accounts, k.Account):
		count(&left.Accounts, k.Account, 1)
	case !among(f.Regions, k.Region):
		count(&left.Regions, k.Region, 1)
	case !among(f.FlowLogs, k.FlowLogID):
		count(&left.FlowLogs, k.FlowLogID, 1)
	case !f.During(k):
		left.Timed++
		left.Cover(k)
	default:
		return k, true
	}
	return k, false
}

// All reports whether the filter chooses objects of any account, region, flow log and time.
func (f KeyFilter) All() bool {
	return !f.Timed() && len(f.Accounts)+len(f.Regions)+len(f.FlowLogs) == 0
}

// Timed reports whether the filter has a bound in time.
func (f KeyFilter) Timed() bool { return !f.Since.IsZero() || !f.Until.IsZero() }

// During reports whether the time of k can have a record between Since and Until.
func (f KeyFilter) During(k Key) bool {
	from, to := k.Window()
	if to.IsZero() {
		return true
	}
	return (f.Since.IsZero() || to.After(f.Since)) && (f.Until.IsZero() || from.Before(f.Until))
}

func among(all []string, one string) bool {
	return len(all) == 0 || slices.Contains(all, one)
}

// OtherService returns the AWS service that wrote an object, by the folder below AWSLogs/: CloudTrail,
// elasticloadbalancing, vpcdnsquerylogs. It is "" for VPC flow logs and for objects that may be flow logs. The name of the
// file counts more than its folder.
func OtherService(name string) string {
	if !strings.Contains(name, deliveryRoot) {
		return ""
	}
	segments := strings.Split(strings.ReplaceAll(name, `\`, "/"), "/")
	file, folders := segments[len(segments)-1], segments[:len(segments)-1]
	at := len(folders) - 1
	for at >= 0 && folders[at] != deliveryRoot {
		at--
	}
	if at < 0 {
		return ""
	}
	folders = folders[at+1:]
	if len(folders) > 0 && strings.HasPrefix(folders[0], "o-") { // an organization's, as CloudTrail has it
		folders = folders[1:]
	}
	if len(folders) == 0 || !isAccount(strings.TrimPrefix(folders[0], "aws-account-id=")) {
		return ""
	}
	if len(folders) == 1 {
		if file == "ELBAccessLogTestFile" { // lies there to show that the bucket can be written to
			return "elasticloadbalancing"
		}
		return ""
	}
	service := strings.TrimPrefix(folders[1], "aws-service=")
	_, year := DatePart(0, service)
	if year || isRegion(service) || strings.EqualFold(service, deliveryService) || fileKey(file) != (Key{}) {
		return ""
	}
	return service
}

// Cover extends the time that was left out by that of k.
func (l *Unchosen) Cover(k Key) {
	to := k.Time.Add(k.Span)
	if l.From.IsZero() || k.Time.Before(l.From) {
		l.From = k.Time
	}
	if to.After(l.To) {
		l.To = to
	}
}

// Merge adds the counts of m.
func (l *Unchosen) Merge(m Unchosen) {
	for _, both := range []struct {
		to   *map[string]int64
		from map[string]int64
	}{{&l.Services, m.Services}, {&l.Accounts, m.Accounts}, {&l.Regions, m.Regions}, {&l.FlowLogs, m.FlowLogs}} {
		for name, n := range both.from {
			count(both.to, name, n)
		}
	}
	l.Timed += m.Timed
	if !m.From.IsZero() {
		l.Cover(Key{Time: m.From, Span: m.To.Sub(m.From)})
	}
}

// Clone returns a copy that shares nothing with l.
func (l *Unchosen) Clone() Unchosen {
	c := *l
	for _, counts := range []*map[string]int64{&c.Services, &c.Accounts, &c.Regions, &c.FlowLogs} {
		*counts = maps.Clone(*counts)
	}
	return c
}

func count(counts *map[string]int64, name string, n int64) {
	if *counts == nil {
		*counts = make(map[string]int64)
	}
	(*counts)[name] += n
}
