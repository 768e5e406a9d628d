package cmd

import (
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// topVar adds --top, the number of rows that are shown.
func topVar(f *pflag.FlagSet, to *int, byDefault int) {
	*to = byDefault
	f.VarP((*rowsValue)(to), "top", "n", "show this many `rows`; 0 or all shows all")
}

// rowsValue is a number of rows: 0, which is also called all, is any number of them.
type rowsValue int

func (v *rowsValue) String() string { return strconv.Itoa(int(*v)) }

func (v *rowsValue) Type() string { return "int" }

func (v *rowsValue) Set(text string) error {
	if strings.EqualFold(text, "all") {
		*v = 0
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	*v = rowsValue(n)
	return nil
}
