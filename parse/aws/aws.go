package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

// Options says how AWS is reached. Where a value is zero, the SDK's default chain decides: environment, configuration
// files, the role of the machine.
type Options struct {
	Profile       string
	Region        string
	EndpointURL   string // another server that speaks AWS's protocols
	NoSignRequest bool   // go without credentials

	// Regional is what runs in a region: Athena. Without a region the error says that it needs one.
	Regional string
	// Connections is how many idle connections to a host are kept; 0 means the SDK's number.
	Connections int
	// Silence is how long a server may send nothing before a connection is given up; 0 means Silence.
	Silence time.Duration
	// Now is the clock that requests of Call are signed by; SDK clients have their own.
	Now func() time.Time

	// Wait is for tests, in place of random waits that grow.
	Wait func(attempt int) time.Duration
}

// Silence is how long a server may send nothing before a connection is given up. AWS answers within seconds, also to a
// listing of a large prefix.
const Silence = 30 * time.Second

// A Connection is one identity: a configuration with credentials. Any goroutine may use it.
type Connection struct {
	// Config is what SDK clients are made from. Its Region is "" if none is configured.
	Config sdk.Config

	opt   Options
	links sync.Map // of Call: URL → *Link
}

// Connect loads the configuration and credentials. It sends nothing to a service yet, but can ask whoever gives out the
// credentials. Without credentials the error is an *AccessError.
func Connect(ctx context.Context, opt Options) (*Connection, error) {
	if opt.EndpointURL != "" {
		u, err := url.Parse(opt.EndpointURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("%q is not the URL of an endpoint: write https://host or http://host:port", opt.EndpointURL)
		}
	}
	if opt.Silence == 0 {
		opt.Silence = Silence
	}
	load := []func(*config.LoadOptions) error{
		config.WithLogger(logging.Nop{}),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithReadTimeout(opt.Silence).WithTransportOptions(func(tr *http.Transport) {
			if opt.Connections > 0 {
				tr.MaxIdleConns, tr.MaxIdleConnsPerHost = opt.Connections, opt.Connections
			}
		})),
		// S3-compatible servers answer requests for newer checksums with errors; what is uploaded is signed as a whole
		config.WithRequestChecksumCalculation(sdk.RequestChecksumCalculationWhenRequired),
		config.WithResponseChecksumValidation(sdk.ResponseChecksumValidationWhenRequired),
	}
	if opt.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(opt.Profile))
	}
	if opt.Region != "" {
		load = append(load, config.WithRegion(opt.Region))
	}
	if opt.NoSignRequest {
		load = append(load, config.WithCredentialsProvider(sdk.AnonymousCredentials{}))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		var missing config.SharedConfigProfileNotExistError
		if errors.As(err, &missing) {
			return nil, fmt.Errorf("there is no profile %q in the AWS configuration: `aws configure list-profiles` shows which there are", missing.Profile)
		}
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	if cfg.Region == "" && opt.Regional != "" {
		return nil, Hintf("no region is known in which %s is to run: name it with %s, or set AWS_REGION", opt.Regional, Option("region"))
	}
	c := &Connection{Config: cfg, opt: opt}
	if err := c.retrieve(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// retrieve returns an error if there are no credentials.
func (c *Connection) retrieve(ctx context.Context) error {
	if c.opt.NoSignRequest {
		return nil
	}
	_, err := c.Config.Credentials.Retrieve(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return noCredentials(err)
}

// Endpoint is the endpoint that was given, nil if there is none. SDK clients must be given it too: it goes before the
// endpoints of the environment.
func (c *Connection) Endpoint() *string {
	if c.opt.EndpointURL == "" {
		return nil
	}
	return &c.opt.EndpointURL
}
