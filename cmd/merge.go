package cmd

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/enrich"
	"flowlog/parse"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/group"
	"flowlog/report/render"
)

// merging is `flowlog merge`.
type merging struct {
	con     *console
	output  output
	memory  memory
	s3      s3Flags
	tz      string
	partial bool
	quiet   bool
}

func newMerge(con *console) *cobra.Command {
	m := &merging{con: con}
	c := &cobra.Command{
		Use:   "merge [flags] FILE ...",
		Short: "Finish a report from partial results",
		Long: "merge brings together what `flowlog report NAME --partial -O FILE.arrow` wrote of parts of the logs, each on\n" +
			"a machine of its own or one after the other, and prints the report as of the whole. FILE is a file, a folder,\n" +
			"an object or a prefix in S3, or - for standard input.",
		Example: "  flowlog report talkers --partial -O 1.arrow logs/2026-05-13\n" +
			"  flowlog report talkers --partial -O 2.arrow logs/2026-05-14\n" +
			"  flowlog merge 1.arrow 2.arrow\n" +
			"  flowlog merge --partial -O both.arrow 1.arrow 2.arrow     to be merged again\n" +
			"  flowlog merge s3://my-bucket/parts/                       each machine wrote -O s3://my-bucket/parts/NAME.arrow",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("merge needs the files to bring together, as in `flowlog merge p*.arrow`")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return m.run(c.Context(), args) },
	}
	section(c, "Merge flags", func(f *pflag.FlagSet) {
		f.BoolVar(&m.partial, "partial", false, "write a partial result again, of all files")
		f.StringVar(&m.tz, "tz", "UTC", "`zone` of times in tables: UTC, Local, Europe/Berlin …")
		f.BoolVarP(&m.quiet, "quiet", "q", false, "no closing line on stderr")
	})
	m.memory.flags(c, "Merge flags", "groups")
	m.output.flags(c, "table")
	m.s3.flags(c)
	return c
}

func (m *merging) run(ctx context.Context, args []string) (err error) {
	m.con.reach(ctx, m.s3.Options)
	zone, err := loadZone(m.tz)
	if err != nil {
		return usageError{fmt.Errorf("--tz: %w", err)}
	}
	limit, err := m.memory.limit(m.con.warnings(m.quiet))
	if err != nil {
		return err
	}
	if m.partial { // which may go on in a file of its input, since it has all that is in there
		m.output.format = render.PartialName()
	} else {
		m.con.written.reads(m.con.in, args)
	}
	merger := new(group.Merger)
	defer func() { err = errors.Join(err, merger.Close()) }()
	merged, err := m.merge(ctx, merger, args, limit)
	if err != nil {
		return err
	}
	out, err := m.output.open(m.con, zone, "table", "table")
	if err != nil {
		return err
	}
	if m.partial {
		return out.done(merger.Partial(out.w))
	}
	tables, lacks, err := m.print(merger, out)
	if err := out.done(err); err != nil {
		return err
	}
	if out.Bare {
		m.output.tellCut(m.con, tables, "parts that report --partial --top 0 makes have all")
	}
	if !m.quiet {
		m.tell(merger, merged, lacks)
	}
	return m.nothing(merger)
}

// nothing is the error that no part has a record of the time, accounts or regions that its run asked for, or nil.
func (m *merging) nothing(merger *group.Merger) error {
	s := merger.Stats
	if s.Records+s.Malformed > 0 || s.Outside == 0 && s.Objects > 0 {
		return nil
	}
	var asked []string
	for _, one := range merger.Settings() {
		asked = append(asked, one.Name+" "+one.Value)
	}
	text := "no record is left in these partial results"
	if len(asked) > 0 {
		text += ", which ask for: " + strings.Join(asked, ", ")
	}
	return nothingError{text + "; " + count(s.Outside, "record") + " read " + either(s.Outside, "is", "are") + " outside the time"}
}

// merge reads the partial results, and returns how many there are. One that comes twice is read once.
func (m *merging) merge(ctx context.Context, merger *group.Merger, args []string, limit int64) (merged int64, err error) {
	for part, err := range m.parts(ctx, args) {
		if err == nil {
			err = m.add(ctx, merger, part, limit)
		}
		if twice := (*group.ErrTwice)(nil); errors.As(err, &twice) {
			if !m.quiet {
				fmt.Fprintln(m.con.err, "flowlog: warning:", twice)
			}
			continue
		}
		if err != nil {
			return merged, err
		}
		merged++
	}
	return merged, nil
}

