// Package s3 reads objects of Amazon S3, and of servers that speak its protocol, and writes them: see Folder. The AWS
// SDK stays in here.
//
//	URL → layout → the prefixes of the days and hours asked for → pages of keys → objects → ranges of bytes
//
// Everything that waits for the network runs ahead of its reader: listings page by page and several prefixes
// at a time, the objects that come next, the next part of a large object.
//
// Files, each uses only those above it:
//
//	client.go      the connection: configuration, credentials, counts
//	errors.go      errors of the SDK in flowlog's words
//	retry.go       attempts, waits, regions
//	read.go        an object from front to back, part by part
//	readat.go      an object anywhere, range by range
//	ahead.go       the objects that come next
//	s3.go          what a URL names, listed
//	listpage.go    one page of a listing
//	pages.go       a listing page by page, and its objects
//	layout.go      the folders of flow logs
//	list.go        what a path without a pattern names
//	glob.go        what a pattern names
//	span.go        the first and the last day that there is
//	write.go       files that are written
package s3

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"flowlog/parse"
)

// A Source is the objects of a bucket that a URL names. It is a parse.Source.
type Source struct {
	*Client
	url    string
	bucket string
	path   string // of the URL, without a slash before it

	mu    sync.Mutex
	notes *notes // of the listing that began last
}

// notes collect what a listing found and left out.
type notes struct {
	sync.Mutex
	skipped  []string
	left     parse.Unchosen
	datasets []string // below the path, which are inputs of their own
}

var _ parse.Source = (*Source)(nil)

// New connects to S3 for one URL. See Connect and Source.
func New(ctx context.Context, url string, opt Options) (*Source, error) {
	c, err := Connect(ctx, opt)
	if err != nil {
		return nil, err
	}
	return c.Source(url)
}

// Source returns the objects that a URL names: a bucket, a prefix, an object, or a glob with *, ?, [], {} and **, as
// s3://bucket/path. A path without a slash at its end names an object, else a folder, else a prefix of keys, whichever
// there is. If a folder holds AWSLogs/, only the objects below that are listed.
func (c *Client) Source(url string) (*Source, error) {
	rest, ok := strings.CutPrefix(url, "s3://")
	bucket, path, _ := strings.Cut(rest, "/")
	switch {
	case !ok || bucket == "":
		return nil, fmt.Errorf("%q is not the URL of a bucket: write s3://bucket or s3://bucket/prefix", url)
	case strings.HasPrefix(bucket, "arn:"):
		return nil, fmt.Errorf("%q: write the alias of the access point in place of its ARN", url)
	case strings.ContainsAny(bucket, `*?[]{}\ :`):
		return nil, fmt.Errorf("%q is not the name of a bucket: a glob is for keys only", bucket)
	}
	return &Source{Client: c, url: url, bucket: bucket, path: path, notes: new(notes)}, nil
}

// Objects lists the objects in the order of their keys. From the first Open on, the next objects are fetched ahead, so a
// caller that lists while it reads does not wait for S3.
func (s *Source) Objects(ctx context.Context) iter.Seq2[parse.Object, error] {
	return func(yield func(parse.Object, error) bool) {
		a := &ahead{ctx: ctx, most: s.opt.Concurrency}
		for o, err := range s.list(ctx) {
			out := s.plain(o)
			if err == nil {
				out.Open = a.add(o)
			}
			if !yield(out, err) {
				return
			}
		}
	}
}

// plain is the description of an object, without Open.
func (s *Source) plain(o *object) parse.Object {
	return parse.Object{Name: o.name(), Size: o.size, Version: o.version, Found: o.key != s.path}
}

// A Planned object is one that a scan would read, with the number of requests that this takes. For large Parquet objects
// the number is a lower bound, since it depends on the columns.
type Planned struct {
	parse.Object
	Requests int

	object *object
}

// Ahead returns a function that adds Open to planned objects. The objects that were passed to it next are fetched ahead, as
// by Objects, until ctx ends.
func (c *Client) Ahead(ctx context.Context) func(Planned) parse.Object {
	a := &ahead{ctx: ctx, most: c.opt.Concurrency}
	return func(p Planned) parse.Object {
		p.Open = a.add(p.object)
		return p.Object
	}
}

