package cmd

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render"
)

//go:embed help/*.md
var helpPages embed.FS

// helpWords are words that people look for help about, and where it is: a page, or a heading of flags of report.
// Names of formats and compressions are added to those of the page of formats.
var helpWords = []struct{ words, target string }{
	{"where having filter condition conditions expression expressions query", "filters"},
	{"by top sort rank key keys measure group every aggregate percentile distinct", "measures"},
	{"examples example cookbook recipe howto questions", "recipes"},
	{"format input output log-format compression cloudwatch firehose", formatsPage},
	{"exit exit-code codes status errors", "exit-codes"},
	{"vantage dedupe twice duplicates nat", "counting"},
	{"settings environment env flowlog.yaml yaml saved defaults", "config"},
	{"alert alerts sarif junit baseline", "rules"},
	{"athena trino duckdb engine ddl", "sql"},
	{"dataset datasets partition hive", "partitions"},
	{"verify checksum checksums crc crc32 fsck integrity corrupt corruption damaged", "check-dataset"},
	{"speed benchmark slow memory", "performance"},
	{"merge partial cluster machines", "scaling"},
	{"pricing tiers discount", "prices"},
	{"cost money bill billing charge charges dollars", "costs"},
	{"list threat threats threat-list blocklist blocklists spamhaus firehol stix misp feodo", "lists"},
	{"field enrich enrichment geo asn columns table tables", "fields"},
	{"since until time times date dates tz timezone zone account region files stdin dry-run", inputHeading},
	{"s3 aws bucket profile credentials", s3Heading},
	{"eni owner owners snapshot snapshots role roles", "inventory"},
	{"color colour chart", "Report flags"},
}

// addHelp adds the help command, and a topic for each page.
func addHelp(root *cobra.Command) {
	topics := make(map[*cobra.Command]func(*cobra.Command, []string))
	root.SetHelpCommand(&cobra.Command{
		Use: "help [COMMAND or TOPIC]", Short: "Help about a command or a topic",
		RunE: func(help *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || len(args) > 0 && (c == root || len(rest) > 0) {
				if c, err = helpAbout(help, args); c == nil {
					return err
				}
			}
			if page := topics[c]; page != nil {
				page(c, nil)
				return nil
			}
			c.InitDefaultHelpFlag()
			c.InitDefaultVersionFlag()
			return c.Help()
		},
	})
	pages, err := helpPages.ReadDir("help")
	if err != nil {
		panic(err)
	}
	for _, page := range pages {
		text, err := helpPages.ReadFile("help/" + page.Name())
		if err != nil {
			panic(err)
		}
		name := strings.TrimSuffix(page.Name(), ".md")
		title, _, _ := strings.Cut(strings.TrimPrefix(string(text), "# "), "\n")
		page := func(c *cobra.Command, _ []string) { fmt.Fprint(c.OutOrStdout(), helpPage(string(text))) }
		if c, _, err := root.Find([]string{name}); err == nil && c != root {
			topics[c] = page // `flowlog help fields` is the page, `flowlog fields --help` about the command
			continue
		}
		topic := &cobra.Command{Use: name, Short: title}
		topic.SetHelpFunc(page)
		root.AddCommand(topic)
	}
}

// helpAbout finds the help about words that are no command or topic: a report, or what people look for under another
// name. Without a command, it has printed the help, or returns the error.
func helpAbout(help *cobra.Command, args []string) (*cobra.Command, error) {
	root := help.Root()
	word := strings.ToLower(strings.Trim(strings.Join(args, "-"), "-"))
	if slices.Contains(append(report.Names(), dashboardName), word) {
		c, _, err := root.Find([]string{"report", word})
		return c, err
	}
	for _, row := range helpWords {
		if !slices.Contains(wordsOf(row.words, row.target), word) {
			continue
		}
		if c, _, err := root.Find([]string{row.target}); err == nil && c != root {
			return c, nil
		}
		return nil, helpFlags(help, root, row.target)
	}
	if _, ok := sqlFields().Lookup(strings.ReplaceAll(word, "-", "_")); ok {
		return nil, usageError{fmt.Errorf("%s is a field: `flowlog fields %[1]s` says what it is", strings.ReplaceAll(word, "-", "_"))}
	}
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	for _, row := range helpWords {
		names = append(names, wordsOf(row.words, row.target)...)
	}
	return nil, usageError{fmt.Errorf("there is no help about %q: %s`flowlog help` lists commands and topics", strings.Join(args, " "), schema.DidYouMean(word, append(names, report.Names()...)))}
}

// formatsPage is the page of formats and compressions.
const formatsPage = "formats"

// wordsOf are the words of a row of helpWords. The page of formats has those of the tables too, but for none and table,
// which people look for elsewhere.
func wordsOf(words, target string) []string {
	all := strings.Fields(words)
	if target == formatsPage {
		outputs := render.NamesOf(func(f render.Format) bool { return f.Charts != render.OnRequest && f.Columns != render.NoColumns })
		all = slices.Concat(all, parse.FormatNames(), parse.Codecs(), outputs)
	}
	return all
}

// helpFlags prints the flags of report under a heading, and for those of the input how times are written.
func helpFlags(help, root *cobra.Command, heading string) error {
	c, _, err := root.Find([]string{"report"})
	if err != nil {
		return err
	}
	set := pflag.NewFlagSet(heading, pflag.ContinueOnError)
	set.SortFlags = false
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if a := f.Annotations[flagGroup]; a != nil && a[0] == heading {
			set.AddFlag(f)
		}
	})
	w := help.OutOrStdout()
	fmt.Fprintf(w, "%s of `flowlog report`, and of other commands that read logs:\n%s", heading, set.FlagUsagesWrapped(helpWidth))
	if heading == inputHeading {
		fmt.Fprint(w, "\nA time is that at which records end, in the zone of --tz if it has none of its own:\n")
		for _, row := range timeExamples {
			fmt.Fprintf(w, "  %s: %s\n", row.what, strings.Join(row.forms, ", "))
		}
	}
	return nil
}
