// Package athena runs queries on Amazon Athena. The AWS SDK stays in here, as it does in parse/s3.
//
//	SQL → bound of what it scans → StartQueryExecution → GetQueryExecution, until it is done → GetQueryResults → rows
package athena

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"flowlog/parse/schema"
	"flowlog/report/engine"
)

// Options says how Athena is reached and what a query may take. Of what is empty, the SDK's default chain and the
// workgroup decide.
type Options struct {
	Profile, Region string
	EndpointURL     string // another server that speaks Athena's protocol, and S3's
	WorkGroup       string
	OutputLocation  string // s3://bucket/prefix/ for results
	Catalog         string // of names of tables without one
	Database        string // likewise

	// MaxScan is how many bytes a query may scan; 0 is any number. Athena itself cannot be told: a query is refused if the
	// objects that it may read are larger together, and stopped if Athena says that it has scanned more.
	MaxScan int64
	// Price is in US dollars for 2^40 bytes, such as the constant Price.
	Price float64

	wait func(attempt int) time.Duration // for tests
}

const (
	// Price is what 2^40 scanned bytes cost in US dollars in most regions, in 2026, without reserved capacity.
	Price = 5.0
	// leastBilled is the smallest number of bytes that a query is billed for, and billedUnit what is rounded up to.
	leastBilled = 10 << 20
	billedUnit  = 1 << 20

	// grace is how long a request that must not get lost, to start or to stop a query, goes on after an interrupt. The
	// command line waits for three seconds.
	grace = 2 * time.Second
	// attempts are made at each request, with growing waits of at most 20 s. Accounts may send some 20 requests a second.
	attempts = 8
)

// A Runner is a connection to Athena.
type Runner struct {
	api   *athena.Client
	s3    *s3.Client
	opt   Options
	stats engine.Stats
}

// Connect loads the configuration and credentials. It asks Athena nothing yet. Without credentials the error has
// AccessDenied.
func Connect(ctx context.Context, opt Options) (*Runner, error) {
	if opt.wait == nil {
		opt.wait = between
	}
	if opt.EndpointURL != "" {
		u, err := url.Parse(opt.EndpointURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("%q is not the URL of an endpoint: write https://host or http://host:port", opt.EndpointURL)
		}
	}
	if opt.OutputLocation != "" {
		if bucket, _, _ := strings.Cut(strings.TrimPrefix(opt.OutputLocation, "s3://"), "/"); bucket == "" || !strings.HasPrefix(opt.OutputLocation, "s3://") {
			return nil, fmt.Errorf("%q is not a place for results: write s3://bucket/prefix/", opt.OutputLocation)
		}
	}
	load := []func(*config.LoadOptions) error{
		config.WithLogger(logging.Nop{}),
		config.WithRetryMaxAttempts(attempts),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithReadTimeout(30 * time.Second)),
	}
	if opt.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(opt.Profile))
	}
	if opt.Region != "" {
		load = append(load, config.WithRegion(opt.Region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		var missing config.SharedConfigProfileNotExistError
		if errors.As(err, &missing) {
			return nil, fmt.Errorf("there is no profile %q in the AWS configuration: `aws configure list-profiles` shows which there are", missing.Profile)
		}
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, schema.Wordsf("no region is known in which Athena is to run: name it with %s, or set AWS_REGION", schema.Opt("region"))
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &AccessError{
			Reason: "no AWS credentials were found",
			Hint:   schema.Wordsf("choose a profile with %s, sign in with `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", schema.Opt("profile")),
			Err:    err,
		}
	}
	r := &Runner{opt: opt, stats: unknown}
	r.api = athena.NewFromConfig(cfg, func(o *athena.Options) {
		if opt.EndpointURL != "" {
			o.BaseEndpoint = &opt.EndpointURL
		}
	})
	r.s3 = s3.NewFromConfig(cfg, func(o *s3.Options) {
		if opt.EndpointURL != "" {
			o.BaseEndpoint, o.UsePathStyle = &opt.EndpointURL, true
		}
	})
	return r, nil
}

var unknown = engine.Stats{Scanned: -1, Cost: -1}

// between is how long to wait before the state of a query is asked for the nth time: a short query should not wait for
// it, and a long one should not use up the requests of its account.
func between(n int) time.Duration {
	return min(100*time.Millisecond<<min(n, 5), 2*time.Second)
}

// Run starts a query and waits until it is done. Rows come when Athena has all of them. A context that ends stops it
// on the server.
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

// Stats is what the last query took. What it cost is computed from what it scanned, and unknown if the workgroup has
// reserved capacity, which is paid by the hour.
func (r *Runner) Stats() engine.Stats { return r.stats }

// Close ends nothing: connections are the process's.
func (r *Runner) Close() error { return nil }

// start starts a query. It goes on for a moment when the context has ended: a query that runs and whose name is not
// known could not be stopped.
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
			*s.to = aws.String(s.value)
		}
	}
	if r.opt.OutputLocation != "" {
		in.ResultConfiguration = &types.ResultConfiguration{OutputLocation: &r.opt.OutputLocation}
	}
	out, err := r.api.StartQueryExecution(longer, in)
	switch {
	case ctx.Err() != nil:
		if err == nil {
			r.stop(ctx, aws.ToString(out.QueryExecutionId))
		}
		return "", ctx.Err()
	case err != nil:
		return "", r.explain("athena:StartQueryExecution", err)
	}
	return aws.ToString(out.QueryExecutionId), nil
}

// outlive is a context that ends a moment after ctx does.
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

// stop stops a query, if it can.
func (r *Runner) stop(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	// What has ended cannot be stopped, and there is nobody to tell of another error.
	_, _ = r.api.StopQueryExecution(ctx, &athena.StopQueryExecutionInput{QueryExecutionId: &id})
}

// await waits until a query has ended, and stops it if it is not to go on.
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
		r.take(q)
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

// take takes the statistics of a query over.
func (r *Runner) take(q *types.QueryExecution) {
	s := q.Statistics
	if s == nil {
		return
	}
	if s.DataScannedInBytes != nil {
		r.stats.Scanned = *s.DataScannedInBytes
	}
	r.stats.Elapsed = time.Duration(max(aws.ToInt64(s.TotalExecutionTimeInMillis), aws.ToInt64(s.EngineExecutionTimeInMillis))) * time.Millisecond
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

// cost is what is billed for so many bytes.
func (o *Options) cost(scanned int64) float64 {
	billed := max((scanned+billedUnit-1)/billedUnit*billedUnit, leastBilled)
	return float64(billed) / (1 << 40) * o.Price
}
