package bill

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"flowlog/enrich/price"
)

// of reads one or several files into a bill.
func of(texts ...string) (*Bill, error) {
	b := New()
	for _, text := range texts {
		if err := b.Read("bill", io.NopCloser(strings.NewReader(text)), parquetOf(text)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// parquetOf stands for a Parquet file: PAR1 and CSV whose texts are the values.
func parquetOf(text string) Parquet {
	return func(choose func([]string) []string, row func([]string) error) error {
		lines := strings.Split(strings.TrimSpace(strings.TrimPrefix(text, "PAR1")), "\n")
		header := strings.Split(lines[0], ",")
		chosen := choose(header)
		for _, line := range lines[1:] {
			all := strings.Split(line, ",")
			if len(all) != len(header) {
				return errors.New("the file is damaged")
			}
			var values []string
			for _, name := range chosen {
				values = append(values, all[slices.Index(header, name)])
			}
			if err := row(values); err != nil {
				return err
			}
		}
		return nil
	}
}

// shown writes the items of a bill, a line each.
func shown(b *Bill) string {
	var w strings.Builder
	for _, i := range b.Items() {
		fmt.Fprintf(&w, "%s %s %s %q %q %s %s GB %s cost %s lines %d daily %v logged %v\n", i.UsageType, i.Charge, i.Region, i.Product, i.Resource, i.Start, i.End,
			i.GB.Decimal(price.Whole, 3), i.Cost.Decimal(price.Whole, 4), i.Lines, i.Daily(), i.Logged())
	}
	return w.String()
}

const explorerJSON = `{
  "GroupDefinitions": [{"Type": "DIMENSION", "Key": "USAGE_TYPE"}],
  "ResultsByTime": [
    {"TimePeriod": {"Start": "2026-11-27", "End": "2026-11-28"}, "Total": {}, "Estimated": false, "Groups": [
      {"Keys": ["EUW2-NatGateway-Bytes"], "Metrics": {"UnblendedCost": {"Amount": "23.058", "Unit": "USD"}, "UsageQuantity": {"Amount": "461.16", "Unit": "GB"}, "BlendedCost": {"Amount": "1", "Unit": "USD"}}},
      {"Keys": ["EUW2-NatGateway-Hours"], "Metrics": {"UnblendedCost": {"Amount": "1.2", "Unit": "USD"}, "UsageQuantity": {"Amount": "24", "Unit": "Hrs"}}},
      {"Keys": ["EUW2-DataTransfer-Regional-Bytes"], "Metrics": {"UnblendedCost": {"Amount": "8.90", "Unit": "USD"}, "UsageQuantity": {"Amount": "8.9e2", "Unit": "N/A"}}}]},
    {"Groups": [
      {"Keys": ["EUW2-NatGateway-Bytes"], "Metrics": {"UnblendedCost": {"Amount": "0.0000000001", "Unit": "USD"}, "UsageQuantity": {"Amount": "0.000000002", "Unit": "GB"}}}],
     "TimePeriod": {"Start": "2026-11-28", "End": "2026-11-29"}, "Estimated": true}
  ],
  "NextPageToken": "more"
}`

func TestExplorer(t *testing.T) {
	b, err := of(explorerJSON)
	if err != nil {
		t.Fatal(err)
	}
	const want = `EUW2-DataTransfer-Regional-Bytes zone eu-west-2 "" "" 2026-11-27 2026-11-28 GB 890.000 cost 8.9000 lines 1 daily true logged true
EUW2-NatGateway-Bytes nat eu-west-2 "" "" 2026-11-27 2026-11-28 GB 461.160 cost 23.0580 lines 1 daily true logged true
EUW2-NatGateway-Bytes nat eu-west-2 "" "" 2026-11-28 2026-11-29 GB 0.000 cost 0.0000 lines 1 daily true logged true
`
	if got := shown(b); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if tiny := b.Items()[2]; tiny.Cost.Lo != 100 || tiny.GB.Lo != 2000 {
		t.Errorf("small sums are %d and %d, want 100 and 2000", tiny.Cost.Lo, tiny.GB.Lo)
	}
	notes := []string{"some costs are estimated: AWS may still change them", "the answer of Cost Explorer has more pages, which are not in the file"}
	if !slices.Equal(b.Notes, notes) || !slices.Equal(b.OtherCosts, []string{"BlendedCost"}) || b.Currency() != "USD" {
		t.Errorf("got notes %q, other costs %q, in %s", b.Notes, b.OtherCosts, b.Currency())
	}
	// By service too, in months.
	b, err = of(`{"ResultsByTime": [{"TimePeriod": {"Start": "2026-11-01", "End": "2026-12-01"}, "Groups": [
		{"Keys": ["Amazon Relational Database Service", "DataTransfer-xAZ-In-Bytes"], "Metrics": {"UnblendedCost": {"Amount": "0", "Unit": "CNY"}, "UsageQuantity": {"Amount": "5", "Unit": "GB"}}},
		{"Keys": ["EC2 - Other", "DataTransfer-Regional-Bytes"], "Metrics": {"UnblendedCost": {"Amount": "1", "Unit": "CNY"}, "UsageQuantity": {"Amount": "100", "Unit": "GB"}}}]}],
		"GroupDefinitions": [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "USAGE_TYPE"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	const byService = `DataTransfer-Regional-Bytes zone us-east-1 "EC2 - Other" "" 2026-11-01 2026-12-01 GB 100.000 cost 1.0000 lines 1 daily false logged true
DataTransfer-xAZ-In-Bytes zone us-east-1 "Amazon Relational Database Service" "" 2026-11-01 2026-12-01 GB 5.000 cost 0.0000 lines 1 daily false logged false
`
	if got := shown(b); got != byService || b.Currency() != "CNY" {
		t.Errorf("in %s: got\n%swant\n%s", b.Currency(), got, byService)
	}
}

// The same report in CSV by both namings, in Parquet, with gzip, and in two parts.
const oldNames = `identity/LineItemId,lineItem/UsageType,lineItem/UsageAmount,lineItem/UnblendedCost,lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/LineItemType,lineItem/ProductCode,lineItem/ResourceId,lineItem/CurrencyCode,product/region,pricing/unit,reservation/NetEffectiveCost
`
const newNames = `identity_line_item_id,line_item_usage_type,line_item_usage_amount,line_item_unblended_cost,line_item_usage_start_date,line_item_usage_end_date,line_item_line_item_type,line_item_product_code,line_item_resource_id,line_item_currency_code,product_region_code,pricing_unit,reservation_net_effective_cost
`

const someLines = `1,EUW2-NatGateway-Bytes,1.5,0.075,2026-11-27T00:00:00Z,2026-11-27T01:00:00Z,Usage,AmazonEC2,arn:nat-1,USD,eu-west-2,GB,0
2,EUW2-NatGateway-Bytes,2.5,0.125,2026-11-27T23:00:00Z,2026-11-28T00:00:00Z,Usage,AmazonEC2,arn:nat-1,USD,eu-west-2,GB,0
3,EUW2-NatGateway-Bytes,1,0.05,2026-11-27T23:00:00Z,2026-11-28T00:00:00Z,Usage,AmazonEC2,arn:nat-2,USD,eu-west-2,GB,0
4,EUW2-NatGateway-Bytes,0,-0.02,2026-11-27T00:00:00Z,2026-11-28T00:00:00Z,Credit,AmazonEC2,,USD,eu-west-2,,0
`

const otherLines = `5,EUW2-DataTransfer-Out-Bytes,10,0.9,2026-11-28T00:00:00Z,2026-11-28T01:00:00Z,Usage,AmazonEC2,i-1,USD,eu-west-2,GB,0
6,EUW2-DataTransfer-Out-Bytes,1,0.09,2026-11-28T00:00:00Z,2026-11-28T01:00:00Z,Usage,AmazonEC2,i-2,USD,eu-west-2,GB,0
7,EUW2-DataTransfer-Out-Bytes,4,0.36,2026-11-28T00:00:00Z,2026-11-28T01:00:00Z,Usage,AmazonS3,bucket,USD,eu-west-2,GB,0
8,EUW2-BoxUsage:m5.large,1,0.1,not a time,,Usage,AmazonEC2,i-1,USD,eu-west-2,Hrs,0
9,EUW2-EUC1-AWS-Out-Bytes,3,0.06,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,Usage,AmazonEC2,i-1,USD,eu-west-2,GB,0
10,EUW2-TransitGateway-Bytes,3,0.06,2026-11-28T00:00:00Z,,Usage,AmazonVPC,arn:tgw,USD,eu-west-2,Requests,0
`

const exportWant = `EUW2-DataTransfer-Out-Bytes internet eu-west-2 "AmazonEC2" "" 2026-11-28 2026-11-29 GB 11.000 cost 0.9900 lines 2 daily true logged true
EUW2-DataTransfer-Out-Bytes internet eu-west-2 "AmazonS3" "" 2026-11-28 2026-11-29 GB 4.000 cost 0.3600 lines 1 daily true logged false
EUW2-EUC1-AWS-Out-Bytes region eu-west-2 "AmazonEC2" "" 2026-11-01 2026-12-01 GB 3.000 cost 0.0600 lines 1 daily false logged true
EUW2-NatGateway-Bytes nat eu-west-2 "AmazonEC2" "arn:nat-1" 2026-11-27 2026-11-28 GB 4.000 cost 0.2000 lines 2 daily true logged true
EUW2-NatGateway-Bytes nat eu-west-2 "AmazonEC2" "arn:nat-2" 2026-11-27 2026-11-28 GB 1.000 cost 0.0500 lines 1 daily true logged true
`

func compressed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func TestExport(t *testing.T) {
	for name, texts := range map[string][]string{
		"old names": {oldNames + someLines + otherLines}, "new names": {newNames + someLines + otherLines}, "gzip": {compressed(newNames + someLines + otherLines)},
		"two parts": {newNames + otherLines, oldNames + someLines}, "parquet": {"PAR1" + newNames + someLines + otherLines},
	} {
		b, err := of(texts...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := shown(b); got != exportWant {
			t.Errorf("%s: got\n%swant\n%s", name, got, exportWant)
		}
		credit := b.Adjusted["Credit"]
		if got := credit.Decimal(price.Whole, 2); got != "-0.02" || len(b.Adjusted) != 1 {
			t.Errorf("%s: got credits of %s in %v, want -0.02", name, got, b.Adjusted)
		}
		if !slices.Equal(b.OtherCosts, []string{"reservation_net_effective_cost"}) || !slices.Equal(b.Notes, []string{"the usage of EUW2-TransitGateway-Bytes is in Requests, and left out"}) {
			t.Errorf("%s: got other costs %q and notes %q", name, b.OtherCosts, b.Notes)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "bill: is empty, and no bill"},
		{"{}", "bill: is no bill: ask for aws ce get-cost-and-usage"},
		{explorerJSON[:len(explorerJSON)/2], "bill:6: the file is cut off"},
		{strings.ReplaceAll(explorerJSON, "USAGE_TYPE", "SERVICE"), "bill: is not grouped by USAGE_TYPE: ask for aws ce"},
		{`{"ResultsByTime": [{"TimePeriod": {"Start": "2026-11-27", "End": "2026-11-28"}, "Total": {"UnblendedCost": {"Amount": "1", "Unit": "USD"}}, "Groups": []}]}`, "bill: is not grouped by USAGE_TYPE"},
		{strings.Replace(explorerJSON, `"UnblendedCost"`, `"NetUnblendedCost"`, 1), "bill:5: has BlendedCost, NetUnblendedCost, UsageQuantity, and not both UnblendedCost and UsageQuantity: ask for"},
		{strings.Replace(explorerJSON, "23.058", "much", 1), `the cost "much" of EUW2-NatGateway-Bytes is no decimal number`},
		{strings.Replace(explorerJSON, "461.16", "much", 1), `the amount "much" of EUW2-NatGateway-Bytes is no decimal number`},
		{strings.Replace(explorerJSON, `"2026-11-28", "End"`, `"soon", "End"`, 1), `"soon" is no time`},
		{strings.Replace(explorerJSON, `"8.90", "Unit": "USD"`, `"8.90", "Unit": "EUR"`, 1), "costs in USD and in EUR: read their bills apart"},
		{"a,b\n1,2\n", "bill:1: is no cost and usage report that can be read: it has no column line_item_usage_type"},
		{"line_item_usage_type,line_item_usage_amount,line_item_usage_start_date,line_item_net_unblended_cost\n", "it has no column line_item_unblended_cost: it has line_item_net_unblended_cost"},
		{newNames + strings.Replace(someLines, "2.5,", "x,", 1), `bill:3: the amount "x" of EUW2-NatGateway-Bytes is no decimal number`},
		{newNames + strings.Replace(someLines, "2026-11-27T23", "yesterday", 1), `bill:3: "yesterday:00:00Z" is no time`},
		{"PAR1" + newNames + strings.Replace(someLines, "2.5,", "x,", 1), `bill: row 2: the amount "x" of EUW2-NatGateway-Bytes is no decimal number`},
		{"PAR1" + newNames + "1,2\n", "bill: parquet: the file is damaged"},
		{"PAR1a,b\n1,2\n", "bill: is no cost and usage report that can be read"},
		{compressed(newNames + someLines)[:50], "bill:"},
	} {
		_, err := of(test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.60q: got %v, want %s", test.text, err, test.want)
		}
	}
}

// No content makes Read panic.
func FuzzRead(f *testing.F) {
	for _, text := range []string{explorerJSON, oldNames + someLines, newNames + otherLines, "PAR1" + newNames + someLines, compressed(newNames + someLines)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := of(text)
		if err != nil {
			return
		}
		for _, i := range b.Items() {
			if i.Lines == 0 || i.Start >= i.End {
				t.Errorf("%q: %+v", text, i)
			}
		}
	})
}
