package s3

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	// Attempts are made at most at each request, whatever it is. Before each further one is a wait of a random time, whose
	// bound doubles from a second to LongestWait: all are about a minute of an overloaded or absent server.
	Attempts    = 8
	LongestWait = 20 * time.Second

	// silence is how long a server may send nothing before a connection is given up. S3 answers within
	// seconds even when it lists a large prefix.
	silence = 30 * time.Second
)

// mostStrange is how many answers that are no listing are taken for an accident where none was one yet.
const mostStrange = 3

// A brokenAnswer is an answer that is none: its body broke off, or is not what was asked for.
type brokenAnswer struct{ err error }

func (e *brokenAnswer) Error() string { return e.err.Error() }
func (e *brokenAnswer) Unwrap() error { return e.err }

// transient are the classes of failures that may be over at the next attempt, for every request alike: the server
// throttles or failed itself, the connection or the body broke off.
var transient = retry.IsErrorRetryables(append([]retry.IsErrorRetryable{
	retry.NoRetryCanceledError{},
	retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
		var resp *smithyhttp.ResponseError
		var broken *brokenAnswer
		switch {
		case errors.As(err, &broken):
			return aws.TrueTernary
		case errors.As(err, &resp) && resp.Response != nil:
			if s := resp.HTTPStatusCode(); s == http.StatusTooManyRequests || s == http.StatusRequestTimeout || s >= 500 && s != http.StatusNotImplemented {
				return aws.TrueTernary
			}
		}
		return aws.UnknownTernary
	}),
}, retry.DefaultRetryables...))

// retryer repeats requests as the SDK does, but longer, and without its quota: when many objects are read at
// a time a bad minute would use that up, and fail them all.
func (c *Client) retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = Attempts
		o.Backoff = c.backoff
		o.RateLimiter = ratelimit.None
		o.Retryables = []retry.IsErrorRetryable{retry.IsErrorRetryableFunc(c.unreachable), transient}
	})
}

// unreachable rules out a further attempt where it is the endpoint that is wrong, and one should hear of it at once:
// no connection was ever made, or some were and nothing that S3 says came of them.
func (c *Client) unreachable(err error) aws.Ternary {
	var unsent *smithyhttp.RequestSendError
	var broken *brokenAnswer
	switch {
	case errors.As(err, &broken):
		if c.strange.Load() < mostStrange {
			return aws.UnknownTernary
		}
	case c.reached.Load() || !errors.As(err, &unsent):
		return aws.UnknownTernary
	case connected(err) && c.strange.Add(1) < mostStrange:
		return aws.TrueTernary
	}
	return aws.FalseTernary
}

// connected reports whether a request failed after there was a connection.
func connected(err error) bool {
	var op *net.OpError
	var untrusted *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	return !(errors.As(err, &op) && op.Op == "dial" || errors.As(err, &untrusted) || errors.As(err, &noTLS))
}

// do sends a request to the region of the bucket, and if it turns out to be elsewhere, there. send must pass
// the option on to the SDK.
func do[T any](ctx context.Context, c *Client, bucket string, send func(func(*s3.Options)) (T, error)) (T, error) {
	region, _ := c.regions.Load(bucket)
	out, err := send(c.to(region))
	if err != nil && ctx.Err() == nil {
		if other := c.redirectedRegion(ctx, bucket, err); other != "" && other != region {
			c.regions.Store(bucket, other)
			out, err = send(c.to(other))
		}
	}
	if err != nil && ctx.Err() != nil {
		return out, ctx.Err()
	}
	c.failing.Store(err != nil && transient.IsErrorRetryable(err) == aws.TrueTernary)
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
