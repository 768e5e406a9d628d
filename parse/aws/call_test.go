package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain keeps the tests from the configuration of whoever runs them.
func TestMain(m *testing.M) {
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			if err := os.Unsetenv(name); err != nil {
				panic(err)
			}
		}
	}
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

var ec2 = Service{Name: "ec2", ID: "EC2"}

func clock() time.Time { return time.Date(2026, 11, 28, 16, 0, 0, 0, time.UTC) }

func connect(t *testing.T, endpoint string) *Connection {
	t.Helper()
	c, err := Connect(t.Context(), Options{EndpointURL: endpoint, Now: clock, Wait: func(int) time.Duration { return time.Millisecond }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A request is signed for its service, region and time, and sent as it is.
func TestCallSigned(t *testing.T) {
	var got *http.Request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		fmt.Fprint(w, "hello")
	}))
	defer s.Close()
	body, err := connect(t, s.URL+"/").Call(t.Context(), Service{"lambda", "Lambda"}, "eu-west-3", Request{Method: "GET", Path: "/2015-03-31/functions?MaxItems=50"})
	if err != nil || string(body) != "hello" {
		t.Fatalf("got %q, %v", body, err)
	}
	if want := "AWS4-HMAC-SHA256 Credential=AKIDTEST/20261128/eu-west-3/lambda/aws4_request, SignedHeaders="; !strings.HasPrefix(got.Header.Get("Authorization"), want) ||
		got.URL.String() != "/2015-03-31/functions?MaxItems=50" || got.Header.Get("X-Amz-Security-Token") != "token" {
		t.Errorf("got %s with %q", got.URL, got.Header)
	}
}

// Each class of failures is tried again, or is not, and is told in words.
func TestCallFails(t *testing.T) {
	refuse := func(status int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(status); fmt.Fprint(w, body) }
	}
	ec2Error := func(status int, code, message string) func(http.ResponseWriter) {
		return refuse(status, "<?xml version=\"1.0\"?>\n<Response><Errors><Error><Code>"+code+"</Code><Message>"+message+"</Message></Error></Errors><RequestID>1</RequestID></Response>")
	}
	const allow = ": allow it in the identity's policy, or choose another identity with profile"
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		tries  int
		says   string
		denied bool
	}{
		"throttled":       {ec2Error(503, "RequestLimitExceeded", "Request limit exceeded."), Attempts, "SERVER is asked too often, also after several attempts: Request limit exceeded", false},
		"overloaded":      {ec2Error(500, "InternalError", "An internal error has occurred"), Attempts, "SERVER answers InternalError: An internal error has occurred", false},
		"bad gateway":     {refuse(502, "<html>"), Attempts, "SERVER answers 502 Bad Gateway; check endpoint-url", false},
		"denied":          {ec2Error(403, "UnauthorizedOperation", "You are not authorized to perform this operation. User: arn:aws:iam::1:user/x is not authorized to perform: ec2:DescribeVpcs because no identity-based policy allows the ec2:DescribeVpcs action"), 1, "access denied: the permission ec2:DescribeVpcs is missing (User: arn:aws:iam::1:user/x)" + allow, true},
		"denied by JSON":  {refuse(400, `{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: ecs:ListClusters on resource: *"}`), 1, "access denied: the permission ecs:ListClusters on * is missing (User: arn:aws:sts::1:assumed-role/r/s)" + allow, true},
		"bad key":         {ec2Error(401, "AuthFailure", "AWS was not able to validate the provided access credentials"), 1, "AWS was not able to validate the provided access credentials: check AWS_ACCESS_KEY_ID", true},
		"expired":         {ec2Error(400, "RequestExpired", "Request has expired."), 1, "Request has expired: sign in again", true},
		"wrong parameter": {ec2Error(400, "InvalidParameterValue", "Bad."), 1, "SERVER answers InvalidParameterValue: Bad", false},
		"unknown":         {refuse(404, "404 page not found"), 1, "SERVER answers 404 Not Found; check endpoint-url", false},
		"another answer":  {refuse(200, "<html>"), mostStrange, "SERVER: not what was asked for; check endpoint-url", false},
		"breaks off":      {func(w http.ResponseWriter) { w.Header().Set("Content-Length", "100"); fmt.Fprint(w, "sound") }, Attempts, "SERVER: the answer broke off after 5 bytes: unexpected EOF; check endpoint-url", false},
		"gone":            {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, mostStrange, "cannot reach SERVER: EOF; check endpoint-url", false},
	} {
		t.Run(name, func(t *testing.T) {
			tries := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tries++; c.answer(w) }))
			s.Config.ErrorLog = nil
			defer s.Close()
			_, err := connect(t, s.URL).Call(t.Context(), ec2, "eu-west-3", Request{Permission: "ec2:DescribeVpcs", Body: []byte("x"), Check: func(body []byte) error {
				if string(body) != "sound" {
					return errors.New("not what was asked for")
				}
				return nil
			}})
			if want := strings.ReplaceAll(c.says, "SERVER", s.URL); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if tries != c.tries {
				t.Errorf("it was tried %d times, want %d", tries, c.tries)
			}
			var denied interface{ AccessDenied() bool }
			if errors.As(err, &denied) != c.denied {
				t.Errorf("AccessDenied of %v: want %t", err, c.denied)
			}
		})
	}
}

