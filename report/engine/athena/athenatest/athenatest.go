// Package athenatest is a server for tests that speaks Athena's protocol.
package athenatest

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A Server speaks Athena's protocol, JSON 1.1, as far as queries need it, and lists objects as S3 does. A query is run by
// Run; what else can happen to it is set by the fields.
type Server struct {
	*httptest.Server
	Run  func(sql string) (columns, kinds []string, rows [][]*string, err error)
	Page int // rows of a page

	sync.Mutex // of what follows, while a query may run
	Queries    map[string]*Query
	Order      []string          // of their names
	Calls      []string          // the operations that were asked for
	Polls      int               // for which a query runs
	Throttle   int               // requests that are answered with TooManyRequestsException first
	Deny       map[string]string // operations that are answered with AccessDeniedException, and its message
	Tables     map[string]Table  // by database.table
	Objects    map[string]int64  // sizes by bucket/key
	Scanned    int64             // by a query each time that it is asked for
	Unsigned   bool              // a request had no signature
}

// A Table is what GetTableMetadata says.
type Table struct {
	Parameters    map[string]string
	PartitionKeys []map[string]string
}

// A Query is one that was started.
type Query struct {
	SQL, State, Reason string
	Type               string
	polls              int
	scanned            int64
	columns, kinds     []string
	rows               [][]*string
	Started            map[string]any // the request
}

// New starts a server, and sets credentials that it knows.
func New(t *testing.T) *Server {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_SESSION_TOKEN", "")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	t.Setenv("AWS_PROFILE", "")
	s := &Server{Queries: make(map[string]*Query), Page: 1000, Scanned: 1 << 20, Deny: make(map[string]string)}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	s.Lock()
	defer s.Unlock()
	if !strings.HasPrefix(req.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || !strings.Contains(req.Header.Get("Authorization"), "Signature=") {
		s.Unsigned = true
	}
	if req.Method == http.MethodGet {
		s.list(w, req)
		return
	}
	op := strings.TrimPrefix(req.Header.Get("X-Amz-Target"), "AmazonAthena.")
	s.Calls = append(s.Calls, op)
	fail := func(code, message string) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": message, "Message": message})
	}
	if req.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
		fail("SerializationException", "not JSON 1.1")
		return
	}
	if message, ok := s.Deny[op]; ok {
		fail("AccessDeniedException", message)
		return
	}
	if s.Throttle > 0 {
		s.Throttle--
		fail("TooManyRequestsException", "Rate exceeded")
		return
	}
	var in map[string]any
	if err := json.NewDecoder(req.Body).Decode(&in); err != nil {
		fail("SerializationException", err.Error())
		return
	}
	id, _ := in["QueryExecutionId"].(string)
	q := s.Queries[id]
	out := map[string]any{}
	switch op {
	case "StartQueryExecution":
		id = fmt.Sprintf("%08d-query", len(s.Queries)+1)
		s.Queries[id] = &Query{SQL: in["QueryString"].(string), State: "QUEUED", Type: "DML", Started: in}
		s.Order = append(s.Order, id)
		out["QueryExecutionId"] = id
	case "GetQueryExecution":
		q.step(s)
		out["QueryExecution"] = map[string]any{
			"QueryExecutionId": id, "Query": q.SQL, "StatementType": q.Type,
			"Status":     map[string]any{"State": q.State, "StateChangeReason": q.Reason},
			"Statistics": map[string]any{"DataScannedInBytes": q.scanned, "TotalExecutionTimeInMillis": 1500},
		}
	case "StopQueryExecution":
		q.State, q.Reason = "CANCELLED", "Query cancelled by user"
	case "GetQueryResults":
		from := 0
		if token, ok := in["NextToken"].(string); ok {
			from, _ = strconv.Atoi(token)
		}
		rows := q.rows
		if q.Type == "DML" {
			var header []*string
			for _, c := range q.columns {
				header = append(header, &c)
			}
			rows = append([][]*string{header}, rows...)
		}
		to := min(from+min(s.Page, int(in["MaxResults"].(float64))), len(rows))
		list := []any{}
		for _, row := range rows[from:to] {
			data := []any{}
			for _, v := range row {
				if v == nil {
					data = append(data, map[string]any{})
				} else {
					data = append(data, map[string]any{"VarCharValue": *v})
				}
			}
			list = append(list, map[string]any{"Data": data})
		}
		info := []any{}
		for i, c := range q.columns {
			info = append(info, map[string]any{"Name": c, "Type": q.kinds[i]})
		}
		out["ResultSet"] = map[string]any{"Rows": list, "ResultSetMetadata": map[string]any{"ColumnInfo": info}}
		if to < len(rows) {
			out["NextToken"] = strconv.Itoa(to)
		}
	case "GetTableMetadata":
		m, ok := s.Tables[in["DatabaseName"].(string)+"."+in["TableName"].(string)]
		if !ok {
			fail("MetadataException", "Table not found")
			return
		}
		out["TableMetadata"] = map[string]any{"Name": in["TableName"], "Parameters": m.Parameters, "PartitionKeys": m.PartitionKeys}
	default:
		fail("UnknownOperationException", op)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(out) // a client may have gone away
}

