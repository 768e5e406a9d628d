package s3

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"flowlog/parse"
)

// What the folders of flow logs are called. A bucket's owner cannot choose another name for AWSLogs, or use
// that name for something else.
const (
	deliveryRoot    = "AWSLogs"
	deliveryService = "vpcflowlogs" // also of transit gateways
	hiveAccount     = "aws-account-id="
	hiveService     = "aws-service="
	hiveRegion      = "aws-region="
)

// level is what the names in a folder of flow logs are.
type level int

const (
	accounts level = iota
	services
	regions
	dates // years, or months, days, hours, by how much of the date is known
)

// place is where in the folders of flow logs a folder is. Whether a flow log has folders for hours shows only
// when one looks into a day, and both kinds can be there side by side.
type place struct {
	level
	hive    bool
	account string // "" if it is not known
	date    []int  // year, month, day, hour, as far as they are known
}

// locate tells the place of a folder, which ends in a slash, by its name. It reports false if the name does
// not look like one among flow logs.
func locate(folder string) (place, bool) {
	var p place
	names := strings.Split(strings.TrimSuffix(folder, "/"), "/")
	at := len(names) - 1
	for at >= 0 && names[at] != deliveryRoot {
		at--
	}
	if at < 0 { // copied without its root
		at = slices.IndexFunc(names, func(s string) bool { return strings.HasPrefix(s, hiveAccount) })
		if at < 0 {
			at = slices.IndexFunc(names, func(s string) bool { return strings.TrimPrefix(s, hiveService) == deliveryService })
			p.level = services
		}
		if at < 0 {
			return p, false
		}
		at--
	}
	for _, name := range names[at+1:] {
		ok := false
		switch p.level {
		case accounts:
			p.account, p.hive, ok = accountOf(name)
			p.level = services
		case services:
			service, hive := strings.CutPrefix(name, hiveService)
			p.hive = p.hive || hive
			ok = service == deliveryService
			p.level = regions
		case regions:
			ok = true
			p.level = dates
		case dates:
			p, ok = p.within(name)
		}
		if !ok {
			return p, false
		}
	}
	return p, true
}

// within returns the place of a folder of a date.
func (p place) within(name string) (place, bool) {
	if len(p.date) == 4 {
		return p, false
	}
	v, ok := parse.DatePart(len(p.date), name)
	p.date = append(slices.Clone(p.date), v)
	return p, ok
}

func accountOf(name string) (account string, hive, ok bool) {
	account, hive = strings.CutPrefix(name, hiveAccount)
	return account, hive, len(account) == 12 && strings.Trim(account, "0123456789") == ""
}

// treeOf returns the topmost folder of flow logs that a key is in, below the first n bytes of the key.
func treeOf(key string, n int) (folder string, at place, ok bool) {
	if !strings.Contains(key, deliveryRoot+"/") && !strings.Contains(key, deliveryService+"/") && !strings.Contains(key, hiveAccount) {
		return "", place{}, false
	}
	for ; n < len(key); n++ {
		if key[n] != '/' {
			continue
		}
		if at, ok = locate(key[:n+1]); ok {
			return key[:n+1], at, true
		}
	}
	return "", place{}, false
}

// chosen reports whether a folder's name is among those asked for, which is any if there are none. If not, it is noted.
func (s *Source) chosen(names []string, name string, left func(*parse.LeftOut) *map[string]int64) bool {
	if len(names) == 0 || slices.Contains(names, name) {
		return true
	}
	s.notes.Lock()
	defer s.notes.Unlock()
	counts := left(&s.notes.left)
	if *counts == nil {
		*counts = make(map[string]int64)
	}
	(*counts)[name] += 0 // as many as there are in the folder, which nobody lists
	return false
}

func leftAccount(l *parse.LeftOut) *map[string]int64 { return &l.Accounts }

func leftRegion(l *parse.LeftOut) *map[string]int64 { return &l.Regions }

// overlaps reports whether a folder can hold a record of the time that was asked for. If not, its time is noted.
func (s *Source) overlaps(p place) bool {
	k := p.covers()
	if s.opt.Filter.During(k) {
		return true
	}
	s.notes.Lock()
	defer s.notes.Unlock()
	s.notes.left.Cover(k)
	return false
}

