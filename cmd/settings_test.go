package cmd

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/report"
)

// tree returns all commands, with the settings of an environment and of the files that there are.
func tree(env map[string]string, args ...string) (*settings, *cobra.Command) {
	con := &console{in: strings.NewReader(""), out: io.Discard, err: io.Discard}
	con.settings = readSettings(args, func(name string) string { return env[name] })
	return con.settings, newRoot(con, args)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestOrigins sets one flag in every way, then takes away the one that wins, again and again.
func TestOrigins(t *testing.T) {
	t.Chdir(t.TempDir())
	user := userFile(t)
	const saved = "reports: {mine: {from: talkers, top: 3}}\n"
	steps := []struct {
		env, near, user string
		value, origin   string
	}{
		{"2", saved + "top: 5\nreport: {top: 4}", "top: 7\nreport: {top: 6}", "2", "$FLOWLOG_TOP"},
		{"", saved + "top: 5\nreport: {top: 4}", "top: 7\nreport: {top: 6}", "3", "flowlog.yaml:1:38"},
		{"", "top: 5\nreport: {top: 4}", saved + "top: 7\nreport: {top: 6}", "3", user + ":1:38"},
		{"", "reports: {mine: {}}\ntop: 5\nreport: {top: 4}", saved + "top: 7\nreport: {top: 6}", "4", "flowlog.yaml:3:15"},
		{"", "reports: {mine: {}}\ntop: 5", "top: 7\nreport: {top: 6}", "5", "flowlog.yaml:2:6"},
		{"", "reports: {mine: {}}", "top: 7\nreport: {top: 6}", "6", user + ":2:15"},
		{"", "reports: {mine: {}}", "top: 7", "7", user + ":1:6"},
		{"", "reports: {mine: {}}", "", "10", byDefault},
	}
	for i, step := range steps {
		writeFile(t, settingsName, step.near)
		writeFile(t, user, step.user)
		for _, typed := range []bool{false, true} {
			value, origin := step.value, step.origin
			args := []string{"report", "mine"}
			if typed {
				args = append(args, "--top", "1")
				value, origin = "1", byDefault
			}
			s, root := tree(map[string]string{"FLOWLOG_TOP": step.env}, args...)
			c, rest, err := root.Find(args)
			if err != nil || c.Name() != "mine" {
				t.Fatalf("step %d: there is no report mine: %v, %v", i, err, s.err)
			}
			if err := c.ParseFlags(rest); err != nil {
				t.Fatal(err)
			}
			used, err := s.apply(c)
			if err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
			got := byDefault
			for _, u := range used {
				got = u.origin
			}
			if v := c.Flag("top").Value.String(); v != value || got != origin {
				t.Errorf("step %d: top is %s from %s, want %s from %s", i, v, got, value, origin)
			}
		}
	}
}

// userFile is where the user's file of settings goes in this test.
func userFile(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} {
		t.Setenv(name, home)
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "flowlog", settingsName)
}

// TestEveryFlag holds the flags against the rules: each can be set, or there is a reason why not.
func TestEveryFlag(t *testing.T) {
	_, root := tree(nil, "--config", noSettings)
	reserved := []string{"reports", flagConfig, ""}
	for _, c := range sections(root) {
		if !slices.Contains([]string{"inventory", "prices"}, c.Name()) { // the flag is worth more in a file than a section of the command
			reserved = append(reserved, c.Name())
		}
	}
	if want := []string{"parse", "report"}; len(reserved)-3 < len(want) || !slices.Contains(reserved, want[0]) || !slices.Contains(reserved, want[1]) {
		t.Fatalf("the commands with settings are %q", reserved[3:])
	}
	exists := make(map[string]bool)
	for _, c := range sections(root) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if slices.Contains(reserved, f.Name) {
				t.Errorf("--%s of %s is called like a section of a file", f.Name, c.Name())
			}
			if configurable(f) && (trust[f.Name].class == 0 || trust[f.Name].reason == "") {
				t.Errorf("--%s of %s has no class of trust, with its reason", f.Name, c.Name())
			}
			exists[f.Name] = true
			if onlyTyped(f.Name) == "" && !configurable(f) && !f.Hidden && f.Name != "help" && c.Name()+" --"+f.Name != "sql --table" { // it is another thing than report's
				t.Errorf("--%s of %s is in no group: no setting can reach it", f.Name, c.Name())
			}
			if _, list := f.Value.(pflag.SliceValue); !list && !isCondition(f) && f.Value.Type() != "string" && kinds[f.Value.Type()] == "" {
				t.Errorf("--%s of %s: kinds does not say what a %s is", f.Name, c.Name(), f.Value.Type())
			}
		})
	}
	for name := range trust {
		if !exists[name] {
			t.Errorf("there is a rule about --%s, but no such flag", name)
		}
	}
	for _, name := range report.Names() {
		if !reportName.MatchString(name) {
			t.Errorf("a saved report could not be called like %s", name)
		}
	}
}

