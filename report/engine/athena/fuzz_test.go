package athena

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// canned answers each call of Athena's by a function, without a network between.
type canned func(op string, r *http.Request) string

func (c canned) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
	}
	body := c(strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonAthena."), r)
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// answered is a Runner whose calls are answered so.
func answered(t *testing.T, opt Options, by canned) *Runner {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	opt.Region, opt.EndpointURL, opt.wait = "eu-west-1", "http://athena.example", func(int) time.Duration { return time.Microsecond }
	r, err := Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	r.api = athena.New(r.api.Options(), func(o *athena.Options) { o.HTTPClient = by })
	r.s3 = s3.New(r.s3.Options(), func(o *s3.Options) { o.HTTPClient = by })
	return r
}

// FuzzAnswers answers with any body for the state of a query and for its two pages of results: rows have as many values
// as there are columns, and there is an end.
func FuzzAnswers(f *testing.F) {
	const (
		state = `{"QueryExecution":{"QueryExecutionId":"q1","Query":"SELECT 1","StatementType":"DML","Status":{"State":"SUCCEEDED"},"Statistics":{"DataScannedInBytes":1048576,"TotalExecutionTimeInMillis":1500}}}`
		head  = `"ResultSetMetadata":{"ColumnInfo":[{"Name":"srcaddr","Type":"varchar"},{"Name":"bytes","Type":"bigint"},{"Name":"share","Type":"double"}]}`
		rows  = `{"Data":[{"VarCharValue":"10.0.0.1"},{"VarCharValue":"5"},{"VarCharValue":"0.5"}]},{"Data":[{},{},{}]}`
		names = `{"Data":[{"VarCharValue":"srcaddr"},{"VarCharValue":"bytes"},{"VarCharValue":"share"}]},`
		first = `{"NextToken":"2","ResultSet":{` + head + `,"Rows":[` + names + rows + `]}}`
		last  = `{"ResultSet":{` + head + `,"Rows":[` + rows + `]}}`
	)
	f.Add(state, first, last)
	f.Add(`{"QueryExecution":{"Status":{"State":"FAILED","StateChangeReason":"HIVE_BAD_DATA: x","AthenaError":{"ErrorType":1}},"Statistics":{}}}`, first, last)
	f.Add(state, first, strings.Replace(last, `{"VarCharValue":"5"},`, "", 1))
	f.Add(state, first, strings.Replace(last, `{"VarCharValue":"5"}`, `{"VarCharValue":"x"}`, 1))
	f.Add(state, first, strings.Replace(last, head, `"ResultSetMetadata":{"ColumnInfo":[]}`, 1))
	f.Add(state, first, `{"ResultSet":{"ResultSetMetadata":{},"Rows":[{"Data":null},null]}}`)
	f.Add(state, `{"ResultSet":{"ResultSetMetadata":{"ColumnInfo":[null,{}]},"Rows":[null,{"Data":[null,{},{}]}]}}`, last)
	f.Add(state, first, "<html>sign in</html>")
	f.Add(state, first, "null")
	f.Add("{}", "", "")
	f.Fuzz(func(t *testing.T, state, first, second string) {
		states, pages := 0, 0
		r := answered(t, Options{Price: Price}, func(op string, _ *http.Request) string {
			switch op {
			case "StartQueryExecution":
				return `{"QueryExecutionId":"q1"}`
			case "GetQueryExecution":
				if states++; states > 3 { // whatever else it was
					return `{"QueryExecution":{"Status":{"State":"SUCCEEDED"}}}`
				}
				return state
			case "GetQueryResults":
				if pages++; pages == 1 {
					return first
				} else if pages == 2 {
					return second
				}
				return last
			}
			return "{}"
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		res, err := r.Run(ctx, "SELECT 1")
		for err == nil {
			var row []any
			if row, err = res.Next(ctx); err == nil && len(row) != len(res.Columns()) {
				t.Errorf("%d values in %d columns", len(row), len(res.Columns()))
			}
		}
		if ctx.Err() != nil {
			t.Error("there is no end")
		}
		if res != nil {
			if err := res.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzPlan answers with any plan of a query and any table for it: the query is bounded, or refused.
func FuzzPlan(f *testing.F) {
	const plan = `{"inputTableColumnInfos":[{"table":{"catalog":"awsdatacatalog","schemaTable":{"schema":"vpc","table":"flows"}},` +
		`"constraint":{"none":false,"columnConstraints":[{"columnName":"day","type":"varchar","domain":{"nullsAllowed":false,"ranges":[` +
		`{"low":{"value":"2026/05/14","bound":"EXACTLY"},"high":{"value":"2026/05/15","bound":"BELOW"}}]}}]}}]}`
	const metadata = `{"TableMetadata":{"Name":"flows","PartitionKeys":[{"Name":"day","Type":"string"}],"Parameters":{"location":"s3://logs/AWSLogs/",` +
		`"projection.enabled":"true","projection.day.type":"date","projection.day.format":"yyyy/MM/dd","projection.day.range":"2026/05/01,NOW",` +
		`"storage.location.template":"s3://logs/AWSLogs/123456789012/vpcflowlogs/eu-west-1/${day}/"}}}`
	f.Add("Query Plan\n"+plan, metadata)
	f.Add(plan, strings.Replace(metadata, "${day}", "${day}${day}${hour", 1))
	f.Add(plan, strings.Replace(metadata, `"projection.day.type":"date"`, `"projection.day.type":"integer","projection.day.digits":"99999999"`, 1))
	f.Add(plan, strings.Replace(metadata, `"projection.day.type":"date"`, `"projection.day.type":"enum","projection.day.values":",,"`, 1))
	f.Add(plan, `{"TableMetadata":{"Name":"flows","PartitionKeys":[{"Name":null}],"Parameters":{"location":"file:///"}}}`)
	f.Add(strings.Replace(plan, "2026/05/14", "\\u0000", 1), metadata)
	f.Add(`{"inputTableColumnInfos":null}`, `{}`)
	f.Add(`[`, `null`)
	f.Fuzz(func(t *testing.T, plan, metadata string) {
		text, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		lists := 0
		r := answered(t, Options{MaxScan: 1000}, func(op string, q *http.Request) string {
			switch op {
			case "StartQueryExecution":
				return `{"QueryExecutionId":"q1"}`
			case "GetQueryExecution":
				return `{"QueryExecution":{"Status":{"State":"SUCCEEDED"}}}`
			case "GetQueryResults":
				return `{"ResultSet":{"ResultSetMetadata":{"ColumnInfo":[{"Name":"Query Plan","Type":"varchar"}]},"Rows":[{"Data":[{"VarCharValue":` + string(text) + `}]}]}}`
			case "GetTableMetadata":
				return metadata
			}
			if lists++; lists > 10_000 {
				t.Fatal("too much is listed")
			}
			return `<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>`
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_ = r.within(ctx, "SELECT 1") // any answer is right that comes in time
		if ctx.Err() != nil {
			t.Error("there is no end")
		}
	})
}
