// Package cmd is the command line: one file a command, and the groups of flags that commands share. It
// alone prints, reads flags, the environment and the clock, and chooses exit codes.
package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
	_ "time/tzdata" // --tz works where the system knows no zones
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"flowlog/parse/schema"
	"flowlog/report"
)

// Exit codes, as `flowlog help exit-codes` explains them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitIncomplete  = 3
	exitDenied      = 4
	exitFired       = 5
	exitNothing     = 6
	exitInterrupted = 130
)

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errIncomplete ends a command that is done, but could not read everything. What it could not read has been
// printed.
var errIncomplete = errors.New("incomplete")

// errFired ends a check of which a rule fired. What it found has been printed.
var errFired = errors.New("a check fired")

// patience is how long an interrupted command may take to end by itself. It takes no time, unless the system
// does not return from opening a file.
const patience = 3 * time.Second

// console is the outside world.
type console struct {
	in       io.Reader
	out, err io.Writer
	settings *settings // of the environment and of files

	mu      sync.Mutex
	files   []*outFile // that were created
	written written    // what they and standard output are
	upload  func(name string) (*outFile, error)
	help    helpWriter
}

// helpWriter writes help, and keeps what goes wrong, which cobra does not tell.
type helpWriter struct {
	out io.Writer
	err error
}

func (h *helpWriter) Write(p []byte) (int, error) {
	n, err := h.out.Write(p)
	h.err = cmp.Or(h.err, err)
	return n, err
}

// discard removes the files that are not complete: those that are have ended. It returns err or its own error.
func (con *console) discard(err error) error {
	con.mu.Lock()
	defer con.mu.Unlock()
	for _, f := range con.files {
		if derr := f.discard(); derr != nil {
			err = errors.Join(err, derr)
		}
	}
	return err
}

// terminal reports whether a stream is one.
func terminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// color reports whether emphasis by escape sequences is wanted on a stream.
func color(stream any) bool {
	return terminal(stream) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// Main runs the program and returns its exit code.
func Main(args []string, in io.Reader, out, errOut io.Writer) int {
	// A closed pipe comes as an error of Write, so that temporary files are removed.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	con := &console{in: in, out: out, err: errOut, help: helpWriter{out: out}}
	done := make(chan error, 1)
	go func() {
		con.settings = readSettings(args, os.Getenv)
		root := newRoot(con, args)
		root.SetArgs(args)
		done <- cmp.Or(root.ExecuteContext(ctx), con.help.err)
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		select {
		case err = <-done:
		case <-time.After(patience):
			err = ctx.Err()
		}
	}
	err = con.discard(err)
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE), errors.Is(err, errPlanned):
		return exitDone
	case ctx.Err() != nil:
		fmt.Fprintln(errOut, "flowlog: interrupted")
		return exitInterrupted
	case errors.Is(err, errFired):
		return exitFired
	case errors.Is(err, errIncomplete):
		return exitIncomplete
	}
	fmt.Fprintln(errOut, "flowlog:", printable(con.settings.blame(err)))
	switch {
	case errors.As(err, &usageError{}):
		return exitUsage
	case accessDenied(err):
		return exitDenied
	case errors.As(err, &nothingError{}):
		return exitNothing
	}
	return exitFailed
}

// printable makes what a message could have of file names and records harmless to a terminal and to readers: control
// characters, and those that have no width, turn the direction of writing or end a line in disguise.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return '\ufffd'
		}
		return r
	}, s)
}

func isControl(r rune) bool { return r != '\n' && r != '\t' && (r < ' ' || r >= 0x7f && r < 0xa0) }

func newRoot(con *console, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "flowlog",
		Short: "Analyse AWS VPC flow logs",
		Long: "flowlog reads AWS VPC and Transit Gateway flow logs from files and says what is talking to what,\n" +
			"what is being rejected, and how much it is. No server, no database.",
		Example: "  flowlog report logs/                      summary, top talkers, rejected traffic, protocols\n" +
			"  flowlog report rejected --top 20 logs/    one report\n" +
			"  flowlog parse a.log.gz | jq .srcaddr      records as JSON\n" +
			"  flowlog parse logs/ -o parquet -O a.parquet",
		SilenceErrors: true, // Main prints them
		SilenceUsage:  true,
		Args: func(root *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(root, args)
			}
			return nil
		},
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return con.settings.start(c, con) },
	}
	root.PersistentFlags().String(flagConfig, "", "read settings from this `file` alone, or from none")
	if err := root.MarkPersistentFlagFilename(flagConfig, "yaml", "yml"); err != nil {
		panic(err)
	}
	root.Version = version()
	root.SetIn(con.in)
	root.SetOut(&con.help)
	root.SetErr(con.err)
	root.AddCommand(newParse(con), newReport(con, args), newCheck(con), newCheckDataset(con), newDiff(con), newMerge(con), newSQL(con), newInventory(con), newFields(con), newReports(con), newFormats(con), newPrices(con), newConfig(con), newVersion(con))
	con.settings.bind(root)
	if slices.Contains(args, "report") { // without that word none is called, and a hundred take 10 ms
		addSaved(con, root)
	}
	addHelp(root)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if bad := (*pflag.InvalidValueError)(nil); errors.As(err, &bad) {
			err = fmt.Errorf("--%s: %w", bad.GetFlag().Name, badValue(bad.GetFlag(), bad.GetValue(), bad))
		}
		return usageError{fmt.Errorf("%w: %s`%s --help` lists the flags", err, nearFlag(c, err, args), c.CommandPath())}
	})
	addCompletion(root)
	asUsageErrors(root)
	root.SetUsageFunc(func(c *cobra.Command) error {
		width := helpWidth
		if have := widthOf(con.out); have > 0 {
			width = min(max(have, narrowHelp), helpWidth)
		}
		return usage(c, width)
	})
	return root
}