// below searches the chosen objects in a folder of flow logs. It goes down as far as the filter tells one
// folder from another.
func (s *Source) below(p place, folder string) *search {
	f := s.opt.Filter
	switch p.level {
	case accounts:
		return s.folder(folder, nil, func(sub, name string) *search {
			account, hive, ok := accountOf(name)
			if !ok || !s.chosen(f.Accounts, account, leftAccount) {
				return nil
			}
			return s.below(place{level: services, hive: hive, account: account}, sub)
		})
	case services:
		// a bucket can hold logs of many services, whose folders need not be listed to know ours
		name := deliveryService
		if p.hive {
			name = hiveService + name
		}
		p.level = regions
		return s.below(p, folder+name+"/")
	case regions:
		if len(f.Regions) == 0 && !f.Timed() {
			break
		}
		return s.folder(folder, nil, func(sub, name string) *search {
			if !s.chosen(f.Regions, strings.TrimPrefix(name, hiveRegion), leftRegion) {
				return nil
			}
			p := p
			p.level = dates
			return s.below(p, sub)
		})
	case dates:
		if q := s.during(p, folder); q != nil {
			return q
		}
	}
	return s.flat(folder, nil)
}

// mostDays is up to how many days are listed by their names without looking which there are. That is one
// request for a day that has no objects, against one each for the folders of years and months.
const mostDays = 7

// during searches what can hold records of the time asked for, in the folder of a region, year, month, day or
// hour. It returns nil if that is everything in there.
func (s *Source) during(p place, folder string) *search {
	f := s.opt.Filter
	known := len(p.date)
	if !f.Timed() || known == 4 || known > 0 && s.all(p.covers()) {
		return nil
	}
	if days, ok := s.days(p); known < 3 && ok {
		return &search{name: folder, run: func(_ context.Context, emit func(...found)) error {
			var out []found
			for _, d := range days {
				out = append(out, found{search: s.below(d, folder+d.path(known))})
			}
			emit(out...)
			return nil
		}}
	}
	return s.folder(folder, nil, func(sub, name string) *search {
		sp, ok := p.within(name)
		if !ok {
			return s.flat(sub, nil) // no date: what is in there shows by its own name
		}
		if !s.overlaps(sp) {
			return nil
		}
		return s.below(sp, sub)
	})
}

// covers returns the time that a folder is about. At least its year must be known.
func (p place) covers() parse.Key {
	d := [4]int{1, 1, 1, 0}
	copy(d[:], p.date)
	from := time.Date(d[0], time.Month(d[1]), d[2], d[3], 0, 0, 0, time.UTC)
	var to time.Time
	switch len(p.date) {
	case 1:
		to = from.AddDate(1, 0, 0)
	case 2:
		to = from.AddDate(0, 1, 0)
	case 3:
		to = from.AddDate(0, 0, 1)
	default:
		to = from.Add(time.Hour)
	}
	return parse.Key{Time: from, Span: to.Sub(from)}
}

// all reports whether every object of the time is chosen: the first and the last one are.
func (s *Source) all(k parse.Key) bool {
	const file = 5 * time.Minute
	f := s.opt.Filter
	return f.During(parse.Key{Time: k.Time, Span: file}) && f.During(parse.Key{Time: k.Time.Add(k.Span - file), Span: file})
}

// days returns the days in a place that the filter asks for, if they are known and few.
func (s *Source) days(p place) ([]place, bool) {
	f := s.opt.Filter
	if f.Since.IsZero() || f.Until.IsZero() || f.Until.Sub(f.Since) > mostDays*24*time.Hour {
		return nil, false
	}
	var days []place
	// the margin of a key can reach into the day before and after
	for d := f.Since.UTC().AddDate(0, 0, -1); !d.After(f.Until.AddDate(0, 0, 1)); d = d.AddDate(0, 0, 1) {
		day := place{level: dates, hive: p.hive, account: p.account, date: []int{d.Year(), int(d.Month()), d.Day()}}
		if slices.Equal(day.date[:len(p.date)], p.date) && f.During(day.covers()) {
			days = append(days, day)
		}
	}
	return days, true
}

// path returns the folders of the date of p after the first known parts.
func (p place) path(known int) string {
	plain, hive := [...]string{"%04d/", "%02d/", "%02d/"}, [...]string{"year=%04d/", "month=%02d/", "day=%02d/"}
	form := plain
	if p.hive {
		form = hive
	}
	s := ""
	for i := known; i < len(p.date); i++ {
		s += fmt.Sprintf(form[i], p.date[i])
	}
	return s
}
