package aws

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// A Service is one of AWS's.
type Service struct {
	Name string // in its hosts' names and in signatures: ec2, elasticloadbalancing
	ID   string // the SDK's, in names of settings: EC2 of $AWS_ENDPOINT_URL_EC2
}

// regionName matches a region that can be part of a host's name.
var regionName = regexp.MustCompile(`^[a-z]{2,8}(-[a-z0-9]+)+$`)

// endpoint returns the URL of a service in a region: the one that was given, else that of the environment or the
// configuration, else AWS's.
func (c *Connection) endpoint(ctx context.Context, service Service, region string) (string, error) {
	if e := c.Endpoint(); e != nil {
		return strings.TrimRight(*e, "/"), nil
	}
	if e, err := c.configured(ctx, service); e != "" || err != nil {
		return strings.TrimRight(e, "/"), err
	}
	if !regionName.MatchString(region) {
		return "", Hintf("%q is not the name of a region: write %s like eu-central-1", region, Option("region"))
	}
	// The SDK keeps the hosts of AWS's partitions, FIPS and IPv6 with the client of each service. STS names its hosts as
	// these services do.
	params := sts.EndpointParameters{Region: &region, UseFIPS: new(bool), UseDualStack: new(bool)}
	for _, source := range c.Config.ConfigSources {
		if s, ok := source.(interface {
			GetUseFIPSEndpoint(context.Context) (sdk.FIPSEndpointState, bool, error)
		}); ok {
			if state, found, err := s.GetUseFIPSEndpoint(ctx); err == nil && found && !*params.UseFIPS {
				*params.UseFIPS = state == sdk.FIPSEndpointStateEnabled
			}
		}
		if s, ok := source.(interface {
			GetUseDualStackEndpoint(context.Context) (sdk.DualStackEndpointState, bool, error)
		}); ok {
			if state, found, err := s.GetUseDualStackEndpoint(ctx); err == nil && found && !*params.UseDualStack {
				*params.UseDualStack = state == sdk.DualStackEndpointStateEnabled
			}
		}
	}
	e, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, params)
	if err != nil {
		return "", err
	}
	host, ok := strings.CutPrefix(e.URI.Host, "sts")
	if !ok {
		return "", fmt.Errorf("no host is known for %s in %s", service.ID, region)
	}
	return (&url.URL{Scheme: e.URI.Scheme, Host: service.Name + host}).String(), nil
}

// configured returns the endpoint that the environment or a configuration file has for a service, "" if there is none.
func (c *Connection) configured(ctx context.Context, service Service) (string, error) {
	for _, source := range c.Config.ConfigSources {
		if s, ok := source.(interface {
			GetIgnoreConfiguredEndpoints(context.Context) (bool, bool, error)
		}); ok {
			if ignore, found, err := s.GetIgnoreConfiguredEndpoints(ctx); err != nil || found && ignore {
				return "", err
			}
		}
	}
	for _, source := range c.Config.ConfigSources {
		if s, ok := source.(interface {
			GetServiceBaseEndpoint(context.Context, string) (string, bool, error)
		}); ok {
			if e, found, err := s.GetServiceBaseEndpoint(ctx, service.ID); err != nil || found {
				return e, err
			}
		}
	}
	return sdk.ToString(c.Config.BaseEndpoint), nil
}
