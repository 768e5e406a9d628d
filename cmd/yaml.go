package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"flowlog/parse/disk"
	"flowlog/parse/schema"
	"flowlog/report"
)

// settingsFile is a flowlog.yaml: values for flags under their names, for all commands or in the section of one,
// and saved reports. It is walked as a tree, never decoded, so that whatever is wrong has a place.
type settingsFile struct {
	path  string
	by    string // what names it, "" if it lies in one of the usual places, where none need be
	near  bool   // it lies in the working directory
	found bool

	root    *yaml.Node                    // nil if the file is empty
	errs    []error                       // what is wrong with what stands in it
	values  map[string]map[string]setting // by section, "" for all commands, and flag
	reports []*savedReport
}

// A savedReport is a report of a file: one of the catalog's, or none, with values for flags.
type savedReport struct {
	name, doc, from, next string
	values                map[string]setting
	flags                 []string // that have values, in their order in the file
	origin                string
}

// maxSettings is the largest file that is read, and maxReports the most reports that are saved in it, so that
// nothing takes long. Names are no longer than maxName, since errors repeat them; after maxWrong errors the rest
// is not looked at.
const (
	maxSettings = 256 << 10
	maxReports  = 1000
	maxName     = 100
	maxWrong    = 20
)

// read parses the file, if there is one.
func (f *settingsFile) read() error {
	text, err := disk.Read(f.path, maxSettings)
	switch {
	case f.by == "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)):
		return nil
	case f.by != "" && errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: there is no file %s; %s is for no file", f.by, f.path, noSettings)
	case err != nil:
		return named(err)
	}
	f.found = true
	return f.parse(text)
}

func (f *settingsFile) parse(text []byte) error {
	if at := bytes.IndexFunc(text, unprintable); at >= 0 {
		what := "a control character"
		if r, _ := utf8.DecodeRune(text[at:]); r == utf8.RuneError {
			what = "not UTF-8"
		}
		line := bytes.LastIndexByte(text[:at], '\n') + 1
		return fmt.Errorf("%s:%d:%d: is %s", f.path, 1+bytes.Count(text[:at], []byte{'\n'}), 1+utf8.RuneCount(text[line:at]), what)
	}
	load, err := yaml.NewLoader(bytes.NewReader(text))
	if err != nil {
		return err
	}
	var doc, second yaml.Node
	if err = load.Load(&doc); err == nil {
		if err = load.Load(&second); err == nil {
			return fmt.Errorf("%s: a second document begins: one file is one document", f.place(&second))
		}
	}
	var wrong *yaml.LoadError
	switch {
	case err == io.EOF:
	case errors.As(err, &wrong):
		at, hint := wrong.Mark, ""
		lines := bytes.Split(text, []byte{'\n'})
		if n := at.Line - 1; n >= 0 && n < len(lines) && bytes.HasPrefix(bytes.TrimLeft(lines[n], " "), []byte{'\t'}) {
			hint = ": lines are indented by spaces, not by tabs"
		}
		return fmt.Errorf("%s:%d:%d: %s%s", f.path, at.Line, at.Column, wrong.Message, hint)
	default:
		return fmt.Errorf("%s: %w", f.path, err)
	}
	if len(doc.Content) > 0 && !null(doc.Content[0]) {
		f.root = doc.Content[0]
	}
	return nil
}

// unprintable reports whether a rune is no text, or stands for bytes that are none.
func unprintable(r rune) bool {
	return r == utf8.RuneError || r != '\r' && isControl(r)
}

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// place is where in the file a node stands.
func (f *settingsFile) place(n *yaml.Node) string {
	return fmt.Sprintf("%s:%d:%d", f.path, n.Line, n.Column)
}

// flagSet are flags that a file may have values for, by name.
type flagSet map[string]*pflag.Flag

func (s flagSet) names() []string { return slices.Sorted(maps.Keys(s)) }

// bind takes the values out of the tree. It returns everything that is wrong with them.
func (f *settingsFile) bind(sections []*cobra.Command) []error {
	f.values = map[string]map[string]setting{"": {}}
	if f.root == nil {
		return nil
	}
	all, own := make(flagSet), make(map[string]flagSet)
	for _, c := range sections {
		own[c.Name()] = make(flagSet)
		for _, flag := range configurableFlags(c) {
			own[c.Name()][flag.Name], all[flag.Name] = flag, flag
		}
	}
	for name := range all {
		delete(own, name) // a word that is a flag and a command is the flag: the command has no section
	}
	words := append(slices.Sorted(maps.Keys(own)), "reports")
	for key, value := range f.entries("a file of settings", f.root) {
		section := own[key.Value]
		switch {
		case key.Value == "reports":
			for key, value := range f.entries(key.Value, value) {
				f.bindReport(key, value, own["report"])
			}
		case section != nil:
			values := make(map[string]setting)
			for key, value := range f.entries(key.Value, value) {
				f.take(values, key, value, section, all, false)
			}
			f.values[key.Value] = values
		default:
			f.take(f.values[""], key, value, all, all, false, words...)
		}
	}
	return f.errs
}

