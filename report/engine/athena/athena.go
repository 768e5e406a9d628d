// Package athena runs queries on Amazon Athena. The SDK's client of Athena stays in here; parse/aws connects it.
//
//	SQL → bound on scanned bytes → StartQueryExecution → poll GetQueryExecution → GetQueryResults → rows
package athena

import (
	"context"
	"fmt"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"flowlog/parse/aws"
	"flowlog/report/engine"
)

// Options configures the connection and the limits of a query. For empty options the SDK's default chain and the
// workgroup decide.
type Options struct {
	Profile, Region string
	EndpointURL     string // another server with Athena's and S3's protocols
	WorkGroup       string
	OutputLocation  string // s3://bucket/prefix/ for results
	Catalog         string // default catalog of table names
	Database        string // default database of table names

	// MaxScan is how many bytes a query may scan; 0 is unlimited. Athena has no such limit per query, so a query is
	// refused if the objects that it may read are larger in total, and stopped if Athena reports more scanned bytes.
	MaxScan int64
	// Price is in US dollars for 2^40 bytes, such as the constant Price.
	Price float64

	wait func(attempt int) time.Duration // for tests
}

const (
	// Price is the cost of 2^40 scanned bytes in US dollars, in most regions in 2026, without reserved capacity.
	Price = 5.0
	// leastBilled is the minimum of billed bytes per query; billedUnit is the unit that these are rounded up to.
	leastBilled = 10 << 20
	billedUnit  = 1 << 20

	// grace is how long a request to start or stop a query continues after an interrupt. It is below the three seconds
	// that the command line waits.
	grace = 2 * time.Second
)

// A Runner is a connection to Athena.
type Runner struct {
	api   *athena.Client
	s3    *s3.Client
	opt   Options
	stats engine.Stats
}

// Connect loads the configuration and credentials; it sends nothing to Athena yet. Without credentials it returns an
// aws.AccessError.
func Connect(ctx context.Context, opt Options) (*Runner, error) {
	if opt.wait == nil {
		opt.wait = between
	}
	if opt.OutputLocation != "" {
		if bucket, _, _ := strings.Cut(strings.TrimPrefix(opt.OutputLocation, "s3://"), "/"); bucket == "" || !strings.HasPrefix(opt.OutputLocation, "s3://") {
			return nil, fmt.Errorf("%q is not a place for results: write s3://bucket/prefix/", opt.OutputLocation)
		}
	}
	conn, err := aws.Connect(ctx, aws.Options{Profile: opt.Profile, Region: opt.Region, EndpointURL: opt.EndpointURL, Regional: "Athena"})
	if err != nil {
		return nil, err
	}
	r := &Runner{opt: opt, stats: unknown}
	r.api = athena.NewFromConfig(conn.Config, func(o *athena.Options) {
		if e := conn.Endpoint(); e != nil {
			o.BaseEndpoint = e
		}
		link := aws.NewLink(nil)
		o.Retryer, o.HTTPClient = link.Retryer(), link.Watch(o.HTTPClient) // AWS_MAX_ATTEMPTS and its like still count
	})
	r.s3 = s3.NewFromConfig(conn.Config, func(o *s3.Options) {
		if e := conn.Endpoint(); e != nil {
			o.BaseEndpoint, o.UsePathStyle = e, true
		}
		link := aws.NewLink(nil)
		o.Retryer, o.HTTPClient = link.Retryer(), link.Watch(o.HTTPClient)
	})
	return r, nil
}

var unknown = engine.Stats{Scanned: -1, Cost: -1}

// between is the wait before the nth poll of a query's state. It grows, so that a short query does not wait for it and a
// long one does not use up the account's request quota.
func between(n int) time.Duration {
	return min(100*time.Millisecond<<min(n, 5), 2*time.Second)
}

// Run starts a query and waits until it is done: Athena delivers rows only then. Cancelling ctx stops it on the server.
func (r *Runner) Run(ctx context.Context, sql string) (engine.Result, error) {
	r.stats = unknown
	sql = strings.TrimRight(sql, "; \n")
	if r.opt.MaxScan > 0 {
		if err := r.within(ctx, sql); err != nil {
			return nil, err
		}
	}
	return r.run(ctx, sql)
}

func (r *Runner) run(ctx context.Context, sql string) (*result, error) {
	id, err := r.start(ctx, sql)
	if err != nil {
		return nil, err
	}
	r.stats.ID = id
	if err := r.await(ctx, id); err != nil {
		return nil, err
	}
	res := &result{r: r, id: id}
	if err := res.page(ctx); err != nil {
		return nil, err
	}
	return res, nil
}

