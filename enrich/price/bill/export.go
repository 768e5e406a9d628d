package bill

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"flowlog/enrich/price/internal/stream"
)

// The columns of a cost and usage report that are read.
const (
	colUsageType = iota
	colAmount
	colCost
	colStart
	colEnd
	colKind
	colProduct
	colResource
	colCurrency
	colRegion
	colOldRegion
	colUnit
	colCount
)

// exportColumns are their names in Parquet and Data Exports; reports in CSV write lineItem/UsageType for
// line_item_usage_type.
var exportColumns = [colCount]string{
	colUsageType: "line_item_usage_type", colAmount: "line_item_usage_amount", colCost: "line_item_unblended_cost",
	colStart: "line_item_usage_start_date", colEnd: "line_item_usage_end_date", colKind: "line_item_line_item_type",
	colProduct: "line_item_product_code", colResource: "line_item_resource_id", colCurrency: "line_item_currency_code",
	colRegion: "product_region_code", colOldRegion: "product_region", colUnit: "pricing_unit",
}

// neededColumns are those without which there is no bill: the first four.
const neededColumns = colEnd

// snake returns a name of a column in CSV as Parquet has it.
func snake(name string) string {
	var b strings.Builder
	lower := false // the letter before is lower case
	for _, r := range name {
		switch {
		case r >= 'A' && r <= 'Z':
			if lower {
				b.WriteByte('_')
			}
			b.WriteRune(r + 'a' - 'A')
		case r == '/' || r == ':':
			b.WriteByte('_')
		default:
			b.WriteRune(r)
		}
		lower = r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
	}
	return b.String()
}

// An export reads the lines of a cost and usage report.
type export struct {
	*Bill
	at [colCount]int // the columns, -1 if there is none
}

// columns finds the columns by their names.
func (e *export) columns(header []string) error {
	var names, others []string
	for _, name := range header {
		name = snake(strings.TrimSpace(name))
		names = append(names, name)
		if strings.HasSuffix(name, "_cost") && name != exportColumns[colCost] && !strings.HasPrefix(name, "pricing_") {
			others = append(others, name)
		}
	}
	for c, name := range exportColumns {
		if e.at[c] = slices.Index(names, name); e.at[c] < 0 && c < neededColumns {
			has := ""
			if len(others) > 0 {
				has = ": it has " + strings.Join(others, ", ")
			}
			return fmt.Errorf("is no cost and usage report that can be read: it has no column %s%s", name, has)
		}
	}
	e.otherCosts(others)
	return nil
}

// row adds a line. Its texts are only valid until row returns.
func (e *export) row(fields []string) error {
	cell := func(c int) string {
		if i := e.at[c]; i >= 0 && i < len(fields) {
			return fields[i]
		}
		return ""
	}
	l := line{
		kind: cell(colKind), amount: cell(colAmount), cost: cell(colCost), unit: cell(colUnit), currency: cell(colCurrency), region: cell(colRegion),
		Key: Key{UsageType: cell(colUsageType), Product: cell(colProduct), Resource: cell(colResource)},
	}
	if l.region == "" {
		l.region = cell(colOldRegion)
	}
	if !traffic(l.UsageType) {
		return nil
	}
	if err := l.span(cell(colStart), cell(colEnd)); err != nil {
		return err
	}
	l.kind, l.currency, l.region = strings.Clone(l.kind), strings.Clone(l.currency), strings.Clone(l.region)
	l.UsageType, l.Product, l.Resource = strings.Clone(l.UsageType), strings.Clone(l.Product), strings.Clone(l.Resource)
	return e.add(l)
}

// readCSV reads a report in CSV.
func (b *Bill) readCSV(name string, in io.Reader) error {
	e := &export{Bill: b}
	header := true
	return stream.CSV(name, in, func(fields []string) error {
		if header {
			header = false
			return e.columns(fields)
		}
		return e.row(fields)
	})
}

// A Parquet reads columns of a Parquet file. choose gets the names of all columns and returns those to read; row gets their
// values as text, a row at a time, "" for none.
type Parquet func(choose func(columns []string) []string, row func(values []string) error) error

// readParquet reads a report in Parquet.
func (b *Bill) readParquet(name string, rows Parquet) error {
	e := &export{Bill: b}
	var wrong error
	choose := func(columns []string) []string {
		if wrong = e.columns(columns); wrong != nil {
			return nil
		}
		var chosen []string
		for c, i := range e.at {
			if i >= 0 {
				e.at[c] = len(chosen)
				chosen = append(chosen, columns[i])
			}
		}
		return chosen
	}
	line := 0
	err := rows(choose, func(values []string) error {
		if wrong == nil {
			line++
			wrong = e.row(values)
		}
		return wrong
	})
	switch {
	case wrong != nil && line > 0:
		return fmt.Errorf("%s: row %d: %w", name, line, wrong)
	case wrong != nil:
		return fmt.Errorf("%s: %w", name, wrong)
	case err != nil:
		return fmt.Errorf("%s: parquet: %w", name, err)
	}
	return nil
}
