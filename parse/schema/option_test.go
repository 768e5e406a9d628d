package schema

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

// foreign is an error of a package that does not know this one.
type foreign struct{}

func (foreign) Error() string                                      { return "choose profile" }
func (foreign) SayOptions(write func(option string) string) string { return "choose " + write("profile") }

// TestSay holds what people read of an error, wrapped in whichever way, against what the packages say to each other.
func TestSay(t *testing.T) {
	asFlag := func(o Option) string { return "--" + o.String() }
	full := Wordsf("no room: %w: name a directory with %s", io.ErrShortWrite, Opt("temp-dir"))
	for _, c := range []struct {
		err         error
		plain, said string
	}{
		{io.EOF, "EOF", "EOF"},
		{Wordsf("as in %s", Opt("by", "srcaddr", "dstaddr")), "as in by srcaddr,dstaddr", "as in --by srcaddr,dstaddr"},
		{full, "no room: short write: name a directory with temp-dir", "no room: short write: name a directory with --temp-dir"},
		{fmt.Errorf("a.log: %w; more", full), "a.log: no room: short write: name a directory with temp-dir; more", "a.log: no room: short write: name a directory with --temp-dir; more"},
		{errors.Join(io.EOF, full), "EOF\nno room: short write: name a directory with temp-dir", "EOF\nno room: short write: name a directory with --temp-dir"},
		{Wordsf("%s, or %s", Wordsf("use %s", Opt("a")), Opt("b")), "use a, or b", "use --a, or --b"},
		{Wordsf("%w, or %s", fmt.Errorf("x: %w", Wordsf("use %s", Opt("a"))), Opt("b")), "x: use a, or b", "x: use --a, or --b"},
		{&OptionError{Option: "where", Err: io.EOF}, "where: EOF", "--where: EOF"},
		{&OptionError{Option: "by", Subject: true, Err: errors.New("names it twice")}, "by names it twice", "--by names it twice"},
		{fmt.Errorf("r: %w", &OptionError{Option: "every", Err: Wordsf("write %s", Opt("every", "1h"))}), "r: every: write every 1h", "r: --every: write --every 1h"},
		{(*Words)(nil), "", ""},
		{fmt.Errorf("ec2: %w", foreign{}), "ec2: choose profile", "ec2: choose --profile"},
	} {
		if got := c.err.Error(); got != c.plain {
			t.Errorf("Error: got %q, want %q", got, c.plain)
		}
		if got := Say(c.err, asFlag); got != c.said {
			t.Errorf("Say: got %q, want %q", got, c.said)
		}
	}
	if !errors.Is(full, io.ErrShortWrite) {
		t.Error("what a text wraps is lost")
	}
}
