package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"flowlog/parse/schema"
)

// An AccessError is a request that was refused because a permission or credentials are missing.
type AccessError struct {
	Permission string        // s3:GetObject, s3:ListBucket, kms:Decrypt, …; "" if credentials are missing or wrong
	ARN        string        // what the permission is needed on
	Reason     string        // of the server or the SDK
	Hint       *schema.Words // what may help
	Err        error
}

func (e *AccessError) Error() string {
	if e.Permission == "" {
		return e.Reason + ": " + e.Hint.Error()
	}
	msg := fmt.Sprintf("access denied: the permission %s on %s is missing", e.Permission, e.ARN)
	if e.Reason != "" {
		msg += " (" + e.Reason + ")"
	}
	return msg + ": " + e.Hint.Error()
}

func (e *AccessError) Unwrap() []error { return []error{e.Hint, e.Err} }

// AccessDenied identifies this error to packages that do not import this one.
func (e *AccessError) AccessDenied() bool { return true }

func noCredentials(err error) error {
	reason := "no AWS credentials were found"
	// the role of the machine, by IMDS, is tried last: its absence says nothing about the cause
	if !strings.Contains(err.Error(), "IMDS") {
		reason = "no AWS credentials: " + strings.TrimPrefix(err.Error(), "failed to refresh cached credentials, ")
	}
	return &AccessError{
		Reason: reason,
		Hint: schema.Wordsf("choose a profile with %s, sign in with `aws sso login`, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or read a public bucket with %s",
			schema.Opt("profile"), schema.Opt("no-sign-request")),
		Err: err,
	}
}

// A brokenAnswer is an answer whose body broke off, or is not what the request asks for.
type brokenAnswer struct{ err error }

func (e *brokenAnswer) Error() string { return e.err.Error() }
func (e *brokenAnswer) Unwrap() error { return e.err }

