// Package s3 reads objects of Amazon S3, and of servers that speak its protocol, and writes them: see Folder. The AWS
// SDK stays in here.
//
//	URL → layout → the prefixes of the days and hours asked for → pages of keys → objects → ranges of bytes
//
// Everything that waits for the network runs ahead of its reader: listings page by page and several prefixes
// at a time, the objects that come next, the next part of a large object.
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

// notes are what a listing came upon and did not take.
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

// Source returns the objects that a URL names: a bucket, a prefix, an object, or a glob with *, ?, [], {}
// and **, as s3://bucket/path. A path without a slash at its end is an object of that name, else the folder,
// else all keys that begin so. Of a path above AWSLogs/ only what is below AWSLogs/ is read.
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

// Objects lists the objects in the order of their keys. Reading of them begins ahead of time when the first
// one is opened, so a caller that lists while it reads does not wait for S3.
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

// plain is an object that cannot be opened.
func (s *Source) plain(o *object) parse.Object {
	return parse.Object{Name: o.name(), Size: o.size, Version: o.version, Found: o.key != s.path}
}

// Planned is an object that would be read, and by how many requests. For large Parquet objects that is a lower
// bound: it depends on the columns.
type Planned struct {
	parse.Object
	Requests int

	object *object
}

// Ahead returns a function that makes planned objects ready to be opened, in the order in which it is given them:
// it fetches the next ones ahead of time as Objects does, until ctx ends.
func (c *Client) Ahead(ctx context.Context) func(Planned) parse.Object {
	a := &ahead{ctx: ctx, most: c.opt.Concurrency}
	return func(p Planned) parse.Object {
		p.Open = a.add(p.object)
		return p.Object
	}
}

// Plan lists the objects like Objects, for those who do not mean to read them now. The requests that this
// itself takes are in Stats.
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

// Skipped returns what lies beside AWSLogs/ and was therefore not read, as far as the last listing came upon it.
func (s *Source) Skipped() []string {
	n := s.lastNotes()
	n.Lock()
	defer n.Unlock()
	return slices.Clone(n.skipped)
}

// Miscounted reports whether the server said of a page of a listing, also when asked again, that it has another number
// of objects than it lists.
func (c *Client) Miscounted() bool { return c.miscounted.Load() }

// PassedOver are the datasets below the path that the last listing came upon.
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

// Unchosen returns what the filter left out, as far as the last listing came upon it. Folders that cannot hold what was
// asked for are not listed: what is in them is not counted, and often nobody knows of them.
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

// forListing returns the source for one listing, with notes of its own: what an earlier one still finds is not counted.
func (s *Source) forListing() *Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = new(notes)
	return &Source{Client: s.Client, url: s.url, bucket: s.bucket, path: s.path, notes: s.notes}
}

// passedOver reports whether the filter left out anything for another reason than its time.
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

// lists is how many prefixes are listed at a time. Each waits for its reader with two pages of a thousand
// keys, so this is also a bound of memory.
const lists = 16

// enough is how many objects are taken in before the reader gets to them.
const enough = 10_000

// found is a piece of a listing: objects, a search that will find more in their place, or an error with the
// name of what could not be listed.
type found struct {
	objects []*object
	search  *search
	name    string
	err     error
	failed  *search // with err
}

// search finds out, by requests, what belongs in its place in a listing.
type search struct {
	name  string // what is listed
	run   func(ctx context.Context, emit func(...found)) error
	pages chan []found // nil until it is begun
}

// begin runs the search. It ends with ctx even if nobody reads its pages.
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
			line = s.take(ctx, line)
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
		// that nothing is left by the filter is for the caller to say, who knows of the other sources
		if !seen && ctx.Err() == nil && !s.opt.Filter.Timed() && !s.passedOver() {
			yield(&object{Client: s.Client, bucket: s.bucket, key: s.path}, errNothing)
		}
	}
}

// take begins the searches that come next in the line, and puts in their place what they have found so far.
func (s *Source) take(ctx context.Context, line []found) []found {
	running, objects := 0, 0
	for i := 0; i < len(line) && running < lists; {
		q := line[i].search
		if q == nil {
			objects += len(line[i].objects)
			i++
			continue
		}
		if q.pages == nil {
			q.begin(ctx)
		}
		if objects < enough {
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
