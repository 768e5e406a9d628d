package s3

import (
	"cmp"
	"context"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"flowlog/parse"
	"flowlog/parse/aws"
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

// someRegion is asked when no region is configured: S3 there knows where every bucket is.
const someRegion = "us-east-1"

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
	link    *aws.Link
	count   counters

	miscounted atomic.Bool // a page of a listing has not as many keys as it says
}

// Connect loads the configuration and credentials. It asks S3 nothing yet, but can ask whoever gives out
// the credentials. Without credentials the error is an *aws.AccessError.
func Connect(ctx context.Context, opt Options) (*Client, error) {
	if opt.Concurrency <= 0 {
		opt.Concurrency = concurrency()
	}
	opt.Concurrency = min(opt.Concurrency, MostConcurrency())
	c := &Client{opt: opt, link: aws.NewLink(opt.backoff)}
	if opt.RequestPayer {
		c.payer = types.RequestPayerRequester
	}
	conn, err := aws.Connect(ctx, aws.Options{
		Profile: opt.Profile, Region: opt.Region, EndpointURL: opt.EndpointURL, NoSignRequest: opt.NoSignRequest, Silence: opt.silence,
		Connections: 2 * opt.Concurrency, // lists and large objects have theirs beside those that fetch ahead
	})
	if err != nil {
		return nil, orPublic(err)
	}
	c.api = s3.NewFromConfig(conn.Config, func(o *s3.Options) {
		o.Region = cmp.Or(o.Region, someRegion)
		if e := conn.Endpoint(); e != nil {
			o.BaseEndpoint = e
		}
		// a bucket's name is rarely a host name at other servers, and AWS's own endpoints take paths too
		o.UsePathStyle = o.BaseEndpoint != nil
		o.Retryer = c.link.Retryer() // AWS_MAX_ATTEMPTS and its like still count
		o.HTTPClient = &counting{o.HTTPClient, c}
	})
	return c, nil
}

// Stats returns what was asked of S3 so far.
func (c *Client) Stats() Stats {
	n := &c.count
	return Stats{n.lists.Load(), n.gets.Load(), n.heads.Load(), n.writes.Load(), n.resumed.Load(), n.bytes.Load(), n.listed.Load(), n.pruned.Load()}
}

// counting counts requests as they go out, attempt by attempt, and takes in listings.
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
	h.c.link.Answered()
	if isList(req) && resp.StatusCode == http.StatusOK {
		if err := listingOf(resp); err != nil {
			h.c.link.Broken()
			return nil, err
		}
		h.c.link.Sound()
	}
	return resp, nil
}
