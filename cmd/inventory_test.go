package cmd_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"flowlog/cmd"
	"flowlog/parse/aws/awstest"
	"flowlog/parse/s3/s3test"
)

// A snapshot can be an object in S3. If that cannot be written, nothing is left of it.
func TestInventoryToS3(t *testing.T) {
	ec2 := awstest.Start()
	defer ec2.Close()
	ec2.Pages["DescribeVpcs"] = []string{`<vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet>`}
	var denied bool
	store := s3test.New("audit")
	objects := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if denied && r.Method == http.MethodPut {
			http.Error(w, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", http.StatusForbidden)
			return
		}
		store.ServeHTTP(w, r)
	}))
	defer objects.Close()
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-3",
		"AWS_ENDPOINT_URL": ec2.URL, "AWS_ENDPOINT_URL_S3": objects.URL,
	} {
		t.Setenv(name, value)
	}
	take := func() (int, string, string) {
		var out, errOut bytes.Buffer
		code := cmd.Main([]string{"--config", "none", "inventory", "-O", "s3://audit/inv/"}, nil, &out, &errOut)
		return code, out.String(), errOut.String()
	}
	code, out, errOut := take()
	name, ok := strings.CutPrefix(strings.TrimSpace(out), "s3://audit")
	if code != 0 || !ok || !strings.HasSuffix(name, "_123456789012_eu-west-3.json.gz") {
		t.Fatalf("exit code %d, got %q: %s", code, out, errOut)
	}
	resp, err := http.Get(objects.URL + "/audit" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	z, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || !strings.Contains(string(text), `"DescribeVpcs":{"Vpcs":[`+"\n"+`{"VpcId":"vpc-1"}]}`) {
		t.Errorf("got %s, %v", text, err)
	}
	denied = true
	if code, out, errOut = take(); code != 4 || out != "" || !strings.Contains(errOut, "the permission s3:PutObject on arn:aws:s3:::audit/inv/") || !strings.Contains(errOut, "another identity with --profiles") {
		t.Errorf("exit code %d, got %q: %s", code, out, errOut)
	}
}
