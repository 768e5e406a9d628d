package aws

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A Request is one to a service. It may be sent several times.
type Request struct {
	Method     string // POST if it is ""
	Path       string // with a query; / if it is ""
	Header     http.Header
	Body       []byte
	Permission string // what the request needs: ec2:DescribeVpcs

	// Check says what is wrong with the body of an answer of status 200, if it is not nil. The request is then tried again.
	Check func(body []byte) error

	resource string // what the permission is needed on, "" for all
}

// agent is what CloudTrail shows of who asks, by requests and by the sessions of roles.
const agent = "flowlog"

// longestAnswer bounds the body of an answer. A page of a thousand network interfaces has some 3 MB.
const longestAnswer = 64 << 20

// Call sends a request to a service in a region, signed, and returns the body of the answer. It tries again what may be
// over at the next attempt. An error says in words what is wrong; it is an *AccessError if AWS refuses, and the error of ctx
// if that has ended.
func (c *Connection) Call(ctx context.Context, service Service, region string, r Request) ([]byte, error) {
	endpoint, err := c.endpoint(ctx, service, region)
	if err != nil {
		return nil, err
	}
	known, _ := c.links.LoadOrStore(endpoint, NewLink(c.opt.Wait))
	link := known.(*Link)
	retryer := link.Retryer()
	if n := c.Config.RetryMaxAttempts; n > 0 {
		retryer = retry.AddWithMaxAttempts(retryer, n)
	}
	most := retryer.MaxAttempts()
	if link.Failing() {
		most = 1
	}
	for n := 1; ; n++ {
		body, err := c.attempt(ctx, link, endpoint, service, region, r)
		switch {
		case err == nil:
			link.Ended(nil)
			return body, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case n >= most || !retryer.IsErrorRetryable(err):
			if !throttled(err) { // which says nothing against the next request
				link.Ended(err)
			}
			return nil, c.explain(ctx, service.ID+" in "+region, r, err)
		}
		d, err := retryer.RetryDelay(n, err)
		if err != nil {
			return nil, err
		}
		if err := sleep(ctx, d); err != nil {
			return nil, err
		}
	}
}

var throttles = retry.IsErrorThrottles(retry.DefaultThrottles)

func throttled(err error) bool { return throttles.IsErrorThrottle(err) == sdk.TrueTernary }

// attempt sends a request once.
func (c *Connection) attempt(ctx context.Context, link *Link, endpoint string, service Service, region string, r Request) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, cmp.Or(r.Method, http.MethodPost), endpoint+cmp.Or(r.Path, "/"), bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", agent)
	if !c.opt.NoSignRequest {
		keys, err := c.Config.Credentials.Retrieve(ctx)
		if err != nil {
			return nil, fmt.Errorf("get identity: %w", err) // as the SDK has it
		}
		hash := sha256.Sum256(r.Body)
		if err := v4.NewSigner().SignHTTP(ctx, keys, req, hex.EncodeToString(hash[:]), service.Name, region, c.opt.Now()); err != nil {
			return nil, err
		}
	}
	resp, err := c.Config.HTTPClient.Do(req)
	if err != nil {
		return nil, &smithyhttp.RequestSendError{Err: err}
	}
	defer resp.Body.Close()
	link.Answered()
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer+1))
	switch {
	case err != nil:
		return nil, &BrokenAnswer{fmt.Errorf("the answer broke off after %d bytes: %w", len(body), err)}
	case len(body) > longestAnswer:
		return nil, errors.New("the answer is larger than 64 MiB")
	case resp.StatusCode != http.StatusOK:
		return nil, refusal(resp, body)
	}
	if r.Check != nil {
		if err := r.Check(body); err != nil {
			link.Broken()
			return nil, &BrokenAnswer{err}
		}
	}
	link.Sound()
	return body, nil
}

// refusal makes an error of the SDK's types of an answer that is not of status 200.
func refusal(resp *http.Response, body []byte) error {
	code, message := inXML(body)
	if code == "" {
		code, message = inJSON(body)
		code = cmp.Or(resp.Header.Get("X-Amzn-Errortype"), code)
	}
	code, _, _ = strings.Cut(code, ":")          // Code:URL
	code = code[strings.LastIndex(code, "#")+1:] // namespace#Code
	err := &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: resp}}
	err.Err = &smithy.GenericAPIError{Code: code, Message: message}
	if code == "" {
		err.Err = errors.New(http.StatusText(resp.StatusCode))
	}
	return err
}

// inXML finds code and message of an error in the Query protocol, which services wrap in different elements.
func inXML(body []byte) (code, message string) {
	for d := xml.NewDecoder(bytes.NewReader(body)); code == "" || message == ""; {
		token, err := d.Token()
		if err != nil {
			return code, message
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		var to *string
		switch start.Name.Local {
		case "Code":
			to = &code
		case "Message":
			to = &message
		default:
			continue
		}
		if err := d.DecodeElement(to, &start); err != nil {
			return code, message
		}
	}
	return code, message
}

// inJSON finds code and message of an error in the JSON protocols.
func inJSON(body []byte) (code, message string) {
	var e struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // or Message: names are compared without case
	}
	if json.Unmarshal(body, &e) != nil {
		return "", ""
	}
	return cmp.Or(e.Type, e.Code), e.Message
}

// explain words an error of a request to a server, which is a service or named so.
func (c *Connection) explain(ctx context.Context, server string, r Request, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f := FailureOf(err)
	if access := f.Access(r.Permission, r.resource); access != nil {
		return access
	}
	if c.opt.EndpointURL != "" {
		server = c.opt.EndpointURL
	}
	var broken *BrokenAnswer
	switch {
	case errors.As(err, &broken):
		return c.check(fmt.Sprintf("%s: %s", server, broken), err)
	case f.Unsent != nil:
		return c.check(fmt.Sprintf("cannot reach %s: %s", server, WhyUnsent(f.Unsent)), err)
	case throttled(err):
		return &Hint{"%s is asked too often, also after several attempts: %s", []any{server, cmp.Or(f.Message, f.Code)}, err}
	case f.Code != "":
		return &Hint{"%s answers %s", []any{server, strings.TrimSuffix(f.Code+": "+f.Message, ": ")}, err}
	case f.Status != 0:
		return c.check(fmt.Sprintf("%s answers %d %s", server, f.Status, http.StatusText(f.Status)), err)
	}
	return err
}

// check is what went wrong with a server, and what to look at if its endpoint was given.
func (c *Connection) check(what string, err error) *Hint {
	if c.opt.EndpointURL != "" {
		return &Hint{"%s; check %s", []any{what, Option("endpoint-url")}, err}
	}
	return &Hint{"%s", []any{what}, err}
}
