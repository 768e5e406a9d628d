package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// checkArguments returns what is wrong with the names of inputs, before anything is read: a word that is no file, but a
// number of rows or a piece of a condition, would be missing from the report.
func checkArguments(c *cobra.Command, args []string) error {
	for _, arg := range args {
		if err := checkURL(arg); err != nil {
			return err
		}
	}
	if words := noFiles(args); words != nil {
		return fmt.Errorf("there is no file or folder %q%s", words[0], meant(c, words))
	}
	return nil
}

// noFiles returns the arguments that are no files and do not have the form of a file name.
func noFiles(args []string) []string {
	var words []string
	for _, arg := range args {
		if arg == "-" || strings.HasPrefix(arg, "s3://") || namesFile(arg) {
			continue
		}
		if _, err := os.Stat(arg); errors.Is(err, fs.ErrNotExist) {
			words = append(words, arg)
		}
	}
	return words
}

// meant is the advice on words that are no files, "" if there is none.
func meant(c *cobra.Command, words []string) string {
	text := strings.Join(words, " ")
	where, isWhere := condition(text)
	switch {
	case aNumber.MatchString(text) && has(c, "--top"):
		return ": the number of rows is --top " + text
	case isWhere && has(c, "--where"):
		return ": a condition goes into --where " + quote(where)
	case aSelector.MatchString(text):
		return ": -q takes no value here; -o json writes what jq " + quote(text) + " reads"
	}
	return ""
}

// warnIdle says once that flags for S3 were typed, but nothing is in S3. --region does not choose records.
func (in *input) warnIdle(con *console, args []string) {
	if in.warned || in.quiet {
		return
	}
	in.warned = true
	names := con.settings.typed(in.command, s3Heading)
	if out := in.command.Flags().Lookup("out"); out != nil {
		args = append(slices.Clip(args), out.Value.String())
	}
	if names == nil || slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "s3://") }) {
		return
	}
	line := fmt.Sprintf("--%s %s for S3, and nothing here is in S3: without effect", strings.Join(names, ", --"), either(int64(len(names)), "is", "are"))
	if region := in.s3.Region; slices.Contains(names, "region") {
		line += fmt.Sprintf("; --region-filter %s chooses objects by the region in their names", region)
		if has(in.command, "--where") {
			line += fmt.Sprintf(", --where 'region = %s' records by theirs", region)
		}
	}
	fmt.Fprintln(con.err, printable("flowlog: warning: "+line))
}

// aSelector matches a selector of jq and similar programs.
var aSelector = regexp.MustCompile(`^\.[a-z_]*(\[|\.|\||$)`)

// namesFile reports whether an argument looks like the name of a file, so that its absence is the file's fault: it has a
// folder, an ending or a pattern, and no condition.
func namesFile(arg string) bool {
	if _, ok := condition(arg); ok || aSelector.MatchString(arg) {
		return false
	}
	return strings.ContainsAny(arg, `/\.*?[{`)
}

// checkURL refuses a URL that flowlog cannot read from, and names what it can read.
func checkURL(arg string) error {
	if m := nearlyS3.FindStringSubmatch(arg); m != nil {
		return fmt.Errorf("%s: write s3://%s", arg, m[1])
	}
	u, err := url.Parse(arg)
	if err != nil || !strings.Contains(arg, "://") || strings.HasPrefix(arg, "s3://") {
		return nil
	}
	if _, err := os.Stat(arg); err == nil {
		return nil
	}
	instead := "download it, and name the file"
	switch scheme := strings.ToLower(u.Scheme); {
	case scheme == "s3":
		instead = "write s3://" + u.Host + u.Path
	case scheme == "file":
		instead = "write " + u.Path
	case scheme == "http" || scheme == "https":
		if object := ofAmazon(u); object != "" {
			instead = "write " + object
		}
	}
	return fmt.Errorf("%s: only files and s3:// are read: %s", arg, instead)
}

// nearlyS3 matches an incorrect URL of S3: an ARN, or too few slashes.
var nearlyS3 = regexp.MustCompile(`^(?:arn:aws[a-z-]*:s3:::|s3:/?)([^/].*)$`)

// consoleHost and consolePath match what the browser shows of a bucket in the console.
var (
	consoleHost = regexp.MustCompile(`^(?:[a-z0-9-]+\.)*console\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)$`)
	consolePath = regexp.MustCompile(`^/s3/(?:buckets|object)/([^/]+)/?$`)
)

// s3Host matches the hosts of S3: with the bucket in front, or in the path.
var s3Host = regexp.MustCompile(`^(?:(.+)\.)?s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?$`)

// ofAmazon is the s3:// URL of the object that an https:// URL names, "" if that is none of S3.
func ofAmazon(u *url.URL) string {
	if bucket := consolePath.FindStringSubmatch(u.Path); bucket != nil && consoleHost.MatchString(u.Hostname()) {
		return "s3://" + bucket[1] + "/" + u.Query().Get("prefix")
	}
	m := s3Host.FindStringSubmatch(u.Hostname())
	switch {
	case m == nil:
		return ""
	case m[1] == "":
		return "s3:/" + u.Path
	}
	return "s3://" + m[1] + u.Path
}

// comparison matches a condition of --where that was typed as an argument.
var comparison = regexp.MustCompile(`^\(?\s*[a-z][a-z0-9_]*\s*(?:=|!=|<|>|<=|>=|~)\s*(\S+)`)

// condition makes a condition for --where of a text that looks like one, or like a filter of tcpdump: host 10.0.0.5 and
// port 443.
func condition(text string) (string, bool) {
	if m := comparison.FindStringSubmatch(text); m != nil {
		_, err := netip.ParsePrefix(m[1])
		return text, err == nil || !strings.Contains(m[1], "/") // else it is a folder as Hive writes it
	}
	words := strings.Fields(text)
	var out []string
	side := "" // src or dst
	term := func(field, op, value string) {
		if n := len(out); n > 0 && !slices.Contains([]string{"and", "or", "not", "("}, out[n-1]) {
			out = append(out, "and")
		}
		out = append(out, field+" "+op+" "+value)
		side = ""
	}
	for i := 0; i < len(words); i++ {
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		_, aerr := netip.ParseAddr(words[i])
		_, perr := netip.ParsePrefix(words[i])
		switch w := strings.ToLower(words[i]); {
		case (w == "and" || w == "or" || w == "not" || w == "(" || w == ")") && len(words) > 1:
			out = append(out, w)
		case w == "src" || w == "dst":
			side = w
		case w == "host" && next != "":
			term(side+"addr", "=", next)
			i++
		case w == "net" && next != "":
			term(side+"addr", "in", next)
			i++
		case w == "port" && next != "":
			term(side+"port", "=", next)
			i++
		case w == "proto" && next != "":
			term("protocol", "=", next)
			i++
		case w == "tcp" || w == "udp" || w == "icmp":
			term("protocol", "=", w)
		case aerr == nil:
			term(side+"addr", "=", w)
		case perr == nil:
			term(side+"addr", "in", w)
		default:
			return "", false
		}
	}
	return strings.Join(out, " "), len(out) > 0 && side == ""
}

// accountNumber is an account as names of objects have it: twelve digits, without the dashes of the console, and with
// the zeros that a spreadsheet cuts. What is no number stays, since a dataset may have other names.
func accountNumber(s string) string {
	digits := strings.ReplaceAll(strings.TrimSpace(s), "-", "")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return s
	}
	return strings.Repeat("0", max(12-len(digits), 0)) + digits
}
