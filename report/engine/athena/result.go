package athena

import (
	"context"
	"fmt"
	"io"
	"strconv"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
)

// A result is read in pages of 1,000 rows, Athena's maximum. The result file in S3 would take one request, but a
// workgroup with managed results has none, and reports have few rows.
type result struct {
	r       *Runner
	id      string
	columns []string
	values  []value
	rows    []types.Row
	token   *string // of the next page
	begun   bool
}

func (res *result) Columns() []string { return res.columns }

// page reads the next page.
func (res *result) page(ctx context.Context) error {
	out, err := res.r.api.GetQueryResults(ctx, &athena.GetQueryResultsInput{
		QueryExecutionId: &res.id, NextToken: res.token, MaxResults: sdk.Int32(1000),
	})
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("results of query %s: %w", res.id, res.r.explain("athena:GetQueryResults", err))
	}
	if out.ResultSet == nil || out.ResultSet.ResultSetMetadata == nil {
		return res.r.check(fmt.Errorf("results of query %s: the answer is not from Athena", res.id))
	}
	res.rows, res.token = out.ResultSet.Rows, out.NextToken
	if res.begun {
		return nil
	}
	res.begun = true
	for _, c := range out.ResultSet.ResultSetMetadata.ColumnInfo {
		res.columns = append(res.columns, sdk.ToString(c.Name))
		v := kinds[sdk.ToString(c.Type)]
		if v == nil {
			v = asText
		}
		res.values = append(res.values, v)
	}
	if len(res.rows) > 0 && res.header(res.rows[0]) {
		res.rows = res.rows[1:]
	}
	return nil
}

// header reports whether a row has the column names: the first row of a SELECT has, that of an EXPLAIN has not.
func (res *result) header(row types.Row) bool {
	if len(row.Data) != len(res.columns) {
		return false
	}
	for i, d := range row.Data {
		if d.VarCharValue == nil || *d.VarCharValue != res.columns[i] {
			return false
		}
	}
	return true
}

// Next returns the next row.
func (res *result) Next(ctx context.Context) ([]any, error) {
	for len(res.rows) == 0 {
		if res.token == nil {
			return nil, io.EOF
		}
		if err := res.page(ctx); err != nil {
			return nil, err
		}
	}
	row := res.rows[0]
	res.rows = res.rows[1:]
	values := make([]any, len(res.columns))
	for i, d := range row.Data {
		if d.VarCharValue == nil || i >= len(values) {
			continue
		}
		v, err := res.values[i](*d.VarCharValue)
		if err != nil {
			return nil, fmt.Errorf("results of query %s: %s: %w", res.id, res.columns[i], err)
		}
		values[i] = v
	}
	return values, nil
}

// Close does nothing: the query has ended.
func (res *result) Close() error { return nil }

// A value parses the text of a value: Athena sends nothing but text.
type value func(string) (any, error)

func asText(s string) (any, error)  { return s, nil }
func asInt(s string) (any, error)   { return strconv.ParseInt(s, 10, 64) }
func asFloat(s string) (any, error) { return strconv.ParseFloat(s, 64) }
func asBool(s string) (any, error)  { return strconv.ParseBool(s) }

// kinds maps Athena's types to parsers; values of other types are text.
var kinds = map[string]value{
	"tinyint": asInt, "smallint": asInt, "integer": asInt, "int": asInt, "bigint": asInt,
	"real": asFloat, "float": asFloat, "double": asFloat,
	"boolean": asBool,
}
