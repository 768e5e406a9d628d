package s3

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"flowlog/parse"
)

// A listing is the parameters of a request to list.
type listing struct {
	prefix string
	folder bool   // one level only: what is deeper comes as prefixes
	after  string // only keys after this one
	most   int32  // keys of a page; 0 means as many as the server gives
}

// A page is the result of a request to list. Keys and prefixes are sorted.
type page struct {
	keys     []types.Object
	prefixes []types.CommonPrefix
	last     bool
}

// pages requests page after page of a listing, until do returns false. Its errors are those of parse.ListingError.
func (s *Source) pages(ctx context.Context, l listing, do func(page) bool) error {
	in := &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &l.prefix, RequestPayer: s.payer}
	if l.folder {
		slash := "/"
		in.Delimiter = &slash
	}
	if l.after != "" {
		in.StartAfter = &l.after
	}
	if l.most > 0 {
		in.MaxKeys = &l.most
	}
	for {
		out, err := s.listPage(ctx, in)
		if err != nil {
			return &parse.ListingError{Err: err}
		}
		p := page{out.Contents, out.CommonPrefixes, !*out.IsTruncated}
		s.count.listed.Add(int64(len(p.keys)))
		if !do(p) || p.last {
			return nil
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}

// firstPage lists one page.
func (s *Source) firstPage(ctx context.Context, l listing) (page, error) {
	var first page
	err := s.pages(ctx, l, func(p page) bool {
		first = p
		return false
	})
	return first, err
}

// object returns the object of a listed key. It is nil if the key is none, or if the filter does not choose it, which is
// counted.
func (s *Source) object(k types.Object, match func(key string) bool) *object {
	o := s.listed(k, match)
	if o == nil {
		return nil
	}
	if s.opt.Filter.Keep(o.key) {
		return o
	}
	s.notes.Lock()
	defer s.notes.Unlock()
	s.opt.Filter.Choose(o.key, &s.notes.left)
	s.count.pruned.Add(1)
	return nil
}

// listed returns the object of a listed key, or nil for the mark of a folder, for a key of a dataset below the path, and
// for a key that does not match.
func (s *Source) listed(k types.Object, match func(key string) bool) *object {
	o := &object{Client: s.Client, bucket: s.bucket}
	if k.Key != nil {
		o.key = *k.Key
	}
	if k.Size != nil {
		o.size = *k.Size
	}
	if k.ETag != nil {
		o.version = *k.ETag
	}
	if o.size == 0 && strings.HasSuffix(o.key, "/") {
		return nil // the S3 console marks folders like this
	}
	if s.inDataset(o.key) {
		return nil
	}
	if match != nil && !match(o.key) {
		return nil
	}
	return o
}

// objects returns the objects of the keys that the filter chooses.
func (s *Source) objects(keys []types.Object, match func(key string) bool) found {
	var f found
	for _, k := range keys {
		if o := s.object(k, match); o != nil {
			f.objects = append(f.objects, o)
		}
	}
	return f
}

// flat searches everything under a prefix.
func (s *Source) flat(prefix string, match func(key string) bool) *search {
	return &search{name: prefix, run: func(ctx context.Context, emit func(...found)) error {
		return s.pages(ctx, listing{prefix: prefix}, func(p page) bool {
			emit(s.objects(p.keys, match))
			return ctx.Err() == nil
		})
	}}
}

// folder searches one level: its objects, and its folders by the search that below returns for each, nil for a folder that
// is left out.
func (s *Source) folder(prefix string, match func(key string) bool, below func(folder, name string) *search) *search {
	return &search{name: prefix, run: func(ctx context.Context, emit func(...found)) error {
		last := ""
		once := func(folder, name string) *search {
			if folder == last { // some servers say it again on the next page
				return nil
			}
			last = folder
			return below(folder, name)
		}
		return s.pages(ctx, listing{prefix: prefix, folder: true}, func(p page) bool {
			emit(s.merge(p, match, once)...)
			return ctx.Err() == nil
		})
	}}
}

// merge returns the keys and the folders of a page in one order.
func (s *Source) merge(p page, match func(key string) bool, below func(folder, name string) *search) []found {
	var all []found
	for _, f := range p.prefixes {
		if f.Prefix == nil {
			continue
		}
		n := 0
		for n < len(p.keys) && p.keys[n].Key != nil && *p.keys[n].Key < *f.Prefix {
			n++
		}
		all = append(all, s.objects(p.keys[:n], match))
		p.keys = p.keys[n:]
		if q := below(*f.Prefix, lastName(*f.Prefix)); q != nil {
			all = append(all, found{search: q})
		}
	}
	return append(all, s.objects(p.keys, match))
}

// lastName returns the name of a folder without what it is in: c of a/b/c/.
func lastName(folder string) string {
	folder = strings.TrimSuffix(folder, "/")
	return folder[strings.LastIndexByte(folder, '/')+1:]
}