// print finishes the reports and writes their tables.
func (m *merging) print(merger *group.Merger, out *sink) ([]report.Table, []*report.Lacking, error) {
	fields := append(schema.Logged(), enrich.Fields()...)
	wrap := func(p *schema.Projection, next schema.Emit) schema.Emit {
		return enrich.Wrap(p, enrich.Builtin(nil), 1, next)
	}
	tables, lacks, err := merger.Tables(fields, wrap)
	sayNotes(tables)
	switch {
	case err != nil:
	case len(tables) == 0 && len(lacks) > 0:
		err = lacks[0]
	case out.Single && len(tables) > 1:
		err = usageError{fmt.Errorf("%s holds one report, and these files have %d: use %s", out.Name, len(tables), schema.Join(render.SeveralNames(), "or"))}
	default:
		err = out.Tables(out.w, render.Document{Tables: tables, Input: merger.Stats, Settings: merger.Settings()}, out.opt)
	}
	return tables, lacks, err
}

// tell prints the closing line, and which reports are left out.
func (m *merging) tell(merger *group.Merger, merged int64, lacks []*report.Lacking) {
	for _, l := range lacks {
		fmt.Fprintln(m.con.err, "flowlog: left out:", printable(say(l)))
	}
	fmt.Fprintf(m.con.err, "flowlog: merged %s of %s with %s; %s\n", count(merged, "partial result"),
		count(merger.Stats.Objects, "object"), count(merger.Stats.Records, "record"), malformedPart(merger.Stats))
}

// parts lists the files and objects that the arguments name: those of a folder or of a prefix in S3 in the order of their
// names, without the output of the run before.
func (m *merging) parts(ctx context.Context, args []string) iter.Seq2[parse.Object, error] {
	return func(yield func(parse.Object, error) bool) {
		for _, arg := range args {
			if info, err := os.Stat(arg); !strings.HasPrefix(arg, "s3://") && (err != nil || !info.IsDir()) {
				if !yield(m.part(arg), nil) {
					return
				}
				continue
			}
			src, err := sources(ctx, m.con, m.s3.Options, []string{arg})
			if err != nil {
				yield(parse.Object{}, err)
				return
			}
			n := 0
			for o, err := range src[0].Objects(ctx) {
				n++
				if err != nil {
					err = parse.ObjectError{Object: o.Name, Err: err}
				}
				if err == nil && o.Found && m.isOutput(o.Name) {
					continue
				}
				if !yield(o, err) {
					return
				}
			}
			if n == 0 && !yield(parse.Object{}, cmp.Or(ctx.Err(), nothingAt(arg))) {
				return
			}
		}
	}
}

// isOutput reports whether a file or object is what this run is going to replace.
func (m *merging) isOutput(name string) bool {
	if m.output.file == "" || name == m.output.file {
		return name == m.output.file
	}
	old, err := os.Stat(m.output.file)
	if err != nil {
		return false
	}
	info, err := os.Stat(name)
	return err == nil && os.SameFile(info, old)
}

// nothingAt is the error of an argument that has no partial results.
func nothingAt(arg string) error {
	if strings.HasPrefix(arg, "s3://") {
		return fmt.Errorf("%s: there is no object of this name, and none below it", printable(arg))
	}
	return fmt.Errorf("%s: there is no file in this folder", printable(arg))
}

// part is a file, or standard input.
func (m *merging) part(name string) parse.Object {
	return parse.Object{Name: name, Open: func(context.Context) (io.ReadCloser, error) {
		if name == "-" {
			return io.NopCloser(m.con.in), nil
		}
		f, err := os.Open(name)
		return f, named(err)
	}}
}

func (m *merging) add(ctx context.Context, merger *group.Merger, part parse.Object, limit int64) (err error) {
	in, err := part.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return merger.Add(bufio.NewReaderSize(in, 1<<20), schema.Shown(part.Name), limit, m.memory.tempDir)
}
