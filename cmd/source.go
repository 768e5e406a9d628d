package cmd

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse"
	"flowlog/parse/s3"
)

// s3Flags is the group of flags that say how S3 is reached. They are named as aws names them.
type s3Flags struct{ s3.Options }

// s3Heading is the heading of these flags.
const s3Heading = "S3 flags"

func (f *s3Flags) flags(c *cobra.Command) {
	section(c, s3Heading, func(set *pflag.FlagSet) {
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

// accessDenied reports whether an error is a missing permission or missing credentials.
func accessDenied(err error) bool {
	var denied interface{ AccessDenied() bool }
	return errors.As(err, &denied) && denied.AccessDenied()
}