// step is what happens to a query between two questions for its state.
func (q *Query) step(s *Server) {
	switch q.State {
	case "QUEUED":
		q.State = "RUNNING"
	case "RUNNING":
		if strings.HasPrefix(q.SQL, "EXPLAIN") {
			q.Type = "UTILITY"
		} else if q.scanned, q.polls = q.scanned+s.Scanned, q.polls+1; q.polls <= s.Polls {
			return
		}
		columns, kinds, rows, err := s.Run(q.SQL)
		if q.State = "SUCCEEDED"; err != nil {
			q.State, q.Reason = "FAILED", err.Error()
		}
		q.columns, q.kinds, q.rows = columns, kinds, rows
	}
}

// list answers ListObjectsV2, two objects a page.
func (s *Server) list(w http.ResponseWriter, req *http.Request) {
	s.Calls = append(s.Calls, "ListObjectsV2")
	if message, ok := s.Deny["ListObjectsV2"]; ok {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Error><Code>AccessDenied</Code><Message>%s</Message></Error>", message)
		return
	}
	bucket := strings.Trim(req.URL.Path, "/")
	type object struct {
		Key  string
		Size int64
	}
	var page struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string
		Contents              []object
	}
	var keys []string
	for name := range s.Objects {
		if key, ok := strings.CutPrefix(name, bucket+"/"); ok && strings.HasPrefix(key, req.URL.Query().Get("prefix")) && key > req.URL.Query().Get("continuation-token") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys[:min(2, len(keys))] {
		page.Contents = append(page.Contents, object{key, s.Objects[bucket+"/"+key]})
	}
	if len(keys) > 2 {
		page.IsTruncated, page.NextContinuationToken = true, keys[1]
	}
	_ = xml.NewEncoder(w).Encode(page)
}

// Text is a value.
func Text(s string) *string { return &s }

// OnTrino makes queries run on the Trino server that dsn names, as testdata/trino/start prints it; without one the test is
// skipped. Athena's engine is Trino. It returns what runs statements there that Athena has in another language.
func (s *Server) OnTrino(t *testing.T, dsn string) (statement func(sql string)) {
	t.Helper()
	if dsn == "" {
		t.Skip("$FLOWLOG_TRINO_TEST names no server: export FLOWLOG_TRINO_TEST=$(testdata/trino/start)")
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	s.Run = func(sql string) (columns, kinds []string, rows [][]*string, err error) {
		method, at := http.MethodPost, "http://"+u.Host+"/v1/statement"
		for at != "" {
			req, err := http.NewRequest(method, at, strings.NewReader(sql))
			if err != nil {
				return nil, nil, nil, err
			}
			req.Header.Set("X-Trino-User", "athena")
			req.Header.Set("X-Trino-Catalog", "hive")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return nil, nil, nil, err
			}
			var page struct {
				NextURI string
				Columns []struct{ Name, Type string }
				Data    [][]any
				Error   *struct{ Message string }
			}
			dec := json.NewDecoder(res.Body)
			dec.UseNumber()
			err = dec.Decode(&page)
			res.Body.Close()
			if err == nil && page.Error != nil {
				err = errors.New(page.Error.Message)
			}
			if err != nil {
				return nil, nil, nil, err
			}
			if columns == nil {
				for _, c := range page.Columns {
					columns, kinds = append(columns, c.Name), append(kinds, strings.Split(c.Type, "(")[0])
				}
			}
			for _, data := range page.Data {
				var row []*string
				for _, v := range data {
					if v == nil {
						row = append(row, nil)
						continue
					}
					row = append(row, Text(fmt.Sprint(v)))
				}
				rows = append(rows, row)
			}
			method, at, sql = http.MethodGet, page.NextURI, ""
		}
		return columns, kinds, rows, nil
	}
	return func(sql string) {
		t.Helper()
		if _, _, _, err := s.Run(sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}
