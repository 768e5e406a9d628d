package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/parse/aws"
	"flowlog/parse/aws/describe"
	"flowlog/parse/disk"
	"flowlog/parse/s3"
	"flowlog/parse/schema"
)

// inventorying is `flowlog inventory`.
type inventorying struct {
	con      *console
	regions  []string
	profiles []string
	roles    []string
	accounts []string
	with     []string
	endpoint string
	out      string
	dryRun   bool
	quiet    bool
}

func newInventory(con *console) *cobra.Command {
	v := &inventorying{con: con}
	c := &cobra.Command{
		Use:   "inventory [flags] -O DIR",
		Short: "Record who owns which addresses, by read-only AWS calls",
		Long: "inventory takes a snapshot of each account and region: interfaces, instances, subnets, gateways, security groups and\n" +
			"what else says who owns an address. It writes one file each, DIR/TIME_ACCOUNT_REGION.json.gz, and prints its name. In it is\n" +
			"what `aws ec2 describe-network-interfaces` and the other calls print. All calls are read-only: ec2:Describe* and\n" +
			"ec2:GetManagedPrefixListEntries suffice, and --dry-run lists them with their permissions. A call that is denied is\n" +
			"named on stderr and missing from the file, and the exit code is 3. Run it every half hour, for example from cron: addresses are used again.",
		Example: "  flowlog inventory -O inv/\n" +
			"  flowlog inventory --regions us-east-1,eu-west-1 --profiles prod,test -O s3://audit/inventory\n" +
			"  flowlog inventory --roles 'arn:aws:iam::{account}:role/audit' --account 111122223333,444455556666 -O inv/\n" +
			"  flowlog inventory --with rds,elbv2 --dry-run",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%s: inventory takes no arguments: say where to write with -O %[1]s", quote(args[0]))
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return v.run(c.Context()) },
	}
	section(c, "Inventory flags", func(f *pflag.FlagSet) {
		f.StringVarP(&v.out, "out", "O", "", "write the files to this `directory`, or to s3://BUCKET/PREFIX")
		f.StringSliceVar(&v.regions, "regions", nil, "AWS `regions` to ask (default: the region of the profile)")
		f.StringSliceVar(&v.profiles, "profiles", nil, "AWS `profiles` to ask with (default: the AWS environment's)")
		f.StringSliceVar(&v.roles, "roles", nil, "assume these roles, by their `ARNs`; {account} stands for each of --account")
		f.StringSliceVar(&v.accounts, "account", nil, "`accounts` that {account} in --roles stands for")
		f.StringSliceVar(&v.with, "with", nil, "make the calls of these `services` too: "+join(describe.Words()))
		f.StringVar(&v.endpoint, "endpoint-url", "", "`URL` of another server that speaks AWS's protocols")
		f.BoolVar(&v.dryRun, "dry-run", false, "list the calls and the permissions that they need, and ask nothing")
		f.BoolVarP(&v.quiet, "quiet", "q", false, "no closing line on stderr")
	})
	complete(c, "with", describe.Words)
	return c
}

// accountPlace stands for an account in the ARN of a role.
const accountPlace = "{account}"