// TestSetting gives flags values of every kind, from a list, from one text and from the environment.
func TestSetting(t *testing.T) {
	t.Chdir(t.TempDir())
	var list, array []string
	var text, file, pair string
	var wait time.Duration
	var ok bool
	c := &cobra.Command{Use: "x"}
	section(c, "Flags", func(f *pflag.FlagSet) {
		f.StringSliceVar(&list, "list", nil, "")
		f.StringArrayVar(&array, "array", nil, "NAME as in `name=file`")
		f.StringVar(&text, "text", "", "")
		f.StringVar(&file, "file", "", "a `file`")
		f.StringVar(&pair, "pair", "", "a `name=file`")
		f.DurationVar(&wait, "wait", 0, "")
		f.BoolVar(&ok, "ok", false, "")
	})
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	f := &settingsFile{path: filepath.Join("dir", "x.yaml")}
	err = f.parse([]byte("list: [a, 'b,c', 012]\narray: [x=~/y, z=/w, v]\ntext: ~/no file\nfile: ~/y\npair: p=q/r\nwait: 1h\nok: true\n"))
	if err != nil {
		t.Fatal(err)
	}
	if errs := f.bind([]*cobra.Command{c}); errs != nil {
		t.Fatal(errs)
	}
	s := &settings{env: func(string) string { return "" }, files: []*settingsFile{f}}
	root := &cobra.Command{Use: "root"}
	root.AddCommand(c)
	for range 2 { // the second time must not change what the first has made of a path
		if _, err := s.apply(c); err != nil {
			t.Fatal(err)
		}
	}
	got := fmt.Sprintf("%q %q %q %q %q %v %v", list, array, text, file, pair, wait, ok)
	want := fmt.Sprintf("%q %q %q %q %q %v %v", []string{"a", "b,c", "012"}, []string{"x=" + filepath.Join(home, "y"), "z=/w", "v"},
		"~/no file", filepath.Join(home, "y"), "p="+filepath.Join("dir", "q", "r"), time.Hour, true)
	if got != want {
		t.Errorf("from a file: got\n%s\nwant\n%s", got, want)
	}
	s = &settings{env: func(name string) string {
		return map[string]string{"FLOWLOG_LIST": `a, "b,c"`, "FLOWLOG_ARRAY": "x=~/y,z=/w", "FLOWLOG_FILE": "~/y", "FLOWLOG_WAIT": "2m"}[name]
	}}
	for _, f := range configurableFlags(c) {
		f.Changed = false
	}
	if _, err := s.apply(c); err != nil {
		t.Fatal(err)
	}
	got = fmt.Sprintf("%q %q %q %v", list, array, file, wait)
	want = fmt.Sprintf("%q %q %q %v", []string{"a", "b,c"}, []string{"x=~/y", "z=/w"}, "~/y", 2*time.Minute)
	if got != want {
		t.Errorf("from the environment: got\n%s\nwant\n%s", got, want)
	}
}

// TestDocumentedSettings has that the files in the README and in the help are right.
func TestDocumentedSettings(t *testing.T) {
	_, root := tree(nil, "--config", noSettings)
	for path, example := range map[string]*regexp.Regexp{
		"../README.md":   regexp.MustCompile("(?ms)^```yaml\n(.*?)^```"),
		"help/config.md": regexp.MustCompile(`(?m)((?:^    .*\n|^\n)*)`),
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, m := range example.FindAllSubmatch(text, -1) {
			if !bytes.Contains(m[1], []byte("reports:")) {
				continue
			}
			found++
			f := &settingsFile{path: path, near: true}
			if err := f.parse(m[1]); err != nil {
				t.Error(err)
			}
			for _, err := range f.bind(sections(root)) {
				t.Error(err)
			}
			if len(f.reports) == 0 {
				t.Errorf("%s: there is no saved report", path)
			}
		}
		if found == 0 {
			t.Errorf("%s: found no example", path)
		}
	}
}

func TestConfigArg(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"report a.log", ""},
		{"report --config x.yaml a.log", "x.yaml"},
		{"--config=x.yaml report", "x.yaml"},
		{"report --config x.yaml --config=y.yaml", "y.yaml"},
		{"report -- --config x.yaml", ""},
		{"report --config", ""},
		{"report --configs x.yaml", ""},
	} {
		if got := configArg(strings.Fields(test.args)); got != test.want {
			t.Errorf("%s: got %q, want %q", test.args, got, test.want)
		}
	}
}

