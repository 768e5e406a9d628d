package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"flowlog/parse/aws"
	"flowlog/parse/schema"
)

// orPublic adds to the hint of an error for want of credentials that some buckets need none.
func orPublic(err error) error {
	var access *aws.AccessError
	if errors.As(err, &access) && access.Missing {
		access.Hint = schema.Wordsf("choose a profile with %s, sign in with `aws sso login`, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or read a public bucket with %s",
			schema.Opt("profile"), schema.Opt("no-sign-request"))
	}
	return err
}

// request says what a request was for, to explain its failure.
type request struct {
	permission  string
	bucket, key string
}

// arn returns what the permission is needed on.
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

// explain makes an error of the SDK one for people: what is wrong, where it is not plain from the name of the
// object, and what helps. It keeps the error of a context as it is.
func (c *Client) explain(r request, err error) error {
	if err == nil || err == context.Canceled || err == context.DeadlineExceeded {
		return err
	}
	region, _ := c.regions.Load(r.bucket)
	name, _ := region.(string)
	name = cmp.Or(name, c.api.Options().Region)

	f := aws.FailureOf(err)
	switch {
	case f.Code == "InvalidObjectState":
		return &cause{schema.Wordsf("the object is archived in a storage class that must be restored before it can be read: `aws s3api restore-object` does that"), err}
	case f.Code == "NoSuchBucket":
		return &cause{schema.Wordsf("%s", "there is no bucket "+r.bucket+c.where()), err}
	case f.Code == "NoSuchKey" || f.Status == http.StatusNotFound && r.key != "":
		return &cause{schema.Wordsf("there is no such object"), err}
	}
	if access := f.Access(r.permission, r.arn(name)); access != nil {
		if access.Permission != "" {
			access.Hint = c.allowing()
		}
		return orPublic(access)
	}
	var garbled *smithy.DeserializationError
	var broken *aws.BrokenAnswer
	switch {
	case errors.As(err, &broken):
		return &cause{c.check(broken.Error()), err}
	case f.Unsent != nil:
		server := cmp.Or(c.endpoint(), "S3 in "+name)
		if c.link.Reached() {
			return &cause{schema.Wordsf("%s", "no answer from "+server+": "+aws.WhyUnsent(f.Unsent)), err}
		}
		return &cause{c.check("cannot reach " + server + ": " + aws.WhyUnsent(f.Unsent)), err}
	case errors.As(err, &garbled):
		return &cause{c.check("the answer is not from an S3 server"), err}
	case f.Code == "PermanentRedirect" || f.Status == http.StatusMovedPermanently:
		return &cause{schema.Wordsf("the bucket is in another region: name it with %s", schema.Opt("region")), err}
	case f.Code != "" && f.Code != "NotFound": // which the SDK makes of an answer that has no code
		return &cause{schema.Wordsf("%s", strings.TrimSuffix(fmt.Sprintf("S3 answers %s: %s", f.Code, f.Message), ": ")), err}
	case f.Status != 0:
		return &cause{c.check(fmt.Sprintf("S3 answers %d %s", f.Status, http.StatusText(f.Status))), err}
	}
	var op *smithy.OperationError
	if errors.As(err, &op) {
		return &cause{schema.Wordsf("%s", op.Err.Error()), err}
	}
	return err
}

// allowing is what helps against a missing permission.
func (c *Client) allowing() *schema.Words {
	switch {
	case c.opt.NoSignRequest:
		return schema.Wordsf("the bucket is not public; leave out %s to use your credentials", schema.Opt("no-sign-request"))
	case c.opt.RequestPayer:
		return schema.Wordsf("allow it in the identity's or the bucket's policy, or choose another identity with %s", schema.Opt("profile"))
	}
	return schema.Wordsf("allow it in the identity's or the bucket's policy, choose another identity with %s, or %s if the bucket's owner does not pay", schema.Opt("profile"), schema.Opt("request-payer"))
}

// cause is an error in our words, with what it comes from.
type cause struct {
	message *schema.Words
	error
}

func (c *cause) Error() string   { return c.message.Error() }
func (c *cause) Unwrap() []error { return []error{c.message, c.error} }

// endpoint is where requests go, "" if that is AWS.
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

// check is what went wrong with a server, and what to look at if its endpoint was given.
func (c *Client) check(what string) *schema.Words {
	if c.endpoint() != "" {
		return schema.Wordsf("%s; check %s", what, schema.Opt("endpoint-url"))
	}
	return schema.Wordsf("%s", what)
}

// final reports whether an error of one listing means that all the others will fail too.
func final(err error) bool {
	var access *aws.AccessError
	if errors.As(err, &access) {
		return access.Permission == ""
	}
	var unsent *smithyhttp.RequestSendError
	var garbled *smithy.DeserializationError
	var api smithy.APIError
	return errors.As(err, &unsent) || errors.As(err, &garbled) || errors.As(err, &api) && api.ErrorCode() == "NoSuchBucket"
}

// expecting is how S3 says in words which region a signature should name. Others quote it differently.
var expecting = regexp.MustCompile(`expecting ['"]([a-z0-9-]+)['"]`)

// regionOf returns the region of the bucket if err means that it was looked for in another one, else "".
func (c *Client) regionOf(ctx context.Context, bucket string, err error) string {
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