// lastPart is the text of the innermost error.
func lastPart(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// A request describes what a request was for, in the error of its failure.
type request struct {
	permission  string
	bucket, key string
}

// arn is the resource that the permission is needed on.
func (r request) arn(region string) string {
	partition := "aws"
	switch {
	case strings.HasPrefix(region, "cn-"):
		partition = "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		partition = "aws-us-gov"
	}
	arn := "arn:" + partition + ":s3:::" + r.bucket
	if r.key != "" {
		arn += "/" + r.key
	}
	return arn
}

// notAuthorized matches the message in which AWS names the missing permission. It need not be that of the request: reading
// an encrypted object takes kms:Decrypt too.
var notAuthorized = regexp.MustCompile(`not authorized to perform: (\S+)(?: on resource: "?([^"\s]+)"?)?`)

// badCredentials maps the error codes about credentials to advice.
var badCredentials = map[string]*schema.Words{
	"ExpiredToken":          schema.Wordsf("sign in again, with `aws sso login` or as you did before"),
	"ExpiredTokenException": schema.Wordsf("sign in again, with `aws sso login` or as you did before"),
	"TokenRefreshRequired":  schema.Wordsf("sign in again, with `aws sso login` or as you did before"),
	"InvalidToken":          schema.Wordsf("check AWS_SESSION_TOKEN, or choose a profile with %s", schema.Opt("profile")),
	"InvalidAccessKeyId":    schema.Wordsf("check AWS_ACCESS_KEY_ID, or choose a profile with %s; GovCloud, China and other servers have keys of their own", schema.Opt("profile")),
	"SignatureDoesNotMatch": schema.Wordsf("check AWS_SECRET_ACCESS_KEY, or choose a profile with %s", schema.Opt("profile")),
	"RequestTimeTooSkewed":  schema.Wordsf("set this machine's clock right"),
}

// explain makes an error of the SDK one for people: what is wrong, where it is not plain from the name of the object, and
// what helps. It keeps the error of a context as it is.
func (c *Client) explain(r request, err error) error {
	if err == nil || err == context.Canceled || err == context.DeadlineExceeded {
		return err
	}
	a := answerOf(err)
	region := c.regionOf(r.bucket)
	switch hint, ok := badCredentials[a.code]; {
	case ok:
		return &AccessError{Reason: a.message, Hint: hint, Err: err}
	case a.code == "InvalidObjectState":
		return &cause{schema.Wordsf("the object is archived in a storage class that must be restored before it can be read: `aws s3api restore-object` does that"), err}
	case a.code == "NoSuchBucket":
		return &cause{schema.Wordsf("%s", "there is no bucket "+r.bucket+c.where()), err}
	case a.code == "NoSuchKey" || a.status == http.StatusNotFound && r.key != "":
		return &cause{schema.Wordsf("there is no such object"), err}
	case a.status == http.StatusForbidden || a.code == "AccessDenied" || a.status == http.StatusUnauthorized:
		return c.denied(r, region, a, err)
	case strings.Contains(err.Error(), "get identity: "): // the SDK has no type for it
		return noCredentials(err)
	}
	if unanswered := c.unanswered(region, err); unanswered != nil {
		return unanswered
	}
	switch {
	case a.code == "PermanentRedirect" || a.status == http.StatusMovedPermanently:
		return &cause{schema.Wordsf("the bucket is in another region: name it with %s", schema.Opt("region")), err}
	case a.code != "" && a.code != "NotFound": // the SDK's code for an answer that has none
		return &cause{schema.Wordsf("%s", strings.TrimSuffix(fmt.Sprintf("S3 answers %s: %s", a.code, a.message), ": ")), err}
	case a.status != 0:
		return &cause{c.check(fmt.Sprintf("S3 answers %d %s", a.status, http.StatusText(a.status))), err}
	}
	var op *smithy.OperationError
	if errors.As(err, &op) {
		return &cause{schema.Wordsf("%s", op.Err.Error()), err}
	}
	return err
}

// An answer is what the server answered to a failed request; the zero value if it did not answer.
type answer struct {
	status        int
	code, message string
}

func answerOf(err error) answer {
	var a answer
	var resp *smithyhttp.ResponseError
	if errors.As(err, &resp) && resp.Response != nil {
		a.status = resp.HTTPStatusCode()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		a.code, a.message = api.ErrorCode(), strings.TrimSuffix(api.ErrorMessage(), ".")
	}
	return a
}

// regionOf is the region that requests for a bucket are sent to.
func (c *Client) regionOf(bucket string) string {
	region, _ := c.regions.Load(bucket)
	name, _ := region.(string)
	return cmp.Or(name, c.api.Options().Region)
}

// denied is the error for a request that was refused: the permission that is missing, on what, and how to get it.
func (c *Client) denied(r request, region string, a answer, err error) *AccessError {
	e := &AccessError{Permission: r.permission, ARN: r.arn(region), Err: err}
	if !strings.EqualFold(a.message, "access denied") && !strings.EqualFold(a.message, "forbidden") {
		e.Reason = a.message
	}
	if m := notAuthorized.FindStringSubmatch(a.message); m != nil {
		e.Permission = m[1]
		e.ARN = cmp.Or(m[2], e.ARN)
		e.Reason, _, _ = strings.Cut(a.message, " is not authorized")
	}
	switch {
	case c.opt.NoSignRequest:
		e.Hint = schema.Wordsf("the bucket is not public; leave out %s to use your credentials", schema.Opt("no-sign-request"))
	case c.opt.RequestPayer:
		e.Hint = schema.Wordsf("allow it in the identity's or the bucket's policy, or choose another identity with %s", schema.Opt("profile"))
	default:
		e.Hint = schema.Wordsf("allow it in the identity's or the bucket's policy, choose another identity with %s, or %s if the bucket's owner does not pay", schema.Opt("profile"), schema.Opt("request-payer"))
	}
	return e
}

// unanswered is the error for a request without an answer of S3: it could not be sent, or something else answered. It is
// nil if S3 answered.
func (c *Client) unanswered(region string, err error) error {
	var unsent *smithyhttp.RequestSendError
	var garbled *smithy.DeserializationError
	var broken *brokenAnswer
	switch {
	case errors.As(err, &broken):
		return &cause{c.check(broken.Error()), err}
	case errors.As(err, &unsent):
		server := cmp.Or(c.endpoint(), "S3 in "+region)
		if c.reached.Load() {
			return &cause{schema.Wordsf("%s", "no answer from "+server+": "+unreachable(unsent.Err)), err}
		}
		return &cause{c.check("cannot reach " + server + ": " + unreachable(unsent.Err)), err}
	case errors.As(err, &garbled):
		return &cause{c.check("the answer is not from an S3 server"), err}
	}
	return nil
}

// A cause is an error in flowlog's words, with the error of the SDK that it explains.
type cause struct {
	message *schema.Words
	error
}

func (c *cause) Error() string   { return c.message.Error() }
func (c *cause) Unwrap() []error { return []error{c.message, c.error} }

// endpoint is the URL that requests are sent to, "" for AWS.
func (c *Client) endpoint() string {
	if e := c.api.Options().BaseEndpoint; e != nil {
		return *e
	}
	return ""
}

func (c *Client) where() string {
	if e := c.endpoint(); e != "" {
		return " at " + e
	}
	return ""
}

// check is the text of an error about a server. If its endpoint was set by an option, the text advises to check that.
func (c *Client) check(what string) *schema.Words {
	if c.endpoint() != "" {
		return schema.Wordsf("%s; check %s", what, schema.Opt("endpoint-url"))
	}
	return schema.Wordsf("%s", what)
}

// unreachable is why a request did not arrive.
func unreachable(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return "no host " + dns.Name
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return lastPart(op.Err)
	}
	return err.Error()
}

