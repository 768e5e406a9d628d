package athena

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"flowlog/parse/schema"
)

// An AccessError is a request or query that failed for lack of a permission or of credentials.
type AccessError struct {
	Permission string        // athena:StartQueryExecution, glue:GetTable, s3:GetObject, …; "" if credentials are missing or wrong
	Resource   string        // the resource of the permission
	Reason     string        // AWS's message
	Hint       *schema.Words // a possible fix
	Query      string        // the ID of the query, "" if none was started
	Err        error
}

func (e *AccessError) Error() string {
	msg := e.Reason
	if e.Permission != "" {
		msg = fmt.Sprintf("access denied: the permission %s on %s is missing", e.Permission, e.Resource)
	}
	if e.Query != "" {
		msg += " (query " + e.Query + ")"
	}
	return msg + ": " + e.Hint.Error()
}

func (e *AccessError) Unwrap() []error { return []error{e.Hint, e.Err} }

// AccessDenied identifies this error where this package is not imported.
func (e *AccessError) AccessDenied() bool { return true }

// A QueryError is a query that failed in Athena.
type QueryError struct{ ID, Message string }

func (e *QueryError) Error() string { return "Athena: " + e.Message + " (query " + e.ID + ")" }

var allow = schema.Wordsf("allow it in the identity's policy, or choose another identity with %s", schema.Opt("profile"))

// refusals are Athena's messages for a missing permission, with the permission where the message does not name it. They
// are compiled when an error occurs, so that a normal start does not pay for it.
var refusals = []struct {
	words, permission string
}{
	{`not authorized to perform: (?P<permission>\S+)(?: on (?:the )?resource: "?(?P<resource>[^"\s)]+)"?)?`, ""},
	{`(?i)access denied when writing (?:output )?to (?:url|location): (?P<resource>s3://[^\s,]+)`, "s3:PutObject"},
	{`(?i)permission denied on S3 path: (?P<resource>s3://[^\s,]+)`, "s3:GetObject and s3:ListBucket"},
	{`(?i)unable to verify/create output bucket (?P<resource>\S+)`, "s3:GetBucketLocation"},
	{`(?i)insufficient permissions? to execute the query|insufficient lake formation permission\(s\):?[^:]*on (?P<resource>\S+)`, "lakeformation:GetDataAccess"},
}

// refused returns the AccessError for a message, nil if the message is about something else.
func refused(message, permission string) *AccessError {
	for _, r := range refusals {
		words := regexp.MustCompile(r.words)
		m := words.FindStringSubmatch(message)
		if m == nil {
			continue
		}
		e := &AccessError{Permission: r.permission, Reason: message, Hint: allow}
		for i, name := range words.SubexpNames() {
			switch name {
			case "permission":
				e.Permission = m[i]
			case "resource":
				e.Resource = strings.TrimRight(m[i], ".")
			}
		}
		e.Permission = cmp.Or(e.Permission, permission)
		e.Resource = cmp.Or(e.Resource, "what the query reads")
		return e
	}
	return nil
}

// failure returns the error of a query that ended without rows.
func failure(id string, s *types.QueryExecutionStatus) error {
	message := aws.ToString(s.StateChangeReason)
	if message == "" && s.AthenaError != nil {
		message = aws.ToString(s.AthenaError.ErrorMessage)
	}
	if e := refused(message, ""); e != nil {
		e.Query, e.Err = id, &QueryError{id, message}
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

// badCredentials maps the error codes about credentials to hints.
var badCredentials = map[string]*schema.Words{
	"ExpiredTokenException":       schema.Wordsf("sign in again, with `aws sso login` or as you did before"),
	"UnrecognizedClientException": schema.Wordsf("check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, or choose a profile with %s", schema.Opt("profile")),
	"InvalidClientTokenId":        schema.Wordsf("check AWS_ACCESS_KEY_ID, or choose a profile with %s", schema.Opt("profile")),
	"InvalidSignatureException":   schema.Wordsf("check AWS_SECRET_ACCESS_KEY and the clock of this machine, or choose a profile with %s", schema.Opt("profile")),
	"MissingAuthenticationToken":  schema.Wordsf("choose a profile with %s", schema.Opt("profile")),
}

// explain turns an error of the SDK into a readable one. permission is the one that the request needs.
func (r *Runner) explain(permission string, err error) error {
	var api smithy.APIError
	code, message := "", ""
	if errors.As(err, &api) {
		code, message = api.ErrorCode(), api.ErrorMessage()
	}
	status := 0
	var resp *smithyhttp.ResponseError
	if errors.As(err, &resp) && resp.Response != nil {
		status = resp.HTTPStatusCode()
	}
	var unsent *smithyhttp.RequestSendError
	switch hint, bad := badCredentials[code]; {
	case bad:
		return &AccessError{Reason: cmp.Or(message, code), Hint: hint, Err: err}
	case strings.HasPrefix(code, "AccessDenied") || status == http.StatusForbidden:
		e := refused(message, permission)
		if e == nil {
			e = &AccessError{Permission: permission, Resource: r.resource(permission), Reason: message, Hint: allow}
		}
		e.Err = err
		return e
	case code == "TooManyRequestsException" || code == "ThrottlingException":
		return fmt.Errorf("Athena is asked too often, or runs too many queries of this account, also after %d attempts: %s", attempts, cmp.Or(message, code)) //nolint:staticcheck // a name
	case code != "":
		if e := refused(message, permission); e != nil {
			e.Err = err
			return e
		}
		return fmt.Errorf("Athena answers %s: %s", code, message) //nolint:staticcheck // a name
	case errors.As(err, &unsent):
		where := "Athena"
		if r.opt.EndpointURL != "" {
			where = r.opt.EndpointURL
		}
		return r.check(fmt.Errorf("cannot reach %s: %w", where, unsent.Err))
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
