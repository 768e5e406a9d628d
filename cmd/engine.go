package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse/s3"
	"flowlog/report/engine"
	"flowlog/report/engine/athena"
	"flowlog/report/engine/trino"
)

// elsewhere is the group of flags that say where a report is computed, if it is not here.
type elsewhere struct {
	name     string
	trinoDSN string
	athena   athena.Options
	maxScan  string
	layout   string
}

// An engineKind is a row of engines. Its dialect has its name.
type engineKind struct {
	name string
	open func(ctx context.Context, e *elsewhere, aws s3.Options) (engine.Runner, error)
	note func(e *elsewhere) string // what else to say behind the cost
	own  []string                  // flags that no other engine has
}

// engines is THE table of engines that run reports.
var engines = []engineKind{
	{"trino", func(_ context.Context, e *elsewhere, _ s3.Options) (engine.Runner, error) {
		if e.trinoDSN == "" {
			return nil, usageError{fmt.Errorf("--engine trino: name the server, as in --trino-dsn 'https://user@host:8443?catalog=hive&schema=vpc' or $%s", envName(flagTrinoDSN))}
		}
		r, err := trino.Open(e.trinoDSN)
		if err != nil {
			return nil, usageError{fmt.Errorf("--%s: %w", flagTrinoDSN, err)}
		}
		return r, nil
	}, func(*elsewhere) string { return "" }, []string{flagTrinoDSN}},
	{"athena", func(ctx context.Context, e *elsewhere, aws s3.Options) (engine.Runner, error) {
		opt := e.athena
		opt.Profile, opt.Region, opt.EndpointURL = aws.Profile, aws.Region, aws.EndpointURL
		if e.maxScan != "" {
			var err error
			if opt.MaxScan, err = size("max-scan", e.maxScan, 1); err != nil {
				return nil, err
			}
		}
		if !(opt.Price >= 0 && opt.Price < 1e6) { // nor is it NaN
			return nil, usageError{fmt.Errorf("--scan-price: %g is no price", opt.Price)}
		}
		return athena.Connect(ctx, opt)
	}, func(e *elsewhere) string { return fmt.Sprintf(" at $%g a terabyte", e.athena.Price) },
		[]string{"workgroup", "output-location", "max-scan", "scan-price"}},
}

const engineFlags = "Engine flags"

// check says what is wrong with flags of the command line that no engine, or another one, is to heed: whoever bounds what
// a query scans must not believe that it is bounded.
func (e *elsewhere) check(c *cobra.Command, s *settings) error {
	for _, flag := range s.typed(c, engineFlags) {
		var of []string
		for _, row := range engines {
			if slices.Contains(row.own, flag) {
				of = append(of, row.name)
			}
		}
		switch {
		case flag == "engine" || slices.Contains(of, e.name) || of == nil && e.name != "":
		case len(of) == 1:
			return usageError{fmt.Errorf("--%s is for --engine %s: say that too, or leave it out", flag, of[0])}
		default:
			return usageError{fmt.Errorf("--%s is for a table of an engine: say --engine too, or leave it out", flag)}
		}
	}
	return nil
}

// flagTrinoDSN names a flag whose value has a password.
const flagTrinoDSN = "trino-dsn"

func engineNames() []string {
	return namesOf(engines, func(e engineKind) string { return e.name })
}

func (e *elsewhere) flags(c *cobra.Command) {
	section(c, engineFlags, func(f *pflag.FlagSet) {
		f.StringVar(&e.name, "engine", "", "run the report on this `engine`, on the table that --table names: "+join(engineNames()))
		f.StringVar(&e.trinoDSN, flagTrinoDSN, "", "Trino server, a `URL`: https://user:password@host:8443?catalog=hive&schema=vpc")
		f.StringVar(&e.layout, "layout", "", "read only the partitions of --since and --until, of a table that sql ddl made in this `layout`: daily, hive, dataset …")
		f.StringVar(&e.athena.WorkGroup, "workgroup", "", "Athena `workgroup` (default: primary)")
		f.StringVar(&e.athena.OutputLocation, "output-location", "", "where Athena puts results, a `URL`: s3://bucket/prefix/ (default: the workgroup's)")
		f.StringVar(&e.maxScan, "max-scan", "", "Athena runs no query that could scan more than this `size`: 100GB")
		f.Float64Var(&e.athena.Price, "scan-price", athena.Price, "US `dollars` that Athena asks for scanning a terabyte (2^40 bytes)")
	})
	complete(c, "engine", engineNames)
}

// withoutSecrets is the value of a flag as it may be shown: without the password of a URL, and what follows its host.
func withoutSecrets(flag, value string) string {
	if flag != flagTrinoDSN || value == "" {
		return value
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		return "xxxxx"
	}
	user := ""
	if name := u.User.Username(); name != "" {
		user = url.User(name).String() + "@"
	}
	shown := u.Scheme + "://" + user + u.Host
	if u.RawQuery != "" {
		shown += "?…"
	}
	return shown
}

// engineTable takes the engine's table, or the query in brackets in its place, out of the values of --table, which names
// the user's own tables too.
func engineTable(engine string, values []string) (table string, own []string, err error) {
	for _, v := range values {
		name, _, ok := strings.Cut(v, "=")
		switch {
		case ok && !strings.ContainsAny(name, " (\""): // a query has these before any =
			own = append(own, v)
		case engine == "":
			return "", nil, usageError{fmt.Errorf("--table %s: name the table and its file, as in --table nets=nets.csv; the table of an engine needs --engine too", v)}
		case table != "":
			return "", nil, usageError{fmt.Errorf("--table names two tables, %s and %s: a report is of one", table, v)}
		default:
			table = v
		}
	}
	if engine != "" && table == "" {
		return "", nil, usageError{fmt.Errorf("--engine %s: name the table that has the records, as in --table hive.vpc.flow_logs", engine)}
	}
	return table, own, nil
}

// notElsewhere are the flags about reading that mean nothing where flowlog reads nothing, with what to do instead.
var notElsewhere = map[string]string{
	"vantage":       "it learns from all records, which stay in the engine",
	"flow-log":      "it chooses objects: ask for another table",
	"account":       "it chooses objects: write --where \"account_id = '123456789012'\"",
	"region-filter": "it chooses objects: write --where \"region = 'eu-central-1'\"",
	"partial":       "an engine's report is whole or none",
	"rejects":       "an engine reads the records",
	"max-errors":    "an engine reads the records",
}

var errPanels = errors.New("the dashboard is many reports of the same logs, which an engine would scan once for each: run one report, as in `flowlog report talkers --engine trino`")
