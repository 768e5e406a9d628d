package cmd

import (
	"slices"

	"github.com/spf13/pflag"

	"flowlog/report/expr"
)

// conditionVar adds a flag for a condition. A flag that is given several times asks for all of its conditions, and so does a
// list in a file of settings.
func conditionVar(f *pflag.FlagSet, to *string, name, usage string) {
	f.Var(&conditionValue{joined: to}, name, usage+"; several must all be met")
}

// conditionValue is the value of such a flag.
type conditionValue struct {
	parts  []string
	joined *string
}

func (v *conditionValue) String() string {
	if v.joined == nil { // the zero value, which pflag compares defaults with
		return ""
	}
	return *v.joined
}

func (v *conditionValue) Type() string { return "condition" }

// Set adds a condition to those that there are.
func (v *conditionValue) Set(text string) error {
	return v.Replace(append(slices.Clone(v.parts), text))
}

// Replace makes the conditions those of a list.
func (v *conditionValue) Replace(parts []string) error {
	joined, err := expr.Conjunction(parts)
	if err != nil {
		return err
	}
	v.parts, *v.joined = parts, joined
	return nil
}

// isCondition reports whether a flag takes conditions.
func isCondition(f *pflag.Flag) bool {
	_, ok := f.Value.(*conditionValue)
	return ok
}
