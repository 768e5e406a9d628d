package price

import (
	"fmt"
	"io"
	"strings"

	"flowlog/enrich/price/internal/stream"
)

// The columns of a price list in CSV that are read.
const (
	colSKU = iota
	colTermType
	colEffective
	colFrom
	colTo
	colUnit
	colPrice
	colCurrency
	colUsage
	colRegion
	colFromRegion
	colToRegion
	colCount
)

var listColumns = [colCount]struct {
	name   string
	needed bool
}{
	colSKU: {"sku", true}, colTermType: {"termtype", true}, colEffective: {"effectivedate", false},
	colFrom: {"startingrange", false}, colTo: {"endingrange", false}, colUnit: {"unit", true}, colPrice: {"priceperunit", true}, colCurrency: {"currency", true},
	colUsage: {"usagetype", true}, colRegion: {"region code", false}, colFromRegion: {"from region code", false}, colToRegion: {"to region code", false},
}

// readCSV reads a price list in CSV: five lines about the list, names of columns, then a row a price.
func (l *priceList) readCSV(in io.Reader) error {
	var columns *[colCount]int
	err := stream.CSV(l.name, in, func(record []string) (err error) {
		switch {
		case columns != nil:
			err = l.csvRow(columns, record)
		case strings.EqualFold(record[0], "SKU"):
			columns, err = csvColumns(record)
		case record[0] == "Publication Date" && len(record) > 1:
			l.date = strings.Clone(record[1])
		}
		return err
	})
	if err == nil && columns == nil {
		err = fmt.Errorf("%s: is no price list of AWS: it has no column SKU", l.name)
	}
	return err
}

// csvColumns finds the columns by their names.
func csvColumns(header []string) (*[colCount]int, error) {
	var at [colCount]int
	for c, col := range listColumns {
		at[c] = -1
		for i, name := range header {
			if strings.EqualFold(name, col.name) {
				at[c] = i
			}
		}
		if at[c] < 0 && col.needed {
			return nil, fmt.Errorf("is no price list of AWS: it has no column %s", col.name)
		}
	}
	return &at, nil
}

func (l *priceList) csvRow(columns *[colCount]int, record []string) error {
	cell := func(c int) string {
		if i := columns[c]; i >= 0 && i < len(record) {
			return record[i]
		}
		return ""
	}
	if cell(colTermType) != "OnDemand" {
		return nil
	}
	sku := cell(colSKU)
	p := l.products[sku]
	if p == nil {
		region := cell(colRegion)
		if region == "" {
			region = cell(colFromRegion)
		}
		err := l.add(strings.Clone(sku), strings.Clone(cell(colUsage)), strings.Clone(region), strings.Clone(cell(colToRegion)))
		if p = l.products[sku]; p == nil || err != nil {
			return err
		}
	}
	return l.row(p, strings.Clone(cell(colEffective)), cell(colUnit), strings.Clone(cell(colCurrency)), cell(colFrom), cell(colTo), cell(colPrice))
}
