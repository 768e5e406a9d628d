package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"flowlog/parse"
)

// Options says how S3 is reached and what is read of it. Of what is zero, the SDK's default chain decides:
// environment, configuration files, the role of the machine.
type Options struct {
	Profile       string
	Region        string // where to begin; the region of each bucket is found out
	EndpointURL   string // another server that speaks S3
	NoSignRequest bool   // go without credentials
	RequestPayer  bool   // agree to pay for requests to buckets whose owner does not

	// Filter chooses the objects. Below AWSLogs/ it decides also what is listed: with both bounds given,
	// the days and hours between them, and with one, those that are found to exist. A caller that knows the
	// time therefore had better set Until.
	Filter parse.KeyFilter

	// Concurrency is how many objects are fetched at a time, ahead of their being read; 0 means a good number.
	Concurrency int

	// for tests, instead of exponential waits and the constant
	backoff func(attempt int) time.Duration
	silence time.Duration
}

// concurrency hides the latency of S3, some 30 ms to the first byte: with 32 requests under way, 1,000 small
// objects arrive in a second, which is about what one core decodes. S3 itself takes 5,500 a second from a
// prefix, which is less than 256 requests under way ask for.
func concurrency() int {
	return min(max(32*runtime.GOMAXPROCS(0), 64), 256)
}

const (
	// attempts are made at each request. With doubling waits that is half a minute of an overloaded or
	// absent server.
	attempts   = 8
	maxBackoff = 20 * time.Second

	// silence is how long a server may send nothing before a connection is given up. S3 answers within
	// seconds even when it lists a large prefix.
	silence = 30 * time.Second

	// someRegion is asked when no region is configured: S3 there knows where every bucket is.
	someRegion = "us-east-1"
)

// Stats counts what was asked of S3. Requests that were repeated after a failure count each time.
type Stats struct {
	Lists, Gets, Heads int64
	Writes             int64 // of what is written, and of what is removed again
	Resumed            int64 // reads that broke off and went on where they had been
	Bytes              int64 // received of objects
	Listed             int64 // keys
	Pruned             int64 // keys that the filter did not choose
}

type counters struct {
	lists, gets, heads, writes, resumed, bytes, listed, pruned atomic.Int64
}

// A Client is a connection to S3. Several sources can share it, and any goroutine may use it.
type Client struct {
	api     *s3.Client
	opt     Options
	payer   types.RequestPayer
	regions sync.Map // bucket → region, where it is not the client's
	backoff retry.BackoffDelayer
	count   counters

	reached atomic.Bool // something has answered
	failing atomic.Bool // a request was given up since the last answer
}

// Connect loads the configuration and credentials. It asks S3 nothing yet, but can ask whoever gives out
// the credentials. Without credentials the error is an *AccessError.
func Connect(ctx context.Context, opt Options) (*Client, error) {
	if opt.Concurrency <= 0 {
		opt.Concurrency = concurrency()
	}
	c := &Client{opt: opt, backoff: retry.NewExponentialJitterBackoff(maxBackoff)}
	if opt.backoff != nil {
		c.backoff = retry.BackoffDelayerFunc(func(n int, _ error) (time.Duration, error) { return opt.backoff(n), nil })
	}
	if opt.silence == 0 {
		opt.silence = silence
	}
	if opt.RequestPayer {
		c.payer = types.RequestPayerRequester
	}
	if opt.EndpointURL != "" {
		u, err := url.Parse(opt.EndpointURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("%q is not the URL of an endpoint: write https://host or http://host:port", opt.EndpointURL)
		}
	}
	load := []func(*config.LoadOptions) error{
		config.WithLogger(logging.Nop{}),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithReadTimeout(opt.silence).WithTransportOptions(func(tr *http.Transport) {
			// all connections are to one host; lists and large objects have theirs beside those that fetch ahead
			tr.MaxIdleConnsPerHost = 2 * opt.Concurrency
			tr.MaxIdleConns = 2 * opt.Concurrency
		})),
		// S3-compatible servers answer requests for newer checksums with errors; what is uploaded is signed as a whole
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired),
	}
	if opt.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(opt.Profile))
	}
	if opt.Region != "" {
		load = append(load, config.WithRegion(opt.Region))
	}
	if opt.NoSignRequest {
		load = append(load, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
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
		cfg.Region = someRegion
	}
	if !opt.NoSignRequest {
		if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, noCredentials(err)
		}
	}
	c.api = s3.NewFromConfig(cfg, func(o *s3.Options) {
		if opt.EndpointURL != "" {
			o.BaseEndpoint = &opt.EndpointURL
		}
		// a bucket's name is rarely a host name at other servers, and AWS's own endpoints take paths too
		o.UsePathStyle = o.BaseEndpoint != nil
		o.Retryer = c.retryer() // AWS_MAX_ATTEMPTS and its like still count
		o.HTTPClient = &counting{o.HTTPClient, c}
	})
	return c, nil
}

