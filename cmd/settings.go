package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// settings are the values of flags that are not on the command line: those of the environment, else of a file. Neither
// reaches a flag in another way.
//
//	command line → $FLOWLOG_TOP → a saved report's → ./flowlog.yaml → the user's flowlog.yaml → default
type settings struct {
	env   func(string) string
	named string // the file that --config or $FLOWLOG_CONFIG names, "" for the usual places
	by    string // which of the two does
	files []*settingsFile
	saved []*savedReport
	err   error     // what is wrong with the files: commands that use them end with it, no other does
	used  []applied // by the command that runs
}

// applied is a setting that a flag of the running command has.
type applied struct {
	flag string
	setting
}

// flagConfig names the flag that names a file of settings, noSettings is its value for no file, and
// settingsName what the file is called where none is named.
const (
	flagConfig   = "config"
	noSettings   = "none"
	settingsName = "flowlog.yaml"
)

// configurable reports whether a flag can be set by the environment and files: it stands under a heading of its
// own, and what it does is not for every run.
func configurable(f *pflag.Flag) bool {
	return f.Annotations[flagGroup] != nil && onlyTyped(f.Name) == ""
}

// configurableFlags returns the flags of a command that can be set by the environment and files.
func configurableFlags(c *cobra.Command) []*pflag.Flag {
	var flags []*pflag.Flag
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if configurable(f) {
			flags = append(flags, f)
		}
	})
	return flags
}

// sections returns the commands that have such flags. Each can have a section in a file, unless a flag has its name.
func sections(root *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(root.Commands()), func(c *cobra.Command) bool { return len(configurableFlags(c)) == 0 })
}

