package aws

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// An Option is the name of one of the Options in a Hint: profile, region, endpoint-url.
type Option string

// A Hint is a sentence about what may help. It names options, each an Option among its arguments.
type Hint struct {
	format string
	args   []any
	cause  error
}

// Hintf is fmt.Sprintf with Options among the arguments.
func Hintf(format string, args ...any) *Hint { return &Hint{format, args, nil} }

// Error is the sentence with options by their names alone.
func (h *Hint) Error() string { return h.SayOptions(func(option string) string { return option }) }

// SayOptions is the sentence with options as write has them.
func (h *Hint) SayOptions(write func(option string) string) string {
	args := make([]any, len(h.args))
	for i, arg := range h.args {
		if o, ok := arg.(Option); ok {
			arg = write(string(o))
		}
		args[i] = arg
	}
	return fmt.Sprintf(h.format, args...)
}

// Unwrap returns the error that the sentence is about, nil if it is about none.
func (h *Hint) Unwrap() error { return h.cause }

// An AccessError is a request that was refused for want of a permission or of credentials.
type AccessError struct {
	Permission string // s3:GetObject, ec2:DescribeVpcs, kms:Decrypt, …; "" if credentials are missing or wrong
	Resource   string // what the permission is needed on, "" if it is needed on all
	Reason     string // what AWS said of it
	Missing    bool   // there are no credentials
	Hint       error  // what may help: a Hint, or the caller's own words
	Err        error
}

func (e *AccessError) Error() string {
	if e.Permission == "" {
		return e.Reason + ": " + e.Hint.Error()
	}
	msg := "access denied: the permission " + e.Permission
	if e.Resource != "" {
		msg += " on " + e.Resource
	}
	msg += " is missing"
	if e.Reason != "" {
		msg += " (" + e.Reason + ")"
	}
	return msg + ": " + e.Hint.Error()
}

func (e *AccessError) Unwrap() []error { return []error{e.Hint, e.Err} }

// AccessDenied tells this error from others where this package is not imported.
func (e *AccessError) AccessDenied() bool { return true }

// Allow is the hint for a missing permission: the identity's own policy is what most services go by.
var Allow = Hintf("allow it in the identity's policy, or choose another identity with %s", Option("profile"))

// noCredentials is the error of credentials that cannot be retrieved.
func noCredentials(err error) *AccessError {
	reason := "no AWS credentials were found"
	// the machine's role is the last source: that there is none tells nothing
	if !strings.Contains(err.Error(), "IMDS") {
		reason = "no AWS credentials: " + strings.TrimPrefix(err.Error(), "failed to refresh cached credentials, ")
	}
	return &AccessError{
		Reason: reason, Missing: true, Err: err,
		Hint: Hintf("choose a profile with %s, sign in with `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", Option("profile")),
	}
}

const signIn = "sign in again, with `aws sso login` or as you did before"

// badCredentials maps the error codes about credentials to hints. Services have codes of their own for the same.
var badCredentials = map[string]*Hint{
	"ExpiredToken":                Hintf(signIn),
	"ExpiredTokenException":       Hintf(signIn),
	"RequestExpired":              Hintf(signIn),
	"TokenRefreshRequired":        Hintf(signIn),
	"InvalidToken":                Hintf("check AWS_SESSION_TOKEN, or choose a profile with %s", Option("profile")),
	"InvalidAccessKeyId":          Hintf("check AWS_ACCESS_KEY_ID, or choose a profile with %s; GovCloud, China and other servers have keys of their own", Option("profile")),
	"InvalidClientTokenId":        Hintf("check AWS_ACCESS_KEY_ID, or choose a profile with %s; a region that is not enabled for the account answers so too", Option("profile")),
	"UnrecognizedClientException": Hintf("check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, or choose a profile with %s; a region that is not enabled for the account answers so too", Option("profile")),
	"AuthFailure":                 Hintf("check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile with %s; a region that is not enabled for the account answers so too", Option("profile")),
	"OptInRequired":               Hintf("enable the region or the service for the account, or choose a profile with %s", Option("profile")),
	"SignatureDoesNotMatch":       Hintf("check AWS_SECRET_ACCESS_KEY, or choose a profile with %s", Option("profile")),
	"InvalidSignatureException":   Hintf("check AWS_SECRET_ACCESS_KEY and the clock of this machine, or choose a profile with %s", Option("profile")),
	"MissingAuthenticationToken":  Hintf("choose a profile with %s", Option("profile")),
	"RequestTimeTooSkewed":        Hintf("set this machine's clock right"),
}