// Stats returns the cost of the last query. The price is computed from the scanned bytes, and unknown if the workgroup has
// reserved capacity, which is billed by the hour.
func (r *Runner) Stats() engine.Stats { return r.stats }

// Close does nothing: HTTP connections belong to the process.
func (r *Runner) Close() error { return nil }

// start starts a query. After ctx ends, the request continues for grace: a running query of unknown ID could not be
// stopped.
func (r *Runner) start(ctx context.Context, sql string) (string, error) {
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	longer, cancel := outlive(ctx)
	defer cancel()
	in := &athena.StartQueryExecutionInput{QueryString: &sql, QueryExecutionContext: new(types.QueryExecutionContext)}
	for _, s := range []struct {
		value string
		to    **string
	}{{r.opt.Catalog, &in.QueryExecutionContext.Catalog}, {r.opt.Database, &in.QueryExecutionContext.Database}, {r.opt.WorkGroup, &in.WorkGroup}} {
		if s.value != "" {
			*s.to = sdk.String(s.value)
		}
	}
	if r.opt.OutputLocation != "" {
		in.ResultConfiguration = &types.ResultConfiguration{OutputLocation: &r.opt.OutputLocation}
	}
	out, err := r.api.StartQueryExecution(longer, in)
	switch {
	case ctx.Err() != nil:
		if err == nil {
			r.stop(ctx, sdk.ToString(out.QueryExecutionId))
		}
		return "", ctx.Err()
	case err != nil:
		return "", r.explain("athena:StartQueryExecution", err)
	}
	return sdk.ToString(out.QueryExecutionId), nil
}

// outlive returns a context that ends a grace period after ctx.
func outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-longer.Done():
		}
	})
	return longer, func() { stop(); cancel() }
}

// stop tries to stop a query.
func (r *Runner) stop(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	// The error is ignored: a query that has ended cannot be stopped, and nothing can be done about others.
	_, _ = r.api.StopQueryExecution(ctx, &athena.StopQueryExecutionInput{QueryExecutionId: &id})
}

// await waits until a query has ended. It stops it on cancellation or beyond MaxScan.
func (r *Runner) await(ctx context.Context, id string) error {
	for n := 0; ; n++ {
		out, err := r.api.GetQueryExecution(ctx, &athena.GetQueryExecutionInput{QueryExecutionId: &id})
		switch {
		case ctx.Err() != nil:
			r.stop(ctx, id)
			return ctx.Err()
		case err != nil:
			r.stop(ctx, id)
			return fmt.Errorf("query %s: %w", id, r.explain("athena:GetQueryExecution", err))
		case out.QueryExecution == nil || out.QueryExecution.Status == nil:
			r.stop(ctx, id)
			return r.check(fmt.Errorf("query %s: the answer is not from Athena", id))
		}
		q := out.QueryExecution
		r.setStats(q)
		switch q.Status.State {
		case types.QueryExecutionStateSucceeded:
			return nil
		case types.QueryExecutionStateFailed, types.QueryExecutionStateCancelled:
			return failure(id, q.Status)
		}
		if r.opt.MaxScan > 0 && r.stats.Scanned > r.opt.MaxScan {
			r.stop(ctx, id)
			return &ScanError{Bytes: r.stats.Scanned, Max: r.opt.MaxScan, ID: id}
		}
		timer := time.NewTimer(r.opt.wait(n))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			r.stop(ctx, id)
			return ctx.Err()
		}
	}
}

// setStats copies the statistics of a query.
func (r *Runner) setStats(q *types.QueryExecution) {
	s := q.Statistics
	if s == nil {
		return
	}
	if s.DataScannedInBytes != nil {
		r.stats.Scanned = *s.DataScannedInBytes
	}
	r.stats.Elapsed = time.Duration(max(sdk.ToInt64(s.TotalExecutionTimeInMillis), sdk.ToInt64(s.EngineExecutionTimeInMillis))) * time.Millisecond
	reused := s.ResultReuseInformation != nil && s.ResultReuseInformation.ReusedPreviousResult
	switch {
	case s.DpuCount != nil: // reserved capacity
		r.stats.Cost = -1
	case q.Status.State == types.QueryExecutionStateFailed || reused || q.StatementType != types.StatementTypeDml:
		r.stats.Cost = 0 // neither is billed
	case r.stats.Scanned >= 0:
		r.stats.Cost = r.opt.cost(r.stats.Scanned)
	}
}

// cost is the price of so many scanned bytes.
func (o *Options) cost(scanned int64) float64 {
	billed := max((scanned+billedUnit-1)/billedUnit*billedUnit, leastBilled)
	return float64(billed) / (1 << 40) * o.Price
}
