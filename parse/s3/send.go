package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

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
	c.link.Ended(err)
	return out, err
}

// to returns the option that sends a request to a region. After a request was given up, the next ones are
// tried once only until one succeeds: many objects must not each wait for a server that is gone.
func (c *Client) to(region any) func(*s3.Options) {
	return func(o *s3.Options) {
		if region, ok := region.(string); ok {
			o.Region = region
		}
		if c.link.Failing() {
			o.RetryMaxAttempts = 1
		}
	}
}
