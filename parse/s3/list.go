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

// named searches the object of this name, else the folder, else all keys that begin with the name.
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

// inside searches a folder that the user named. In or directly above the folder tree of flow logs, it searches only that.
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

// foreign searches a folder of another service, which may hold millions of objects: unless the first page has a flow log,
// only that page is counted.
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

// unordered searches everything under a prefix whose layout is unknown. A folder of flow logs below it is searched as such,
// and the listing continues behind it.
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
