package s3

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"flowlog/parse"
	"flowlog/parse/aws"
)

// listing says what to list.
type listing struct {
	prefix string
	folder bool   // one level only: what is deeper comes as prefixes
	after  string // only keys after this one
	most   int32  // keys of a page; 0 means as many as the server gives
}

// page is what a request to list returns. Both are in their order.
type page struct {
	keys     []types.Object
	prefixes []types.CommonPrefix
	last     bool
}

// pages lists page by page, until do returns false. Its errors are those of parse.ListingError.
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

// object returns the object of a listed key, or nil if it is none or is not chosen, which is counted.
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

// listed returns the object of a listed key, or nil if it is none or does not match.
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

// objects returns those of the keys that are chosen.
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

// folder searches one level: objects, and folders in which below searches on, nil for those that are none of
// our business.
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

// merge puts the keys and folders of a page in one order.
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

// root searches what the URL names.
func (s *Source) root() *search {
	switch {
	case strings.ContainsAny(s.path, "*?[{"):
		return s.glob("", s.path)
	case s.path == "" || strings.HasSuffix(s.path, "/"):
		return s.inside(s.path)
	}
	return s.named(s.path)
}

// named searches the object of this name, else the folder, else everything that begins with the name.
func (s *Source) named(name string) *search {
	return &search{name: name, run: func(ctx context.Context, emit func(...found)) error {
		p, err := s.firstPage(ctx, listing{prefix: name, folder: true})
		var denied *aws.AccessError
		if errors.As(err, &denied) && denied.Permission == "s3:ListBucket" {
			// who knows the name of an object may read it without being allowed to list
			o := s.head(ctx, name)
			if o == nil {
				return err
			}
			emit(found{objects: []*object{o}})
			return nil
		}
		if err != nil {
			return err
		}
		if len(p.keys) > 0 && p.keys[0].Key != nil && *p.keys[0].Key == name {
			emit(s.objects(p.keys[:1], nil))
			return nil
		}
		folder := name + "/"
		is := hasPrefix(p, folder)
		if !is && !p.last {
			if is, err = s.exists(ctx, folder); err != nil {
				return err
			}
		}
		switch {
		case is:
			emit(found{search: s.inside(folder)})
		case len(p.keys)+len(p.prefixes) > 0:
			emit(found{search: s.unordered(name)})
		}
		return nil
	}}
}

func hasPrefix(p page, prefix string) bool {
	return slices.ContainsFunc(p.prefixes, func(c types.CommonPrefix) bool { return c.Prefix != nil && *c.Prefix == prefix })
}

// exists reports whether any key begins with the prefix.
func (s *Source) exists(ctx context.Context, prefix string) (bool, error) {
	p, err := s.firstPage(ctx, listing{prefix: prefix, most: 1})
	return len(p.keys) > 0, err
}

// head returns the object of this name without listing, or nil.
func (s *Source) head(ctx context.Context, name string) *object {
	out, err := do(ctx, s.Client, s.bucket, func(o func(*s3.Options)) (*s3.HeadObjectOutput, error) {
		return s.api.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &name, RequestPayer: s.payer}, o)
	})
	if err != nil || out.ContentLength == nil {
		return nil
	}
	return &object{Client: s.Client, bucket: s.bucket, key: name, size: *out.ContentLength}
}

// inside searches a folder that the user named. In and above the folders of flow logs that is only them.
func (s *Source) inside(folder string) *search {
	if p, ok := locate(folder); ok {
		return s.below(p, folder)
	}
	if parse.OtherService(folder+"x") != "" {
		return s.foreign(folder)
	}
	return &search{name: folder, run: func(ctx context.Context, emit func(...found)) error {
		p, err := s.firstPage(ctx, listing{prefix: folder, folder: true})
		if err != nil {
			return err
		}
		logs := folder + deliveryRoot + "/"
		if !p.last && !hasPrefix(p, logs) {
			// too many names to see them all
			is, err := s.exists(ctx, logs)
			if err != nil {
				return err
			}
			if is {
				p.prefixes = append(p.prefixes, types.CommonPrefix{Prefix: &logs})
			}
		}
		var trees []found
		var others []string
		for _, f := range p.prefixes {
			if f.Prefix == nil {
				continue
			}
			if at, ok := locate(*f.Prefix); !ok {
				others = append(others, *f.Prefix)
			} else if at.account == "" || s.chosen(s.opt.Filter.Accounts, at.account, leftAccount) {
				trees = append(trees, found{search: s.below(at, *f.Prefix)})
			}
		}
		switch {
		case len(trees) > 0:
			for _, k := range p.keys {
				if o := s.listed(k, s.opt.Filter.Keep); o != nil {
					others = append(others, o.key)
				}
			}
			s.notes.skip(s.bucket, others)
			emit(trees...)
		case len(others) == 0 && p.last:
			emit(s.objects(p.keys, nil))
		default:
			emit(found{search: s.unordered(folder)})
		}
		return nil
	}}
}

// foreign searches a folder of another service, which may hold millions of objects: if none of the first page is a flow
// log, the page is counted, and that is all.
func (s *Source) foreign(folder string) *search {
	return &search{name: folder, run: func(ctx context.Context, emit func(...found)) error {
		p, err := s.firstPage(ctx, listing{prefix: folder})
		switch ours := func(k types.Object) bool { return s.listed(k, s.opt.Filter.Keep) != nil }; {
		case err != nil:
			return err
		case slices.ContainsFunc(p.keys, ours):
			emit(found{search: s.unordered(folder)})
		default:
			s.objects(p.keys, nil)
		}
		return nil
	}}
}

// unordered searches everything under a prefix of which nothing is known. When it comes upon a folder of flow
// logs, that is searched as such and then passed over.
func (s *Source) unordered(prefix string) *search {
	return &search{name: prefix, run: func(ctx context.Context, emit func(...found)) error {
		l := listing{prefix: prefix}
		for again := true; again; {
			again = false
			tree := ""
			err := s.pages(ctx, l, func(p page) bool {
				var out []found
				from := 0
				for i, k := range p.keys {
					if k.Key == nil || tree != "" && strings.HasPrefix(*k.Key, tree) {
						from = i + 1
						continue
					}
					folder, at, ok := treeOf(*k.Key, len(prefix))
					if !ok {
						continue
					}
					out = append(out, s.objects(p.keys[from:i], nil), found{search: s.below(at, folder)})
					tree, from = folder, i+1
				}
				emit(append(out, s.objects(p.keys[from:], nil))...)
				if tree != "" && from == len(p.keys) && !p.last {
					// all the rest of this page was in that folder: go on behind it
					again, l.after = true, tree+"\U0010ffff"
				}
				return !again && ctx.Err() == nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}}
}
