package render

import (
	"slices"
	"strings"
	"time"

	"flowlog/report"
)

// sayings is THE table of the settings that people are told of, in this order, and of how each is put. The others show
// without: keys in the heading, measures as columns, and the number of rows that were cut in the row of others.
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

// zoneSetting is the setting that names the zone. Columns of times do so themselves.
const zoneSetting = "tz"

// sayOf puts what makes a table differ from the report of its name in words.
func sayOf(t report.Table, opt Options) []string {
	return say(slices.DeleteFunc(settingsOf(t), func(s report.Setting) bool { return s.Name == zoneSetting }), opt)
}

// settingsOf are the settings of a table, and what ranks its rows if that may be no measure of the report's own.
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

// say puts settings in words.
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

// after puts the value as it is behind a word.
func after(word string) func(string, Options) string {
	return func(value string, _ Options) string { return word + value }
}

// listAfter puts the values of a list behind a word.
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

// sayInstant writes a point in time as people read it, without the seconds if there are none.
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
	if name, reverse := strings.CutPrefix(value, "-"); reverse {
		return "ranked by " + name + " in reverse"
	}
	return "ranked by " + value
}

// betweenSettings stands between settings that are said in one line.
const betweenSettings = " · "

// settingsLines says what makes a table differ in a line, or in several where the terminal is narrow.
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
