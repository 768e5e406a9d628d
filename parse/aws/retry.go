package aws

import (
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	// Attempts are made at most at each request, whatever it is. Before each further one is a wait of a random time, whose
	// bound doubles from a second to LongestWait: all are about a minute of an overloaded or absent server.
	Attempts    = 8
	LongestWait = 20 * time.Second

	// mostStrange is how many broken answers are taken for an accident where none was sound yet.
	mostStrange = 3
)

// A BrokenAnswer is an answer that broke off, or is not what was asked for. The request is tried again.
type BrokenAnswer struct{ Err error }

func (e *BrokenAnswer) Error() string { return e.Err.Error() }
func (e *BrokenAnswer) Unwrap() error { return e.Err }

// transient are the classes of failures that may be over at the next attempt, for every request alike: the server
// throttles or failed itself, the connection or the body broke off.
var transient = retry.IsErrorRetryables(append([]retry.IsErrorRetryable{
	retry.NoRetryCanceledError{},
	retry.IsErrorRetryableFunc(func(err error) sdk.Ternary {
		var resp *smithyhttp.ResponseError
		var broken *BrokenAnswer
		switch {
		case errors.As(err, &broken):
			return sdk.TrueTernary
		case errors.As(err, &resp) && resp.Response != nil:
			if s := resp.HTTPStatusCode(); s == http.StatusTooManyRequests || s == http.StatusRequestTimeout || s >= 500 && s != http.StatusNotImplemented {
				return sdk.TrueTernary
			}
		}
		return sdk.UnknownTernary
	}),
}, retry.DefaultRetryables...))

// A Link is what the requests so far have shown of one server. It decides which failures are worth a further attempt. Any
// goroutine may use it.
type Link struct {
	wait    retry.BackoffDelayer
	reached atomic.Bool  // something has answered
	failing atomic.Bool  // a request was given up since the last answer
	strange atomic.Int64 // broken answers before the first sound one
}

// NewLink makes the link to a server. wait is for tests, in place of random waits that grow.
func NewLink(wait func(attempt int) time.Duration) *Link {
	l := &Link{wait: retry.NewExponentialJitterBackoff(LongestWait)}
	if wait != nil {
		l.wait = retry.BackoffDelayerFunc(func(n int, _ error) (time.Duration, error) { return wait(n), nil })
	}
	return l
}

// Retryer repeats requests as the SDK does, but longer, and without its quota: when many objects are read at a time a bad
// minute would use that up, and fail them all.
func (l *Link) Retryer() sdk.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = Attempts
		o.Backoff = l.wait
		o.RateLimiter = ratelimit.None
		o.Retryables = []retry.IsErrorRetryable{retry.IsErrorRetryableFunc(l.unreachable), transient}
	})
}

// unreachable rules out a further attempt where it is the endpoint that is wrong, and one should hear of it at once:
// no connection was ever made, or some were and nothing sound came of them.
func (l *Link) unreachable(err error) sdk.Ternary {
	var unsent *smithyhttp.RequestSendError
	var broken *BrokenAnswer
	switch {
	case errors.As(err, &broken):
		if l.strange.Load() < mostStrange {
			return sdk.UnknownTernary
		}
	case l.reached.Load() || !errors.As(err, &unsent):
		return sdk.UnknownTernary
	case connected(err) && l.strange.Add(1) < mostStrange:
		return sdk.TrueTernary
	}
	return sdk.FalseTernary
}

// connected reports whether a request failed after there was a connection.
func connected(err error) bool {
	var op *net.OpError
	var untrusted *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	return !(errors.As(err, &op) && op.Op == "dial" || errors.As(err, &untrusted) || errors.As(err, &noTLS))
}

// An HTTPClient is what SDK clients send their requests by.
type HTTPClient interface {
	Do(*http.Request) (*http.Response, error)
}

// Watch returns a client that tells the link of answers.
func (l *Link) Watch(client HTTPClient) HTTPClient { return &watched{client, l} }

type watched struct {
	HTTPClient
	link *Link
}

func (w *watched) Do(req *http.Request) (*http.Response, error) {
	resp, err := w.HTTPClient.Do(req)
	if err == nil {
		w.link.Answered()
	}
	return resp, err
}

// Answered says that the server has answered, whatever it was.
func (l *Link) Answered() { l.reached.Store(true) }

// Reached reports whether the server has ever answered.
func (l *Link) Reached() bool { return l.reached.Load() }

// Sound says that an answer is what was asked for; Broken says that it is not.
func (l *Link) Sound()  { l.strange.Store(math.MinInt64 / 2) } // never again the first
func (l *Link) Broken() { l.strange.Add(1) }

// Ended says with which error a request has ended after all its attempts, nil if it was answered.
func (l *Link) Ended(err error) {
	l.failing.Store(err != nil && transient.IsErrorRetryable(err) == sdk.TrueTernary)
}

// Failing reports whether the last request was given up. Until one is answered, the next ones should be tried once only:
// many requests must not each wait for a server that is gone.
func (l *Link) Failing() bool { return l.failing.Load() }

// Wait waits before something is tried for the nth time again. It returns early, with an error, if ctx ends.
func (l *Link) Wait(ctx context.Context, n int) error {
	d, err := l.wait.BackoffDelay(n, nil)
	if err != nil {
		return err
	}
	return sleep(ctx, d)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
