package cmd

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render"
)

// A synonym is what other programs call a flag of flowlog, or what people take for one.
type synonym struct {
	names string // long ones and letters, with blanks between
	write string // what to write instead
	value string // and behind that: %s is the value that was typed, or the example
	like  string // the example
	takes *regexp.Regexp
}

// What values of synonyms look like, so that not every word behind a flag is taken for its value.
var (
	aNumber  = regexp.MustCompile(`^\d+$`)
	aWord    = regexp.MustCompile(`^[\w.:/,@()*-]+$`)
	aWidth   = regexp.MustCompile(`^(\d+[smhdw]+|auto)$`)
	aFormat  = regexp.MustCompile(`^[a-z]+$`)
	aFile    = regexp.MustCompile(`.`)
	anything = regexp.MustCompile(`.`)
)

// synonyms is THE table of flags that do not exist. Of several rows for a name the first counts whose flags the command
// has.
var synonyms = []synonym{
	{"limit count head rows max-rows num l c t", "--top", "%s", "5", aNumber},
	{"limit count head rows max-rows num l c t", "| head", "-%s", "5", aNumber},
	{"format out-format output-format f", "-o", "%s", "json", aFormat},
	{"last from start begin start-time", "--since", "%s", "24h", anything},
	{"to end stop end-time", "--until", "%s", "1h", anything},
	{"date day on", "--since 2026-05-14 --until 2026-05-15", "", "", nil},
	{"filter query condition expr expression match if", "--where", "%s", "dstport = 443", anything},
	{"src source src-ip source-ip", "--where", "srcaddr = %s", "10.0.0.5", aWord},
	{"dst dest destination dst-ip dest-ip", "--where", "dstaddr = %s", "10.0.0.5", aWord},
	{"host ip addr address", "--where", "addr = %s", "10.0.0.5", aWord},
	{"port p", "--where", "port = %s", "443", aWord},
	{"sport src-port source-port", "--where", "srcport = %s", "443", aWord},
	{"dport dst-port dest-port", "--where", "dstport = %s", "443", aWord},
	{"proto", "--where", "protocol = %s", "tcp", aWord},
	{"eni interface i", "--where", "interface_id = %s", "eni-0123", aWord},
	{"vpc", "--where", "vpc_id = %s", "vpc-0123", aWord},
	{"subnet", "--where", "subnet_id = %s", "subnet-0123", aWord},
	{"instance", "--where", "instance_id = %s", "i-0123", aWord},
	{"group-by groupby group aggregate-by key keys dimensions g", "--by", "%s", "srcaddr", aWord},
	{"order-by orderby order sort-by sortby rank-by s", "--sort", "%s", "bytes", aWord},
	{"desc descending", "--sort bytes, which ranks the largest first", "", "", nil},
	{"asc ascending reverse", "--sort -bytes, which ranks the smallest first", "", "", nil},
	{"fields columns cols select", "--fields", "%s", "srcaddr,dstaddr,bytes", aWord},
	{"fields columns cols select", "--by srcaddr for what is grouped, --measures bytes for what is computed", "", "", nil},
	{"metric metrics measure aggregate agg", "--measures", "%s", "bytes", aWord},
	{"interval bin bins bucket bucket-size step resolution granularity window", "--every", "%s", "1h", aWidth},
	{"out-file outfile output-file save write w", "-O", "%s", "report.csv", aFile},
	{"graph plot chart bars", "--chart", "", "", nil},
	{"graph plot chart bars", "-o html -O report.html, which has charts", "", "", nil},
	{"no-color nocolor no-colour color colour", "NO_COLOR=1 in front of the command", "", "", nil},
	{"file files input in path paths log logs dir directory read r", "the name of the file without a flag:", "%s", "logs/", aFile},
	{"silent no-progress", "--quiet", "", "", nil},
	{"verbose debug v", "--progress plain", "", "", nil},
	{"threads jobs parallel j", "--workers", "%s", "4", aNumber},
	{"timezone time-zone zone", "--tz", "%s", "Europe/Berlin", aWord},
	{"geoip geo geo-db geoip-db mmdb", "--city-db", "%s", "City.mmdb", aWord},
	{"input-type in-format", "--input-format", "%s", "json", aFormat},
	{"profile", "--profiles", "%s", "audit", aWord},
	{"region region-filter", "--regions", "%s", "eu-west-1", aWord},
	{"role role-arn assume-role-arn", "--roles", "%s", "arn:aws:iam::123456789012:role/audit", anything},
	{"accounts account-id", "--account", "%s", "123456789012", aNumber},
	{"fail exit-code", "--fail-on", "%s", "high", aWord},
}

// flagWord matches a flag in what a synonym says.
var flagWord = regexp.MustCompile(`(?:^|\s)(--[a-z-]+|-[a-zA-Z])\b`)

// instead says what to write for a flag that a command does not have, "" if that is not known.
func instead(c *cobra.Command, name string, args []string) string {
	if aNumber.MatchString(name) && c.Flags().Lookup("top") != nil {
		return "--top " + name // -5, as head and tail have it
	}
	if _, err := render.Lookup(name); err == nil && c.Flags().Lookup("output") != nil {
		return "-o " + name
	}
	for _, s := range synonyms {
		if slices.Contains(strings.Fields(s.names), name) && has(c, s.write) {
			return s.say(typedValue(name, args))
		}
	}
	field := strings.ReplaceAll(name, "-", "_")
	if _, ok := sqlFields().Lookup(field); ok && c.Flags().Lookup("where") != nil {
		s := synonym{write: "--where", value: field + " = %s", like: "…", takes: aWord}
		return s.say(typedValue(name, args))
	}
	return ""
}