// final reports whether an error of one listing means that all the others will fail too.
func final(err error) bool {
	var access *AccessError
	if errors.As(err, &access) {
		return access.Permission == ""
	}
	var unsent *smithyhttp.RequestSendError
	var garbled *smithy.DeserializationError
	var api smithy.APIError
	return errors.As(err, &unsent) || errors.As(err, &garbled) || errors.As(err, &api) && api.ErrorCode() == "NoSuchBucket"
}

// expecting matches the message in which S3 names the region of a signature. Other servers quote the region differently.
var expecting = regexp.MustCompile(`expecting ['"]([a-z0-9-]+)['"]`)

// redirectedRegion is the region of the bucket if err says that it is another one than that of the request, else "".
func (c *Client) redirectedRegion(ctx context.Context, bucket string, err error) string {
	var resp *smithyhttp.ResponseError
	if !errors.As(err, &resp) || resp.Response == nil {
		return ""
	}
	var api smithy.APIError
	errors.As(err, &api)
	switch status := resp.HTTPStatusCode(); {
	case status == http.StatusMovedPermanently, status == http.StatusTemporaryRedirect:
	case api != nil && (api.ErrorCode() == "AuthorizationHeaderMalformed" || api.ErrorCode() == "IllegalLocationConstraintException"):
	default:
		return ""
	}
	const header = "x-amz-bucket-region"
	if r := resp.Response.Header.Get(header); r != "" {
		return r
	}
	if api != nil {
		if m := expecting.FindStringSubmatch(api.ErrorMessage()); m != nil {
			return m[1]
		}
	}
	// not every answer names the region, but that to HeadBucket does, even when it is a refusal
	out, err := c.api.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket})
	if err == nil && out.BucketRegion != nil {
		return *out.BucketRegion
	}
	if errors.As(err, &resp) && resp.Response != nil {
		return resp.Response.Header.Get(header)
	}
	return ""
}