// addCompletion makes cobra's command for completion refuse unknown shells, for which it prints its help and no error.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd() // cobra would add it too late for what follows
	c, _, err := root.Find([]string{"completion"})
	if err != nil || c == root {
		return
	}
	c.Short = "Print the completion script for a shell"
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		shells := namesOf(c.Commands(), (*cobra.Command).Name)
		return schema.Unknown("shell", args[0], shells, "flowlog completion")
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
}

// asUsageErrors marks what the commands say about their arguments as errors of usage.
func asUsageErrors(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usageError{err}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		asUsageErrors(sub)
	}
}

// flagGroup is the annotation that says under which heading help lists a flag.
const flagGroup = "group"

// section adds the flags that define declares, all under one heading.
func section(c *cobra.Command, heading string, define func(*pflag.FlagSet)) {
	set := pflag.NewFlagSet(heading, pflag.ContinueOnError)
	set.SortFlags = false
	define(set)
	set.VisitAll(func(f *pflag.Flag) { f.Annotations = map[string][]string{flagGroup: {heading}} })
	c.Flags().SortFlags = false
	c.Flags().AddFlagSet(set)
}

// helpWidth is how long lines of help about flags are at most, in characters; narrowHelp is how long they are where the
// terminal has fewer.
const (
	helpWidth  = 100
	narrowHelp = 60
)

// inOrder puts commands that are reports of the catalog into its order, in front of others, which cobra has sorted.
func inOrder(commands []*cobra.Command) []*cobra.Command {
	place := func(c *cobra.Command) int {
		if i := slices.Index(report.Names(), c.Name()); i >= 0 {
			return i
		}
		return len(report.Names())
	}
	return slices.SortedStableFunc(slices.Values(commands), func(a, b *cobra.Command) int { return place(a) - place(b) })
}

// usage prints how a command is called, its flags under their headings in lines of some width.
func usage(c *cobra.Command, width int) error {
	w := c.OutOrStderr()
	fmt.Fprint(w, "Usage:\n")
	if c.Runnable() && c.HasParent() {
		fmt.Fprintf(w, "  %s\n", c.UseLine())
	}
	if c.HasAvailableSubCommands() && c.Name() != "report" { // whose line has [NAME]
		fmt.Fprintf(w, "  %s COMMAND\n", c.CommandPath())
	}
	if c.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.Example)
	}
	list := func(heading string, include func(*cobra.Command) bool) {
		first := true
		for _, sub := range inOrder(c.Commands()) {
			if !include(sub) {
				continue
			}
			if first {
				fmt.Fprintf(w, "\n%s:\n", heading)
				first = false
			}
			fmt.Fprintf(w, "  %-17s  %s\n", sub.Name(), sub.Short)
		}
	}
	heading := "Commands"
	if c.Name() == "report" {
		heading = "Reports"
	}
	list(heading, func(sub *cobra.Command) bool { return sub.IsAvailableCommand() && sub.Name() != "help" })
	list("Help topics (flowlog help TOPIC)", func(sub *cobra.Command) bool { return sub.IsAdditionalHelpTopicCommand() })
	var headings []string
	groups := make(map[string]*pflag.FlagSet)
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		heading := "Other flags"
		if a := f.Annotations[flagGroup]; a != nil {
			heading = a[0]
		}
		if groups[heading] == nil {
			groups[heading] = pflag.NewFlagSet(heading, pflag.ContinueOnError)
			groups[heading].SortFlags = false
			headings = append(headings, heading)
		}
		groups[heading].AddFlag(f)
	})
	for _, heading := range headings {
		if groups[heading].HasAvailableFlags() {
			fmt.Fprintf(w, "\n%s:\n%s", heading, groups[heading].FlagUsagesWrapped(width))
		}
	}
	if c.Flags().Lookup("where") != nil {
		fmt.Fprint(w, "\nSee also: flowlog help filters, measures, counting, recipes\n")
	}
	if c.HasAvailableInheritedFlags() {
		fmt.Fprintf(w, "\nFlags of all commands:\n%s", c.InheritedFlags().FlagUsagesWrapped(width))
	}
	return nil
}
