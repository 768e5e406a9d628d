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

// A level says what the names of the folders in a folder of flow logs stand for.
type level int

const (
	accounts level = iota
	services
	regions
	dates // years, or months, days, hours, by how much of the date is known
)

// A place is the position of a folder in the folder tree of flow logs. Whether a day has folders for hours shows only in a
// listing of the day: files and hours can lie side by side.
type place struct {
	level
	hive    bool
	account string // "" if it is not known
	date    []int  // year, month, day, hour, as far as they are known
}

// locate returns the place of a folder, which ends in a slash, by its name. It reports false if the name does not fit the
// layout of flow logs.
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

// treeOf returns the topmost folder of flow logs that holds a key. It looks below the first n bytes of the key.
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

// chosen reports whether a folder's name is one of those asked for; an empty list stands for any. A name that is not chosen
// is noted.
func (s *Source) chosen(names []string, name string, left func(*parse.Unchosen) *map[string]int64) bool {
	if len(names) == 0 || slices.Contains(names, name) {
		return true
	}
	s.notes.Lock()
	defer s.notes.Unlock()
	counts := left(&s.notes.left)
	if *counts == nil {
		*counts = make(map[string]int64)
	}
	(*counts)[name] += 0 // the folder is not listed, so its objects are not counted
	return false
}

func leftAccount(l *parse.Unchosen) *map[string]int64 { return &l.Accounts }

func leftRegion(l *parse.Unchosen) *map[string]int64 { return &l.Regions }

// overlaps reports whether a folder can hold a record of the filter's time. If not, the time of the folder is noted.
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

// below searches the chosen objects in a folder of flow logs. It descends as far as the filter distinguishes folders.
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
		// a bucket can hold logs of many services: the folder of flow logs is known without a listing
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

// mostDays is the largest number of days that are listed by their names, without a listing of their parents: that is one
// request for each day, even without objects, against one each for the folders of years and months.
const mostDays = 7

// during searches the part of a folder that can hold records of the filter's time, in the folder of a region, year, month,
// day or hour. It returns nil if that is all of it.
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
			return s.flat(sub, nil) // no date: the names of its objects decide
		}
		if !s.overlaps(sp) {
			return nil
		}
		return s.below(sp, sub)
	})
}

// covers returns the time of the records in a folder. At least its year must be known.
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

// all reports whether the filter chooses every object of a time, that is the first and the last one.
func (s *Source) all(k parse.Key) bool {
	const file = 5 * time.Minute
	f := s.opt.Filter
	return f.During(parse.Key{Time: k.Time, Span: file}) && f.During(parse.Key{Time: k.Time.Add(k.Span - file), Span: file})
}

// days returns the days within a place that the filter asks for. It reports false if they are not bounded, or too many.
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

// path returns the folders of the date of p, without its first known parts.
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
