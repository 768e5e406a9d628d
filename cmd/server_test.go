package cmd_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"flowlog/cmd"
)

// setAWS sets credentials and a region for the rest of a test, which sees nothing of this machine's.
func setAWS(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
	} {
		t.Setenv(name, value)
	}
}

// onServer starts an S3 server until the end of a test, and returns what runs flowlog on it.
func onServer(t *testing.T, handler http.Handler) func(args ...string) cmd.Invoked {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return func(args ...string) cmd.Invoked {
		return cmd.Invoke(append([]string{"--config", "none"}, append(args, "--endpoint-url", server.URL)...)...)
	}
}
