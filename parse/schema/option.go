package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An Option is something that a user can ask for, by its name in a file of settings, such as temp-dir. The packages
// below cmd name options and do not know how they are written on a command line: see Say.
type Option struct {
	Name  string
	Value string // "" names the option alone
}

// Opt is an option, with the value that it should have if there is one.
func Opt(name string, value ...string) Option { return Option{name, strings.Join(value, ",")} }

func (o Option) String() string { return strings.TrimSpace(o.Name + " " + o.Value) }

// Words are a message for people that names options. They are an error, so that others can wrap them.
type Words struct {
	format string
	args   []any
}

// Wordsf is fmt.Errorf with arguments among which are options, words and errors that may name options.
func Wordsf(format string, args ...any) *Words {
	return &Words{format, args}
}

// Error is the message with options by their names alone; that of nil is empty.
func (t *Words) Error() string {
	if t == nil {
		return ""
	}
	return fmt.Errorf(t.format, t.args...).Error()
}

// Unwrap returns what the message wraps with %w.
func (t *Words) Unwrap() []error {
	if t == nil {
		return nil
	}
	return unwrap(fmt.Errorf(t.format, t.args...))
}

// say is the message with options as write has them.
func (t *Words) say(write func(Option) string) string {
	if t == nil {
		return ""
	}
	args := slices.Clone(t.args)
	for i, arg := range args {
		switch arg := arg.(type) {
		case Option:
			args[i] = write(arg)
		case error:
			args[i] = errors.New(Say(arg, write)) // an error, for %w
		}
	}
	return fmt.Errorf(t.format, args...).Error()
}

// An OptionError says which option has a wrong value, and what is wrong with it.
type OptionError struct {
	Option  string
	Subject bool // the option is the subject of the sentence that Err is the rest of: "by names srcaddr twice"
	Err     error
}

func (e *OptionError) Error() string { return e.with(e.Option, e.Err.Error()) }
func (e *OptionError) Unwrap() error { return e.Err }

func (e *OptionError) with(option, text string) string {
	if e.Subject {
		return option + " " + text
	}
	return option + ": " + text
}

// Say is the text of an error in which write has written the options. Errors that wrap others must have their texts in
// their own, as those of fmt.Errorf have.
func Say(err error, write func(Option) string) string {
	switch e := err.(type) {
	case *Words:
		return e.say(write)
	case *OptionError:
		return e.with(write(Opt(e.Option)), Say(e.Err, write))
	case interface {
		SayOptions(func(option string) string) string // of packages that do not know this one
	}:
		return e.SayOptions(func(option string) string { return write(Opt(option)) })
	}
	return SayIn(err.Error(), write, unwrap(err)...)
}

// SayIn replaces the texts of errors in a longer text by what Say makes of them.
func SayIn(text string, write func(Option) string, errs ...error) string {
	for _, err := range errs {
		if err == nil {
			continue
		}
		if plain, said := err.Error(), Say(err, write); plain != said {
			text = strings.Replace(text, plain, said, 1)
		}
	}
	return text
}

// unwrap returns the errors that an error wraps.
func unwrap(err error) []error {
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return []error{inner}
		}
	}
	return nil
}