// Plan lists the objects like Objects, without preparing to read them. Stats counts the requests of the listing.
func (s *Source) Plan(ctx context.Context) iter.Seq2[Planned, error] {
	return func(yield func(Planned, error) bool) {
		for o, err := range s.list(ctx) {
			p := Planned{Object: s.plain(o)}
			if err == nil {
				p.Requests, p.object = o.requests(), o
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// Skipped returns the objects and folders beside AWSLogs/ that the last listing found, and did not read.
func (s *Source) Skipped() []string {
	n := s.lastNotes()
	n.Lock()
	defer n.Unlock()
	return slices.Clone(n.skipped)
}

// Miscounted reports whether the KeyCount of some page of a listing differed from its number of keys, also in the second
// answer.
func (c *Client) Miscounted() bool { return c.miscounted.Load() }

// PassedOver returns the datasets below the path that the last listing left out.
func (s *Source) PassedOver() []parse.PassedOver {
	n := s.lastNotes()
	n.Lock()
	defer n.Unlock()
	var out []parse.PassedOver
	for _, root := range n.datasets {
		out = append(out, parse.NestedDataset("s3://"+s.bucket+"/"+root))
	}
	return out
}

// inDataset reports whether a key is in the manifest of a dataset, or in a dataset below the path, whose manifest comes
// first in a listing: the folders of keys have names in lower case, which sort behind it.
func (s *Source) inDataset(key string) bool {
	n := s.notes
	n.Lock()
	defer n.Unlock()
	if root, ok := parse.InManifest(key); ok {
		if root != "" && !parse.Names(s.path, root) && !slices.Contains(n.datasets, root) {
			n.datasets = append(n.datasets, root)
		}
		return true
	}
	return slices.ContainsFunc(n.datasets, func(root string) bool { return strings.HasPrefix(key, root+"/") })
}

// Unchosen counts what the filter left out of the last listing. A folder that the filter excludes is not listed, so its
// objects are not counted.
func (s *Source) Unchosen() parse.Unchosen {
	n := s.lastNotes()
	n.Lock()
	defer n.Unlock()
	return n.left.Clone()
}

func (s *Source) lastNotes() *notes {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notes
}

// forListing returns the source for one listing, with notes of its own: an earlier listing that still runs does not add to
// them.
func (s *Source) forListing() *Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = new(notes)
	return &Source{Client: s.Client, url: s.url, bucket: s.bucket, path: s.path, notes: s.notes}
}

// passedOver reports whether the filter left out anything by service, account, region or flow log.
func (s *Source) passedOver() bool {
	left := s.Unchosen()
	return len(left.Services)+len(left.Accounts)+len(left.Regions)+len(left.FlowLogs) > 0
}

func (n *notes) skip(bucket string, names []string) {
	n.Lock()
	defer n.Unlock()
	for _, name := range names {
		if name = "s3://" + bucket + "/" + name; !slices.Contains(n.skipped, name) {
			n.skipped = append(n.skipped, name)
		}
	}
}

// maxListings is the number of prefixes that are listed at a time. Each buffers two pages of a thousand keys, so this also bounds
// the memory.
const maxListings = 16

// listedAhead is the number of objects that are listed before the reader asks for them.
const listedAhead = 10_000

// found is a piece of a listing: objects, a search whose results replace it, or an error with the name of what could not be
// listed.
type found struct {
	objects []*object
	search  *search
	name    string
	err     error
	failed  *search // the one that ended with err
}

// A search lists a part of a bucket. Its results replace it in the listing.
type search struct {
	name  string // the prefix, in errors
	run   func(ctx context.Context, emit func(...found)) error
	pages chan []found // nil before begin
}

// begin runs the search in a goroutine, which ends with ctx even if nobody reads its pages.
func (q *search) begin(ctx context.Context) {
	q.pages = make(chan []found, 1)
	go func() {
		defer close(q.pages)
		emit := func(f ...found) {
			select {
			case q.pages <- f:
			case <-ctx.Done():
			}
		}
		if err := q.run(ctx, emit); err != nil && ctx.Err() == nil {
			emit(found{name: q.name, err: err, failed: q})
		}
	}()
}

var errNothing = errors.New("there are no objects with this name or prefix: `aws s3 ls` shows what there is")

// list yields the objects of the source. With an error comes an object that has only a name.
func (s *Source) list(ctx context.Context) iter.Seq2[*object, error] {
	return func(yield func(*object, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		s := s.forListing()
		seen := false
		line := []found{{search: s.root()}}
		for len(line) > 0 {
			line = s.advance(ctx, line)
			if len(line) == 0 {
				break
			}
			switch f := line[0]; {
			case f.search != nil:
				select {
				case page, ok := <-f.search.pages:
					if !ok {
						line = line[1:]
					} else {
						line = append(page, line...)
					}
				case <-ctx.Done():
					return
				}
			case f.err != nil:
				seen = true
				line = line[1:]
				last := final(f.err)
				if last && slices.ContainsFunc(line, func(g found) bool { return g.search == nil || g.search != f.failed }) {
					f.err = fmt.Errorf("%w; nothing after it was listed", f.err)
				}
				if !yield(&object{Client: s.Client, bucket: s.bucket, key: f.name}, f.err) || last {
					return
				}
			default:
				for _, o := range f.objects {
					seen = true
					if ctx.Err() != nil || !yield(o, nil) {
						return
					}
				}
				line = line[1:]
			}
		}
		// an input that the filter leaves empty is reported by the caller, which knows the other sources
		if !seen && ctx.Err() == nil && !s.opt.Filter.Timed() && !s.passedOver() {
			yield(&object{Client: s.Client, bucket: s.bucket, key: s.path}, errNothing)
		}
	}
}

// advance starts the next searches of the line, and replaces searches by the results that they have so far.
func (s *Source) advance(ctx context.Context, line []found) []found {
	running, objects := 0, 0
	for i := 0; i < len(line) && running < maxListings; {
		q := line[i].search
		if q == nil {
			objects += len(line[i].objects)
			i++
			continue
		}
		if q.pages == nil {
			q.begin(ctx)
		}
		if objects < listedAhead {
			select {
			case page, ok := <-q.pages:
				if ok {
					line = slices.Insert(line, i, page...)
				} else {
					line = slices.Delete(line, i, i+1)
				}
				continue
			default:
			}
		}
		running++
		i++
	}
	return line
}