// fail notes what is wrong with a node.
func (f *settingsFile) fail(n *yaml.Node, format string, args ...any) {
	f.failAt(n, fmt.Errorf(format, args...))
}

func (f *settingsFile) failAt(n *yaml.Node, err error) {
	if len(f.errs) == maxWrong {
		return
	}
	f.errs = append(f.errs, fmt.Errorf("%s: %w", f.place(n), err))
}

// entries goes through a mapping. What says what the mapping is.
func (f *settingsFile) entries(what string, n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		if null(n) {
			return
		}
		if n.Kind != yaml.MappingNode {
			f.fail(n, "%s has a name in front of each value, as in name: value", what)
			return
		}
		lines := make(map[string]int)
		for i := 0; i+1 < len(n.Content) && len(f.errs) < maxWrong; i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			switch {
			case key.Kind != yaml.ScalarNode || len(key.Value) > maxName:
				f.fail(key, "a name is a word")
			case lines[key.Value] != 0:
				f.fail(key, "%s stands here a second time, after line %d", key.Value, lines[key.Value])
			default:
				lines[key.Value] = key.Line
				if !yield(key, value) {
					return
				}
			}
		}
	}
}

// take puts a value for a flag among values. Flags are those that can stand there, all those that there are, and
// words what else a name can be there; saved says that they are for a saved report.
func (f *settingsFile) take(values map[string]setting, key, value *yaml.Node, flags, all flagSet, saved bool, words ...string) {
	name := key.Value
	if reason := onlyTyped(name); reason != "" {
		f.fail(key, "%s is for the command line only: %s", name, reason)
		return
	}
	flag := flags[name]
	if flag == nil && all[name] != nil {
		f.fail(key, "%s is not a flag of this command", name)
		return
	}
	if flag == nil {
		if own := calledHere(name, flags.names()); own != "" {
			f.fail(key, "unknown setting %q: it is called %s: `flowlog help config` says more", name, own)
			return
		}
		f.failAt(key, schema.Unknown("setting", name, append(flags.names(), words...), "flowlog help config"))
		return
	}
	v := setting{origin: f.place(value), file: f, each: isCondition(flag)}
	nodes := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		v.list, nodes = true, value.Content
		if _, ok := flag.Value.(pflag.SliceValue); !ok && !isCondition(flag) {
			f.fail(value, "%s takes one value, not a list", name)
			return
		}
	}
	for _, n := range nodes {
		s, ok := f.text(name, n)
		if !ok {
			return
		}
		v.values = append(v.values, s)
	}
	if reason := f.distrusts(flag, v, saved); f.near && reason != "" {
		f.fail(key, "%s is not taken from a file in the working directory, which others may have put there: %s; it can stand in your own file, or name this one: --%s %s", name, reason, flagConfig, f.path)
		return
	}
	values[name] = v
}

// text is a value, as it stands there: 012 and 1h need no quotes to stay what they are.
func (f *settingsFile) text(name string, n *yaml.Node) (text string, ok bool) {
	switch {
	case n.Kind == yaml.AliasNode:
		f.fail(n, "%s: aliases are not resolved: write out what *%s stands for", name, n.Value)
	case n.Kind != yaml.ScalarNode:
		f.fail(n, "%s takes a value, not names with values or a list", name)
	case n.Style&yaml.TaggedStyle != 0:
		f.fail(n, "%s: %s: tags have no meaning here", name, n.Tag)
	case null(n):
		f.fail(n, "%s has no value", name)
	case strings.ContainsFunc(n.Value, isControl):
		f.fail(n, "%s has a control character", name)
	default:
		return n.Value, true
	}
	return "", false
}

// reportName matches the names that saved reports can have: neither flags nor paths.
var reportName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// bindReport takes a saved report out of the tree.
func (f *settingsFile) bindReport(key, value *yaml.Node, flags flagSet) {
	r := &savedReport{name: key.Value, origin: f.place(key), values: make(map[string]setting)}
	switch {
	case !reportName.MatchString(r.name):
		f.fail(key, "%q cannot be the name of a report: it is letters, digits, - and _", r.name)
		return
	case len(f.reports) == maxReports:
		f.fail(key, "there are more than %d reports", maxReports)
		return
	case slices.Contains(report.Names(), r.name):
		f.fail(key, "%s is a report that flowlog has: choose another name", r.name)
		return
	}
	texts := map[string]*string{"doc": &r.doc, "from": &r.from, "next": &r.next}
	words := slices.Sorted(maps.Keys(texts))
	for key, value := range f.entries("the report "+r.name, value) {
		to := texts[key.Value]
		if to == nil {
			f.take(r.values, key, value, flags, flags, true, words...)
			if v, ok := r.values[key.Value]; ok {
				v.saved = true
				r.values[key.Value] = v
				r.flags = append(r.flags, key.Value)
			}
			continue
		}
		text, _ := f.text(key.Value, value)
		*to = strings.Join(strings.Fields(text), " ") // on one line
		if key.Value == "from" && text != "" && !slices.Contains(report.Names(), *to) {
			f.failAt(value, schema.Unknown("report", *to, report.Names(), "flowlog reports"))
		}
	}
	f.reports = append(f.reports, r)
}
