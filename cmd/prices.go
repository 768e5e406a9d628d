package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowlog/enrich"
	"flowlog/enrich/price"
	"flowlog/parse/disk"
	"flowlog/parse/schema"
)

// pricing is the group of flags that say what traffic costs.
type pricing struct {
	files  []string
	months []string
}

func (p *pricing) flags(c *cobra.Command) {
	section(c, "Price flags", func(f *pflag.FlagSet) {
		p.filesFlag(f)
		f.StringArrayVar(&p.months, "month-to-date", nil, "GB that the month has already, `charge=GB`: chooses the tier (default: the first)")
	})
}

func (p *pricing) filesFlag(f *pflag.FlagSet) {
	f.StringArrayVar(&p.files, "prices", nil, "prices over the built-in ones, a `file`: YAML, or a price list of AWS in JSON or CSV")
}

// costing is the flags that say which charges a record pays.
type costing struct {
	pricing
	at, region string
}

// chargeAt are the values of --charge-at.
var chargeAt = [...]string{price.AtGateways: "gateways", price.AtClients: "clients"}

func (k *costing) flags(f *pflag.FlagSet) {
	k.filesFlag(f)
	f.StringVar(&k.at, "charge-at", chargeAt[price.AtGateways], "where charge has nat, tgw and endpoint: at `records` of gateways or clients")
	f.StringVar(&k.region, "price-region", "", "`region` of records that have none, for charge")
}

// lookups returns the lookups of charges, nil if none of their fields is among the names.
func (k *costing) lookups(ctx context.Context, in *reader, l *lookups, names []string) ([]enrich.Lookup, error) {
	at := slices.Index(chargeAt[:], k.at)
	if at < 0 {
		return nil, usageError{fmt.Errorf("--charge-at is %s, not %q", schema.Join(chargeAt[:], "or"), k.at)}
	}
	if k.region != "" && !slices.Contains(price.Regions(), k.region) {
		return nil, usageError{fmt.Errorf("--price-region: %w", schema.Unknown("region", k.region, price.Regions(), "flowlog prices"))}
	}
	costs := enrich.Costs{Region: k.region}
	if !slices.ContainsFunc(names, enrich.IsCost) {
		return nil, nil
	}
	book, err := k.book()
	if err != nil {
		return nil, err
	}
	header := in.header(ctx)
	has := func(fields ...string) bool {
		return !slices.ContainsFunc(fields, func(f string) bool { return !slices.Contains(header, f) })
	}
	_, lacks := l.lacks[enrich.AWS]
	costs.Rules, costs.Ranges, costs.Owners = book.Rules(price.ChargeAt(at)), !lacks, l.owners != nil
	costs.Rates = book.Rates()
	costs.Type = has("interface_type")
	costs.NextHop = has("next_hop_interface_type", "next_hop_az_id")
	costs.Services = has("pkt_src_aws_service", "pkt_dst_aws_service")
	return costs.Lookups(), nil
}

// costNotes says what dollars leave out, if some are computed of the fields.
func costNotes(names []string) []string {
	rated := func(name string) bool {
		return enrich.IsCost(name) && (name == "rate" || strings.HasPrefix(name, "rate_"))
	}
	if !slices.ContainsFunc(names, rated) {
		return nil
	}
	return []string{"costs are a lower bound: traffic whose charge is unknown, or has no price, is not in them; --by charge --measures bytes,cost shows how much that is"}
}

// maxPrices is the most that is read of a file of prices: AWS's list of EC2 in all regions has 8 GB.
const maxPrices = 64 << 30

// book returns the built-in prices with those of the files over them.
func (p *pricing) book() (*price.Book, error) {
	months := make(map[price.Charge]int64)
	for _, text := range p.months {
		if err := price.MonthGB(text, months); err != nil {
			return nil, usageError{fmt.Errorf("--month-to-date: %w", err)}
		}
	}
	book := price.Builtin()
	for _, file := range p.files {
		over, err := price.Read(file, func() (io.ReadCloser, error) {
			f, err := disk.Open(file, maxPrices)
			return f, named(err)
		})
		if err != nil {
			return nil, eachLine("--prices: ", err)
		}
		book.Lay(over)
	}
	if len(months) > 0 {
		book.At(months)
	}
	return book, nil
}

// eachLine is an error that is several, a line each as all are printed, with something in front of each.
func eachLine(front string, err error) error {
	several, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s%w", front, err)
	}
	var lines []string
	for _, one := range several.Unwrap() {
		lines = append(lines, front+one.Error())
	}
	return errors.New(strings.Join(lines, "\nflowlog: "))
}

// newPrices returns `flowlog prices`.
func newPrices(con *console) *cobra.Command {
	var p pricing
	c := &cobra.Command{
		Use: "prices [REGION ...]", Short: "Print what AWS charges for traffic, by region",
		Long: "prices prints prices of traffic as YAML, of the regions that are named or of all: a table that is built in, with a date,\n" +
			"and over it those of --prices. What it prints can be changed and be a file of --prices. It asks nobody.",
		Example: "  flowlog prices eu-west-1 >prices.yaml                      prices to change\n" +
			"  flowlog prices --prices index.json eu-west-1               those of AWS's price list, which you have fetched",
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return price.Builtin().Names(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, regions []string) error {
			book, err := p.book()
			if err != nil {
				return err
			}
			known := book.Names()
			for _, region := range regions {
				if !slices.Contains(known, region) {
					return usageError{schema.Unknown("region", region, known, "flowlog prices")}
				}
			}
			if len(regions) == 0 {
				regions = known
			}
			for _, note := range book.Notes {
				fmt.Fprintln(con.err, printable("flowlog: warning: "+note))
			}
			_, err = io.WriteString(con.out, book.YAML(regions))
			return err
		},
	}
	p.flags(c)
	return c
}
