package athena

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"

	"flowlog/parse/aws"
	"flowlog/parse/schema"
)

// A QueryError is a query that failed in Athena.
type QueryError struct{ ID, Message string }

func (e *QueryError) Error() string { return "Athena: " + e.Message + " (query " + e.ID + ")" }

// refusals are Athena's own messages for a missing permission, with the permission, which they do not name. They are
// compiled when an error occurs, so that a normal start does not pay for it.
var refusals = []struct {
	words, permission string
}{
	{`(?i)access denied when writing (?:output )?to (?:url|location): (s3://[^\s,]+)`, "s3:PutObject"},
	{`(?i)permission denied on S3 path: (s3://[^\s,]+)`, "s3:GetObject and s3:ListBucket"},
	{`(?i)unable to verify/create output bucket (\S+)`, "s3:GetBucketLocation"},
	{`(?i)insufficient permissions? to execute the query|insufficient lake formation permission\(s\):?[^:]*on (\S+)`, "lakeformation:GetDataAccess"},
}

// refused returns the AccessError for a message, nil if the message is about something else.
func refused(message string) *aws.AccessError {
	const unknown = "what the query reads"
	if e := aws.NotAuthorized(message); e != nil {
		e.Resource = cmp.Or(e.Resource, unknown)
		return e
	}
	for _, r := range refusals {
		if m := regexp.MustCompile(r.words).FindStringSubmatch(message); m != nil {
			return &aws.AccessError{Permission: r.permission, Resource: cmp.Or(strings.TrimRight(strings.Join(m[1:], ""), "."), unknown), Hint: aws.Allow}
		}
	}
	return nil
}

// failure returns the error of a query that ended without rows.
func failure(id string, s *types.QueryExecutionStatus) error {
	message := sdk.ToString(s.StateChangeReason)
	if message == "" && s.AthenaError != nil {
		message = sdk.ToString(s.AthenaError.ErrorMessage)
	}
	if e := refused(message); e != nil {
		e.Reason, e.Err = "query "+id, &QueryError{id, message}
		return e
	}
	if s.State == types.QueryExecutionStateCancelled {
		message = cmp.Or(message, "the query was cancelled")
		if strings.Contains(strings.ToLower(message), "limit was exceeded") {
			message += ": that is the workgroup's limit for a query; restrict the days in it"
		}
	}
	return &QueryError{id, cmp.Or(strings.TrimSpace(message), "the query failed, and it does not say why")}
}

// explain turns an error of the SDK into a readable one. permission is the one that the request needs.
func (r *Runner) explain(permission string, err error) error {
	f := aws.FailureOf(err)
	if e := f.Access(permission, r.resource(permission)); e != nil && e.Permission == "" {
		return e
	} else if other := refused(f.Message); other != nil { // Athena words some refusals as errors of another code
		other.Err = err
		return other
	} else if e != nil {
		return e
	}
	switch {
	case f.Code == "TooManyRequestsException" || f.Code == "ThrottlingException":
		return fmt.Errorf("Athena is asked too often, or runs too many queries of this account, also after %d attempts: %s", aws.Attempts, cmp.Or(f.Message, f.Code)) //nolint:staticcheck // a name
	case f.Code != "":
		return fmt.Errorf("Athena answers %s: %s", f.Code, f.Message) //nolint:staticcheck // a name
	case f.Unsent != nil:
		return r.check(fmt.Errorf("cannot reach %s: %s", cmp.Or(r.opt.EndpointURL, "Athena"), aws.WhyUnsent(f.Unsent)))
	}
	return err
}

// resource guesses the resource of a permission where AWS's message does not name it.
func (r *Runner) resource(permission string) string {
	if strings.HasPrefix(permission, "athena:") {
		return "the workgroup " + cmp.Or(r.opt.WorkGroup, "primary")
	}
	return "what the query reads"
}

// check adds to an error what to look at when an endpoint was given and does not answer well.
func (r *Runner) check(err error) error {
	if r.opt.EndpointURL != "" {
		return schema.Wordsf("%w; check %s", err, schema.Opt("endpoint-url"))
	}
	return err
}
