package cmd_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"flowlog/cmd"
	"flowlog/parse/aws"
)

// A listing that breaks off is not an object that could not be read: nobody knows how many are missing.
func TestListingBreaksOff(t *testing.T) {
	out, errOut := listingRun(t, 3, "<KeyCount>1</KeyCount><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>")
	if !strings.Contains(out, "10.0.0.1") {
		t.Errorf("the object of the first page was not read:\n%s", out)
	}
	for _, want := range []string{
		"; how many objects are missing is not known\n",
		"; 1 listing is not whole, and how many objects are missing is not known: s3://logs/x/; ",
	} {
		if !strings.Contains(errOut, want) {
			t.Errorf("stderr lacks %q:\n%s", want, errOut)
		}
	}
	if strings.Contains(errOut, "could not be read to the end") {
		t.Errorf("stderr counts the listing as an object:\n%s", errOut)
	}
}

// A page that lists another number of objects than it says is worth a warning.
func TestListingMiscounted(t *testing.T) {
	_, errOut := listingRun(t, 0, "<KeyCount>7</KeyCount><IsTruncated>false</IsTruncated>")
	if n := strings.Count(errOut, "(KeyCount) than it lists: objects may be missing\n"); n != 1 {
		t.Errorf("%d warnings, want 1:\n%s", n, errOut)
	}
	_, errOut = listingRun(t, 0, "<KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>")
	if strings.Contains(errOut, "KeyCount") {
		t.Errorf("a warning without reason:\n%s", errOut)
	}
}

// A dry run and the help page tell how long a request is tried.
func TestRetryBudgetIsTold(t *testing.T) {
	attempts, wait := fmt.Sprintf("up to %d times", aws.Attempts), fmt.Sprintf("at most %g s", aws.LongestWait.Seconds())
	_, errOut := listingRun(t, 0, "<KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>", "--dry-run")
	page, err := os.ReadFile("help/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"--dry-run": errOut, "help performance": strings.Join(strings.Fields(string(page)), " ")} {
		if !strings.Contains(text, attempts) || !strings.Contains(text, wait) {
			t.Errorf("%s lacks %q or %q:\n%s", where, attempts, wait, text)
		}
	}
}

// listingRun reports on a folder of an S3 server whose first page of a listing has this beside one object, and which
// refuses a second one.
func listingRun(t *testing.T, code int, page string, flags ...string) (out, errOut string) {
	t.Helper()
	var pages atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !r.URL.Query().Has("list-type"):
			fmt.Fprint(w, "srcaddr bytes\n10.0.0.1 5\n")
		case r.URL.Query().Has("continuation-token"):
			pages.Add(1)
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
		default:
			fmt.Fprintf(w, "<ListBucketResult><Name>logs</Name>%s<Contents><Key>x/a.log</Key><Size>25</Size></Contents></ListBucketResult>", page)
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	var stdout, stderr bytes.Buffer
	args := []string{"report", "talkers", "-o", "csv", "--endpoint-url", server.URL, "--region", "us-east-1", "s3://logs/x/*"}
	args = append(args, flags...)
	if got := cmd.Main(args, strings.NewReader(""), &stdout, &stderr); got != code {
		t.Fatalf("exit code %d, want %d\n%s", got, code, &stderr)
	}
	return stdout.String(), stderr.String()
}
