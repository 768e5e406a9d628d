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

// checkArguments says what is wrong with the names of inputs, before anything is read: a word that is no file, but the
// number of rows or a piece of a condition, would leave the report without what was asked of it.
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

// noFiles returns the arguments that are no files, and do not look as if they should be.
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

// meant says what to write for words that are no files, "" if that is not known.
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

// aSelector matches what jq and its like take.
var aSelector = regexp.MustCompile(`^\.[a-z_]*(\[|\.|\||$)`)

// namesFile reports whether an argument looks like the name of a file, so that its absence is the file's fault: it has a
// folder, an ending or a pattern, and no condition.
func namesFile(arg string) bool {
	if _, ok := condition(arg); ok || aSelector.MatchString(arg) {
		return false
	}
	return strings.ContainsAny(arg, `/\.*?[{`)
}

// checkURL refuses what flowlog cannot read from, and offers what it can.
func checkURL(arg string) error {
	if rest, ok := strings.CutPrefix(arg, "arn:aws:s3:::"); ok {
		return fmt.Errorf("%s: write s3://%s", arg, rest)
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

// s3Host matches the hosts of S3: with the bucket in front, or in the path.
var s3Host = regexp.MustCompile(`^(?:(.+)\.)?s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?$`)

// ofAmazon is the s3:// URL of an object that an https:// URL names, "" if it is none of S3.
func ofAmazon(u *url.URL) string {
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
