package oracle

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// An engine answers queries.
type engine struct {
	name   string // of its dialect
	query  func(sql string) (answer, error)
	fill   func(t *testing.T, b *bench) // makes tables of the logs of a bench
	tables []string                     // that fill makes: the same records in other forms

	estimates bool     // its quantiles are
	splits    bool     // flowlog report --engine runs reports on it
	slow      bool     // it takes half a second for each query
	env       []string // what flowlog finds it by
}

// duckDB is DuckDB, in the package of that name for Python: in the Python that $DUCKDB_PYTHON names, as .ci/run does,
// or in python3. The test is skipped if there is none.
func duckDB(t *testing.T) *engine {
	t.Helper()
	python := os.Getenv("DUCKDB_PYTHON")
	if python == "" {
		python = "python3"
		if exec.Command(python, "-c", "import duckdb").Run() != nil {
			t.Skip("there is no DuckDB here: pip install duckdb, or name a Python that has it in $DUCKDB_PYTHON")
		}
	}
	c := exec.Command(python, "run.py")
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<28)
	db := &pipe{in, lines}
	return &engine{name: "duckdb", query: db.query, fill: duckTables, tables: []string{"flows", "dashed"}}
}

// pipe is to a process that reads a query a line and writes an answer a line.
type pipe struct {
	in  io.Writer
	out *bufio.Scanner
}

// duckTables are flows, in which null is null, and dashed, in which it is - in texts, as in AWS's own files.
func duckTables(t *testing.T, b *bench) {
	b.must(t, "CREATE OR REPLACE TABLE flows AS FROM '"+b.parquet+"'")
	var columns []string
	for _, row := range b.must(t, "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'flows' ORDER BY ordinal_position").Rows {
		name := `"` + row[0].(string) + `"`
		if row[1] == "VARCHAR" {
			name = "coalesce(" + name + ", '-') AS " + name
		}
		columns = append(columns, name)
	}
	b.must(t, "CREATE OR REPLACE TABLE dashed AS SELECT "+strings.Join(columns, ", ")+" FROM flows")
}

// An answer is what a query comes to. Numbers are json.Number, times text.
type answer struct {
	Columns []string
	Rows    [][]any
	Error   string
}

func (e *pipe) query(sql string) (answer, error) {
	line, err := json.Marshal(sql)
	if err != nil {
		return answer{}, err
	}
	if _, err := e.in.Write(append(line, '\n')); err != nil {
		return answer{}, err
	}
	if !e.out.Scan() {
		return answer{}, errors.Join(io.ErrUnexpectedEOF, e.out.Err())
	}
	var a answer
	dec := json.NewDecoder(strings.NewReader(e.out.Text()))
	dec.UseNumber()
	if err := dec.Decode(&a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

func (e *engine) must(t *testing.T, sql string) answer {
	t.Helper()
	a, err := e.query(sql)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return a
}
