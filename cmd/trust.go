package cmd

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// A trustClass says from where a flag may have its value.
type trustClass uint8

const (
	// free flags say how things look: every file of settings can have them.
	free trustClass = iota + 1
	// beside flags name files: one in the working directory can name those in that directory, or below.
	beside
	// narrowing flags decide what is seen or done: a file in the working directory, which may have come there in an
	// archive or from another user, together with the logs, can only have them for a saved report, which runs if it
	// is named.
	narrowing
	// trusted flags are not taken from a file in the working directory at all.
	trusted
	// typed flags are for the command line alone.
	typed
)

// trust is THE table of what flags are trusted with, and why.
var trust = map[string]struct {
	class  trustClass
	reason string
}{
	"by": {free, "how rows are grouped"}, "measures": {free, "what is computed of rows"}, "every": {free, "how rows are grouped"},
	"sort": {free, "the order of rows"}, "top": {free, "how many rows are shown, and the rest is counted"},
	"output": {free, "how the output looks"}, "raw": {free, "how the output looks"}, "chart": {free, "how the output looks"},
	"tz": {free, "how times are written and read"}, "progress": {free, "what is shown while it runs"},
	"fields": {free, "which columns are written"}, "enrich": {free, "which columns are written"},
	"partition-by": {free, "the folders of a dataset"}, "file-size": {free, "the files of a dataset"}, "commit-size": {free, "the files of a dataset"},
	"workers": {free, "how fast it runs"}, "concurrency": {free, "how fast it runs"}, "memory": {free, "how fast it runs"},
	"region": {free, "which of AWS's servers is asked"}, "dialect": {free, "which SQL is printed"},

	"table":      {beside, "it would read another file of yours, or another table of an engine"},
	"protocols":  {beside, "it would read another file of yours"},
	"city-db":    {beside, "it would read another file of yours"},
	"asn-db":     {beside, "it would read another file of yours"},
	"aws-ranges": {beside, "it would read another file of yours"},
	"prices":     {beside, "it would read another file of yours"},
	"inventory":  {beside, "it would read other files of yours"},

	"where":         {narrowing, fewer},
	"having":        {narrowing, "fewer rows would be shown"},
	"since":         {narrowing, fewer},
	"until":         {narrowing, fewer},
	"before":        {narrowing, fewer},
	"after":         {narrowing, fewer},
	"account":       {narrowing, fewer},
	"region-filter": {narrowing, fewer},
	"flow-log":      {narrowing, fewer},
	"vantage":       {narrowing, fewer},
	"layout":        {narrowing, fewer},
	"log-format":    {narrowing, "records would be read as other fields than they have"},
	"input-format":  {narrowing, "records would be read as other fields than they have"},
	"rename":        {narrowing, "records would be read as other fields than they have"},
	"max-errors":    {narrowing, "reading would end early"},
	"partial":       {narrowing, "a part would pass for the whole"},
	"allow-deleted": {narrowing, "files that are lost would not be named"},
	"dry-run":       {narrowing, "nothing would be read"},
	"charge-at":     {narrowing, "records would seem to pay nothing"},
	"price-region":  {narrowing, "records would seem to pay nothing"},
	"month-to-date": {narrowing, "traffic would cost less than it does"},

	"profile":         {trusted, "it chooses whose credentials are used"},
	"no-sign-request": {trusted, "it chooses whose credentials are used"},
	"profiles":        {trusted, "it chooses whose credentials are used"},
	"roles":           {trusted, "it chooses whose credentials are used"},
	"regions":         {trusted, "it chooses what is asked with your credentials"},
	"with":            {trusted, "it chooses what is asked with your credentials"},
	"endpoint-url":    {trusted, "it sends requests that are signed with your credentials to another server"},
	"request-payer":   {trusted, "it spends your money"},
	"engine":          {trusted, "it spends your money"},
	"workgroup":       {trusted, "it chooses who pays"},
	"max-scan":        {trusted, "it lifts the limit on your money"},
	"scan-price":      {trusted, "it hides what a query costs"},
	flagTrinoDSN:      {trusted, "it sends queries, and perhaps a password, to another server"},
	"output-location": {trusted, "it sends results to another place"},
	"temp-dir":        {trusted, "it chooses where your records are written"},
	"quiet":           {trusted, "it would hide which flags the file sets"},
	"baseline":        {trusted, "it writes a file, and hides findings"},
	"fail-on":         {trusted, "it hides findings from who runs the check"},

	"out":             {typed, "every run would overwrite the file"},
	"rejects":         {typed, "every run would overwrite the file"},
	"builtin":         {typed, "it says what the arguments are"},
	"print-builtin":   {typed, "nothing would be checked any more"},
	"update-baseline": {typed, "every run would accept what it finds"},
}

const fewer = "fewer records would be seen, with results that look complete"

// onlyTyped is the reason why neither the environment nor a file can set a flag, or "".
func onlyTyped(flag string) string {
	if t := trust[flag]; t.class == typed {
		return t.reason
	}
	return ""
}

// distrusts is the reason why a file in the working directory cannot set a flag to values, for a saved report or for all
// that runs; "" if it can.
func (f *settingsFile) distrusts(flag *pflag.Flag, v setting, saved bool) string {
	t := trust[flag.Name]
	switch t.class {
	case free:
		return ""
	case narrowing:
		if saved {
			return ""
		}
	case beside:
		values, err := v.entries(flag)
		if err != nil || !slices.ContainsFunc(values, func(v string) bool { return !f.beside(flag, v) }) {
			return "" // what is wrong with it is said when it is set
		}
	}
	return cmp.Or(t.reason, "nothing says that it is safe")
}

// beside reports whether the file that a value of a flag names lies in the directory of the file of settings, or below.
func (f *settingsFile) beside(flag *pflag.Flag, value string) bool {
	if kind, _ := pflag.UnquoteUsage(flag); strings.HasSuffix(kind, "=file") {
		_, file, ok := strings.Cut(value, "=")
		if !ok {
			return false // it is no file
		}
		value = file
	}
	if strings.Contains(value, "://") || strings.HasPrefix(value, "~") || filepath.IsAbs(value) || !filepath.IsLocal(value) {
		return false
	}
	dir := filepath.Dir(f.path)
	real, err := filepath.EvalSymlinks(filepath.Join(dir, value))
	if err != nil {
		return os.IsNotExist(err) // which is said when it is to be read
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return false
	}
	rel, err := filepath.Rel(dir, real)
	return err == nil && filepath.IsLocal(rel)
}
