package cmd

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// TestSynonyms types what other programs take. Each answer names what flowlog has for it, with the value.
func TestSynonyms(t *testing.T) {
	t.Setenv("FLOWLOG_CONFIG", "none")
	for _, test := range []struct{ args, want string }{ // of report talkers, unless it names a command
		{"--limit 5", "--top 5"},
		{"--limit=7", "--top 7"},
		{"--count", "--top 5"},
		{"--last .", "--since 24h"},
		{"--graph .", "--chart"},
		{"--head many", "--top 5"},
		{"-5", "--top 5"},
		{"-20", "--top 20"},
		{"-l 3", "--top 3"},
		{"--format json", "-o json"},
		{"-f csv", "-o csv"},
		{"--json", "-o json"},
		{"--csv", "-o csv"},
		{"--jsonl", "-o jsonl"},
		{"--last 24h", "--since 24h"},
		{"--from 2026-05-14", "--since 2026-05-14"},
		{"--start yesterday", "--since yesterday"},
		{"--to now", "--until now"},
		{"--end 2026-05-14", "--until 2026-05-14"},
		{"--filter dstport=443", "--where dstport=443"},
		{"--query", "--where 'dstport = 443'"},
		{"--src 10.0.0.9", "--where 'srcaddr = 10.0.0.9'"},
		{"--dst 10.0.0.9", "--where 'dstaddr = 10.0.0.9'"},
		{"--host 10.0.0.9", "--where 'addr = 10.0.0.9'"},
		{"--port 22", "--where 'port = 22'"},
		{"-p 22", "--where 'port = 22'"},
		{"--dport 22", "--where 'dstport = 22'"},
		{"--action REJECT", "--where 'action = REJECT'"},
		{"--proto udp", "--where 'protocol = udp'"},
		{"--protocol udp", "--where 'protocol = udp'"},
		{"--vpc-id vpc-9", "--where 'vpc_id = vpc-9'"},
		{"--group-by dstaddr", "--by dstaddr"},
		{"-g dstaddr", "--by dstaddr"},
		{"--sort-by packets", "--sort packets"},
		{"--order-by packets", "--sort packets"},
		{"-s", "--sort bytes"},
		{"--desc", "--sort bytes, which ranks the largest first"},
		{"--fields srcaddr", "--by srcaddr for what is grouped, --measures bytes"},
		{"--select srcaddr", "--by srcaddr for what is grouped, --measures bytes"},
		{"--columns", "--by srcaddr for what is grouped, --measures bytes"},
		{"--metrics flows", "--measures flows"},
		{"--interval 5m", "--every 5m"},
		{"--bucket my-bucket", "--every 1h"},
		{"--out-file x.csv", "-O x.csv"},
		{"--outfile x.csv", "-O x.csv"},
		{"-w x.csv", "-O x.csv"},
		{"--file a.log", "the name of the file without a flag: a.log"},
		{"--input a.log", "the name of the file without a flag: a.log"},
		{"-r a.log", "the name of the file without a flag: a.log"},
		{"--no-color", "NO_COLOR=1 in front of the command"},
		{"--graph", "--chart"},
		{"--verbose", "--progress plain"},
		{"--threads 8", "--workers 8"},
		{"--timezone Europe/Paris", "--tz Europe/Paris"},
		{"-where dstport=443", "--where"},
		{"-limit 5", "--top 5"},
		{"parse --limit 3", "| head -3"},
		{"parse --columns srcaddr", "--fields srcaddr"},
		{"parse --format csv", "-o csv"},
		{"diff --limit 3 a b", "--top 3"},
		{"check --fail high", "--fail-on high"},
		{"fields --json", "-o json"},
	} {
		args := strings.Fields(test.args)
		if strings.HasPrefix(test.args, "-") {
			args = append([]string{"report", "talkers"}, args...)
		}
		var out, errOut bytes.Buffer
		code := Main(args, nil, &out, &errOut)
		if !strings.Contains(errOut.String(), ": write "+test.want) || code != exitUsage {
			t.Errorf("%s: exit code %d, want %q in %s", strings.Join(args, " "), code, test.want, &errOut)
		}
	}
	// near names are still offered, and nothing else is
	for args, want := range map[string]string{
		"report talkers --inputformat json": "did you mean --input-format?",
		"report talkers --nonsense":         "unknown flag: --nonsense: `flowlog report talkers --help`",
		"report talkers -Z":                 "unknown shorthand flag: 'Z' in -Z: `flowlog",
		"--top 5 my/logs":                   "flags stand behind a command, as in flowlog report --top 5 my/logs;",
		"report --fail-on high":             "unknown flag: --fail-on: it is a flag of check; ",
		"parse --top 5":                     "unknown flag: --top: it is a flag of diff, report, sql; ",
		"merge --limit 5":                   "write | head -5;",
	} {
		var out, errOut bytes.Buffer
		if Main(strings.Fields(args), nil, &out, &errOut); !strings.Contains(errOut.String(), want) {
			t.Errorf("%s: want %q in %s", args, want, &errOut)
		}
	}
}

// TestSynonymTable holds the table against the commands: what is to be written exists, and what it replaces does not.
func TestSynonymTable(t *testing.T) {
	for _, s := range synonyms {
		found := false
		for _, words := range []string{"report talkers", "parse", "diff", "check", "inventory"} {
			_, root := tree(nil, append([]string{"--config", noSettings}, strings.Fields(words)...)...)
			c, _, err := root.Find(strings.Fields(words))
			if err != nil {
				t.Fatal(err)
			}
			found = found || has(c, s.write)
			for _, name := range strings.Fields(s.names) {
				if (words == "report talkers" || words == "inventory") && has(c, s.write) && len(name) > 1 && c.Flags().Lookup(name) != nil && name != "chart" {
					t.Errorf("--%s of %s exists", name, words)
				}
			}
		}
		if !found {
			t.Errorf("no command has what is to be written for %s: %s", s.names, s.write)
		}
		if s.value != "" && !s.takes.MatchString(s.like) {
			t.Errorf("the example %s of %s is none", s.like, s.names)
		}
	}
}

// TestUnknownCommands types first words that are no commands.
func TestUnknownCommands(t *testing.T) {
	t.Setenv("FLOWLOG_CONFIG", "none")
	logs := filepath.Join("..", "testdata", "logs")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{logs}, logs + " is an input, and a command comes first: flowlog report " + logs + "\n"},
		{[]string{"s3://b/x", "--top", "5"}, "flags stand behind a command, as in flowlog report s3://b/x --top 5; "},
		{[]string{"logs/*.gz"}, "flowlog report 'logs/*.gz'\n"},
		{[]string{"convert", logs}, `unknown command "convert": flowlog parse does that; `},
		{[]string{"SELECT * FROM logs"}, "flowlog runs no SQL: "},
		{[]string{"raport"}, "did you mean report? "},
		{[]string{"talkers", logs}, "talkers is a report: flowlog report talkers "},
	} {
		var out, errOut bytes.Buffer
		if code := Main(test.args, nil, &out, &errOut); code != exitUsage || !strings.Contains(errOut.String(), test.want) {
			t.Errorf("%q: exit code %d, want %q in %s", test.args, code, test.want, &errOut)
		}
	}
}
