package cmd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/enrich"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/render"
)

// merging is `flowlog merge`.
type merging struct {
	*console
	output
	memory
	tz      string
	partial bool
	quiet   bool
}

func newMerge(con *console) *cobra.Command {
	m := &merging{console: con}
	c := &cobra.Command{
		Use:   "merge [flags] FILE ...",
		Short: "Finish a report from partial results",
		Long: "merge brings together what `flowlog report NAME --partial -O FILE.arrow` wrote of parts of the logs, each on\n" +
			"a machine of its own or one after the other, and prints the report as of the whole. - is standard input.",
		Example: "  flowlog report talkers --partial -O 1.arrow logs/2026-05-13\n" +
			"  flowlog report talkers --partial -O 2.arrow logs/2026-05-14\n" +
			"  flowlog merge 1.arrow 2.arrow\n" +
			"  flowlog merge --partial -O both.arrow 1.arrow 2.arrow     to be merged again",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("merge needs the files to bring together, as in `flowlog merge p*.arrow`")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return m.run(args) },
	}
	group(c, "Merge flags", func(f *pflag.FlagSet) {
		f.BoolVar(&m.partial, "partial", false, "write a partial result again, of all files")
		f.StringVar(&m.tz, "tz", "UTC", "`zone` of times in tables: UTC, Local, Europe/Berlin …")
		f.BoolVarP(&m.quiet, "quiet", "q", false, "no closing line on stderr")
	})
	m.memory.flags(c, "Merge flags", "groups")
	m.output.flags(c, "table")
	return c
}

func (m *merging) run(args []string) (err error) {
	zone, err := loadZone(m.tz)
	if err != nil {
		return usageError{fmt.Errorf("--tz: %w", err)}
	}
	limit, err := m.memory.limit()
	if err != nil {
		return err
	}
	if m.partial {
		m.output.format = "arrow"
	}
	merger := new(report.Merger)
	defer func() { err = errors.Join(err, merger.Close()) }()
	merged := int64(0)
	for _, name := range args {
		err := m.add(merger, name, limit)
		if twice := (*report.ErrTwice)(nil); errors.As(err, &twice) {
			if !m.quiet {
				fmt.Fprintln(m.err, "flowlog: warning:", twice)
			}
			continue
		}
		if err != nil {
			return err
		}
		merged++
	}
	out, err := m.output.open(m.console, zone, "table", "table")
	if err != nil {
		return err
	}
	if m.partial {
		return out.done(merger.Partial(out.w))
	}
	fields := append(schema.Logged(), enrich.Fields()...)
	wrap := func(p *schema.Projection, next schema.Emit) schema.Emit {
		return enrich.Wrap(p, enrich.Builtin(nil), 1, next)
	}
	tables, lacks, err := merger.Tables(fields, wrap)
	switch {
	case err != nil:
	case len(tables) == 0 && len(lacks) > 0:
		err = lacks[0]
	case out.Single && len(tables) > 1:
		err = usageError{fmt.Errorf("%s holds one report, and these files have %d: use json or ndjson", out.Name, len(tables))}
	default:
		err = out.Tables(out.w, render.Document{Tables: tables, Input: merger.Stats, Settings: merger.Settings()}, out.opt)
	}
	if err := out.done(err); err != nil {
		return err
	}
	written, cut := 0, 0
	for _, t := range tables {
		written, cut = written+len(t.Rows), cut+t.Cut
	}
	if out.Bare && cut > 0 {
		m.output.tellCut(m.console, written, written+cut, "parts that report --partial --top 0 makes have all")
	}
	if !m.quiet {
		for _, l := range lacks {
			fmt.Fprintln(m.err, "flowlog: left out:", printable(l.Error()))
		}
		fmt.Fprintf(m.err, "flowlog: merged %s of %s with %s; %s malformed\n", count(merged, "partial result"),
			count(merger.Stats.Objects, "object"), count(merger.Stats.Records, "record"), humanize.Comma(merger.Stats.Malformed))
	}
	return nil
}

func (m *merging) add(merger *report.Merger, name string, limit int64) (err error) {
	var in io.Reader = m.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return named(err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		in = f
	}
	return merger.Add(bufio.NewReaderSize(in, 1<<20), printable(name), limit, m.tempDir)
}
