package cmd

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse/setup"
)

// newSetup returns `flowlog setup`. None of its flags is taken from a file or the environment: what it prints is meant to be
// run.
func newSetup(con *console) *cobra.Command {
	var r setup.Request
	var as, fileFormat string
	c := &cobra.Command{
		Use:   "setup --resource ID --bucket BUCKET [flags]",
		Short: "Print what creates a flow log, or check one",
		Long: "setup prints what creates a flow log with the fields that reports need: commands of AWS's CLI, Terraform\n" +
			"or CloudFormation, and the policy of the bucket. It runs nothing. `flowlog setup check` says which reports\n" +
			"a flow log that you have cannot feed. `flowlog help setup` says more.",
		Example: "  flowlog setup --resource vpc-0123456789abcdef0 --bucket my-logs --set all\n" +
			"  flowlog setup --resource vpc-0123456789abcdef0 --bucket my-logs/vpc --set cost --as terraform --file-format parquet --hive --hourly\n" +
			"  flowlog setup --resource nat-0123456789abcdef0 --bucket my-logs --set all --tags instance=Name,Team --account-id 123456789012 --region eu-west-1\n" +
			"  flowlog setup check '${version} ${srcaddr} ${dstaddr} ${bytes}'",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			form, err := find("form", as, setupForms(), "flowlog setup --help")
			if err != nil {
				return usageError{fmt.Errorf("--as: %w", err)}
			}
			format, err := find("file format", fileFormat, fileFormats, "flowlog setup --help")
			if err != nil {
				return usageError{fmt.Errorf("--file-format: %w", err)}
			}
			r.Parquet = fileFormats[format] == "parquet"
			text, err := setup.Forms[form].Text(r)
			if err != nil {
				return usageError{err}
			}
			_, err = fmt.Fprint(con.out, text)
			return err
		},
	}
	f := c.Flags()
	f.SortFlags = false
	setupFlags(f, &r)
	f.StringVar(&as, "as", setupForms()[0], "what is printed, a `form`: "+join(setupForms()))
	f.StringVar(&fileFormat, "file-format", fileFormats[0], "of files in the bucket, a `format`: "+join(fileFormats))
	for flag, values := range map[string][]string{"as": setupForms(), "file-format": fileFormats, "set": setup.SetNames(), "partition": setup.Partitions} {
		complete(c, flag, func() []string { return values })
	}
	c.AddCommand(newSetupCheck(con))
	return c
}

// fileFormats are AWS's words for the files of flow logs, the default first.
var fileFormats = []string{"plain-text", "parquet"}

func setupForms() []string {
	return namesOf(setup.Forms, func(f setup.Form) string { return f.Name })
}

func setupFlags(f *pflag.FlagSet, r *setup.Request) {
	f.StringSliceVar(&r.Resources, "resource", nil, "what is logged, `IDs`: vpc-…, subnet-…, eni-…, tgw-…, tgw-attach-… or nat-… (a regional NAT gateway)")
	f.StringVar(&r.Set, "set", "all", "`fields`: "+join(setup.SetNames())+", or '${version} ${srcaddr} …'")
	f.StringArrayVar(&r.Tags, "tags", nil, "log values of `tags`: instance=Name,Team, interface=…, asg=…; at most two of each")
	f.StringVar(&r.Bucket, "bucket", "", "write to this `bucket`, with a prefix behind a slash or not")
	f.StringVar(&r.Firehose, "firehose", "", "write to a delivery stream of Firehose, its `ARN`")
	f.StringVar(&r.LogGroup, "log-group", "", "write to this `log group` of CloudWatch Logs")
	f.StringVar(&r.Role, "role", "", "`ARN` of the role that writes to the log group")
	f.BoolVar(&r.Hive, "hive", false, "folders of the bucket as Hive names them")
	f.BoolVar(&r.Hourly, "hourly", false, "a folder of the bucket for each hour")
	f.StringVar(&r.Account, "account-id", "", "`account` of the flow log, for the policy of the bucket")
	f.StringVar(&r.Region, "region", "", "`region` of the flow log")
	f.StringVar(&r.Partition, "partition", setup.Partitions[0], "`partition` of ARNs: "+join(setup.Partitions))
	f.BoolVar(&r.Policy, "bucket-policy", false, "with Terraform and CloudFormation, the policy of the bucket too")
}
