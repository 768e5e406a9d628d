package s3

import (
	"context"
	"strings"
	"time"

	"flowlog/parse"
)

// mostLooks is how many requests Span makes at most.
const mostLooks = 40

// Span returns the time that flow logs below AWSLogs/ are of, by the names of their folders: from the first day to the
// end of the last one, of the accounts and regions that the filter chooses. It asks for little, and is to be called
// when nothing was found of the time asked for, of which nothing else may be listed. Both are zero where there are no
// such folders, and where it would have to ask for too much, the span is that of some of them.
func (s *Source) Span(ctx context.Context) (from, to time.Time, err error) {
	folder := s.path
	if strings.ContainsAny(folder, "*?[{") {
		return from, to, nil
	}
	if folder != "" && !strings.HasSuffix(folder, "/") {
		folder += "/"
	}
	at, ok := locate(folder)
	if !ok {
		at, folder = place{level: accounts}, folder+deliveryRoot+"/"
	}
	var found parse.LeftOut
	aside := &Source{Client: s.Client, url: s.url, bucket: s.bucket, path: s.path, notes: new(notes)}
	l := looks{Source: aside, left: mostLooks, found: func(p place) { found.Cover(p.covers()) }}
	err = l.into(ctx, at, folder)
	return found.From, found.To, err
}

// looks is a search for the first and last day below a folder.
type looks struct {
	*Source
	left  int // requests
	found func(place)
}

// into looks into the folder of a place.
func (l *looks) into(ctx context.Context, p place, folder string) error {
	switch {
	case len(p.date) == 3: // the hour is not worth a request
		l.found(p)
		return nil
	case p.level == services:
		name := deliveryService
		if p.hive {
			name = hiveService + name
		}
		p.level = regions
		return l.into(ctx, p, folder+name+"/")
	case l.left == 0:
		return nil
	}
	l.left--
	page, err := l.firstPage(ctx, listing{prefix: folder, folder: true})
	if err != nil {
		return err
	}
	var places []place
	var folders []string
	for _, f := range page.prefixes {
		if f.Prefix == nil {
			continue
		}
		if sub, ok := l.next(p, lastName(*f.Prefix)); ok {
			places, folders = append(places, sub), append(folders, *f.Prefix)
		}
	}
	for i := range places {
		if p.level == dates && i > 0 && i < len(places)-1 {
			continue // neither the first nor the last one
		}
		if err := l.into(ctx, places[i], folders[i]); err != nil {
			return err
		}
	}
	return nil
}

// next returns the place of a folder in that of p, and whether it is chosen.
func (l *looks) next(p place, name string) (place, bool) {
	f := l.opt.Filter
	switch p.level {
	case accounts:
		account, hive, ok := accountOf(name)
		return place{level: services, hive: hive, account: account}, ok && l.chosen(f.Accounts, account, leftAccount)
	case regions:
		p.level = dates
		return p, l.chosen(f.Regions, strings.TrimPrefix(name, hiveRegion), leftRegion)
	}
	return p.within(name)
}
