package aws

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// sts returns a client of the service that gives out credentials. Without a region it asks in someRegion.
func (c *Connection) sts() *sts.Client {
	link := NewLink(c.opt.Wait)
	return sts.NewFromConfig(c.Config, func(o *sts.Options) {
		if o.Region == "" {
			o.Region = someRegion
		}
		if e := c.Endpoint(); e != nil {
			o.BaseEndpoint = e
		}
		o.Retryer, o.HTTPClient = link.Retryer(), link.Watch(o.HTTPClient) // AWS_MAX_ATTEMPTS and its like still count
	})
}

// someRegion is asked for what is the same in all regions, where none is configured.
const someRegion = "us-east-1"

// Assume returns a connection with the credentials of a role, by its ARN. It asks for these credentials at once, and again
// when they expire. The error is an *AccessError if the role may not be assumed.
func (c *Connection) Assume(ctx context.Context, role string) (*Connection, error) {
	provider := stscreds.NewAssumeRoleProvider(c.sts(), role, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = agent })
	assumed := &Connection{Config: c.Config.Copy(), opt: c.opt}
	assumed.Config.Credentials = sdk.NewCredentialsCache(provider)
	if _, err := assumed.Config.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", role, c.explain(ctx, "STS", Request{Permission: "sts:AssumeRole", resource: role}, err))
	}
	return assumed, nil
}

// An Identity is who the credentials belong to.
type Identity struct {
	Account string // 12 digits
	ARN     string // of a user or a session of a role
}

// Identity asks whose credentials these are, which needs no permission.
func (c *Connection) Identity(ctx context.Context) (Identity, error) {
	out, err := c.sts().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	switch {
	case err != nil:
		return Identity{}, c.explain(ctx, "STS", Request{Permission: "sts:GetCallerIdentity"}, err)
	case sdk.ToString(out.Account) == "":
		return Identity{}, errors.New("the answer to GetCallerIdentity names no account")
	}
	return Identity{Account: *out.Account, ARN: sdk.ToString(out.Arn)}, nil
}
