package aws

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// tokens is a server that gives out credentials of one role, and says whose those of a request are.
func tokens(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assumed := strings.Contains(r.Header.Get("Authorization"), "Credential=ASIAROLE/")
		switch action, role := r.PostFormValue("Action"), r.PostFormValue("RoleArn"); {
		case action == "GetCallerIdentity" && assumed:
			fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::210987654321:assumed-role/audit/flowlog</Arn><Account>210987654321</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
		case action == "GetCallerIdentity":
			fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/x</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
		case action == "AssumeRole" && role == "arn:aws:iam::210987654321:role/audit" && r.PostFormValue("RoleSessionName") == "flowlog":
			fmt.Fprint(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
		default:
			w.WriteHeader(403)
			fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/x is not authorized to perform: sts:AssumeRole on resource: %s</Message></Error></ErrorResponse>`, role)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestAssume(t *testing.T) {
	c := connect(t, tokens(t).URL)
	if id, err := c.Identity(t.Context()); err != nil || id.Account != "123456789012" {
		t.Errorf("got %+v, %v", id, err)
	}
	other, err := c.Assume(t.Context(), "arn:aws:iam::210987654321:role/audit")
	if err != nil {
		t.Fatal(err)
	}
	if id, err := other.Identity(t.Context()); err != nil || id.Account != "210987654321" || !strings.HasSuffix(id.ARN, "/flowlog") {
		t.Errorf("got %+v, %v", id, err)
	}
	_, err = c.Assume(t.Context(), "arn:aws:iam::210987654321:role/admin")
	var denied *AccessError
	if !errors.As(err, &denied) || denied.Permission != "sts:AssumeRole" || denied.Resource != "arn:aws:iam::210987654321:role/admin" {
		t.Errorf("got %v", err)
	}
}

// Options stand in hints by their names, and as flags where a command line says them.
func TestHint(t *testing.T) {
	_, err := Connect(t.Context(), Options{Regional: "Athena"})
	var hint *Hint
	if !errors.As(err, &hint) || hint.Error() != "no region is known in which Athena is to run: name it with region, or set AWS_REGION" {
		t.Fatalf("got %v", err)
	}
	if got, want := hint.SayOptions(func(o string) string { return "--" + o }), "no region is known in which Athena is to run: name it with --region, or set AWS_REGION"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