// Stats returns what was asked of S3 so far.
func (c *Client) Stats() Stats {
	n := &c.count
	return Stats{n.lists.Load(), n.gets.Load(), n.heads.Load(), n.writes.Load(), n.resumed.Load(), n.bytes.Load(), n.listed.Load(), n.pruned.Load()}
}

// retryer repeats requests as the SDK does, but longer, and without its quota: when many objects are read at
// a time a bad minute would use that up, and fail them all.
func (c *Client) retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = c.backoff
		o.RateLimiter = ratelimit.None
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(c.retryable)}, o.Retryables...)
	})
}

// retryable rules out a further attempt where nothing has ever answered: it is the endpoint that is wrong,
// and one should hear of it at once.
func (c *Client) retryable(err error) aws.Ternary {
	var unsent *smithyhttp.RequestSendError
	if !c.reached.Load() && errors.As(err, &unsent) {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// counting counts requests as they go out, attempt by attempt.
type counting struct {
	s3.HTTPClient
	c *Client
}

func (h *counting) Do(req *http.Request) (*http.Response, error) {
	switch {
	case req.Method == http.MethodHead:
		h.c.count.heads.Add(1)
	case strings.Contains(req.URL.RawQuery, "list-type="):
		h.c.count.lists.Add(1)
	case req.Method != http.MethodGet:
		h.c.count.writes.Add(1)
	default:
		h.c.count.gets.Add(1)
	}
	resp, err := h.HTTPClient.Do(req)
	if err == nil {
		h.c.reached.Store(true)
	}
	return resp, err
}

// do sends a request to the region of the bucket, and if it turns out to be elsewhere, there. send must pass
// the option on to the SDK.
func do[T any](ctx context.Context, c *Client, bucket string, send func(func(*s3.Options)) (T, error)) (T, error) {
	region, _ := c.regions.Load(bucket)
	out, err := send(c.to(region))
	if err != nil && ctx.Err() == nil {
		if other := c.regionOf(ctx, bucket, err); other != "" && other != region {
			c.regions.Store(bucket, other)
			out, err = send(c.to(other))
		}
	}
	if err != nil && ctx.Err() != nil {
		return out, ctx.Err()
	}
	c.failing.Store(err != nil && c.retriedInVain(err))
	return out, err
}

// to returns the option that sends a request to a region. After a request was given up, the next ones are
// tried once only until one succeeds: many objects must not each wait for a server that is gone.
func (c *Client) to(region any) func(*s3.Options) {
	return func(o *s3.Options) {
		if region, ok := region.(string); ok {
			o.Region = region
		}
		if c.failing.Load() {
			o.RetryMaxAttempts = 1
		}
	}
}

// retriedInVain reports whether an error is one that is worth to try again.
func (c *Client) retriedInVain(err error) bool {
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}

// wait waits before something is tried for the nth time again. It returns early, with an error, if ctx ends.
func (c *Client) wait(ctx context.Context, n int) error {
	d, err := c.backoff.BackoffDelay(n, nil)
	if err != nil {
		return err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
