package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/dustin/go-humanize"

	"flowlog/parse"
	"flowlog/parse/aws"
	"flowlog/parse/s3"
	"flowlog/parse/schema"
)

// errPlanned ends a dry run.
var errPlanned = errors.New("planned")

// A planned is what a run would read.
type planned struct {
	objects, bytes, unknown, requests int64
	failed                            bool       // some listing is not whole
	client                            *s3.Client // which all sources in S3 share, nil if there are none
}

// plan prints the objects that would be read, and says what that would take.
func (r *reader) plan(ctx context.Context) error {
	p := new(planned)
	for _, src := range r.from.sources {
		if err := r.planSource(ctx, src, p); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.client != nil {
		p.requests += p.client.Stats().Lists
	}
	r.stats.Objects = p.objects
	r.gather(ctx, p.objects > 0 || p.failed)
	fmt.Fprintln(r.con.err, r.planLine(p))
	if p.client != nil {
		fmt.Fprintln(r.con.err, "flowlog:", retryBudget())
	}
	if p.objects == 0 && !p.failed {
		if err := r.nothing(); err != nil {
			return err
		}
	}
	if p.failed {
		return errIncomplete
	}
	return errPlanned
}

// planSource prints the objects of one source.
func (r *reader) planSource(ctx context.Context, src parse.Source, p *planned) error {
	remote, ok := src.(*s3.Source)
	if !ok {
		for o, err := range src.Objects(ctx) {
			if err == nil && !r.chooses(o.Name) {
				continue
			}
			if err := r.planObject(o, err, p); err != nil {
				return err
			}
		}
		return nil
	}
	for o, err := range remote.Plan(ctx) {
		p.requests += int64(o.Requests)
		if err := r.planObject(o.Object, err, p); err != nil {
			return err
		}
	}
	p.client = remote.Client
	return nil
}

// planObject prints an object, or the error in its place.
func (r *reader) planObject(o parse.Object, err error, p *planned) error {
	if err != nil {
		p.failed = true
		fmt.Fprintln(r.con.err, "flowlog:", printable(say(parse.ObjectError{Object: o.Name, Err: err})))
		return nil
	}
	p.objects++
	if p.bytes += max(o.Size, 0); o.Size < 0 {
		p.unknown++
	}
	_, err = fmt.Fprintf(r.con.out, "%12d %s\n", o.Size, schema.Shown(o.Name))
	return err
}

// planLine is the closing line of a plan.
func (r *reader) planLine(p *planned) string {
	line := fmt.Sprintf("flowlog: would read %s, %s", count(p.objects, "object"), humanize.IBytes(uint64(p.bytes)))
	if p.unknown > 0 {
		line += fmt.Sprintf(" and %s of unknown size", count(p.unknown, "object"))
	}
	if p.requests > 0 {
		line += fmt.Sprintf(", with %s to S3", count(p.requests, "request"))
	}
	if left := r.unchosen(); left != "" {
		line += "; " + left
	}
	if other := r.otherServices(); other != "" {
		line += "; " + other
	}
	return line
}

// retryBudget says how long a request to S3 is tried.
func retryBudget() string {
	return fmt.Sprintf("a request that S3 throttles or fails is sent up to %d times, with doubling waits of at most %g s; it is given up at once if nothing has ever answered",
		aws.Attempts, aws.LongestWait.Seconds())
}