// envName is the environment variable of a flag.
func envName(flag string) string {
	return "FLOWLOG_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// readSettings reads the files. It is called before the command line is parsed, since there the names of saved
// reports are commands.
func readSettings(args []string, env func(string) string) *settings {
	s := &settings{env: env}
	if s.named, s.by = configArg(args), "--"+flagConfig; s.named == "" {
		s.named, s.by = env(envName(flagConfig)), "$"+envName(flagConfig)
	}
	switch s.named {
	case "":
		near := &settingsFile{path: settingsName, near: true}
		s.files = []*settingsFile{near}
		if dir, err := os.UserConfigDir(); err == nil {
			user := &settingsFile{path: filepath.Join(dir, "flowlog", settingsName)}
			if sameFile(near.path, user.path) {
				s.files = nil
			}
			s.files = append(s.files, user)
		}
	case noSettings:
	default:
		s.files = []*settingsFile{{path: s.named, by: s.by}}
	}
	for _, f := range s.files {
		if err := f.read(); err != nil {
			s.fail(err)
		}
	}
	return s
}

// configArg finds the value of --config on a command line that cobra has not parsed yet.
func configArg(args []string) (file string) {
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if v, ok := strings.CutPrefix(arg, "--"+flagConfig+"="); ok {
			file = v
		} else if arg == "--"+flagConfig && i+1 < len(args) {
			file = args[i+1]
		}
	}
	return file
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// fail notes errors of the files, each on a line of its own.
func (s *settings) fail(errs ...error) {
	if s.err != nil {
		errs = append([]error{s.err}, errs...)
	}
	var lines []string
	for _, err := range errs {
		lines = append(lines, err.Error())
	}
	if lines != nil {
		s.err = usageError{errors.New(strings.Join(lines, "\nflowlog: "))}
	}
}

// bind checks the files against the commands and flags that there are.
func (s *settings) bind(root *cobra.Command) {
	for _, f := range s.files {
		s.fail(f.bind(sections(root))...)
		for _, r := range f.reports {
			if s.report(r.name) == nil { // the nearest file's
				s.saved = append(s.saved, r)
			}
		}
	}
}

// report finds a saved report by its name, or returns nil.
func (s *settings) report(name string) *savedReport {
	i := slices.IndexFunc(s.saved, func(r *savedReport) bool { return r.name == name })
	if i < 0 {
		return nil
	}
	return s.saved[i]
}

// find returns the value of the environment or a file for a flag of a command.
func (s *settings) find(c *cobra.Command, flag string) (setting, bool) {
	if v := s.env(envName(flag)); v != "" {
		return setting{values: []string{v}, origin: "$" + envName(flag)}, true
	}
	section := c
	for section.HasParent() && section.Parent().HasParent() {
		section = section.Parent()
	}
	if section != c && section.Name() == "report" {
		if r := s.report(c.Name()); r != nil {
			if v, ok := r.values[flag]; ok {
				return v, true
			}
		}
	}
	for _, f := range s.files {
		for _, name := range []string{section.Name(), ""} {
			if v, ok := f.values[name][flag]; ok {
				return v, true
			}
		}
	}
	return setting{}, false
}

// apply gives the flags of a command that are not on the command line the values that the environment and the
// files have for them.
func (s *settings) apply(c *cobra.Command) ([]applied, error) {
	flags := configurableFlags(c)
	if len(flags) == 0 {
		return nil, nil
	}
	if s.err != nil {
		return nil, s.err
	}
	typed := ""
	if s.by == "--"+flagConfig {
		typed = s.named
	}
	if f := c.Flag(flagConfig); f != nil && f.Value.String() != typed {
		return nil, usageError{fmt.Errorf("which --%s is meant, %q or %q? write it as --%[1]s=FILE, in front", flagConfig, f.Value, typed)}
	}
	var used []applied
	for _, f := range flags {
		if f.Changed {
			continue
		}
		v, ok := s.find(c, f.Name)
		if !ok {
			continue
		}
		if err := v.set(c, f); err != nil {
			return nil, usageError{err}
		}
		used = append(used, applied{f.Name, v})
	}
	return used, nil
}

// start applies the settings to the command that is about to run. What a file in the working directory changes
// is said on stderr, saved reports included: nobody may have looked into it, and one may stand in the way of the
// user's own.
func (s *settings) start(c *cobra.Command, con *console) error {
	var err error
	if s.used, err = s.apply(c); err != nil {
		return err
	}
	if quiet(c) {
		return nil
	}
	var near []string
	for _, u := range s.used {
		if u.file != nil && u.file.near {
			near = append(near, "--"+u.flag)
		}
	}
	if near != nil {
		fmt.Fprintf(con.err, "flowlog: %s sets %s\n", settingsName, strings.Join(near, ", "))
	}
	return nil
}

// typedIn reports whether the value of a flag of the running command is that of the command line or the default.
func (s *settings) typedIn(flag string) bool {
	return !slices.ContainsFunc(s.used, func(u applied) bool { return u.flag == flag })
}

// typed lists the flags of a group that are on the command line itself. Settings of the environment and files may be for
// other runs.
func (s *settings) typed(c *cobra.Command, heading string) []string {
	var names []string
	c.Flags().Visit(func(f *pflag.Flag) {
		set := slices.ContainsFunc(s.used, func(u applied) bool { return u.flag == f.Name })
		if a := f.Annotations[flagGroup]; a != nil && a[0] == heading && !set {
			names = append(names, f.Name)
		}
	})
	return names
}

// quoted matches a text in quotes in an error message.
var quoted = regexp.MustCompile(`"[^"]+"`)

// blame adds to the text of an error the origin of the values that it names, if they were not typed.
func (s *settings) blame(err error) string {
	text := say(err)
	if s.err != nil {
		return text
	}
	var notes []string
	for _, u := range s.used {
		speaks := slices.ContainsFunc(u.values, func(v string) bool {
			return slices.ContainsFunc(quoted.FindAllString(text, -1), func(q string) bool { return strings.Contains(v, strings.Trim(q, `"`)) })
		})
		if speaks || regexp.MustCompile(`--`+regexp.QuoteMeta(u.flag)+`($|[^-\w])`).MatchString(text) {
			notes = append(notes, fmt.Sprintf("--%s comes from %s", u.flag, u.origin))
		}
	}
	if notes != nil {
		text += " (" + strings.Join(notes, ", ") + ")"
	}
	return text
}