// TestHostileSettings has files that are made to take long, or more memory than there is.
func TestHostileSettings(t *testing.T) {
	var bomb, indented, saved strings.Builder
	bomb.WriteString("k0: &k0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 30 {
		fmt.Fprintf(&bomb, "k%d: &k%[1]d [%s*k%d]\n", i+1, strings.Repeat(fmt.Sprintf("*k%d, ", i), 9), i)
	}
	for i := range 600 {
		indented.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	saved.WriteString("reports:\n")
	for i := range 20_000 {
		fmt.Fprintf(&saved, "  r%d: {}\n", i)
	}
	const most = maxSettings
	for name, text := range map[string]string{
		"aliases":        bomb.String(),
		"indented":       indented.String(),
		"many reports":   saved.String(),
		"brackets":       "by: " + strings.Repeat("[", most-4),
		"closed":         "by: " + strings.Repeat("[", most/3) + strings.Repeat("]", most/3),
		"braces":         strings.Repeat("{a: ", most/4),
		"dashes":         strings.Repeat("- ", most/2),
		"questions":      strings.Repeat("? ", most/2),
		"anchors":        strings.Repeat("&a ", most/3),
		"tags":           strings.Repeat("!a ", most/3),
		"quotes":         strings.Repeat(`a: "`, most/4),
		"keys":           strings.Repeat("k: v\n", most/5),
		"colons":         strings.Repeat(":", most),
		"documents":      strings.Repeat("---\n", most/4),
		"long name":      strings.Repeat("x", most-3) + ": y",
		"long list":      "tz: [" + strings.Repeat("v,", most/2-5) + "v]",
		"a megabyte":     strings.Repeat("# nothing\n", 1<<20/10),
		"not UTF-8":      "tz: \xff\xfe",
		"UTF-16":         "\xff\xfet\x00z\x00",
		"NUL":            "tz: a\x00b",
		"escape":         "tz: \x1b[2J",
		"hidden escape":  `tz: "\x9b2J"`,
		"replaced":       "tz: \ufffd",
		"binary":         "tz: !!binary aGVsbG8=",
		"merge":          "a: &a {tz: UTC}\n<<: *a",
		"not closed":     "tz: [UTC",
		"name of a list": "? [tz]\n: UTC",
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			writeFile(t, settingsName, text)
			began := time.Now()
			s, root := tree(nil, "report")
			c, _, err := root.Find([]string{"report"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err = s.apply(c); err == nil {
				t.Fatal("no error")
			}
			if took := time.Since(began); took > 10*time.Second { // it takes some 0.1 s
				t.Errorf("took %v", took)
			}
			if message := err.Error(); len(message) > 10_000 || !strings.HasPrefix(message, settingsName) {
				t.Errorf("%d bytes of error: %.300s", len(message), message)
			}
		})
	}
}

// FuzzSettings has that no file does more than give values to flags, in characters that a terminal can take.
func FuzzSettings(f *testing.F) {
	for _, text := range []string{
		"top: 5\ntz: UTC\nreport: {by: [srcaddr, dstport], raw: true}\nparse:\n  fields: a,b\n",
		"reports:\n  mine:\n    from: talkers\n    doc: \"what\\nit is\"\n    by: srcaddr\n    top: 3\n",
		"tz: &a UTC\nsince: *a\n", "---\ntz: UTC\n...\n---\n", "tz: |\n  UTC\n", "tz: >-\n UTC\n", "? tz\n: UTC\n",
		"%YAML 1.2\n---\ntz: !!str UTC\n", "tz: 'it''s'\n# end", "\ufefftz: UTC",
	} {
		f.Add([]byte(text))
	}
	con := &console{in: strings.NewReader(""), out: io.Discard, err: io.Discard}
	con.settings = &settings{env: func(string) string { return "" }}
	sections := sections(newRoot(con, nil))
	f.Fuzz(func(t *testing.T, text []byte) {
		file := &settingsFile{path: settingsName, near: true}
		err := file.parse(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), settingsName+":") {
				t.Errorf("an error without a place: %v", err)
			}
			return
		}
		errs := file.bind(sections)
		for _, err := range errs {
			if !strings.HasPrefix(err.Error(), settingsName+":") {
				t.Errorf("an error without a place: %v", err)
			}
		}
		check := func(values map[string]setting, most trustClass) {
			for flag, v := range values {
				if trust[flag].class > most || len(v.values) == 0 && !v.list || printable(v.text()) != v.text() {
					t.Errorf("%s is %q", flag, v.values)
				}
			}
		}
		for _, values := range file.values {
			check(values, beside)
		}
		for _, r := range file.reports {
			check(r.values, narrowing)
			if !reportName.MatchString(r.name) || bytes.ContainsAny([]byte(r.doc+r.from+r.next), "\n\x1b") {
				t.Errorf("a report %q: %q", r.name, r.doc)
			}
			r.base()
		}
	})
}
