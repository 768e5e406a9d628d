// Package awstest is a server for tests that speaks the Query and JSON protocols of AWS's services.
package awstest

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// A Server answers calls by Pages, and fails those that the other fields name. It gives out credentials of roles, and says
// whose they are. The fields are set before it is used.
type Server struct {
	*httptest.Server

	// Pages has the pages of the answers by action: what stands between <ActionResponse> and the token of the next page, or an
	// object in JSON. "Action key" is for a request about that key, "region Action" for a region. An action without pages has an
	// answer in which there is nothing.
	Pages    map[string][]string
	Deny     map[string]bool // actions that are refused, or "region Action"
	Gone     map[string]bool // "Action key" whose key does not exist
	Throttle map[string]int  // how often actions are answered with RequestLimitExceeded first
	Cut      map[string]int  // how often the body of an answer breaks off first
	Account  string          // of the credentials that are no role's

	mu       sync.Mutex
	log      []string
	unsigned bool
}

// Start starts a server.
func Start() *Server {
	s := &Server{
		Pages: make(map[string][]string), Deny: make(map[string]bool), Gone: make(map[string]bool), Throttle: make(map[string]int), Cut: make(map[string]int),
		Account: "123456789012",
	}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains about the bodies that break off
	s.Server.Start()
	return s
}

// Calls returns the requests so far: region, action, and the token of the page.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.log...)
}

// Unsigned reports whether a request had no signature.
func (s *Server) Unsigned() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unsigned
}

// scope matches the credentials of a request. The key of a role has the account in it.
var scope = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([A-Z]+)(\d*)[^/]*/\d{8}/([a-z0-9-]+)/([a-z0-9]+)/aws4_request, SignedHeaders=\S+, Signature=[0-9a-f]{64}$`)

// A call is one request.
type call struct {
	service, region, account string
	action, key, token, size string
	json                     bool
}

// read takes a request apart.
func (s *Server) read(r *http.Request) (c call, signed bool) {
	m := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	c.account = s.Account
	if m != nil {
		c.region, c.service = m[3], m[4]
		if m[2] != "" {
			c.account = m[2]
		}
	}
	body, _ := io.ReadAll(r.Body) // a request that breaks off is answered to nobody
	switch _, action, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); {
	case ok:
		var in struct {
			Cluster, NextToken string
			MaxResults         int
		}
		_ = json.Unmarshal(body, &in) // what it does not have is ""
		c.json, c.action, c.key, c.token, c.size = true, action, in.Cluster, in.NextToken, fmt.Sprint(in.MaxResults)
	case r.Method == http.MethodGet:
		q := r.URL.Query()
		c.json, c.action = true, strings.TrimPrefix(r.URL.Path, "/")
		c.token = q.Get("nextToken") + q.Get("Marker")
	default:
		form, _ := url.ParseQuery(string(body)) // as above
		c.action, c.key, c.token = form.Get("Action"), form.Get("PrefixListId")+form.Get("RoleArn"), form.Get("NextToken")+form.Get("Marker")
	}
	return c, m != nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, signed := s.read(r)
	s.mu.Lock()
	s.log = append(s.log, strings.TrimSpace(c.region+" "+c.action+" "+c.token))
	s.unsigned = s.unsigned || !signed
	throttle, cut := s.Throttle[c.action] > 0, s.Cut[c.action] > 0
	if throttle {
		s.Throttle[c.action]--
	} else if cut {
		s.Cut[c.action]--
	}
	s.mu.Unlock()
	answer := s.answer(c)
	switch {
	case s.Deny[c.action] || s.Deny[c.region+" "+c.action]:
		w.WriteHeader(http.StatusForbidden)
		answer = fmt.Sprintf("<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this operation. User: arn:aws:iam::%s:user/auditor is not authorized to perform: %s:%s because no identity-based policy allows the %[2]s:%[3]s action</Message></Error></Errors><RequestID>r</RequestID></Response>", c.account, c.service, c.action)
	case s.Gone[c.action+" "+c.key]:
		w.WriteHeader(http.StatusBadRequest)
		answer = "<Response><Errors><Error><Code>InvalidPrefixListID.NotFound</Code><Message>The prefix list ID '" + c.key + "' does not exist</Message></Error></Errors><RequestID>r</RequestID></Response>"
	case throttle:
		w.WriteHeader(http.StatusServiceUnavailable)
		answer = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error></Errors><RequestID>r</RequestID></Response>"
	case cut:
		w.Header().Set("Content-Length", fmt.Sprint(len(answer)))
		answer = answer[:len(answer)/2]
	}
	_, _ = io.WriteString(w, answer) // who does not wait for it does not need it
}

// answer is the body of a good answer.
func (s *Server) answer(c call) string {
	switch c.action {
	case "GetCallerIdentity":
		return "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::" + c.account + ":user/auditor</Arn><Account>" + c.account + "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
	case "AssumeRole":
		account := strings.Split(c.key, ":")[4]
		return "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA" + account + "X</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
	}
	pages, n := []string(nil), 0
	for _, name := range []string{c.region + " " + c.action, c.action + " " + c.key, c.action} {
		if pages == nil {
			pages = s.Pages[name]
		}
	}
	if c.token != "" {
		if _, err := fmt.Sscanf(c.token, "page-%d", &n); err != nil {
			n = len(pages)
		}
	}
	body, next := "", ""
	if n < len(pages) {
		body = pages[n]
	}
	if n+1 < len(pages) {
		next = fmt.Sprintf("page-%d", n+1)
	}
	switch {
	case c.json && next != "": // under both names
		return strings.TrimSuffix(strings.TrimSpace(body), "}") + fmt.Sprintf(`,"nextToken":%q,"NextMarker":%[1]q}`, next)
	case c.json:
		return body
	case c.service != "ec2":
		return fmt.Sprintf("<%sResponse><%[1]sResult>%s<Marker>%s</Marker><NextMarker>%[3]s</NextMarker></%[1]sResult></%[1]sResponse>", c.action, body, next)
	}
	return fmt.Sprintf("<%sResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>%s<nextToken>%s</nextToken></%[1]sResponse>", c.action, body, next)
}
