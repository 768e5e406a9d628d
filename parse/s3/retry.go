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

// mostStrange is the number of attempts, as long as no listing has come, after which an answer that is none is final.
const mostStrange = 3

// transient tells the failures that may be over at the next attempt, by class and for every request alike: the server
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

// retryer repeats requests as the SDK does, but longer and without its quota, which one bad minute would use up when many
// objects are read at a time.
func (c *Client) retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = Attempts
		o.Backoff = c.backoff
		o.RateLimiter = ratelimit.None
		o.Retryables = []retry.IsErrorRetryable{retry.IsErrorRetryableFunc(c.unreachable), transient}
	})
}

// unreachable rules out a further attempt if the endpoint itself is wrong, so that the user learns of it at once: no
// connection was ever made, or no answer came from S3.
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

// do sends a request to the region of the bucket, and again to another region if the answer names one. send must pass the
// option on to the SDK.
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

// to returns the option that sends a request to a region. After a request has failed for good, the next ones get one
// attempt until one succeeds: many objects must not each wait for a server that is gone.
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

// wait waits before the nth repetition. It returns early, with an error, if ctx ends.
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
