package cmd

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse/schema"
	"flowlog/report/render"
)

// newConfig returns `flowlog config`.
func newConfig(con *console) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "config", Short: "Show every setting and where it comes from", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if render.Named(format, listFormats) == "" {
				return unknownListFormat(format)
			}
			shown, err := con.settings.show(c.Root())
			if err != nil {
				return err
			}
			for _, line := range con.settings.unread(c.Root(), os.Environ()) {
				fmt.Fprintln(con.err, "flowlog: warning:", printable(line))
			}
			return listOutput(con, format, shown, func() error { return shown.table(con) })
		},
	}
	listFlag(c, &format)
	return c
}

// shownSettings is what `flowlog config` prints.
type shownSettings struct {
	Settings []shownSetting `json:"settings"`
	Reports  []shownReport  `json:"reports"`
	Files    []shownFile    `json:"files"`
}

type shownSetting struct {
	Name     string   `json:"name"`
	Commands []string `json:"commands"` // that it is a setting of
	Value    any      `json:"value"`
	Origin   string   `json:"origin"` // default, file:line:column, $NAME
	text     string
}

type shownReport struct {
	Name   string         `json:"name"`
	Doc    string         `json:"doc,omitempty"`
	From   string         `json:"from,omitempty"`
	Next   string         `json:"next,omitempty"`
	Values map[string]any `json:"values"`
	Origin string         `json:"origin"`
	sets   string
}

type shownFile struct {
	Path string `json:"path"`
	Read bool   `json:"read"`
}

// byDefault is the origin of a value that nothing has set.
const byDefault = "default"

// show collects the settings of all commands, those that are set first. The flags of the commands get their
// values on the way.
func (s *settings) show(root *cobra.Command) (*shownSettings, error) {
	out := &shownSettings{Settings: []shownSetting{}, Reports: []shownReport{}, Files: []shownFile{}}
	if s.err != nil {
		return nil, s.err
	}
	if s.named != "" {
		out.Settings = append(out.Settings, shownSetting{flagConfig, nil, s.named, s.by, s.named})
	}
	for _, c := range sections(root) {
		used, err := s.apply(c)
		if err != nil {
			return nil, err
		}
		for _, f := range configurableFlags(c) {
			v := shownSetting{f.Name, []string{c.Name()}, valueOf(f), byDefault, f.Value.String()}
			if list, ok := v.Value.([]string); ok {
				v.text = strings.Join(list, ",")
			}
			if text := withoutSecrets(f.Name, v.text); text != v.text {
				v.Value, v.text = text, text
			}
			if i := slices.IndexFunc(used, func(u applied) bool { return u.flag == f.Name }); i >= 0 {
				v.Origin = used[i].origin
			}
			same := func(other shownSetting) bool {
				return other.Name == v.Name && other.text == v.text && other.Origin == v.Origin
			}
			if i := slices.IndexFunc(out.Settings, same); i >= 0 {
				out.Settings[i].Commands = append(out.Settings[i].Commands, c.Name())
			} else {
				out.Settings = append(out.Settings, v)
			}
		}
	}
	slices.SortStableFunc(out.Settings, func(a, b shownSetting) int {
		switch {
		case (a.Origin == byDefault) == (b.Origin == byDefault):
			return strings.Compare(a.Name, b.Name)
		case b.Origin == byDefault:
			return -1
		}
		return 1
	})
	for _, r := range s.saved {
		shown := shownReport{r.name, r.doc, r.from, r.next, make(map[string]any), r.origin, r.command()}
		for flag, v := range r.values {
			if shown.Values[flag] = withoutSecrets(flag, v.text()); v.list {
				shown.Values[flag] = v.values
			}
		}
		out.Reports = append(out.Reports, shown)
	}
	for _, f := range s.files {
		out.Files = append(out.Files, shownFile{f.path, f.found})
	}
	return out, nil
}

// valueOf is the value of a flag in its own type.
func valueOf(f *pflag.Flag) any {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	text := f.Value.String()
	switch f.Value.Type() {
	case "bool":
		return text == "true"
	case "int", "int64":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	}
	return text
}

func (out *shownSettings) table(con *console) error {
	w := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
	row := func(cells ...string) {
		for i, cell := range cells {
			if cell = printable(strings.Join(strings.Fields(cell), " ")); cell == "" {
				cell = "-"
			}
			cells[i] = cell
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	row("SETTING", "COMMANDS", "VALUE", "ORIGIN")
	for _, s := range out.Settings {
		row(s.Name, strings.Join(s.Commands, ", "), s.text, s.Origin)
	}
	if len(out.Reports) > 0 {
		fmt.Fprintln(w)
		row("SAVED REPORT", "IS", "ORIGIN")
		for _, r := range out.Reports {
			row(r.Name, "report "+r.sets, r.Origin)
		}
	}
	if len(out.Files) > 0 {
		fmt.Fprintln(w)
		row("FILE", "IS")
		for _, f := range out.Files {
			is := "not there"
			if f.Read {
				is = "read"
			}
			row(f.Path, is)
		}
	}
	return w.Flush()
}

// unread says which variables of the environment look like settings, but are none.
func (s *settings) unread(root *cobra.Command, environ []string) []string {
	flags := []string{flagConfig}
	for _, c := range sections(root) {
		for _, f := range configurableFlags(c) {
			flags = append(flags, f.Name)
		}
	}
	reasons := make(map[string]string)
	for flag, t := range trust {
		if t.class == typed {
			reasons[envName(flag)] = fmt.Sprintf("is not read: --%s is for the command line only, since %s", flag, t.reason)
		}
	}
	var lines []string
	slices.Sort(environ)
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		isName := func(flag string) bool { return envName(flag) == name }
		switch {
		case !strings.HasPrefix(name, envName("")) || slices.ContainsFunc(flags, isName):
		case reasons[name] != "":
			lines = append(lines, "$"+name+" "+reasons[name])
		default:
			line := "$" + name + " is not read: there is no such setting"
			unset := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, envName("")), "_", "-"))
			if own := calledHere(unset, flags); own != "" {
				line += "; it is called " + envName(own)
			} else if near := schema.Nearest(strings.TrimPrefix(name, envName("")), flags); near != "" {
				line += "; did you mean " + envName(near) + "?"
			}
			lines = append(lines, line)
		}
	}
	return lines
}
