package price

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
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

// A recordLimit is a reader that fails after so many bytes, so that no record is larger.
type recordLimit struct {
	r    io.Reader
	left int
}

func (l *recordLimit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errors.New("a record of more than 1 MiB")
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}

// readCSV reads a price list in CSV: five lines about the list, names of columns, then a row a price.
func (l *priceList) readCSV(in io.Reader) error {
	limit := &recordLimit{r: in}
	r := csv.NewReader(limit)
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	var columns *[colCount]int
	for {
		limit.left = maxMember
		record, err := r.Read()
		if err == io.EOF && columns == nil {
			err = errors.New("is no price list of AWS: it has no column SKU")
		} else if err == io.EOF {
			return nil
		}
		if err == nil {
			switch {
			case columns != nil:
				err = l.csvRow(columns, record)
			case strings.EqualFold(record[0], "SKU"):
				columns, err = csvColumns(record)
			case record[0] == "Publication Date" && len(record) > 1:
				l.date = strings.Clone(record[1])
			}
		}
		if err != nil {
			var wrong *csv.ParseError
			if errors.As(err, &wrong) {
				return fmt.Errorf("%s:%d: %w", l.name, wrong.Line, wrong.Err)
			}
			line := 1
			if len(record) > 0 {
				line, _ = r.FieldPos(0)
			}
			return fmt.Errorf("%s:%d: %w", l.name, line, err)
		}
	}
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