var (
	accountID = regexp.MustCompile(`^\d{12}$`)
	roleARN   = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}|\{account\}):role/[^{}\s]+$`)
)

// check says what is wrong with the flags.
func (v *inventorying) check() error {
	for _, word := range v.with {
		if !slices.Contains(describe.Words(), word) {
			return fmt.Errorf("--with: unknown service %q: %sthere are %s", word, schema.DidYouMean(word, describe.Words()), join(describe.Words()))
		}
	}
	placed := false
	for _, role := range v.roles {
		if !roleARN.MatchString(role) {
			return fmt.Errorf("--roles: %q is not the ARN of a role: write arn:aws:iam::123456789012:role/NAME, or {account} for the account", role)
		}
		placed = placed || strings.Contains(role, accountPlace)
	}
	for _, account := range v.accounts {
		if !accountID.MatchString(account) {
			return fmt.Errorf("--account: %q is not the number of an account, which has 12 digits", account)
		}
	}
	switch {
	case placed && len(v.accounts) == 0:
		return errors.New("--roles has {account}, and --account names none: write --account 111122223333,444455556666")
	case !placed && len(v.accounts) > 0:
		return errors.New("--account is for {account} in --roles, which is not there: write --roles 'arn:aws:iam::{account}:role/NAME', or leave --account out")
	case v.out == "" && !v.dryRun:
		return errors.New("say where to write with -O, as in `flowlog inventory -O inv/`")
	}
	if info, err := os.Stat(v.out); err == nil && !info.IsDir() {
		return fmt.Errorf("-O %s is a file: name a directory", v.out)
	}
	return nil
}

func (v *inventorying) run(ctx context.Context) error {
	if err := v.check(); err != nil {
		return usageError{err}
	}
	calls := describe.Calls(v.with...)
	if v.dryRun {
		return v.plan(calls)
	}
	write, err := v.writer(ctx)
	if err != nil {
		return err
	}
	t := new(tally)
	scopes, err := v.scopes(ctx, t)
	if err != nil {
		return err
	}
	for shot := range v.take(ctx, scopes, calls) {
		if shot.err != nil {
			return shot.err
		}
		v.tellFailed(shot.Snapshot, t)
		if shot.Calls == 0 {
			continue
		}
		name, err := write(shot.Snapshot)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(v.con.out, name); err != nil {
			return err
		}
		t.add(shot.Snapshot)
	}
	return v.tell(t)
}

// writer returns what writes a snapshot, and returns the name that it has then.
func (v *inventorying) writer(ctx context.Context) (func(*describe.Snapshot) (string, error), error) {
	if !strings.HasPrefix(v.out, "s3://") {
		if err := disk.MkdirAll(v.out); err != nil {
			return nil, cannotWrite(v.out, err)
		}
		return func(s *describe.Snapshot) (string, error) {
			name := filepath.Join(v.out, s.Name())
			f, err := v.con.create(name)
			if err != nil {
				return "", err
			}
			if _, err := f.Write(s.Document); err != nil {
				return "", err // Main removes what there is
			}
			return name, f.commit()
		}, nil
	}
	opt := s3.Options{EndpointURL: v.endpoint, Region: v.first()}
	if len(v.profiles) > 0 {
		opt.Profile = v.profiles[0]
	}
	client, err := s3.Connect(ctx, opt)
	if err != nil {
		return nil, v.said(err)
	}
	folder, err := client.Folder(v.out)
	if err != nil {
		return nil, usageError{err}
	}
	return func(s *describe.Snapshot) (string, error) {
		return strings.TrimRight(v.out, "/") + "/" + s.Name(), v.said(folder.Write(ctx, s.Name(), s.Document, false))
	}, nil
}

// first is the first of --regions, "" if there is none. Who the credentials belong to is asked there: other partitions,
// such as China's, do not know them.
func (v *inventorying) first() string {
	if len(v.regions) == 0 {
		return ""
	}
	return v.regions[0]
}

// An identityScope is what one snapshot is to be of, with the credentials for it.
type identityScope struct {
	describe.Scope
	conn *aws.Connection
}

// scopes connects with each profile and role, and returns each account and region once. An identity that cannot be had is
// told and counted. The error is one of usage, or that of ctx.
func (v *inventorying) scopes(ctx context.Context, t *tally) ([]identityScope, error) {
	var all []identityScope
	profiles := v.profiles
	if len(profiles) == 0 {
		profiles = []string{""}
	}
	for _, profile := range profiles {
		for conn, err := range v.identities(ctx, profile) {
			var id aws.Identity
			if err == nil {
				id, err = conn.Identity(ctx)
			}
			switch {
			case ctx.Err() != nil:
				return nil, ctx.Err()
			case err != nil && profile != "":
				t.fail(v, "profile "+profile+": ", err)
				continue
			case err != nil:
				t.fail(v, "", err)
				continue
			}
			regions := v.regions
			if len(regions) == 0 {
				regions = []string{conn.Config.Region}
			}
			for _, region := range regions {
				s := identityScope{describe.Scope{Account: id.Account, Region: region}, conn}
				switch {
				case region == "":
					return nil, usageError{errors.New("no region is known: name it with --regions, or set AWS_REGION")}
				case slices.ContainsFunc(all, func(o identityScope) bool { return o.Scope == s.Scope }):
					v.note(fmt.Sprintf("%s %s is asked for twice, and taken once", id.Account, region))
				default:
					all = append(all, s)
				}
			}
		}
	}
	return all, nil
}

// identities yields the connections of a profile: its own, or those of the roles.
func (v *inventorying) identities(ctx context.Context, profile string) func(func(*aws.Connection, error) bool) {
	return func(yield func(*aws.Connection, error) bool) {
		conn, err := aws.Connect(ctx, aws.Options{Profile: profile, Region: v.first(), EndpointURL: v.endpoint, Connections: snapshotsAtOnce, Now: time.Now})
		if err != nil || len(v.roles) == 0 {
			yield(conn, err)
			return
		}
		for _, role := range v.roles {
			accounts := v.accounts
			if !strings.Contains(role, accountPlace) {
				accounts = []string{""}
			}
			for _, account := range accounts {
				assumed, err := conn.Assume(ctx, strings.ReplaceAll(role, accountPlace, account))
				if !yield(assumed, err) {
					return
				}
			}
		}
	}
}

// snapshotsAtOnce is how many snapshots are taken at a time. AWS counts requests by account and region, so that they do
// not slow down each other; each waits for one request at a time.
const snapshotsAtOnce = 8

// A taken snapshot, or why there is none.
type takenSnapshot struct {
	*describe.Snapshot
	err error
}

// take takes snapshots, several at a time, and yields them in the order of the scopes.
func (v *inventorying) take(ctx context.Context, scopes []identityScope, calls []*describe.Call) func(func(takenSnapshot) bool) {
	return func(yield func(takenSnapshot) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		slots := make(chan struct{}, snapshotsAtOnce)
		results := make([]chan takenSnapshot, len(scopes))
		for i := range scopes {
			results[i] = make(chan takenSnapshot, 1)
		}
		go func() {
			for i, s := range scopes {
				select {
				case slots <- struct{}{}:
				case <-ctx.Done():
					results[i] <- takenSnapshot{err: ctx.Err()}
					continue
				}
				go func() {
					defer func() { <-slots }()
					s.Time = time.Now().UTC().Truncate(time.Second)
					shot, err := describe.Take(ctx, s.conn, s.Scope, calls)
					results[i] <- takenSnapshot{shot, err}
				}()
			}
		}()
		for _, result := range results {
			if !yield(<-result) {
				return
			}
		}
	}
}

// plan prints the calls with their permissions.
func (v *inventorying) plan(calls []*describe.Call) error {
	w := tabwriter.NewWriter(v.con.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CALL\tPERMISSION\tWHAT FOR")
	for _, role := range v.roles {
		fmt.Fprintf(w, "AssumeRole\tsts:AssumeRole\tcredentials of %s\n", role)
	}
	for _, c := range calls {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Action, c.Permission(), c.Doc)
	}
	if strings.HasPrefix(v.out, "s3://") {
		fmt.Fprintf(w, "PutObject\ts3:PutObject\tthe files, in %s\n", v.out)
	}
	return w.Flush()
}
