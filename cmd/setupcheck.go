package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"flowlog/enrich"
	"flowlog/parse/disk"
	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/pass"
)

// newSetupCheck returns `flowlog setup check`.
func newSetupCheck(con *console) *cobra.Command {
	var in input
	var format string
	c := &cobra.Command{
		Use:   "check INPUT ...",
		Short: "Say which reports a flow log cannot feed, and which fields to add",
		Long: "check takes the format of a flow log, what `aws ec2 describe-flow-logs` printed, or logs. It says which\n" +
			"reports lack fields, and prints the format that feeds them all.",
		Example: "  flowlog setup check v2\n" +
			"  flowlog setup check '${version} ${srcaddr} ${dstaddr} ${bytes}'\n" +
			"  aws ec2 describe-flow-logs >flow-logs.json; flowlog setup check flow-logs.json\n" +
			"  flowlog setup check s3://my-logs --since 1h",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			checked, err := checkedLogs(c, con, &in, args)
			if err != nil {
				return err
			}
			return listOutput(con, format, checked, func() error { return writeChecked(con, checked) })
		},
	}
	in.flags(c)
	listFlag(c, &format)
	return c
}

// A checkedLog is a flow log, and what it cannot feed.
type checkedLog struct {
	Name    string         `json:"name"`
	Problem string         `json:"problem,omitempty"` // of its delivery
	Fields  []string       `json:"fields"`
	Lacking []reportFields `json:"lacking"`
	Format  string         `json:"format,omitempty"` // that feeds all reports, "" if this one does
}

// reportFields are the logged fields that a report lacks.
type reportFields struct {
	Report string   `json:"report"`
	Fields []string `json:"fields"`
}

// checkedLogs finds out what the arguments are: a format, a file of describe-flow-logs, or logs.
func checkedLogs(c *cobra.Command, con *console, in *input, args []string) ([]checkedLog, error) {
	if len(args) == 1 {
		if _, err := os.Stat(args[0]); err != nil && !strings.Contains(args[0], "://") {
			names, ferr := schema.ParseFormat(args[0])
			if ferr != nil || !slices.ContainsFunc(names, isLogged) {
				return nil, usageError{fmt.Errorf("%q is no file, and no format such as '${version} ${srcaddr}' or v5", args[0])}
			}
			return []checkedLog{checkFields("the format", names)}, nil
		}
		if logs, err := describedLogs(args[0]); logs != nil || err != nil {
			return logs, err
		}
	}
	r, err := in.open(c.Context(), con, args)
	if err != nil {
		return nil, err
	}
	names := slices.DeleteFunc(slices.Clone(r.header(c.Context())), func(name string) bool { return !isLogged(name) })
	if len(names) == 0 {
		return nil, errors.New("the input has no flow logs")
	}
	return []checkedLog{checkFields("the logs", names)}, nil
}

func isLogged(name string) bool {
	_, ok := schema.Logged().Named(name)
	return ok
}

// describedLogs reads what describe-flow-logs printed, nil if the file is something else.
func describedLogs(name string) ([]checkedLog, error) {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSettings {
		return nil, nil // logs, of which more is read
	}
	content, err := disk.Read(name, maxSettings)
	if err != nil {
		return nil, named(err)
	}
	var document struct {
		FlowLogs []struct {
			FlowLogID, ResourceID, LogFormat, FlowLogStatus, DeliverLogsStatus, DeliverLogsErrorMessage string
		}
	}
	if json.Unmarshal(content, &document) != nil || document.FlowLogs == nil {
		return nil, nil
	}
	logs := []checkedLog{}
	for _, f := range document.FlowLogs {
		names, err := schema.ParseFormat(f.LogFormat)
		if f.LogFormat == "" {
			names, err = schema.Version(schema.Versions()[0]), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s: LogFormat: %w", name, f.FlowLogID, err)
		}
		log := checkFields(fmt.Sprintf("%s of %s", f.FlowLogID, f.ResourceID), names)
		if f.FlowLogStatus != "" && f.FlowLogStatus != "ACTIVE" {
			log.Problem = "it is " + f.FlowLogStatus
		}
		if f.DeliverLogsStatus == "FAILED" || f.DeliverLogsErrorMessage != "" {
			log.Problem = strings.TrimSpace("its delivery fails: " + f.DeliverLogsErrorMessage)
		}
		logs = append(logs, log)
	}
	if len(logs) == 0 {
		return nil, fmt.Errorf("%s: there are no flow logs in it", name)
	}
	return logs, nil
}

// checkFields says which reports of the catalog lack fields.
func checkFields(name string, has []string) checkedLog {
	log := checkedLog{Name: name, Fields: has, Lacking: []reportFields{}}
	all := slices.Clone(has)
	for _, r := range report.Catalog() {
		var lacks []string
		r.Fields(func(name string) {
			for _, f := range lackedFields(name, has) {
				if !slices.Contains(lacks, f) {
					lacks = append(lacks, f)
				}
			}
		})
		if lacks == nil {
			continue
		}
		log.Lacking = append(log.Lacking, reportFields{r.Name, lacks})
		for _, f := range lacks {
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	if len(all) > len(has) {
		log.Format = logFormat(all)
	}
	return log
}

// logFormat is a format as AWS writes it.
func logFormat(names []string) string {
	var words []string
	for _, name := range names {
		words = append(words, "${"+strings.ReplaceAll(name, "_", "-")+"}")
	}
	return strings.Join(words, " ")
}

// lackedFields lists the logged fields of VPCs without which a field has no value. An enriched field takes the first of its
// fields that is there, but for two numbers, which it needs both.
func lackedFields(name string, has []string) []string {
	if f, ok := schema.Logged().Named(name); ok {
		fromKey := name == "account_id" || name == "region" // the name of the object tells them
		if slices.Contains(has, name) || fromKey || !slices.Contains(schema.Version(slices.Max(schema.Versions())), f.Name) {
			return nil
		}
		return []string{name}
	}
	f, ok := slices.Concat(enrich.Fields(), pass.VantageFields()).Named(name)
	if !ok {
		return nil
	}
	var lacks []string
	both, some := true, false
	for _, from := range f.From {
		l := lackedFields(from, has)
		lacks, some = append(lacks, l...), some || l == nil
		if g, _ := schema.Logged().Named(from); g.Kind != schema.Int32 {
			both = false
		}
	}
	switch {
	case both:
		return lacks
	case some || lacks == nil:
		return nil
	}
	return lacks[len(lacks)-1:] // srcaddr stands behind pkt_srcaddr
}

// writeChecked writes flow logs for people.
func writeChecked(con *console, logs []checkedLog) error {
	for i, log := range logs {
		if i > 0 {
			fmt.Fprintln(con.out)
		}
		fmt.Fprintf(con.out, "%s: %s\n", printable(log.Name), count(int64(len(log.Fields)), "field"))
		if log.Problem != "" {
			fmt.Fprintln(con.out, printable(log.Problem))
		}
		if len(log.Lacking) == 0 {
			fmt.Fprintln(con.out, "It feeds all reports.")
			continue
		}
		w := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "REPORT\tLACKS")
		for _, r := range log.Lacking {
			fmt.Fprintf(w, "%s\t%s\n", r.Report, strings.Join(r.Fields, ", "))
		}
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Fprintf(con.out, "A format cannot be changed: make a second flow log, then delete this one. This format feeds all reports:\n%s\n", printable(log.Format))
	}
	return nil
}
