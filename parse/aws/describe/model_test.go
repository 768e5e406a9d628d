package describe

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// botocore runs testdata/model.py with a Python that has botocore, which has AWS's model of its services; $BOTOCORE_PYTHON
// names one. Without, the test is skipped: `pip install botocore` is all that it takes.
func botocore(t *testing.T, stdin []byte, args ...string) []byte {
	t.Helper()
	for _, python := range []string{os.Getenv("BOTOCORE_PYTHON"), os.Getenv("DUCKDB_PYTHON"), "python3"} {
		if python == "" || exec.Command(python, "-c", "import botocore").Run() != nil {
			continue
		}
		c := exec.Command(python, append([]string{"testdata/model.py"}, args...)...)
		var errOut bytes.Buffer
		c.Stdin, c.Stderr = bytes.NewReader(stdin), &errOut
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, &errOut)
		}
		return out
	}
	t.Skip("no Python with botocore was found, so names and page sizes are not compared with AWS's model: pip install botocore, and set BOTOCORE_PYTHON")
	return nil
}

// The table says of services, calls and members what AWS's model says.
func TestModel(t *testing.T) {
	type service struct{ Name, ID, Version, Target, Size, Token, Next string }
	type row struct {
		Call
		Service service
	}
	var table []row
	for _, c := range Calls(Words()...) {
		s := c.Service
		table = append(table, row{*c, service{s.Name, s.ID, s.version, s.target, s.size, s.token, s.next}})
	}
	stdin, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	if out := botocore(t, stdin); len(out) > 0 {
		t.Errorf("the table differs from AWS's model:\n%s", out)
	}
}