// calledHere is the name that a flag of other programs has here, if it is one of some flags; else "".
func calledHere(name string, flags []string) string {
	for _, s := range synonyms {
		own := strings.TrimPrefix(s.write, "--")
		if s.write == "-o" {
			own = "output"
		}
		if s.value == "%s" && slices.Contains(strings.Fields(s.names), name) && slices.Contains(flags, own) {
			return own
		}
	}
	return ""
}

// has reports whether a command has all flags that a text names.
func has(c *cobra.Command, text string) bool {
	for _, m := range flagWord.FindAllStringSubmatch(text, -1) {
		f := c.Flags().Lookup(strings.TrimLeft(m[1], "-"))
		if !strings.HasPrefix(m[1], "--") {
			f = c.Flags().ShorthandLookup(m[1][1:])
		}
		if f == nil {
			return false
		}
	}
	return true
}

// say is what to write, with a value if it can be one, else with the example.
func (s synonym) say(value string) string {
	if s.value == "" {
		return s.write
	}
	if _, err := os.Stat(value); !s.takes.MatchString(value) || err == nil && s.takes != aFile { // an input behind a switch
		value = s.like
	}
	return s.write + " " + quote(fmt.Sprintf(s.value, value))
}

// typedValue is what stands behind a flag on the command line, "" if that is nothing or another flag.
func typedValue(name string, args []string) string {
	dashes := "--"
	if len(name) == 1 {
		dashes = "-"
	}
	for i, arg := range args {
		if v, ok := strings.CutPrefix(arg, dashes+name+"="); ok {
			return v
		}
		if strings.TrimLeft(arg, "-") == name && arg != name && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			return args[i+1]
		}
	}
	return ""
}

// nearFlag says what to write in place of a flag that does not exist: by the table of synonyms, else the nearest one.
func nearFlag(c *cobra.Command, err error, args []string) string {
	unknown := (*pflag.NotExistError)(nil)
	if !errors.As(err, &unknown) {
		return ""
	}
	name := unknown.GetSpecifiedName()
	if letters := unknown.GetSpecifiedShortnames(); len(letters) > 1 { // -where, as some programs have it, or -5
		whole, _, _ := strings.Cut(letters, "=")
		if c.Flags().Lookup(whole) != nil {
			return "write --" + whole + "; "
		}
		if instead(c, whole, args) != "" {
			name = whole
		}
	}
	if write := instead(c, name, args); write != "" {
		return "write " + write + "; "
	}
	if !c.HasParent() {
		words := []string{"flowlog", "report"}
		for _, arg := range args {
			words = append(words, quote(arg))
		}
		return "flags stand behind a command, as in " + strings.Join(words, " ") + "; "
	}
	if len(name) < 2 {
		return ""
	}
	if others := commandsWith(c, name); others != nil {
		return fmt.Sprintf("it is a flag of %s; ", join(others))
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if n := schema.Nearest(name, names); n != "" {
		return "did you mean --" + n + "? "
	}
	return ""
}

// commandsWith lists the other commands that have a flag.
func commandsWith(c *cobra.Command, flag string) []string {
	var names []string
	for _, other := range c.Root().Commands() {
		if f := other.Flags().Lookup(flag); f != nil && !f.Hidden && other.IsAvailableCommand() {
			names = append(names, other.Name())
		}
	}
	return names
}

// commandsElsewhere are what other programs call the commands of flowlog.
var commandsElsewhere = map[string]string{
	"convert": "parse", "export": "parse", "cat": "parse", "read": "parse", "analyze": "report", "analyse": "report", "stats": "report summary",
	"top": "report talkers", "compare": "diff", "lint": "check", "alert": "check", "query": "sql", "join": "merge",
}

// unknownCommand is the error for a first word that is no command: it may be a report, an input, or nearly a command.
func unknownCommand(root *cobra.Command, args []string) error {
	name := args[0]
	if list, _ := several(name, nil); list != nil || slices.Contains(append(report.Names(), dashboardName), name) {
		return fmt.Errorf("%s is a report: flowlog report %s", name, strings.Join(args, " "))
	}
	if query := strings.ToUpper(name); strings.HasPrefix(query, "SELECT ") || query == "SELECT" {
		return errors.New("flowlog runs no SQL: `flowlog parse logs/ -O flows.parquet` writes what an engine can ask, as in duckdb -c \"SELECT … FROM 'flows.parquet'\"")
	}
	if _, err := os.Stat(name); err == nil || strings.ContainsAny(name, "/*") || name == "-" {
		words := []string{"flowlog", "report"}
		for _, arg := range args {
			words = append(words, quote(arg))
		}
		return fmt.Errorf("%s is an input, and a command comes first: %s", name, strings.Join(words, " "))
	}
	if command := commandsElsewhere[strings.ToLower(name)]; command != "" {
		return fmt.Errorf("unknown command %q: flowlog %s does that; `flowlog --help` lists the commands", name, command)
	}
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return fmt.Errorf("unknown command %q: %s`flowlog --help` lists the commands", name, schema.DidYouMean(name, names))
}
