package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse"
	"flowlog/parse/s3"
	"flowlog/parse/schema"
)

// s3Flags is the group of flags that say how S3 is reached. They are named as aws names them.
type s3Flags struct{ s3.Options }

// s3Heading is the heading of these flags.
const s3Heading = "S3 flags"

func (f *s3Flags) flags(c *cobra.Command) {
	group(c, s3Heading, func(set *pflag.FlagSet) {
		set.StringVar(&f.Profile, "profile", "", "AWS `profile` to use (default: the AWS environment's)")
		set.StringVar(&f.Region, "region", "", "AWS `region` to ask first; the region of a bucket is found out")
		set.StringVar(&f.EndpointURL, "endpoint-url", "", "`URL` of another server that speaks S3")
		set.BoolVar(&f.NoSignRequest, "no-sign-request", false, "read public buckets without credentials")
		set.BoolVar(&f.RequestPayer, "request-payer", false, "pay for requests to buckets whose owner does not")
		set.IntVar(&f.Concurrency, "concurrency", 0, "fetch this `number` of S3 objects at a time, at most 128 per processor (default: 32 per processor)")
	})
}

// sources returns the source of arguments, which are paths and s3:// URLs in any order.
func sources(ctx context.Context, con *console, opt s3.Options, args []string) ([]parse.Source, error) {
	var list []parse.Source
	var client *s3.Client
	var local []string
	flush := func() {
		if len(local) > 0 {
			list = append(list, &unwritten{Source: parse.Paths(con.in, local...), written: &con.written})
			local = nil
		}
	}
	for _, arg := range args {
		if !strings.HasPrefix(arg, "s3://") {
			local = append(local, arg)
			continue
		}
		flush()
		if client == nil {
			var err error
			if client, err = s3.Connect(ctx, opt); err != nil {
				return nil, err
			}
		}
		src, err := client.Source(arg)
		if err != nil {
			return nil, usageError{err}
		}
		list = append(list, src)
	}
	flush()
	return list, nil
}

// errPlanned ends a dry run.
var errPlanned = errors.New("planned")

// plan prints the objects that would be read, and says what that would take.
func (r *reader) plan(ctx context.Context) error {
	var objects, bytes, unknown, requests int64
	failed := false
	var client *s3.Client // which all sources share
	print := func(o parse.Object, err error) error {
		if err != nil {
			failed = true
			fmt.Fprintln(r.err, "flowlog:", printable(say(parse.ObjectError{Object: o.Name, Err: err})))
			return nil
		}
		objects++
		if bytes += max(o.Size, 0); o.Size < 0 {
			unknown++
		}
		_, err = fmt.Fprintf(r.out, "%12d %s\n", o.Size, schema.Shown(o.Name))
		return err
	}
	for _, src := range r.sources {
		remote, ok := src.(*s3.Source)
		if !ok {
			for o, err := range src.Objects(ctx) {
				if err == nil && !r.chooses(o.Name) {
					continue
				}
				if err := print(o, err); err != nil {
					return err
				}
			}
			continue
		}
		for o, err := range remote.Plan(ctx) {
			requests += int64(o.Requests)
			if err := print(o.Object, err); err != nil {
				return err
			}
		}
		client = remote.Client
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if client != nil {
		requests += client.Stats().Lists
	}
	line := fmt.Sprintf("flowlog: would read %s, %s", count(objects, "object"), humanize.IBytes(uint64(bytes)))
	if unknown > 0 {
		line += fmt.Sprintf(" and %s of unknown size", count(unknown, "object"))
	}
	if requests > 0 {
		line += fmt.Sprintf(", with %s to S3", count(requests, "request"))
	}
	r.stats.Objects = objects
	r.gather(ctx, objects > 0 || failed)
	if left := r.unchosen(); left != "" {
		line += "; " + left
	}
	if other := r.otherServices(); other != "" {
		line += "; " + other
	}
	fmt.Fprintln(r.err, line)
	if client != nil {
		fmt.Fprintln(r.err, "flowlog:", retryBudget())
	}
	if objects == 0 && !failed {
		if err := r.nothing(); err != nil {
			return err
		}
	}
	if failed {
		return errIncomplete
	}
	return errPlanned
}

// retryBudget says how long a request to S3 is tried.
func retryBudget() string {
	return fmt.Sprintf("a request that S3 throttles or fails is sent up to %d times, with doubling waits of at most %g s; it is given up at once if nothing has ever answered",
		s3.Attempts, s3.LongestWait.Seconds())
}

// accessDenied reports whether an error is a missing permission or missing credentials.
func accessDenied(err error) bool {
	var denied interface{ AccessDenied() bool }
	return errors.As(err, &denied) && denied.AccessDenied()
}
