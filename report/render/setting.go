package render

import (
	"slices"
	"strings"
	"time"

	"flowlog/report"
)

// sayings is THE table of settings that formats for people print, in this order, with the wording of each. Other settings
// are visible anyway: keys in the heading, measures as columns, the row limit in the row of others.
var sayings = []struct {
	name  string
	words func(value string, opt Options) string
}{
	{"where", after("where ")},
	{"since", instantAfter("since ")},
	{"until", instantAfter("until ")},
	{"before", spanAfter("before: ")},
	{"after", spanAfter("after: ")},
	{"flow-log", listAfter("flow log ")},
	{"account", listAfter("account ")},
	{"region-filter", listAfter("region ")},
	{"vantage", sayVantage},
	{"having", after("having ")},
	{"every", after("every ")},
	{"sort", saySort},
	{zoneSetting, after("times in ")},
}

// zoneSetting is the setting of the time zone. Columns of times name it too.
const zoneSetting = "tz"

// sayOf describes how a table differs from the catalog's report of its name.
func sayOf(t report.Table, opt Options) []string {
	return say(slices.DeleteFunc(settingsOf(t), func(s report.Setting) bool { return s.Name == zoneSetting }), opt)
}

// settingsOf returns the settings of a table, with the sort order if it may not be that of the report.
func settingsOf(t report.Table) []report.Setting {
	names := make(map[string]bool)
	for _, s := range t.Settings {
		names[s.Name] = true
	}
	settings := slices.Clone(t.Settings)
	if names["measures"] && !names["sort"] && hasKeys(t) && t.Order < len(t.Columns) && t.Columns[t.Order].Role == report.MeasureRole {
		settings = append(settings, report.Setting{Name: "sort", Value: t.Columns[t.Order].Name})
	}
	return settings
}

// say describes settings in words.
func say(settings []report.Setting, opt Options) []string {
	var words []string
	for _, s := range sayings {
		for _, setting := range settings {
			if setting.Name == s.name {
				words = append(words, printable(s.words(setting.Value, opt)))
			}
		}
	}
	return words
}

// after formats a word and the value.
func after(word string) func(string, Options) string {
	return func(value string, _ Options) string { return word + value }
}

// listAfter formats a word and the values of a list.
func listAfter(word string) func(string, Options) string {
	return func(value string, _ Options) string { return word + strings.ReplaceAll(value, ",", ", ") }
}

func instantAfter(word string) func(string, Options) string {
	return func(value string, opt Options) string { return word + sayInstant(value, opt) }
}

func spanAfter(word string) func(string, Options) string {
	return func(value string, opt Options) string {
		from, to, _ := strings.Cut(value, "..")
		return word + sayInstant(from, opt) + " – " + sayInstant(to, opt)
	}
}

// sayInstant formats a point in time, without the seconds if they are 0.
func sayInstant(value string, opt Options) string {
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return value
	}
	form := instantOfBin
	if at.Second() != 0 {
		form = instant
	}
	return at.In(opt.zone()).Format(form) + " " + opt.zone().String()
}

func sayVantage(value string, _ Options) string {
	switch value {
	case "dedupe":
		return "each flow counted once"
	case "all":
		return "every record counted"
	}
	return "counted at " + value
}

func saySort(value string, _ Options) string {
	if name, ok := strings.CutSuffix(value, ":asc"); ok {
		return "ranked by " + name + ", smallest first"
	}
	if name, ok := strings.CutSuffix(value, ":desc"); ok {
		return "ranked by " + name + ", largest first"
	}
	return "ranked by " + value
}

// betweenSettings separates settings on one line.
const betweenSettings = " · "

// settingsLines formats the settings of a table in one line, or in several on a narrow terminal.
func settingsLines(t report.Table, opt Options) string {
	var lines []string
	for _, s := range sayOf(t, opt) {
		last := len(lines) - 1
		if last < 0 || opt.Width > 0 && width([]byte(lines[last]+betweenSettings+s)) > opt.Width {
			lines = append(lines, s)
		} else {
			lines[last] += betweenSettings + s
		}
	}
	if lines == nil {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}
