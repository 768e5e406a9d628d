package cmd_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"flowlog/cmd"
	"flowlog/enrich"
	"flowlog/parse/aws/awstest"
)

var update = flag.Bool("update", false, "rewrite what the scripts and goldens expect")

func TestMain(m *testing.M) {
	testscript.Main(hermetic{m}, map[string]func(){
		"flowlog": func() { os.Exit(cmd.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// hermetic runs the tests without the settings of who runs them. It is not there for flowlog itself, which
// scripts run as a process of its own.
type hermetic struct{ *testing.M }

// trinoTest is the variable that has a Trino server for tests, without the prefix of flowlog's settings.
const trinoTest = "TRINO_TEST"

func (m hermetic) Run() int {
	home, err := os.MkdirTemp("", "flowlog-test-home-")
	err = errors.Join(err, os.Setenv(trinoTest, os.Getenv("FLOWLOG_TRINO_TEST"))) // which is no setting of flowlog's
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "FLOWLOG_") {
			err = errors.Join(err, os.Unsetenv(name))
		}
	}
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} { // what os.UserConfigDir looks at
		err = errors.Join(err, os.Setenv(name, home))
	}
	if os.Getenv("GORACE") == "" {
		err = errors.Join(err, os.Setenv("GORACE", "atexit_sleep_ms=10")) // a second for each command otherwise
	}
	if err != nil {
		panic(err)
	}
	code := m.M.Run()
	if err := os.RemoveAll(home); err != nil {
		panic(err)
	}
	return code
}

// TestScript runs testdata/script: a file for each behaviour, with the commands that a user would type. Beside
// what testscript has, a script can say
//
//	exits CODE COMMAND …    the command must end with this exit code, and not just fail
//	awstest FOLDER          AWS's services are a server that answers by the files of FOLDER: ACTION.1, ACTION.2 … are the
//	                        pages of an action, ACTION.denied and ACTION.throttled say how it fails
//	[geoip]                 this machine has a MaxMind database where flowlog looks for one
//	[tty]                   there are pseudo-terminals, which ttyin needs
//
// and $TESTDATA is the folder testdata. $HOME is the folder of the script, and $XDG_CONFIG_HOME its xdg, which is
// not there unless the script has it.
func TestScript(t *testing.T) {
	testdata, err := filepath.Abs("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                "../testdata/script",
		UpdateScripts:      *update,
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			// a script inherits neither $HOME nor $FLOWLOG_CITY_DB, only PATH and what is set here
			env.Setenv("TESTDATA", testdata)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "xdg"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true") // no script waits for credentials of the machine
			env.Setenv("GORACE", os.Getenv("GORACE"))
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "geoip":
				return hasDatabase(), nil
			case "tty":
				f, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
				if err == nil {
					f.Close()
				}
				return err == nil, nil
			}
			return false, fmt.Errorf("there is no condition %s", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "awstest": startAWS},
	})
}

// exits runs a command and checks its exit code.
func exits(ts *testscript.TestScript, not bool, args []string) {
	if not || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG ...]")
	}
	want, err := strconv.Atoi(args[0])
	if err != nil {
		ts.Fatalf("%q is not an exit code", args[0])
	}
	got := 0
	var failed *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &failed):
		got = failed.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// startAWS has the commands that follow ask a server of the test in place of AWS.
func startAWS(ts *testscript.TestScript, not bool, args []string) {
	if not || len(args) != 1 {
		ts.Fatalf("usage: awstest FOLDER")
	}
	s := awstest.Start()
	ts.Defer(s.Close)
	files, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, f := range files { // pages in their order
		switch action, what, _ := strings.Cut(f.Name(), "."); what {
		case "denied":
			s.Deny[action] = true
		case "throttled":
			s.Throttle[action] = 1
		default:
			s.Pages[action] = append(s.Pages[action], ts.ReadFile(filepath.Join(args[0], f.Name())))
		}
	}
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": s.URL, "AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "secret"} {
		ts.Setenv(name, value)
	}
}

// hasDatabase reports whether flowlog finds a database that nobody named.
func hasDatabase() bool {
	exists := func(path string) bool { _, err := os.Stat(path); return err == nil }
	return enrich.FindDB(enrich.City, os.Getenv, exists) != "" || enrich.FindDB(enrich.ASN, os.Getenv, exists) != ""
}
