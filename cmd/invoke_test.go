package cmd

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// Invoked is a run of flowlog in the process of a test. Its methods are for the tests of package cmd_test too.
type Invoked struct {
	Args     []string
	Code     int    // the exit code
	Out, Err string // what it wrote
}

// Invoke runs flowlog in this process, with an empty standard input.
func Invoke(args ...string) Invoked { return InvokeWith(strings.NewReader(""), args...) }

// InvokeWith is Invoke with a standard input.
func InvokeWith(stdin io.Reader, args ...string) Invoked {
	var out, errOut bytes.Buffer
	code := Main(args, stdin, &out, &errOut)
	return Invoked{args, code, out.String(), errOut.String()}
}

// Exits ends the test unless the exit code is one of these, and returns standard output.
func (r Invoked) Exits(t testing.TB, codes ...int) string {
	t.Helper()
	if !slices.Contains(codes, r.Code) {
		t.Fatalf("%s: want exit code %d", r, codes)
	}
	return r.Out
}

// Refused fails the test unless the exit code is this and standard error has the text.
func (r Invoked) Refused(t testing.TB, code int, text string) {
	t.Helper()
	if r.Code != code || !strings.Contains(r.Err, text) {
		t.Errorf("%s: want exit code %d and %q", r, code, text)
	}
}

// String is the command, the exit code and standard error.
func (r Invoked) String() string {
	var b strings.Builder
	b.WriteString("flowlog")
	for _, arg := range r.Args {
		b.WriteString(" " + arg)
	}
	fmt.Fprintf(&b, ": exit code %d\n%s", r.Code, r.Err)
	return b.String()
}
