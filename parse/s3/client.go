package s3

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"

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
	// It is never more than MostConcurrency.
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

// MostConcurrency is how many objects are fetched at a time at most: each takes a connection and memory, and S3 answers no
// more from a prefix.
func MostConcurrency() int { return 4 * concurrency() }

// someRegion is the region if none is configured: S3 there knows the region of every bucket.
const someRegion = "us-east-1"

const (
	// Attempts is the largest number of attempts at a request, of any kind. Before each repetition is a wait of random length,
	// whose bound doubles from a second to LongestWait: about a minute in all for an overloaded or absent server.
	Attempts    = 8
	LongestWait = 20 * time.Second

	// silence is how long a connection may receive nothing before it is given up. S3 answers within seconds even when it lists
	// a large prefix.
	silence = 30 * time.Second
)

// Stats counts requests to S3, with each repetition, and their results.
type Stats struct {
	Lists, Gets, Heads int64
	Writes             int64 // uploads and removals
	Resumed            int64 // reads that broke off and were continued
	Bytes              int64 // received of objects
	Listed             int64 // keys of listings
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

	reached atomic.Bool // some server has answered
	failing atomic.Bool // the last request failed for good

	strange    atomic.Int64 // answers that are no listing, before the first listing
	miscounted atomic.Bool  // see Miscounted
}

// Connect loads the configuration and credentials. It sends no request to S3, but may ask the service that issues the
// credentials. Without credentials the error is an *AccessError.
func Connect(ctx context.Context, opt Options) (*Client, error) {
	if opt.Concurrency <= 0 {
		opt.Concurrency = concurrency()
	}
	opt.Concurrency = min(opt.Concurrency, MostConcurrency())
	c := &Client{opt: opt, backoff: retry.NewExponentialJitterBackoff(LongestWait)}
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
	cfg, err := configuration(ctx, opt)
	if err != nil {
		return nil, err
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

// configuration loads the configuration, and checks that there are credentials if requests are to be signed.
func configuration(ctx context.Context, opt Options) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, loadOptions(opt)...)
	if err != nil {
		var missing config.SharedConfigProfileNotExistError
		if errors.As(err, &missing) {
			return aws.Config{}, fmt.Errorf("there is no profile %q in the AWS configuration: `aws configure list-profiles` shows which there are", missing.Profile)
		}
		return aws.Config{}, fmt.Errorf("AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		cfg.Region = someRegion
	}
	if !opt.NoSignRequest {
		if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
			if ctx.Err() != nil {
				return aws.Config{}, ctx.Err()
			}
			return aws.Config{}, noCredentials(err)
		}
	}
	return cfg, nil
}

// loadOptions are the options of the SDK for loading its configuration.
func loadOptions(opt Options) []func(*config.LoadOptions) error {
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
	return load
}

// Stats returns the counts so far.
func (c *Client) Stats() Stats {
	n := &c.count
	return Stats{n.lists.Load(), n.gets.Load(), n.heads.Load(), n.writes.Load(), n.resumed.Load(), n.bytes.Load(), n.listed.Load(), n.pruned.Load()}
}

// counting counts requests, attempt by attempt, and reads listings to their end.
type counting struct {
	s3.HTTPClient
	c *Client
}

func isList(req *http.Request) bool {
	return req.Method == http.MethodGet && strings.Contains(req.URL.RawQuery, "list-type=")
}

func (h *counting) Do(req *http.Request) (*http.Response, error) {
	switch {
	case req.Method == http.MethodHead:
		h.c.count.heads.Add(1)
	case isList(req):
		h.c.count.lists.Add(1)
	case req.Method != http.MethodGet:
		h.c.count.writes.Add(1)
	default:
		h.c.count.gets.Add(1)
	}
	resp, err := h.HTTPClient.Do(req)
	if err != nil {
		return nil, err
	}
	h.c.reached.Store(true)
	if isList(req) && resp.StatusCode == http.StatusOK {
		if err := readListing(resp); err != nil {
			h.c.strange.Add(1)
			return nil, err
		}
		h.c.strange.Store(math.MinInt64 / 2) // the first listing has come
	}
	return resp, nil
}