// notAuthorized matches how AWS words a refusal that says which permission is missing. It need not be the one of the
// request: reading an encrypted object takes kms:Decrypt too.
var notAuthorized = regexp.MustCompile(`not authorized to perform: (\S+)(?: on (?:the )?resource: "?([^"\s)]+)"?)?`)

// A Failure is an error of a request, taken apart.
type Failure struct {
	Status        int    // of HTTP, 0 if there was no answer
	Code, Message string // of the service, "" if it did not say
	Unsent        error  // why the request got no answer, nil if it got one
	Err           error  // the whole error
}

// FailureOf takes an error of the SDK or of Call apart.
func FailureOf(err error) Failure {
	f := Failure{Err: err}
	var resp *smithyhttp.ResponseError
	if errors.As(err, &resp) && resp.Response != nil {
		f.Status = resp.HTTPStatusCode()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		f.Code, f.Message = api.ErrorCode(), strings.TrimSuffix(api.ErrorMessage(), ".")
	}
	var unsent *smithyhttp.RequestSendError
	if errors.As(err, &unsent) {
		f.Unsent = unsent.Err
	}
	return f
}

// Access returns the AccessError of a failure that is one, else nil. permission is the one that the request needs, and
// resource what on; where AWS's message names others, these count.
func (f *Failure) Access(permission, resource string) *AccessError {
	if hint, ok := badCredentials[f.Code]; ok {
		return &AccessError{Reason: cmp.Or(f.Message, f.Code), Hint: hint, Err: f.Err}
	}
	if strings.Contains(f.Err.Error(), "get identity: ") { // the SDK has no type for it
		return noCredentials(f.Err)
	}
	if f.Status != http.StatusForbidden && f.Status != http.StatusUnauthorized && !strings.HasPrefix(f.Code, "AccessDenied") && f.Code != "UnauthorizedOperation" {
		return nil
	}
	e := NotAuthorized(f.Message)
	if e == nil {
		e = &AccessError{Hint: Allow}
		if !slices.Contains([]string{"access denied", "forbidden", "unknownerror"}, strings.ToLower(f.Message)) { // the last is the SDK's
			e.Reason = f.Message
		}
	}
	e.Permission, e.Resource, e.Err = cmp.Or(e.Permission, permission), cmp.Or(e.Resource, resource), f.Err
	return e
}

// NotAuthorized returns the AccessError of a message that says which permission is missing, with who lacks it for its
// reason; nil of any other message.
func NotAuthorized(message string) *AccessError {
	m := notAuthorized.FindStringSubmatch(message)
	if m == nil {
		return nil
	}
	who, _, named := strings.Cut(message, " is not authorized")
	if !named {
		who = ""
	}
	return &AccessError{Permission: m[1], Resource: strings.TrimRight(m[2], "."), Reason: afterLast(who, ". "), Hint: Allow}
}

// afterLast is what follows the last separator, all of the text without one.
func afterLast(text, separator string) string {
	if i := strings.LastIndex(text, separator); i >= 0 {
		return text[i+len(separator):]
	}
	return text
}

// WhyUnsent words why a request got no answer: the innermost cause, or the host that there is not.
func WhyUnsent(err error) string {
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
		return Innermost(op.Err)
	}
	return err.Error()
}

// Innermost is the text of the innermost cause of an error of the network.
func Innermost(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}