// What passes is not seen: an answer comes after failures of each kind.
func TestCallRecovers(t *testing.T) {
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n++; n {
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			w.WriteHeader(503)
			fmt.Fprint(w, "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>x</Message></Error></Errors></Response>")
		case 3:
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "cut")
		default:
			fmt.Fprint(w, "sound")
		}
	}))
	defer s.Close()
	if body, err := connect(t, s.URL).Call(t.Context(), ec2, "eu-west-3", Request{}); err != nil || string(body) != "sound" || n != 4 {
		t.Errorf("got %q, %v after %d requests", body, err, n)
	}
}

// A context that ends while Call waits ends Call.
func TestCallCancelled(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }))
	defer s.Close()
	c, err := Connect(t.Context(), Options{EndpointURL: s.URL, Now: clock, Wait: func(int) time.Duration { return time.Hour }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Call(ctx, ec2, "eu-west-3", Request{}); err != context.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

// The hosts are those of AWS's partitions, and what the environment says of endpoints counts.
func TestEndpoint(t *testing.T) {
	for _, c := range []struct {
		service       Service
		region, want  string
		name, setting string
	}{
		{ec2, "eu-west-3", "https://ec2.eu-west-3.amazonaws.com", "", ""},
		{Service{"elasticloadbalancing", "Elastic Load Balancing v2"}, "us-east-1", "https://elasticloadbalancing.us-east-1.amazonaws.com", "", ""},
		{ec2, "cn-north-1", "https://ec2.cn-north-1.amazonaws.com.cn", "", ""},
		{ec2, "us-gov-west-1", "https://ec2.us-gov-west-1.amazonaws.com", "", ""},
		{ec2, "eusc-de-east-1", "https://ec2.eusc-de-east-1.amazonaws.eu", "", ""},
		{ec2, "us-east-2", "https://ec2-fips.us-east-2.amazonaws.com", "AWS_USE_FIPS_ENDPOINT", "true"},
		{ec2, "us-east-2", "https://ec2.us-east-2.api.aws", "AWS_USE_DUALSTACK_ENDPOINT", "true"},
		{ec2, "us-east-2", "http://localhost:4566", "AWS_ENDPOINT_URL", "http://localhost:4566/"},
		{Service{"elasticloadbalancing", "Elastic Load Balancing v2"}, "us-east-2", "http://lb", "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "http://lb"},
		{ec2, "us-east-2", "https://ec2.us-east-2.amazonaws.com", "AWS_ENDPOINT_URL_RDS", "http://rds"},
		{ec2, "evil.example/", "", "", ""},
		{ec2, "", "", "", ""},
	} {
		t.Run(c.want, func(t *testing.T) {
			if c.name != "" {
				t.Setenv(c.name, c.setting)
			}
			got, err := connect(t, "").endpoint(t.Context(), c.service, c.region)
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%s in %q: got %q, %v, want %q", c.service.Name, c.region, got, err, c.want)
			}
		})
	}
}

// FuzzRefusal takes any body for that of a refusal: the status stays, and a code has neither namespace nor URL.
func FuzzRefusal(f *testing.F) {
	f.Add(403, "", `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>No.</Message></Error></Errors></Response>`)
	f.Add(400, "", `<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`)
	f.Add(400, "AccessDeniedException:http://internal.amazon.com/coral/com.amazon.coral.service/", `{"message":"No."}`)
	f.Add(400, "", `{"__type":"com.amazonaws#AccessDeniedException","Message":"No."}`)
	f.Add(500, "", "<Code>")
	f.Add(502, "", "<html><Code>x</Code></html>")
	f.Fuzz(func(t *testing.T, status int, header, body string) {
		err := refusal(&http.Response{StatusCode: status, Header: http.Header{"X-Amzn-Errortype": {header}}}, []byte(body))
		got := FailureOf(err)
		if got.Status != status || strings.ContainsAny(got.Code, "#:") {
			t.Errorf("got %+v of %d %q", got, status, body)
		}
	})
}
