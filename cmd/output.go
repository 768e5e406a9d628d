package cmd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"flowlog/report/render"
)

// output is the group of flags that say where results go and in what form.
type output struct {
	format  string
	file    string
	raw     bool
	command *cobra.Command // whose flags these are
	quiet   func() bool
}

func (o *output) flags(c *cobra.Command, byDefault string) { o.flagsFor(c, byDefault, render.Names) }

// flagsFor is flags for a command that has formats of its own.
func (o *output) flagsFor(c *cobra.Command, byDefault string, formats func() []string) {
	section(c, "Output flags", func(f *pflag.FlagSet) {
		f.StringVarP(&o.format, "output", "o", "", "`format`: "+join(formats())+" (default: what the name of --out ends in, or else "+byDefault+")")
		f.StringVarP(&o.file, "out", "O", "", "write to this `file`, or to s3://BUCKET/NAME; it appears when it is complete")
		f.BoolVar(&o.raw, "raw", false, "plain numbers in tables")
	})
	complete(c, "output", formats)
	o.command, o.quiet = c, func() bool { return quiet(c) }
}

// quiet reports whether a command is to say nothing on stderr but what is wrong.
func quiet(c *cobra.Command) bool {
	f := c.Flags().Lookup("quiet")
	return f != nil && f.Value.String() == "true"
}

func join(names []string) string {
	return strings.Join(names, ", ")
}

// sink is output flags made ready for writing.
type sink struct {
	render.Format
	opt  render.Options
	w    *bufio.Writer
	file *outFile
}

// open chooses the format and opens the file. onTerminal and inPipe are the formats to use by default.
func (o *output) open(con *console, zone *time.Location, onTerminal, inPipe string) (*sink, error) {
	isTerminal := terminal(con.out)
	if o.file != "" && o.file != "-" {
		isTerminal = false
	}
	name, err := o.formatName("output format", render.Names())
	if err != nil {
		return nil, err
	}
	switch {
	case name != "":
	case isTerminal:
		name = onTerminal
	default:
		name = inPipe
	}
	f, err := render.Lookup(name)
	if err != nil {
		return nil, usageError{err}
	}
	o.tellEnding(con, f.Name)
	o.tellRaw(con, f)
	if f.Binary && isTerminal {
		return nil, usageError{fmt.Errorf("%s is binary and would garble the terminal: write it to a file with -O FILE, or pipe it", f.Name)}
	}
	return o.start(con, zone, f)
}

// start opens the file for a format.
func (o *output) start(con *console, zone *time.Location, f render.Format) (_ *sink, err error) {
	isTerminal := terminal(con.out) && (o.file == "" || o.file == "-")
	s := &sink{Format: f, opt: render.Options{Raw: o.raw, Zone: zone, Color: isTerminal && color(con.out), Terminal: isTerminal}}
	if isTerminal {
		s.opt.Width = widthOf(con.out)
	}
	var w io.Writer = con.out
	if o.file != "" && o.file != "-" {
		if s.file, err = con.create(o.file); err != nil {
			return nil, err
		}
		w = s.file
	}
	s.w = bufio.NewWriterSize(w, 64<<10)
	return s, nil
}

// width is how many columns the terminal has, or else those that $COLUMNS says, or 0 if nobody knows.
func (con *console) width() int {
	if w := widthOf(con.out); w > 0 {
		return w
	}
	w, _ := strconv.Atoi(os.Getenv("COLUMNS"))
	return max(w, 0)
}

// widthOf is how many columns a stream has that is a terminal, or else 0.
func widthOf(stream any) int {
	if f, ok := stream.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			return max(w, 0)
		}
	}
	return 0
}

// unicodeOutput reports whether more than ASCII may be drawn, by what the environment says of locale and terminal.
func unicodeOutput(env func(string) string) bool {
	if env("TERM") == "dumb" {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToUpper(env(name)); locale != "" {
			return strings.Contains(locale, "UTF-8") || strings.Contains(locale, "UTF8")
		}
	}
	return runtime.GOOS == "windows" || runtime.GOOS == "darwin" // whose terminals do, without saying so
}

// done completes the output if err is nil and discards it otherwise. It returns err or its own error.
func (s *sink) done(err error) error {
	if err == nil {
		err = s.w.Flush()
	}
	if s.file == nil {
		return err
	}
	if err != nil {
		return errors.Join(err, s.file.discard())
	}
	return s.file.commit()
}

// exists reports whether there is a file.
func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
