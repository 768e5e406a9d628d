package s3

import (
	"context"
	"strings"
	"time"

	"flowlog/parse"
)

// maxSpanRequests is the number of requests that Span makes at most.
const maxSpanRequests = 40

// Span returns the time range of the flow logs below AWSLogs/, by the names of their folders: from the first day to the end
// of the last one, for the accounts and regions that the filter chooses. It makes few requests, and is for callers that
// found nothing of the time asked for. Both times are zero if there are no such folders. If it would take too many
// requests, the range is that of some of the folders.
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
	var found parse.Unchosen
	aside := &Source{Client: s.Client, url: s.url, bucket: s.bucket, path: s.path, notes: new(notes)}
	l := spanSearch{Source: aside, left: maxSpanRequests, found: func(p place) { found.Cover(p.covers()) }}
	err = l.visit(ctx, at, folder)
	return found.From, found.To, err
}

// spanSearch looks for the first and the last day below a folder.
type spanSearch struct {
	*Source
	left  int // requests
	found func(place)
}

// visit looks into the folder of a place.
func (l *spanSearch) visit(ctx context.Context, p place, folder string) error {
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
		return l.visit(ctx, p, folder+name+"/")
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
		if sub, ok := l.child(p, lastName(*f.Prefix)); ok {
			places, folders = append(places, sub), append(folders, *f.Prefix)
		}
	}
	for i := range places {
		if p.level == dates && i > 0 && i < len(places)-1 {
			continue // neither the first nor the last one
		}
		if err := l.visit(ctx, places[i], folders[i]); err != nil {
			return err
		}
	}
	return nil
}

// child returns the place of a folder within that of p, and whether the filter chooses it.
func (l *spanSearch) child(p place, name string) (place, bool) {
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
