package trino

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// canned answers every request by a function, without a network between.
type canned func(r *http.Request) string

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(c(r))),
	}, nil
}

// FuzzAnswers answers a query with any two pages: rows have as many values as there are columns, and an end that no page
// says is an error.
func FuzzAnswers(f *testing.F) {
	const (
		first = `{"id":"20260514_090000_00001_abcde","infoUri":"http://trino.example/ui/query.html?1","nextUri":"http://trino.example/v1/statement/executing/1/1","stats":{"state":"QUEUED","elapsedTimeMillis":5}}`
		last  = `{"id":"20260514_090000_00001_abcde","infoUri":"http://trino.example/ui/query.html?1","columns":[` +
			`{"name":"a","type":"bigint","typeSignature":{"rawType":"bigint","arguments":[]}},` +
			`{"name":"b","type":"varchar(9)","typeSignature":{"rawType":"varchar","arguments":[{"kind":"LONG","value":9}]}},` +
			`{"name":"c","type":"timestamp(3) with time zone","typeSignature":{"rawType":"timestamp with time zone","arguments":[{"kind":"LONG","value":3}]}}],` +
			`"data":[[1,"10.0.0.1","2026-05-14 09:00:00.000 UTC"],[null,null,null]],"stats":{"state":"FINISHED","elapsedTimeMillis":1500,"physicalInputBytes":4096,"processedBytes":9}}`
	)
	f.Add(first, last)
	f.Add(last, "")
	f.Add(first, strings.Replace(last, `[1,`, `[1,2,3,`, 1))
	f.Add(first, strings.Replace(last, `[1,`, `["x",`, 1))
	f.Add(first, strings.Replace(last, `,"2026-05-14 09:00:00.000 UTC"`, "", 1))
	f.Add(first, `{"id":"q","error":{"message":"line 1:8: Table 'x' does not exist","errorCode":46,"errorName":"TABLE_NOT_FOUND","errorType":"USER_ERROR"},"stats":{}}`)
	f.Add(first, "<html>sign in</html>")
	f.Add(first, "null")
	f.Add(`[]`, `{"columns":null,"data":[[1]]}`)
	f.Add(`{"nextUri":"::","stats":{"elapsedTimeMillis":-1}}`, "{}")
	f.Fuzz(func(t *testing.T, first, second string) {
		opened, err := Open("http://trino.example?catalog=hive&schema=vpc")
		if err != nil {
			t.Fatal(err)
		}
		r := opened.(*runner)
		pages := []string{first, second}
		r.next = canned(func(q *http.Request) string {
			if q.Method == http.MethodDelete || len(pages) == 0 {
				return ""
			}
			page := pages[0]
			pages = pages[1:]
			return page
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		res, err := r.Run(ctx, "SELECT 1")
		for err == nil {
			var row []any
			row, err = res.Next(ctx)
			if said := strings.Contains(first+second, finished) || strings.Contains(first+second, `\u`); err == io.EOF && !said {
				t.Errorf("%q and %q are the whole result", first, second)
			}
			if err == nil && len(row) != len(res.Columns()) {
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
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}
